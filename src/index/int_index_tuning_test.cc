// Self-tuning of a real index: what it rewrites stays right, and stays under the bounds, while
// others read and write.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include "index/int_index.h"
#include "index/tuning_counts.h"

namespace omendb::index {
namespace {

// Keys that no line fits: clusters at all scales.
std::vector<uint64_t> ClusteredKeys(size_t n, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint64_t> keys;
  while (keys.size() < n) {
    const uint64_t start = random() >> (random() % 40);
    for (uint64_t i = 0; i < 50; ++i) keys.push_back(start + i * (1 + random() % 3));
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::shuffle(keys.begin(), keys.end(), random);
  return keys;
}

size_t ScanSome(const IntIndex& index, uint64_t from) {
  Entry out[100];
  IntCursor cursor(index);
  cursor.SeekForward(from);
  return cursor.Next(out);
}

TEST(IntIndexTuningTest, PacksWhatIsOnlyReadAndLoosensItAgain) {
  EpochManager epochs;
  IntIndex index(epochs);
  const std::vector<uint64_t> keys = ClusteredKeys(120'000, 1);
  for (const uint64_t key : keys) index.Insert(key, ~key);
  const size_t loose = index.MemoryBytes();
  std::mt19937_64 random(2);
  for (int step = 0; step < 4000 && index.Stats().trials_kept < 2; ++step) {
    for (int i = 0; i < 200; ++i) ScanSome(index, keys[random() % keys.size()]);
    index.Tune();
  }
  EXPECT_GT(index.Stats().trials, 0u);
  EXPECT_GT(index.Stats().rewritten, 0u);
  epochs.Collect();
  EXPECT_LE(index.MemoryBytes(), loose * 115 / 100);  // Free parts of chunks are counted.
  ASSERT_TRUE(index.Validate().ok());
  for (const uint64_t key : keys) ASSERT_EQ(index.Lookup(key), ~key);
  // Inserts find leaves that are full, and what they make of them is sound.
  const std::vector<uint64_t> more = ClusteredKeys(60'000, 3);
  for (const uint64_t key : more) index.Upsert(key, ~key);
  for (int step = 0; step < 200; ++step) index.Tune();
  for (const uint64_t key : more) ASSERT_EQ(index.Lookup(key), ~key);
  ASSERT_TRUE(index.Validate().ok());
}

// Of the process: what an index did stays counted when the index is gone.
TEST(IntIndexTuningTest, IsCountedForTheProcess) {
  const TuningCounts& counts = process_tuning_counts;
  const uint64_t trials = counts.trials.load(), kept = counts.kept.load(),
                 reverted = counts.reverted.load(), rewritten = counts.leaves_rewritten.load();
  IndexStats stats;
  {
    EpochManager epochs;
    IntIndex index(epochs);
    const std::vector<uint64_t> keys = ClusteredKeys(120'000, 11);
    for (const uint64_t key : keys) index.Insert(key, key);
    std::mt19937_64 random(12);
    const auto decided = [&] { return stats.trials_kept + stats.trials_reverted; };
    // How many it takes is a matter of measured times.
    for (int step = 0; step < 400'000 && decided() < 1; ++step) {
      for (int i = 0; i < 200; ++i) ScanSome(index, keys[random() % keys.size()]);
      index.Tune();
      stats = index.Stats();
    }
    EXPECT_GT(decided(), 0u);
  }
  EXPECT_EQ(counts.trials.load() - trials, stats.trials);
  EXPECT_EQ(counts.kept.load() - kept, stats.trials_kept);
  EXPECT_EQ(counts.reverted.load() - reverted, stats.trials_reverted);
  EXPECT_EQ(counts.leaves_rewritten.load() - rewritten, stats.rewritten);
}

TEST(IntIndexTuningTest, SmallIndexesAreLeftAlone) {
  EpochManager epochs;
  IntIndex index(epochs);
  for (uint64_t key = 0; key < 1000; ++key) index.Insert(key * key, key);
  EXPECT_FALSE(index.Tune());
  EXPECT_EQ(index.Stats().trials, 0u);
}

TEST(IntIndexTuningTest, AnIndexThatIsNotTunedIsNotTimed) {
  EpochManager epochs;
  IntIndex index(epochs, {.tuning = false});
  for (const uint64_t key : ClusteredKeys(60'000, 1)) index.Insert(key, key);
  for (int i = 0; i < 50'000; ++i) ScanSome(index, static_cast<uint64_t>(i) << 40);
  EXPECT_FALSE(index.Tune());
  EXPECT_EQ(index.Stats().trials, 0u);
}

// Readers must find every key that stays, in scans too, and writers lose nothing, while leaves are
// rewritten below them.
TEST(IntIndexTuningTest, RewritingDisturbsNobody) {
  EpochManager epochs;
  IntIndex index(epochs);
  const std::vector<uint64_t> all = ClusteredKeys(60'000, 5);
  const size_t half = all.size() / 2;  // The first half stays, the second comes and goes.
  for (const uint64_t key : all) index.Insert(key, key + 1);
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> wrong{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      Entry out[64];
      while (!stop.load()) {
        const uint64_t key = all[random() % half];
        if (index.Lookup(key) != key + 1) ++wrong;
        IntCursor cursor(index);
        cursor.SeekForward(key);
        if (cursor.Next(out) == 0 || out[0].key != key) ++wrong;
      }
    });
  }
  threads.emplace_back([&] {
    std::mt19937_64 random(9);
    while (!stop.load()) {
      const uint64_t key = all[half + random() % 500];  // Few leaves: the others rest.
      if (random() % 2 == 0) {
        index.Upsert(key, key + 1);
      } else {
        index.Erase(key);
      }
    }
  });
  // However little of the processor the others get meanwhile.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (index.Stats().rewritten < 100 && std::chrono::steady_clock::now() < end) {
    index.Tune();
    std::this_thread::yield();
  }
  stop.store(true);
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(index.Stats().rewritten, 0u);
  EXPECT_EQ(wrong.load(), 0u);
  ASSERT_TRUE(index.Validate().ok());
}

// Many indexes made and destroyed while the thread of the process goes through them.
TEST(IndexTuningThreadTest, IndexesComeAndGo) {
  SetIndexTuning(true);
  const std::vector<uint64_t> keys = ClusteredKeys(30'000, 7);
  for (int round = 0; round < 5; ++round) {
    EpochManager epochs;
    IntIndex index(epochs);
    for (const uint64_t key : keys) index.Insert(key, key);
    for (int i = 0; i < 2000; ++i) ScanSome(index, keys[static_cast<size_t>(i)]);
  }
  SetIndexTuning(false);
}

}  // namespace
}  // namespace omendb::index
