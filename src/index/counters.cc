#include "index/counters.h"

namespace omendb::index::counters_internal {

namespace {

struct Ownership {
  unsigned shard = kSharedShard;
  ~Ownership() {
    if (shard == kSharedShard) return;
    // Whatever this thread's later destructors count goes to the shared shard.
    shard_plus_one = kSharedShard + 1;
    owned_shards.fetch_and(~(1u << shard), std::memory_order_release);
  }
};

}  // namespace

unsigned TakeShard() {
  thread_local Ownership mine;
  unsigned taken = owned_shards.load(std::memory_order_relaxed);
  while (taken != (1u << kSharedShard) - 1) {
    const auto free = static_cast<unsigned>(__builtin_ctz(~taken));
    if (owned_shards.compare_exchange_weak(taken, taken | 1u << free, std::memory_order_acquire,
                                           std::memory_order_relaxed)) {
      mine.shard = free;
      break;
    }
  }
  shard_plus_one = mine.shard + 1;
  return mine.shard;
}

}  // namespace omendb::index::counters_internal
