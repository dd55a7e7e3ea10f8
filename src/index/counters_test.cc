#include "index/counters.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace omendb::index {
namespace {

// More threads than shards, so that some own one and the rest share; then again, so that shards
// change hands.
TEST(ShardedCounterTest, LosesNothingWhoeverOwnsTheShards) {
  constexpr int kThreads = 12, kAdds = 20'000, kGenerations = 4;
  ShardedCounter counter;
  for (int generation = 0; generation < kGenerations; ++generation) {
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        counter.Add(0);  // Takes a shard, and keeps it until all have one.
        ready.fetch_add(1);
        while (ready.load() < kThreads) std::this_thread::yield();
        for (int i = 0; i < kAdds; ++i) counter.Add(i % 2 == 0 ? 3 : -1);
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(counter.Sum(), int64_t{generation + 1} * kThreads * kAdds);
  }
}

TEST(ShardedCounterTest, AShardIsFreeAgainWhenItsThreadEnds) {
  unsigned first = kSharedShard;
  std::thread([&] { first = CurrentShard(); }).join();
  EXPECT_NE(first, kSharedShard);
  for (int i = 0; i < 100; ++i) {
    unsigned shard = kSharedShard;
    std::thread([&] { shard = CurrentShard(); }).join();
    EXPECT_EQ(shard, first);
  }
}

}  // namespace
}  // namespace omendb::index
