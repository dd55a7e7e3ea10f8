// Keys in order between loaded ones, by two writers, with readers and another writer beside: what a
// run leaves behind, cuts and seals is read and changed meanwhile. Run under the tsan preset too.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "index/int_index.h"
#include "index/int_index_fixture.h"

namespace omendb::index {
namespace {

using testutil::MapEvent;

enum class Order { kAscending, kDescending, kTowardsEachOther, kClusters };

constexpr uint64_t kSpacing = 64, kKeys = 40'000, kWatched = 24;
// Keys by which a runner may be ahead of the other.
constexpr size_t kLead = 20;
constexpr int kRunners = 2, kHistories = 2;

struct Keys {
  std::vector<Entry> loaded;
  std::vector<uint64_t> runs[kRunners];
};

// Every `share`-th key is loaded. Runners that go towards each other have a half of the range each,
// others take turns: they insert into the same leaves.
Keys MakeKeys(uint64_t share, Order order) {
  Keys keys;
  std::mt19937_64 random(share);
  for (uint64_t i = 0; i < kKeys; ++i) {
    const uint64_t key = i * kSpacing + 2 + random() % (kSpacing - 2);
    if (i % share == 0) {
      keys.loaded.push_back({key, ~key});
    } else {
      const bool halves = order == Order::kTowardsEachOther;
      keys.runs[halves ? i / (kKeys / 2) : i / share % 2].push_back(key);
    }
  }
  for (int t = 0; t < kRunners; ++t) {
    const bool downward =
        order == Order::kDescending || (order == Order::kTowardsEachOther && t == 1);
    if (downward) std::reverse(keys.runs[t].begin(), keys.runs[t].end());
    if (order == Order::kClusters) testutil::ArrangeInClusters(keys.runs[t], 500, 5);
  }
  return keys;
}

class Trial {
 public:
  Trial(uint64_t share, Order order) : keys_(MakeKeys(share, order)) {}

  void Run() {
    ASSERT_TRUE(index_.BulkLoad(keys_.loaded).ok());
    std::vector<std::thread> threads;
    for (int t = 0; t < kRunners; ++t) threads.emplace_back([this, t] { Insert(t); });
    for (int t = 0; t < kHistories; ++t) threads.emplace_back([this, t] { Record(t); });
    for (int t = 0; t < 2; ++t) threads.emplace_back([this] { Read(); });
    for (auto& thread : threads) thread.join();
    const Status status = index_.Validate();
    ASSERT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(testutil::FirstBadKey(events_), std::nullopt);
    for (const auto& run : keys_.runs) {
      for (const uint64_t key : run) ASSERT_EQ(index_.Lookup(key), ~key);
    }
  }

 private:
  size_t Inserted(int t) const { return inserted_[t].load(std::memory_order_acquire); }
  bool Running() const {
    return Inserted(0) < keys_.runs[0].size() || Inserted(1) < keys_.runs[1].size();
  }

  void Insert(int t) {
    const size_t others = keys_.runs[1 - t].size();
    for (const uint64_t key : keys_.runs[t]) {
      while (Inserted(t) > Inserted(1 - t) + kLead && Inserted(1 - t) < others) {
        std::this_thread::yield();
      }
      ASSERT_EQ(index_.Insert(key, ~key), std::nullopt);
      inserted_[t].fetch_add(1, std::memory_order_release);
    }
  }
  // Spread over the whole time that the runs take.
  void Record(int t) {
    constexpr size_t kOperations = 300;
    std::mt19937_64 random(t);
    for (size_t i = 0; i < kOperations; ++i) {
      while (Running() && Inserted(0) < keys_.runs[0].size() * i / kOperations) {
        std::this_thread::yield();
      }
      const uint64_t watched = random() % kWatched * (kKeys / kWatched) * kSpacing;
      events_[t].push_back(testutil::Perform(index_, t, watched, random));
    }
  }
  void Read() {
    std::mt19937_64 random(11);
    while (Running()) {
      const int t = static_cast<int>(random() % kRunners);
      const size_t inserted = Inserted(t);
      if (inserted == 0) continue;
      const uint64_t key = keys_.runs[t][inserted - 1 - random() % std::min<size_t>(inserted, 99)];
      ASSERT_EQ(index_.Lookup(key), ~key) << "inserted before it was looked for";
      // Around the place where the run is.
      const auto at = std::lower_bound(keys_.loaded.begin(), keys_.loaded.end(), key,
                                       [](const Entry& e, uint64_t k) { return e.key < k; });
      const size_t before = static_cast<size_t>(at - keys_.loaded.begin());
      const size_t from = before - std::min<size_t>(before, 1 + random() % 49);
      Scan(std::min(from, keys_.loaded.size() - 50), t, inserted, random() % 2 == 0);
    }
  }
  // From a loaded key to another: all loaded ones in between are there, in order, and so is what
  // was inserted before.
  void Scan(size_t from, int t, size_t inserted, bool forward) {
    const uint64_t low = keys_.loaded[from].key, high = keys_.loaded[from + 49].key;
    std::vector<uint64_t> expected;
    for (size_t i = from; i < from + 50; ++i) expected.push_back(keys_.loaded[i].key);
    for (size_t i = inserted - std::min<size_t>(inserted, 300); i < inserted; ++i) {
      const uint64_t key = keys_.runs[t][i];
      if (key > low && key < high) expected.push_back(key);
    }
    std::sort(expected.begin(), expected.end());
    std::vector<uint64_t> seen;
    IntCursor cursor(index_);
    forward ? cursor.SeekForward(low) : cursor.SeekBackward(high);
    Entry batch[37];
    bool within = true;
    while (within) {
      const size_t n = cursor.Next(batch);
      within = n > 0;
      for (size_t i = 0; i < n && within; ++i) {
        within = batch[i].key >= low && batch[i].key <= high;
        if (within) seen.push_back(batch[i].key);
      }
    }
    if (!forward) std::reverse(seen.begin(), seen.end());
    ASSERT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    ASSERT_TRUE(std::includes(seen.begin(), seen.end(), expected.begin(), expected.end()));
  }

  Keys keys_;
  EpochManager epochs_;
  IntIndex index_{epochs_};
  std::atomic<size_t> inserted_[kRunners] = {};
  std::vector<std::vector<MapEvent>> events_{kHistories};
};

class IntIndexRunConcurrencyTest : public ::testing::TestWithParam<Order> {};

TEST_P(IntIndexRunConcurrencyTest, RunsBetweenLoadedKeys) {
  for (const uint64_t share : {2, 4, 16}) Trial(share, GetParam()).Run();
}

INSTANTIATE_TEST_SUITE_P(Orders, IntIndexRunConcurrencyTest,
                         ::testing::Values(Order::kAscending, Order::kDescending,
                                           Order::kTowardsEachOther, Order::kClusters));

}  // namespace
}  // namespace omendb::index
