// memory_budget.h - one budget of memory, divided again and again between what must be kept (rows,
// indexes, what is known of segments), the query engine's buffers and the cache of blocks.
//
// The query engine may use all that is not kept but a small part, and spills beyond it. The cache
// has what the query engine does not use at the moment, and gives way when it wants more: so the
// sum holds but for what is allocated between two divisions.
//
// What the process has beyond all that is counted (blocks being decoded, sessions, pieces that the
// allocator cannot give back) counts as kept: the least of the last seconds, since much of it is
// given back a moment later; and at most a quarter of the budget, since in process the rest is the
// application's.
//
// Thread safety  Any thread; mu_ is held while the query engine evicts, and is before its locks.
// Ownership      Borrows account and cache, and until Share(null) the query engine's memory.
// Units          Bytes.
#pragma once

#include <array>
#include <cstdint>

#include "base/mutex.h"
#include "colstore/block_cache.h"
#include "engine/database.h"
#include "rowstore/memory_account.h"

namespace omendb::engine {

struct MemoryShares {
  uint64_t analytical = 0;  // at most
  uint64_t cache = 0;       // at most
};

// `kept` and `analytical` are in use now.
MemoryShares DivideMemory(uint64_t total, uint64_t kept, uint64_t analytical);

// What is kept may take this much before writes are refused.
uint64_t KeptMemoryMax(uint64_t total);

class MemoryBudget {
 public:
  MemoryBudget(uint64_t total, const rowstore::MemoryAccount& kept, colstore::BlockCache& cache)
      : total_(total), kept_(kept), cache_(cache) {}

  // Null: there is none any more.
  void Share(AnalyticalMemory* memory);
  // Several times a second. `resident`: bytes that the process has.
  void Divide(uint64_t resident);

 private:
  void DivideLocked() OMEN_REQUIRES(mu_);
  void NoteUncounted(uint64_t resident) OMEN_REQUIRES(mu_);
  uint64_t analytical_used() const OMEN_REQUIRES(mu_) {
    return analytical_ != nullptr ? analytical_->used() : 0;
  }

  const uint64_t total_;
  const rowstore::MemoryAccount& kept_;
  colstore::BlockCache& cache_;
  Mutex mu_;
  AnalyticalMemory* analytical_ OMEN_GUARDED_BY(mu_) = nullptr;
  uint64_t limit_ OMEN_GUARDED_BY(mu_) = 0;  // that the query engine was given last
  // The least that was not counted, of kSamplesOfLeast divisions each; the newest is being filled.
  static constexpr uint64_t kSamplesOfLeast = 16;
  std::array<uint64_t, 8> leasts_ OMEN_GUARDED_BY(mu_) = {};
  uint64_t samples_ OMEN_GUARDED_BY(mu_) = 0;
  uint64_t uncounted_ OMEN_GUARDED_BY(mu_) = 0;
};

}  // namespace omendb::engine
