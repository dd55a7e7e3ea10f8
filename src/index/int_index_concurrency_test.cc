// Readers and writers at once: recorded histories must be linearizable, scans complete, and the
// structure sound afterwards. Run under the tsan preset too.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "index/int_index.h"
#include "index/int_index_fixture.h"

namespace omendb::index {
namespace {

using testutil::MapEvent;
using testutil::MapOp;
using testutil::Perform;

TEST(LinearizabilityCheckerTest, FindsALostUpdate) {
  MapEvent insert{0, MapOp::kInsert, 1, 7, 0, std::nullopt, 0, 10};
  MapEvent lookup{1, MapOp::kLookup, 1, 0, 0, std::nullopt, 20, 30};
  EXPECT_EQ(testutil::FirstBadKey({{insert}, {lookup}}), 1u);
  lookup.called = 5;
  EXPECT_EQ(testutil::FirstBadKey({{insert}, {lookup}}), std::nullopt);
}

// Watched keys lie among keys that others insert and erase, so that their leaves split, are
// rebuilt and merge meanwhile.
TEST(IntIndexConcurrencyTest, HistoriesAreLinearizable) {
  constexpr int kThreads = 4;
  constexpr uint64_t kSpacing = 1000;
  for (uint64_t round = 0; round < 12; ++round) {
    EpochManager epochs;
    IntIndex index(epochs);
    std::vector<std::vector<MapEvent>> events(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937_64 random(round * 100 + t);
        for (int i = 0; i < 400; ++i) {
          const uint64_t watched = random() % 24 * kSpacing;
          events[t].push_back(Perform(index, t, watched, random));
          // Churn of this thread's own: a run of keys in, or out again.
          const uint64_t start = random() % 24 * kSpacing + 1 + t * 240;
          for (uint64_t k = start; k < start + 60; ++k) {
            if (i % 3 != 2) {
              index.Insert(k, k);
            } else {
              index.Erase(k);
            }
          }
        }
      });
    }
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(testutil::FirstBadKey(events), std::nullopt) << "round " << round;
    ASSERT_TRUE(index.Validate().ok()) << index.Validate().ToString();
  }
}

TEST(IntIndexConcurrencyTest, NoInsertIsLostWhileTheTreeGrowsFromEmpty) {
  constexpr int kThreads = 4;
  constexpr uint64_t kEach = 20000;
  for (const bool interleaved : {true, false}) {
    EpochManager epochs;
    IntIndex index(epochs);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (uint64_t i = 0; i < kEach; ++i) {
          const uint64_t key = interleaved ? i * kThreads + t : t * (uint64_t{1} << 40) + i * i;
          EXPECT_EQ(index.Insert(key, ~key), std::nullopt);
          EXPECT_EQ(index.Lookup(key), ~key);
        }
      });
    }
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(index.Size(), kThreads * kEach);
    ASSERT_TRUE(index.Validate().ok()) << index.Validate().ToString();
  }
}

// Even keys stay for good; odd ones come and go. Whatever the writers do, scans and batches must
// see every even key, in order, once.
TEST(IntIndexConcurrencyTest, ScansAndBatchesSeeEveryKeyThatStays) {
  constexpr uint64_t kKeys = 20000;
  EpochManager epochs;
  IntIndex index(epochs);
  std::vector<Entry> even;
  for (uint64_t i = 0; i < kKeys; ++i) even.push_back({i * 64, i});
  ASSERT_TRUE(index.BulkLoad(even).ok());
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (uint64_t t = 0; t < 2; ++t) {
    writers.emplace_back([&, t] {
      std::mt19937_64 random(t);
      while (!stop.load(std::memory_order_relaxed)) {
        const uint64_t start = random() % (kKeys * 64);
        const bool insert = random() % 2 == 0;
        for (uint64_t k = start; k < start + 600; ++k) {
          if (k % 64 == 0) continue;
          if (insert) {
            index.Insert(k, k);
          } else {
            index.Erase(k);
          }
        }
      }
    });
  }
  std::vector<Entry> batch(61);
  for (int round = 0; round < 6; ++round) {
    IntCursor cursor(index);
    const bool forward = round % 2 == 0;
    forward ? cursor.SeekForward(0) : cursor.SeekBackward(UINT64_MAX);
    uint64_t seen = 0, last = 0;
    bool first = true;
    while (const size_t n = cursor.Next(batch)) {
      for (size_t i = 0; i < n; ++i) {
        ASSERT_TRUE(first || (forward ? batch[i].key > last : batch[i].key < last));
        first = false;
        last = batch[i].key;
        seen += batch[i].key % 64 == 0;
      }
    }
    ASSERT_EQ(seen, kKeys);
    std::vector<uint64_t> keys, values(1000);
    std::unique_ptr<bool[]> found(new bool[1000]);
    for (uint64_t i = 0; i < 1000; ++i) keys.push_back(i * 7 % kKeys * 64);
    ASSERT_EQ(index.LookupBatch(keys, values, {found.get(), 1000}), 1000u);
    for (size_t i = 0; i < 1000; ++i) ASSERT_EQ(values[i], keys[i] / 64);
  }
  stop = true;
  for (auto& writer : writers) writer.join();
  ASSERT_TRUE(index.Validate().ok()) << index.Validate().ToString();
}

}  // namespace
}  // namespace omendb::index
