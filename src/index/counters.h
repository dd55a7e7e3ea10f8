// counters.h - counts that many threads add to, each mostly in a line of its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace omendb::index {

inline constexpr unsigned kCounterShards = 8;
// The last shard is for all threads that found the others taken.
inline constexpr unsigned kSharedShard = kCounterShards - 1;

class LookupTally;

namespace counters_internal {
// Bit i: shard i belongs to a thread. Acquire and release: an owner goes on from its predecessor's
// counts.
inline std::atomic<unsigned> owned_shards{0};
inline constinit thread_local unsigned shard_plus_one = 0;
// Takes a shard for the thread until it ends.
unsigned TakeShard();
inline constexpr unsigned kSampleEvery = 64;
// Lookups of this thread until the next one that is counted.
inline constinit thread_local unsigned sample_countdown = kSampleEvery;
inline constinit thread_local LookupTally* tally = nullptr;
// Operations of this thread until the next one that is timed: of the lookups counted one in 4.
inline constexpr unsigned kTimeLookups = 4, kTimeWrites = 256, kTimeScans = 16;
inline constinit thread_local unsigned time_lookups = kTimeLookups;
inline constinit thread_local unsigned time_writes = kTimeWrites;
inline constinit thread_local unsigned time_scans = kTimeScans;
inline bool TimeNow(unsigned& countdown, unsigned every) {
  if (--countdown != 0) [[likely]]
    return false;
  countdown = every;
  return true;
}
}  // namespace counters_internal

inline unsigned CurrentShard() {
  const unsigned shard = counters_internal::shard_plus_one;
  if (shard == 0) [[unlikely]]
    return counters_internal::TakeShard();
  return shard - 1;
}

class ShardedCounter {
 public:
  // By the only thread that writes the shard a plain addition: an atomic one would wait for every
  // store before it, cache misses included.
  void Add(int64_t n) {
    const unsigned shard = CurrentShard();
    std::atomic<int64_t>& value = shards_[shard].value;
    if (shard != kSharedShard) [[likely]] {
      value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    } else {
      value.fetch_add(n, std::memory_order_relaxed);
    }
  }
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

enum class LookupPath : uint8_t { kModelHit, kCorrection, kFallback };

// Counts each lookup of the thread it stands on, whatever the index (EXPLAIN ANALYZE). Elsewhere
// one lookup in 64 is counted, with that weight.
class LookupTally {
 public:
  LookupTally() : outer_(counters_internal::tally) {
    counters_internal::tally = this;
    counters_internal::sample_countdown = 1;
  }
  ~LookupTally() {
    counters_internal::tally = outer_;
    counters_internal::sample_countdown = outer_ != nullptr ? 1 : counters_internal::kSampleEvery;
  }
  LookupTally(const LookupTally&) = delete;
  LookupTally& operator=(const LookupTally&) = delete;

  uint64_t count(LookupPath path) const { return counts_[static_cast<size_t>(path)]; }
  void Add(LookupPath path) { ++counts_[static_cast<size_t>(path)]; }

 private:
  LookupTally* const outer_;
  uint64_t counts_[3] = {};
};

// Whether this lookup is to be counted: then LookupCounters::Count follows.
inline bool SampleThis() { return --counters_internal::sample_countdown == 0; }

// Whether this operation is to be timed, for self-tuning.
inline bool TimeThisLookup() {
  namespace internal = counters_internal;
  return internal::tally == nullptr &&
         internal::TimeNow(internal::time_lookups, internal::kTimeLookups);
}
inline bool TimeThisWrite() {
  namespace internal = counters_internal;
  return internal::TimeNow(internal::time_writes, internal::kTimeWrites);
}
inline bool TimeThisScan() {
  namespace internal = counters_internal;
  return internal::TimeNow(internal::time_scans, internal::kTimeScans);
}

struct LookupCounters {
  ShardedCounter model_hits, corrections, fallbacks, retries;

  void Count(LookupPath path) {
    using counters_internal::tally;
    unsigned weight = counters_internal::kSampleEvery;
    if (tally != nullptr) {
      tally->Add(path);
      weight = 1;
    }
    counters_internal::sample_countdown = weight;
    (path == LookupPath::kModelHit     ? model_hits
     : path == LookupPath::kCorrection ? corrections
                                       : fallbacks)
        .Add(weight);
  }
};

}  // namespace omendb::index
