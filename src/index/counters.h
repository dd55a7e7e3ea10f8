// counters.h - counts that many threads add to, each mostly in a line of its own.
#pragma once

#include <atomic>
#include <cstdint>

namespace omendb::index {

inline constexpr unsigned kCounterShards = 8;

namespace counters_internal {
inline std::atomic<unsigned> next_shard{0};
inline constinit thread_local unsigned shard_plus_one = 0;
inline constinit thread_local unsigned sample_tick = 0;
}  // namespace counters_internal

inline unsigned CurrentShard() {
  unsigned& shard = counters_internal::shard_plus_one;
  if (shard == 0) [[unlikely]] {
    shard =
        1 + counters_internal::next_shard.fetch_add(1, std::memory_order_relaxed) % kCounterShards;
  }
  return shard - 1;
}

class ShardedCounter {
 public:
  void Add(int64_t n) { shards_[CurrentShard()].value.fetch_add(n, std::memory_order_relaxed); }
  int64_t Sum() const {
    int64_t sum = 0;
    for (const Shard& shard : shards_) sum += shard.value.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  struct alignas(64) Shard {
    std::atomic<int64_t> value{0};
  };
  Shard shards_[kCounterShards];
};

// One lookup in kSampleEvery of each thread is counted, with that weight.
inline constexpr unsigned kSampleEvery = 64;
inline bool SampleThis() { return (++counters_internal::sample_tick % kSampleEvery) == 0; }

struct LookupCounters {
  ShardedCounter model_hits, corrections, fallbacks, retries;
};

}  // namespace omendb::index
