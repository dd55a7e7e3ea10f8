// Leaves of keys that no line fits, against std::map: whatever the order of inserts and erases,
// buckets, groups and leaves that share, split and join keep their ranges.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "index/int_index.h"

namespace omendb::index {
namespace {

using Random = std::mt19937_64;

// Clusters in clusters: a line fits no stretch of them.
uint64_t RandomKey(Random& random) {
  uint64_t key = 1;
  for (int level = 0; level < 12; ++level) {
    key = key << 5 | (random() % 32 & random() % 32);
  }
  return key;
}

std::vector<uint64_t> Keys(size_t n, uint64_t seed) {
  Random random(seed);
  std::vector<uint64_t> keys;
  for (size_t i = 0; i < n; ++i) keys.push_back(RandomKey(random));
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

enum class Pattern { kRandom, kUpward, kDownward, kClusters, kClustersDown };

std::vector<uint64_t> Ordered(std::vector<uint64_t> keys, Pattern pattern, Random& random) {
  if (pattern == Pattern::kUpward) return keys;
  if (pattern == Pattern::kDownward || pattern == Pattern::kClustersDown) {
    std::reverse(keys.begin(), keys.end());
  }
  if (pattern == Pattern::kDownward) return keys;
  const size_t cluster = pattern == Pattern::kRandom ? 1 : 50 + random() % 900;
  std::vector<size_t> starts;
  for (size_t i = 0; i < keys.size(); i += cluster) starts.push_back(i);
  std::shuffle(starts.begin(), starts.end(), random);
  std::vector<uint64_t> ordered;
  for (const size_t start : starts) {
    const size_t end = std::min(keys.size(), start + cluster);
    ordered.insert(ordered.end(), keys.begin() + static_cast<int64_t>(start),
                   keys.begin() + static_cast<int64_t>(end));
  }
  return ordered;
}

class Checked {
 public:
  void Load(const std::vector<uint64_t>& keys) {
    std::vector<Entry> entries;
    for (const uint64_t key : keys) entries.push_back({key, ~key});
    ASSERT_TRUE(index_.BulkLoad(entries).ok());
    for (const uint64_t key : keys) map_.emplace(key, ~key);
  }
  void Insert(uint64_t key) {
    const bool there = !map_.emplace(key, ~key).second;
    ASSERT_EQ(index_.Insert(key, ~key).has_value(), there);
  }
  void Erase(uint64_t key) { ASSERT_EQ(index_.Erase(key).has_value(), map_.erase(key) == 1); }
  void ExpectSound() const {
    const Status status = index_.Validate();
    ASSERT_TRUE(status.ok()) << status.ToString();
    ASSERT_EQ(index_.Size(), map_.size());
    std::vector<Entry> out(map_.size() + 1);
    IntCursor cursor(index_);
    cursor.SeekForward(0);
    ASSERT_EQ(cursor.Next(out), map_.size());
    size_t i = 0;
    for (const auto& [key, value] : map_) ASSERT_EQ(out[i++], (Entry{key, value}));
    cursor.SeekBackward(UINT64_MAX);
    ASSERT_EQ(cursor.Next(out), map_.size());
    for (const auto& [key, value] : map_) ASSERT_EQ(out[--i], (Entry{key, value}));
  }
  void ExpectFound(const std::vector<uint64_t>& keys) const {
    for (const uint64_t key : keys) ASSERT_EQ(index_.Lookup(key).has_value(), map_.contains(key));
  }
  const IntIndex& index() const { return index_; }
  size_t size() const { return map_.size(); }

 private:
  EpochManager epochs_;
  IntIndex index_{epochs_};
  std::map<uint64_t, uint64_t> map_;
};

class IntIndexPlainTest : public ::testing::TestWithParam<Pattern> {};

TEST_P(IntIndexPlainTest, FilledAndEmptiedInEveryOrder) {
  Random random(static_cast<uint64_t>(GetParam()) + 1);
  for (const size_t percent : {0, 30, 80}) {
    const std::vector<uint64_t> keys = Keys(12'000, 7 + percent);
    std::vector<uint64_t> loaded, rest;
    for (const uint64_t key : keys) (random() % 100 < percent ? loaded : rest).push_back(key);
    Checked checked;
    if (!loaded.empty()) checked.Load(loaded);
    rest = Ordered(rest, GetParam(), random);
    for (size_t i = 0; i < rest.size(); ++i) {
      checked.Insert(rest[i]);
      if (i % 1'500 == 0) {
        ASSERT_NO_FATAL_FAILURE(checked.ExpectSound());
      }
    }
    ASSERT_NO_FATAL_FAILURE(checked.ExpectSound());
    checked.ExpectFound(keys);
    const std::vector<uint64_t> gone = Ordered(keys, GetParam(), random);
    for (size_t i = 0; i < gone.size() * 9 / 10; ++i) {
      checked.Erase(gone[i]);
      if (i % 1'500 == 0) {
        ASSERT_NO_FATAL_FAILURE(checked.ExpectSound());
      }
    }
    for (const uint64_t key : gone) checked.Insert(key);
    ASSERT_NO_FATAL_FAILURE(checked.ExpectSound());
  }
}

// As full as a B-tree's, whatever the order.
TEST_P(IntIndexPlainTest, TakesLittleMemory) {
  Random random(3);
  Checked checked;
  for (const uint64_t key : Ordered(Keys(60'000, 5), GetParam(), random)) checked.Insert(key);
  EXPECT_EQ(checked.index().Stats().model_leaves, 0u);
  EXPECT_LE(checked.index().MemoryBytes(), checked.size() * 26);
}

// Ranges beyond what is counted key by key: the planner asks for them.
TEST_P(IntIndexPlainTest, RangesAreCountedWithinAThird) {
  Random random(9);
  const std::vector<uint64_t> keys = Keys(20'000, 31);
  Checked checked;
  for (const uint64_t key : Ordered(keys, GetParam(), random)) checked.Insert(key);
  for (const size_t rows : {600, 1'000, 3'000, 6'000}) {
    for (size_t first = 0; first + rows <= keys.size(); first += 700) {
      const size_t counted = checked.index().CountRange(keys[first], keys[first + rows - 1]);
      ASSERT_GE(counted * 4, rows * 3) << first;
      ASSERT_LE(counted * 3, rows * 4) << first;
    }
  }
}

TEST_P(IntIndexPlainTest, InsertsAndErasesMixed) {
  Random random(static_cast<uint64_t>(GetParam()) + 11);
  const std::vector<uint64_t> keys = Keys(9'000, 21);
  Checked checked;
  for (int round = 0; round < 6; ++round) {
    for (const uint64_t key : Ordered(keys, GetParam(), random)) {
      if (random() % 8 < static_cast<uint64_t>(round % 2 == 0 ? 6 : 2)) {
        checked.Insert(key);
      } else {
        checked.Erase(key);
      }
    }
    ASSERT_NO_FATAL_FAILURE(checked.ExpectSound());
    checked.ExpectFound(keys);
  }
}

// Keys in order that come while others are erased in order: buckets without a key stay beside them.
TEST(IntIndexPlainStreamsTest, InOrderBetweenErasedKeys) {
  struct Stream {
    bool erase, upward;
    size_t every, offset, at;
  };
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    const std::vector<uint64_t> keys = Keys(24'000, seed);
    Checked checked;
    std::vector<Stream> streams(4);
    for (int step = 0; step < 1'500; ++step) {
      Stream& stream = streams[random() % streams.size()];
      if (stream.at * stream.every + stream.offset >= keys.size() || step < 4) {
        const size_t every = 1 + random() % 5;
        stream = {random() % 5 < 2, random() % 4 != 0, every, random() % every, 0};
      }
      for (size_t n = 1 + random() % 300; n > 0; --n, ++stream.at) {
        const size_t i = stream.at * stream.every + stream.offset;
        if (i >= keys.size()) break;
        const uint64_t key = keys[stream.upward ? i : keys.size() - 1 - i];
        stream.erase ? checked.Erase(key) : checked.Insert(key);
      }
      if (step % 50 != 0) continue;
      ASSERT_NO_FATAL_FAILURE(checked.ExpectSound()) << "seed " << seed << " step " << step;
    }
    checked.ExpectFound(keys);
  }
}

std::string PatternName(const ::testing::TestParamInfo<Pattern>& info) {
  static constexpr const char* kNames[] = {"Random", "Upward", "Downward", "Clusters",
                                           "ClustersDownward"};
  return kNames[static_cast<size_t>(info.param)];
}

INSTANTIATE_TEST_SUITE_P(Patterns, IntIndexPlainTest,
                         ::testing::Values(Pattern::kRandom, Pattern::kUpward, Pattern::kDownward,
                                           Pattern::kClusters, Pattern::kClustersDown),
                         PatternName);

}  // namespace
}  // namespace omendb::index
