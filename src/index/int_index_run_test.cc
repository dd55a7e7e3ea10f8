// Keys in order between those that were loaded: leaves are packed, and each is met by the run.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "index/int_index.h"
#include "index/int_index_fixture.h"

namespace omendb::index {
namespace {

struct Keys {
  std::vector<Entry> loaded;
  std::vector<uint64_t> rest;  // Ascending.
};

// Evenly spread, or in bursts that no line fits.
Keys MakeKeys(size_t count, uint64_t loaded_percent, bool even) {
  std::mt19937_64 random(count + loaded_percent);
  Keys keys;
  uint64_t key = uint64_t{1} << 50;
  for (size_t i = 0; i < count; ++i) {
    key += 1 + random() % (even ? uint64_t{1} << 40 : uint64_t{1} << (4 + random() % 44));
    if (random() % 100 < loaded_percent) {
      keys.loaded.push_back({key, ~key});
    } else {
      keys.rest.push_back(key);
    }
  }
  return keys;
}

void ExpectAll(const IntIndex& index, const Keys& keys) {
  const Status status = index.Validate();
  ASSERT_TRUE(status.ok()) << status.ToString();
  ASSERT_EQ(index.Size(), keys.loaded.size() + keys.rest.size());
  for (const Entry& entry : keys.loaded) ASSERT_EQ(index.Lookup(entry.key), entry.value);
  for (const uint64_t key : keys.rest) ASSERT_EQ(index.Lookup(key), ~key);
}

enum class Order { kAscending, kDescending, kClusters };

void Arrange(std::vector<uint64_t>& keys, Order order) {
  if (order == Order::kDescending) std::reverse(keys.begin(), keys.end());
  if (order == Order::kClusters) testutil::ArrangeInClusters(keys, 1000, 7);
}

class IntIndexRunTest : public ::testing::TestWithParam<Order> {
 protected:
  void Load(IntIndex& index, const Keys& keys) { ASSERT_TRUE(index.BulkLoad(keys.loaded).ok()); }
  // And looks for all.
  void Insert(IntIndex& index, Keys& keys) {
    Arrange(keys.rest, GetParam());
    for (const uint64_t key : keys.rest) ASSERT_FALSE(index.Insert(key, ~key).has_value());
    ExpectAll(index, keys);
  }
  void Fill(IntIndex& index, Keys& keys) {
    Load(index, keys);
    Insert(index, keys);
  }
};

TEST_P(IntIndexRunTest, FewLeavesAreMovedWhateverWasLoaded) {
  for (const uint64_t percent : {20, 50, 80}) {
    EpochManager epochs;
    IntIndex index(epochs, {.tuning = false});
    Keys keys = MakeKeys(200'000, percent, true);
    Fill(index, keys);
    const IndexStats stats = index.Stats();
    // Clusters of 1,000 begin and end within leaves.
    const size_t between = GetParam() == Order::kClusters ? 400 : 1000;
    EXPECT_LT((stats.splits + stats.rebuilds) * between, keys.rest.size()) << percent;
    // What clusters fill between others is split as a tree is.
    if (GetParam() != Order::kClusters) {
      EXPECT_LT(stats.plain_leaves, stats.model_leaves * 3) << percent;
    }
    epochs.Collect();
    EXPECT_LT(index.MemoryBytes(), index.Size() * 27) << percent;
  }
}

TEST_P(IntIndexRunTest, KeysThatNoLineFits) {
  for (const uint64_t percent : {20, 50, 80}) {
    EpochManager epochs;
    IntIndex index(epochs, {.tuning = false});
    Keys keys = MakeKeys(100'000, percent, false);
    Fill(index, keys);
    epochs.Collect();
    EXPECT_LT(index.MemoryBytes(), index.Size() * 27) << percent;
  }
}

TEST_P(IntIndexRunTest, ARunThatStopsLeavesTheRestPacked) {
  EpochManager epochs;
  IntIndex index(epochs, {.tuning = false});
  Keys keys = MakeKeys(400'000, 50, true);
  Load(index, keys);
  const size_t before = index.MemoryBytes();
  keys.rest.resize(3'000);
  Insert(index, keys);
  epochs.Collect();
  EXPECT_LE(index.MemoryBytes(), before + (2 << 20) + keys.rest.size() * 32);
}

// Stretches of keys, each with a density of its own, between nothing: where one ends, no key is
// dealt again, and a leaf that keys left in its midst is no waste of memory.
TEST(IntIndexBreakTest, NoKeyIsMovedWhereADensityBreaks) {
  std::mt19937_64 random(11);
  for (const bool upward : {true, false}) {
    Keys keys;
    uint64_t key = uint64_t{1} << 40;
    while (keys.rest.size() < 400'000) {
      const uint64_t gap = uint64_t{1} << (4 + random() % 12);
      const size_t stretch = 2'000 + random() % 60'000;
      for (size_t i = 0; i < stretch; ++i) keys.rest.push_back(key += 1 + random() % (2 * gap));
    }
    std::vector<uint64_t> order = keys.rest;
    if (!upward) std::reverse(order.begin(), order.end());
    EpochManager epochs;
    IntIndex index(epochs, {.tuning = false});
    for (const uint64_t k : order) ASSERT_FALSE(index.Insert(k, ~k).has_value());
    ExpectAll(index, keys);
    const IndexStats stats = index.Stats();
    EXPECT_EQ(stats.rebuilds, 0u) << upward;
    EXPECT_GT(stats.model_leaves, stats.plain_leaves) << upward;
    epochs.Collect();
    EXPECT_LT(index.MemoryBytes(), index.Size() * 23) << upward;
  }
}

INSTANTIATE_TEST_SUITE_P(Orders, IntIndexRunTest,
                         ::testing::Values(Order::kAscending, Order::kDescending,
                                           Order::kClusters));

}  // namespace
}  // namespace omendb::index
