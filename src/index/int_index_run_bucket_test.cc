// Keys in order go on in the bucket where the last one went, which is not searched for. Whatever
// else is done to that bucket, to those beside it and to the leaf in between must be noticed.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "index/int_index.h"
#include "index/int_index_fixture.h"

namespace omendb::index {
namespace {

using Random = std::mt19937_64;

enum class Spacing { kOne, kEven, kBreaks, kNoLine };

uint64_t StepOf(Spacing spacing, uint64_t i, Random& random) {
  switch (spacing) {
    case Spacing::kOne:
      return 1;
    case Spacing::kEven:
      return 1 + random() % (1 << 20);
    case Spacing::kBreaks:  // Another density every 5,000 keys.
      return 1 + random() % (uint64_t{1} << (8 + 7 * (i / 5'000 * 5 % 4)));
    case Spacing::kNoLine:
      return 1 + random() % (uint64_t{1} << (4 + random() % 40));
  }
  return 1;
}

class Checked {
 public:
  void Load(std::vector<uint64_t> keys) {
    std::sort(keys.begin(), keys.end());
    std::vector<Entry> entries;
    for (const uint64_t key : keys) entries.push_back({key, ~key});
    for (const uint64_t key : keys) map_.emplace(key, ~key);
    ASSERT_TRUE(index_.BulkLoad(entries).ok());
  }
  void Insert(uint64_t key) {
    const bool absent = map_.emplace(key, ~key).second;
    ASSERT_EQ(index_.Insert(key, ~key).has_value(), !absent);
  }
  void Upsert(uint64_t key, uint64_t value) {
    const bool absent = map_.insert_or_assign(key, value).second;
    ASSERT_EQ(index_.Upsert(key, value).has_value(), !absent);
  }
  void Erase(uint64_t key) { ASSERT_EQ(index_.Erase(key).has_value(), map_.erase(key) == 1); }
  void EraseBetween(uint64_t low, uint64_t high) {
    for (auto it = map_.lower_bound(low); it != map_.end() && it->first <= high;) {
      ASSERT_TRUE(index_.Erase(it->first).has_value());
      it = map_.erase(it);
    }
  }
  void ExpectSound() const {
    const Status status = index_.Validate();
    ASSERT_TRUE(status.ok()) << status.ToString();
    ASSERT_EQ(index_.Size(), map_.size());
    for (const auto& [key, value] : map_) ASSERT_EQ(index_.Lookup(key), value);
  }
  const std::map<uint64_t, uint64_t>& map() const { return map_; }
  IndexStats Stats() const { return index_.Stats(); }
  size_t BytesPerKey() {
    epochs_.Collect();
    return index_.MemoryBytes() / index_.Size();
  }

 private:
  EpochManager epochs_;
  IntIndex index_{epochs_};
  std::map<uint64_t, uint64_t> map_;
};

struct Case {
  Spacing spacing;
  bool downward;
};

class IntIndexRunBucketTest : public ::testing::TestWithParam<Case> {
 protected:
  // The keys of a run, in their order.
  std::vector<uint64_t> Run(size_t count) {
    std::vector<uint64_t> keys;
    uint64_t key = uint64_t{1} << 62;
    for (size_t i = 0; i < count; ++i) {
      const uint64_t step = StepOf(GetParam().spacing, i, random_);
      keys.push_back(key = GetParam().downward ? key - step : key + step);
    }
    return keys;
  }
  Random random_{11};
};

TEST_P(IntIndexRunBucketTest, KeysThatAreThereAlready) {
  Checked checked;
  const std::vector<uint64_t> keys = Run(20'000);
  for (size_t i = 0; i < keys.size(); ++i) {
    checked.Insert(keys[i]);
    // The last of its bucket, the first, and one of the bucket before.
    for (const size_t back : {0, 1, 13, 14, 15, 29}) {
      if (back <= i) checked.Insert(keys[i - back]);
    }
    if (i % 3 == 0) checked.Upsert(keys[i], i);
    if (HasFatalFailure()) return;
  }
  checked.ExpectSound();
}

TEST_P(IntIndexRunBucketTest, OthersComeBetween) {
  Checked checked;
  const std::vector<uint64_t> keys = Run(60'000);
  for (size_t i = 0; i < keys.size(); ++i) {
    checked.Insert(keys[i]);
    const uint64_t near = keys[i - std::min<size_t>(i, random_() % 40)];
    switch (random_() % 24) {
      case 0:
        checked.Erase(near);
        break;
      case 1:  // The whole bucket and more.
        for (size_t k = i - std::min<size_t>(i, 40); k <= i; ++k) checked.Erase(keys[k]);
        break;
      case 2:
        checked.Insert(near + 1);
        break;
      case 3:
        checked.Insert(near - 1);
        break;
      case 4:
        checked.Insert(keys[random_() % (i + 1)] + 1);
        break;
      case 5:  // Where the run has not been.
        if (random_() % 50 == 0) checked.Insert(keys[i + random_() % (keys.size() - i)]);
        break;
    }
    if (i % 5'000 == 0) checked.ExpectSound();
    if (HasFatalFailure()) return;
  }
  checked.ExpectSound();
}

// The run's bucket holds keys ahead of the run and behind it.
TEST_P(IntIndexRunBucketTest, BetweenLoadedKeys) {
  for (const size_t share : {2, 4}) {
    Checked checked;
    std::vector<uint64_t> loaded, run;
    for (const uint64_t key : Run(40'000)) (random_() % share == 0 ? loaded : run).push_back(key);
    checked.Load(loaded);
    for (size_t i = 0; i < run.size(); ++i) {
      checked.Insert(run[i]);
      const uint64_t near = run[i - std::min<size_t>(i, random_() % 20)];
      switch (random_() % 24) {
        case 0:
          checked.Erase(near);
          break;
        case 1:  // What lies around the run, loaded or not.
          checked.EraseBetween(near - std::min(near, uint64_t{1} << 24), near + (1 << 24));
          break;
        case 2:
          checked.Upsert(near, i);
          break;
        case 3:  // There already, or of the run's bucket.
          checked.Insert(near + random_() % 3 - 1);
          break;
        case 4:  // The run goes on elsewhere.
          if (random_() % 50 == 0) i += std::min<size_t>(random_() % 500, run.size() - 1 - i);
          break;
      }
      if (i % 5'000 == 0) checked.ExpectSound();
      if (HasFatalFailure()) return;
    }
    checked.ExpectSound();
  }
}

// Leaves that a run has left give back the buckets it did not reach; a neighbour that is emptied
// leaves its range to them, and the buckets are needed after all.
TEST_P(IntIndexRunBucketTest, WhatARunLeftTakesTheRangeOfAnEmptyNeighbour) {
  Checked checked;
  std::vector<uint64_t> keys = Run(60'000);
  for (const uint64_t key : keys) checked.Insert(key);
  checked.ExpectSound();
  EXPECT_LE(checked.BytesPerKey(), 40u);
  std::sort(keys.begin(), keys.end());
  for (int round = 0; round < 12; ++round) {
    const size_t begin = random_() % (keys.size() - 12'000),
                 end = begin + 4'000 + random_() % 8'000;
    checked.EraseBetween(keys[begin], keys[end]);
    checked.ExpectSound();
    for (int i = 0; i < 6'000; ++i) {
      checked.Insert(keys[begin] + random_() % (keys[end] - keys[begin]));
    }
    checked.ExpectSound();
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(checked.Stats().merges, 0u);
}

INSTANTIATE_TEST_SUITE_P(Runs, IntIndexRunBucketTest,
                         ::testing::Values(Case{Spacing::kOne, false}, Case{Spacing::kOne, true},
                                           Case{Spacing::kEven, false}, Case{Spacing::kEven, true},
                                           Case{Spacing::kBreaks, false},
                                           Case{Spacing::kBreaks, true},
                                           Case{Spacing::kNoLine, false},
                                           Case{Spacing::kNoLine, true}));

// Where the density changes all the time, what runs leave is neither moved nor wasteful.
TEST(IntIndexRunLeavesTest, DensitiesThatDriftMoveFewKeys) {
  for (const bool downward : {false, true}) {
    EpochManager epochs;
    IntIndex index(epochs, {.tuning = false});
    Random random(5);
    uint64_t key = uint64_t{1} << 62;
    constexpr size_t kKeys = 300'000;
    for (size_t i = 0; i < kKeys; ++i) {
      // From one in a million to one in a hundred thousand and back.
      const double share = static_cast<double>(i) / kKeys;
      const uint64_t mean = static_cast<uint64_t>(1e6 / (1 + 36 * share * (1 - share)));
      const uint64_t step = 1 + random() % (2 * mean);
      key = downward ? key - step : key + step;
      ASSERT_FALSE(index.Insert(key, i).has_value());
    }
    ASSERT_TRUE(index.Validate().ok()) << index.Validate().ToString();
    const IndexStats stats = index.Stats();
    EXPECT_LT(stats.rebuilds, stats.model_leaves / 4);
    EXPECT_LT(stats.plain_leaves, stats.model_leaves / 4);
    epochs.Collect();
    EXPECT_LT(index.MemoryBytes(), kKeys * 22 + (1 << 19));
  }
}

// Two runs that go apart, and threads that erase and insert what the runs have just inserted.
class RunsApart {
 public:
  explicit RunsApart(Spacing spacing) {
    Random random(3);
    for (int t = 0; t < 2; ++t) {
      uint64_t key = (uint64_t{1} << 62) + static_cast<uint64_t>(t);
      for (size_t i = 0; i < kKeys; ++i) {
        const uint64_t step = 2 * StepOf(spacing, i, random);
        keys_[t].push_back(key = t == 0 ? key + step : key - step);
      }
    }
  }
  void Go() {
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) threads.emplace_back([this, t] { Insert(t); });
    for (int t = 0; t < 2; ++t) threads.emplace_back([this, t] { Disturb(t); });
    threads.emplace_back([this] { Read(); });
    for (auto& thread : threads) thread.join();
    const Status status = index_.Validate();
    ASSERT_TRUE(status.ok()) << status.ToString();
    for (const auto& run : keys_) {
      for (size_t i = 0; i < kKeys; ++i) {
        if (Disturbed(i)) continue;
        ASSERT_EQ(index_.Lookup(run[i]), ~run[i]);
      }
    }
  }

 private:
  static constexpr size_t kKeys = 30'000;
  // The others stay once they are there.
  static bool Disturbed(size_t i) { return i % 3 == 1 || i % 64 > 40; }
  size_t Inserted(int t) const { return inserted_[t].load(std::memory_order_acquire); }
  bool Running() const { return Inserted(0) < kKeys || Inserted(1) < kKeys; }

  void Insert(int t) {
    for (const uint64_t key : keys_[t]) {
      ASSERT_EQ(index_.Insert(key, ~key), std::nullopt);
      inserted_[t].fetch_add(1, std::memory_order_release);
    }
  }
  void Disturb(int t) {
    Random random(static_cast<uint64_t>(t));
    std::vector<bool> gone(kKeys);
    while (Running()) {
      const size_t inserted = Inserted(t);
      if (inserted < 100) continue;
      const size_t i = inserted - 1 - random() % 100;
      if (!Disturbed(i)) continue;
      const uint64_t key = keys_[t][i];
      if (gone[i]) {
        ASSERT_EQ(index_.Insert(key, ~key), std::nullopt);
      } else {
        ASSERT_EQ(index_.Erase(key), ~key);
      }
      gone[i] = !gone[i];
      ASSERT_EQ(index_.Lookup(key).has_value(), !gone[i]);
    }
  }
  void Read() {
    Random random(9);
    while (Running()) {
      const int t = static_cast<int>(random() % 2);
      const size_t inserted = Inserted(t);
      if (inserted == 0) continue;
      const size_t i = inserted - 1 - random() % std::min<size_t>(inserted, 200);
      if (Disturbed(i)) continue;
      ASSERT_EQ(index_.Lookup(keys_[t][i]), ~keys_[t][i]);
    }
  }

  std::vector<uint64_t> keys_[2];
  EpochManager epochs_;
  IntIndex index_{epochs_};
  std::atomic<size_t> inserted_[2] = {};
};

TEST(IntIndexRunBucketConcurrencyTest, RunsThatAreDisturbed) {
  for (const Spacing spacing :
       {Spacing::kOne, Spacing::kEven, Spacing::kBreaks, Spacing::kNoLine}) {
    RunsApart(spacing).Go();
  }
}

}  // namespace
}  // namespace omendb::index
