#include "colstore/block_cache.h"

#include <gtest/gtest.h>

#include <thread>

#include "colstore/columns_fixture.h"

namespace omendb::colstore {
namespace {

using testutil::Prng;

std::shared_ptr<const Block> MakeBlock() {
  Prng prng(1);
  TestColumn column(types::PhysicalType::kInt64, Shape::kRandom, 100, 0, prng);
  BlockEncoder encoder;
  SymbolHint hint;
  std::string bytes;
  encoder.Encode(column.cells(), hint, bytes);
  AlignedBytes aligned(bytes.size());
  std::memcpy(aligned.data(), bytes.data(), bytes.size());
  return *Block::Make(types::PhysicalType::kInt64, std::move(aligned));
}

class BlockCacheTest : public testing::Test {
 protected:
  // Each in a group of its own.
  static BlockCache::Key KeyOf(uint32_t number, uint64_t owner = 1) {
    return {owner, 0, number * 8 + number % 8};
  }
  // Reads a block as a reader does; whether it was there.
  bool Use(uint32_t number, uint64_t owner = 1) {
    if (cache_.Find(KeyOf(number, owner)) != nullptr) return true;
    cache_.Insert(KeyOf(number, owner), block_);
    return false;
  }
  const std::shared_ptr<const Block> block_ = MakeBlock();
  const uint64_t budget_ = 100 * block_->memory_bytes();
  BlockCache cache_{budget_, 1};
};

TEST_F(BlockCacheTest, KeepsToItsBudgetAndCounts) {
  for (uint32_t i = 0; i < 1000; ++i) EXPECT_FALSE(Use(i));
  EXPECT_TRUE(Use(999));
  const BlockCache::Counters counters = cache_.counters();
  EXPECT_EQ(counters.hits, 1);
  EXPECT_EQ(counters.misses, 1000);
  EXPECT_EQ(counters.blocks, 100);
  EXPECT_EQ(counters.evictions, 900);
  EXPECT_LE(counters.bytes, budget_);
}

TEST_F(BlockCacheTest, ManyAreFoundAsOneByOne) {
  BlockCache shared(budget_, 16);
  for (uint32_t i = 0; i < 40; i += 3) shared.Insert({1, 2, i}, block_);
  for (uint32_t first = 0; first < 20; ++first) {
    std::vector<std::shared_ptr<const Block>> found(first % 19);
    shared.FindMany({1, 2, first}, found);
    for (uint32_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i] != nullptr, (first + i) % 3 == 0 && first + i < 40) << first << " " << i;
    }
  }
}

TEST_F(BlockCacheTest, NeighboursGoTogether) {
  for (uint32_t i = 0; i < 1000; ++i) {
    cache_.Insert({1, 0, i}, block_);
    cache_.Insert({1, 0, i}, block_);  // It is there.
  }
  const BlockCache::Counters counters = cache_.counters();
  EXPECT_EQ(counters.blocks + counters.evictions, 1000);
  EXPECT_EQ(counters.bytes, counters.blocks * block_->memory_bytes());
  EXPECT_GE(counters.blocks, 100 - 8);
  EXPECT_LE(counters.bytes, budget_);
  for (uint32_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(cache_.Contains({1, 0, i}), cache_.Contains({1, 0, i / 8 * 8})) << i;
  }
}

TEST_F(BlockCacheTest, AScanLeavesWhatIsUsedAgain) {
  for (int round = 0; round < 3; ++round) {
    for (uint32_t i = 0; i < 50; ++i) Use(i);
  }
  for (uint32_t i = 1000; i < 11'000; ++i) Use(i);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < 50; ++i) kept += cache_.Contains(KeyOf(i)) ? 1 : 0;
  EXPECT_EQ(kept, 50);
}

TEST_F(BlockCacheTest, WhatComesBackSoonIsKept) {
  for (uint32_t i = 0; i < 100; ++i) Use(i);
  for (uint32_t i = 100; i < 150; ++i) Use(i);  // Drops blocks 0 to 49, and remembers them.
  for (uint32_t i = 0; i < 20; ++i) EXPECT_FALSE(Use(i));
  for (uint32_t i = 1000; i < 2000; ++i) Use(i);
  for (uint32_t i = 0; i < 20; ++i) EXPECT_TRUE(cache_.Contains(KeyOf(i))) << i;
}

TEST_F(BlockCacheTest, ABlockInUseOutlivesItsEviction) {
  Use(1);
  const std::shared_ptr<const Block> held = cache_.Find(KeyOf(1));
  cache_.SetBudget(0);
  EXPECT_EQ(cache_.counters().bytes, 0);
  EXPECT_EQ(cache_.counters().blocks, 0);
  EXPECT_EQ(held->view().rows, 100);
  EXPECT_FALSE(Use(2));  // Too large for any shard: not kept.
  EXPECT_FALSE(Use(2));
}

TEST_F(BlockCacheTest, ErasingAnOwnerLeavesTheOthers) {
  for (uint32_t i = 0; i < 20; ++i) Use(i, 1 + i % 2);
  cache_.Erase(1);
  EXPECT_EQ(cache_.counters().blocks, 10);
  for (uint32_t i = 0; i < 20; ++i) EXPECT_EQ(cache_.Contains(KeyOf(i, 1 + i % 2)), i % 2 == 1);
}

TEST_F(BlockCacheTest, ThreadsShareIt) {
  BlockCache shared(budget_, 4);
  const auto work = [&](uint64_t seed) {
    Prng prng(seed);
    for (int i = 0; i < 20'000; ++i) {
      const auto number = static_cast<uint32_t>(prng.Below(prng.Chance(0.7) ? 50 : 5000));
      const BlockCache::Key key{1 + number % 3, 0, number};
      const auto found = shared.Find(key);
      if (found == nullptr) {
        shared.Insert(key, block_);
      } else {
        EXPECT_EQ(found->view().rows, 100);
      }
      if (i % 5000 == 0) shared.Erase(2);
    }
  };
  std::thread other(work, 1);
  work(2);
  other.join();
  const BlockCache::Counters counters = shared.counters();
  EXPECT_LE(counters.bytes, budget_);
  EXPECT_EQ(counters.hits + counters.misses, 40'000);
  EXPECT_GT(counters.hits, 10'000);
}

}  // namespace
}  // namespace omendb::colstore
