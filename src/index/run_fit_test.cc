#include "index/run_fit.h"

#include <gtest/gtest.h>

#include <vector>

#include "index/leaf.h"

namespace omendb::index {
namespace {

constexpr uint64_t kStep = 1000;

// Old keys `kStep` apart; below the key of `run` (above it, downward) `extra` more for each.
std::vector<Entry> HalfPassed(size_t count, size_t passed, uint64_t extra, bool upward,
                              KeyRun* run) {
  std::vector<Entry> entries;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t key = (i + 1) * kStep;
    entries.push_back({key, i});
    const bool behind = upward ? i < passed : i >= count - passed;
    for (uint64_t e = 0; behind && e < extra; ++e) {
      entries.push_back({key + (e + 1) * kStep / (extra + 1), i});
    }
  }
  const size_t at = upward ? passed : count - passed;
  *run = {at * kStep + kStep - 1, upward, 13 * kStep, 1};
  return entries;
}

TEST(RunFitTest, GrowthIsWhatWasMetSoFar) {
  for (const bool upward : {true, false}) {
    for (const uint64_t extra : {1, 2, 3}) {
      KeyRun run;
      const auto entries = HalfPassed(4000, 1000, extra, upward, &run);
      EXPECT_NEAR(GrowthOf(entries, run), static_cast<double>(extra), 0.2 * extra);
    }
    KeyRun run;
    const auto even = HalfPassed(4000, 1000, 0, upward, &run);
    run.expected = 0;
    EXPECT_NEAR(GrowthOf(even, run), 0, 0.1);
  }
}

TEST(RunFitTest, GrowthIsBoundedAtTheEnds) {
  const std::vector<Entry> entries = {{10, 0}, {11, 0}, {12, 0}, {UINT64_MAX - 1, 0}};
  for (const bool upward : {true, false}) {
    for (const uint64_t key : {uint64_t{0}, uint64_t{13}, UINT64_MAX}) {
      const double growth = GrowthOf(entries, {key, upward, UINT64_MAX / 2, 1e9});
      EXPECT_GE(growth, -1);
      EXPECT_LE(growth, 4);
    }
  }
}

TEST(RunFitTest, TheKeyFallsIntoTheLeafWithRoomAndThePlansCoverAll) {
  for (const bool upward : {true, false}) {
    for (const size_t passed : {size_t{3}, size_t{100}, size_t{3000}, size_t{5990}}) {
      KeyRun run;
      const auto entries = HalfPassed(6000, passed, 1, upward, &run);
      const auto plans = PartitionRun(entries, run, 1, {});
      ASSERT_FALSE(plans.empty());
      size_t end = 0;
      bool found = false;
      for (size_t i = 0; i < plans.size(); ++i) {
        ASSERT_EQ(plans[i].begin, end);
        end = plans[i].end;
        const uint64_t low = i == 0 ? 0 : entries[plans[i].begin].key;
        const uint64_t next = i + 1 < plans.size() ? entries[plans[i + 1].begin].key : UINT64_MAX;
        if (run.key < low || run.key >= next) continue;
        found = true;
        EXPECT_TRUE(plans[i].model);
        const size_t keys = plans[i].end - plans[i].begin;
        EXPECT_GE(plans[i].plan.buckets * Bucket::kCapacity, keys);
        EXPECT_LE(keys, kModelKeysMax);
      }
      EXPECT_EQ(end, entries.size());
      EXPECT_TRUE(found);
    }
  }
}

TEST(RunFitTest, LittleGrowthIsNotItsConcern) {
  KeyRun run;
  const auto entries = HalfPassed(6000, 100, 1, true, &run);
  EXPECT_TRUE(PartitionRun(entries, run, 0.3, {}).empty());
}

}  // namespace
}  // namespace omendb::index
