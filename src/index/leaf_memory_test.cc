#include "index/leaf_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "index/granule_cache.h"

namespace omendb::index {
namespace {

TEST(LeafMemory, CellsAreReused) {
  LeafMemory* memory = LeafMemory::Make();
  void* first = memory->AllocateCell(448);
  memory->FreeCell(first);
  EXPECT_EQ(memory->AllocateCell(448), first);
  std::vector<void*> cells;
  for (int i = 0; i < 1'000; ++i) cells.push_back(memory->AllocateCell(448));
  std::sort(cells.begin(), cells.end());
  for (size_t i = 1; i < cells.size(); ++i) {
    EXPECT_GE(static_cast<char*>(cells[i]) - static_cast<char*>(cells[i - 1]), 448);
  }
  memory->Unref();
}

TEST(LeafMemory, CountsWhatIsHeld) {
  LeafMemory* memory = LeafMemory::Make();
  void* block = memory->Allocate(5'000);
  EXPECT_EQ(memory->MemoryBytes(), 20 * Arena::kGranule);
  memory->Free(block, 5'000);
  EXPECT_EQ(memory->MemoryBytes(), 0u);
  memory->Unref();
}

// Blocks of one index never lie in those of another, though they share pages.
TEST(LeafMemory, IndexesSharePages) {
  constexpr size_t kBlocks = 2'000, kBytes = 8'192;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([t] {
      LeafMemory* memory = LeafMemory::Make();
      std::vector<unsigned char*> blocks;
      for (size_t i = 0; i < kBlocks; ++i) {
        blocks.push_back(static_cast<unsigned char*>(memory->Allocate(kBytes)));
        std::memset(blocks.back(), t, kBytes);
      }
      for (unsigned char* block : blocks) {
        EXPECT_TRUE(std::all_of(block, block + kBytes, [t](unsigned char c) { return c == t; }));
        memory->Free(block, kBytes);
      }
      memory->Unref();
    });
  }
  for (auto& thread : threads) thread.join();
}

// Granules go from thread to thread, and from threads that end back to the arena.
TEST(GranuleCache, NoGranuleIsHandedOutTwice) {
  constexpr size_t kGranules = 3 * GranuleCache::kMost;
  Mutex mutex;
  std::set<void*> held;
  const auto take = [&] {
    void* granule = GranuleCache::Take();
    std::memset(granule, 1, Arena::kGranule);
    MutexLock lock(mutex);
    EXPECT_TRUE(held.insert(granule).second);
  };
  const auto give = [&] {
    void* granule = nullptr;
    {
      MutexLock lock(mutex);
      granule = *held.begin();
      held.erase(held.begin());
    }
    GranuleCache::Give(granule);
    EXPECT_LE(GranuleCache::count(), GranuleCache::kMost);
  };
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        for (size_t i = 0; i < kGranules; ++i) take();
        for (size_t i = 0; i < kGranules; ++i) give();
      });
    }
    for (auto& thread : threads) thread.join();
  }
  EXPECT_TRUE(held.empty());
  // None is lost: or else as many rounds again would need new pages.
  const size_t before = Arena::Shared().MemoryBytes();
  for (int round = 0; round < 200; ++round) {
    std::thread([&] {
      for (size_t i = 0; i < kGranules; ++i) take();
      for (size_t i = 0; i < kGranules; ++i) give();
    }).join();
  }
  EXPECT_LE(Arena::Shared().MemoryBytes(), before + Arena::kHugePage);
}

}  // namespace
}  // namespace omendb::index
