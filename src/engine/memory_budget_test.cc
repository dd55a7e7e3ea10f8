#include "engine/memory_budget.h"

#include <gtest/gtest.h>

#include <random>

#include "env/env.h"

namespace omendb::engine {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

class FakeAnalytical final : public AnalyticalMemory {
 public:
  uint64_t used() const override { return used_bytes; }
  bool SetLimit(uint64_t bytes) override {
    if (bytes < used_bytes) return false;  // Nothing to spill.
    limit = bytes;
    ++limits_set;
    return true;
  }
  uint64_t used_bytes = 0;
  uint64_t limit = 0;
  int limits_set = 0;
};

TEST(MemoryBudget, NothingKeptLeavesNearlyAllToQueriesAndTheCacheInTurn) {
  const MemoryShares idle = DivideMemory(1024 * kMiB, 0, 0);
  EXPECT_EQ(idle.analytical, 928 * kMiB);
  EXPECT_EQ(idle.cache, 960 * kMiB);
  const MemoryShares busy = DivideMemory(1024 * kMiB, 0, 900 * kMiB);
  EXPECT_EQ(busy.analytical, 928 * kMiB);
  EXPECT_EQ(busy.cache, 60 * kMiB);
}

TEST(MemoryBudget, EachHasALittleWhateverIsKept) {
  for (const uint64_t total : {64 * kMiB, 300 * kMiB, 8192 * kMiB}) {
    const MemoryShares full = DivideMemory(total, 2 * total, 2 * total);
    EXPECT_GE(full.cache, total / 32);
    EXPECT_GE(full.analytical, std::min(total / 2, 64 * kMiB));
    EXPECT_LE(full.analytical, total / 2);
  }
}

TEST(MemoryBudget, TheSumHoldsWhereverThereIsRoomForTheLeastShares) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t total = (512 + random() % 100'000) * kMiB;
    const uint64_t kept = random() % KeptMemoryMax(total);
    const uint64_t used = random() % (DivideMemory(total, kept, 0).analytical + 1);
    const MemoryShares shares = DivideMemory(total, kept, used);
    EXPECT_LE(kept + used + shares.cache, total + total / 2 / 16) << total << ' ' << kept;
    EXPECT_EQ(shares.analytical, DivideMemory(total, kept, 0).analytical);
  }
}

TEST(MemoryBudget, ALimitThatIsRefusedIsTriedAgain) {
  rowstore::MemoryAccount kept(KeptMemoryMax(1024 * kMiB));
  colstore::BlockCache cache(0);
  MemoryBudget budget(1024 * kMiB, kept, cache);
  FakeAnalytical analytical;
  budget.Share(&analytical);
  EXPECT_EQ(analytical.limit, 928 * kMiB);
  analytical.used_bytes = 800 * kMiB;
  kept.Add(400 * kMiB);
  budget.Divide(0);
  EXPECT_EQ(analytical.limit, 928 * kMiB);
  analytical.used_bytes = 100 * kMiB;
  budget.Divide(0);
  EXPECT_EQ(analytical.limit, 528 * kMiB);
  EXPECT_EQ(analytical.limits_set, 2);
  kept.Add(kMiB);  // Not worth telling.
  budget.Divide(0);
  EXPECT_EQ(analytical.limits_set, 2);
  budget.Share(nullptr);
  kept.Remove(401 * kMiB);
  budget.Divide(0);
  EXPECT_EQ(analytical.limits_set, 2);
}

TEST(MemoryBudget, WhatIsNotCountedIsKeptWhenItStays) {
  rowstore::MemoryAccount kept(KeptMemoryMax(1024 * kMiB));
  colstore::BlockCache cache(0);
  MemoryBudget budget(1024 * kMiB, kept, cache);
  FakeAnalytical analytical;
  budget.Share(&analytical);
  kept.Add(100 * kMiB);
  for (int i = 0; i < 200; ++i) budget.Divide(i % 10 == 0 ? 100 * kMiB : 900 * kMiB);
  EXPECT_EQ(analytical.limit, 828 * kMiB);  // It was given back each time.
  for (int i = 0; i < 200; ++i) budget.Divide(300 * kMiB);
  EXPECT_EQ(analytical.limit, 628 * kMiB);
  for (int i = 0; i < 200; ++i) budget.Divide(4000 * kMiB);
  EXPECT_EQ(analytical.limit, 572 * kMiB);
  for (int i = 0; i < 20; ++i) budget.Divide(100 * kMiB);
  EXPECT_EQ(analytical.limit, 828 * kMiB);
}

}  // namespace
}  // namespace omendb::engine
