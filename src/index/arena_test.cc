#include "index/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <thread>
#include <vector>

#include "testing/prng.h"

namespace omendb::index {
namespace {

struct Block {
  size_t bytes;
  uint8_t mark;
};

// Every byte of a block holds its mark; an overlap would change one.
void Fill(void* block, const Block& b) { std::memset(block, b.mark, b.bytes); }
bool Whole(const void* block, const Block& b) {
  const auto* p = static_cast<const uint8_t*>(block);
  return p[0] == b.mark && std::memcmp(p, p + 1, b.bytes - 1) == 0;
}

void AllocateAndFree(Arena* arena, uint64_t seed, size_t rounds) {
  testutil::Prng random(seed);
  std::map<void*, Block> blocks;
  for (size_t i = 0; i < rounds; ++i) {
    if (blocks.empty() || random.Below(5) < 3) {
      const Block b{(1 + random.Below(800)) * Arena::kGranule, static_cast<uint8_t>(i | 1)};
      void* block = arena->Allocate(b.bytes);
      Fill(block, b);
      ASSERT_TRUE(blocks.emplace(block, b).second);
      continue;
    }
    auto it = blocks.lower_bound(reinterpret_cast<void*>(random()));
    if (it == blocks.end()) it = blocks.begin();
    ASSERT_TRUE(Whole(it->first, it->second));
    arena->Free(it->first, it->second.bytes);
    blocks.erase(it);
  }
  for (const auto& [block, b] : blocks) {
    ASSERT_TRUE(Whole(block, b));
    arena->Free(block, b.bytes);
  }
}

TEST(Arena, BlocksNeverOverlap) {
  Arena* arena = Arena::Make();
  AllocateAndFree(arena, 1, 2'000);
  EXPECT_LE(arena->MemoryBytes(), size_t{64} << 20) << "what was freed is used again";
  arena->Unref();
}

TEST(Arena, NorDoThoseOfPatientAllocations) {
  Arena* arena = Arena::Make();
  std::vector<std::pair<void*, Block>> loaded;
  for (int i = 0; i < 300; ++i) {
    const Block b{520 * Arena::kGranule, 0x55};
    loaded.emplace_back(arena->Allocate(b.bytes, true), b);
    Fill(loaded.back().first, b);
  }
  AllocateAndFree(arena, 2, 500);
  for (const auto& [block, b] : loaded) EXPECT_TRUE(Whole(block, b));
  arena->Unref();
}

// Wherever the room is that was freed: in chunks before the one in use, of every size.
TEST(Arena, WhatWasFreedAnywhereIsUsedBeforeMoreIsTaken) {
  Arena* arena = Arena::Make();
  for (const size_t granules : {1, 3, 40, 200}) {
    std::vector<void*> blocks;
    for (int i = 0; i < 8192 / static_cast<int>(granules) * 4; ++i) {
      blocks.push_back(arena->Allocate(granules * Arena::kGranule, true));
    }
    const size_t bytes = arena->MemoryBytes();
    testutil::Prng random(granules);
    for (size_t round = 0; round < 200; ++round) {
      const size_t from = random.Below(blocks.size() - 5);
      for (size_t i = from; i < from + 5; ++i) {
        arena->Free(blocks[i], granules * Arena::kGranule);
      }
      for (size_t i = from; i < from + 5; ++i) {
        blocks[i] = arena->Allocate(granules * Arena::kGranule, true);
      }
      // What malloc gave at first comes from one more chunk the second time.
      ASSERT_LE(arena->MemoryBytes(), bytes + Arena::kHugePage) << granules;
    }
    for (void* block : blocks) arena->Free(block, granules * Arena::kGranule);
  }
  arena->Unref();
}

TEST(Arena, GrowsUnderThreadsAndGoesWhileAWarmingIsUnderWay) {
  for (int repeat = 0; repeat < 5; ++repeat) {
    Arena* arena = Arena::Make();
    std::vector<std::thread> threads;
    for (uint64_t t = 0; t < 2; ++t) {
      threads.emplace_back([arena, t] { AllocateAndFree(arena, t, 300); });
    }
    for (auto& thread : threads) thread.join();
    arena->Unref();
  }
}

}  // namespace
}  // namespace omendb::index
