#include "index/leaf_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

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

}  // namespace
}  // namespace omendb::index
