// arena.h - memory of indexes: blocks of whole granules inside huge pages.
//
// While little is held blocks come from malloc; from kSmallBytes on they are cut from chunks of
// 2 MB, for which huge pages are asked: that halves the cost of a cache miss. A chunk is a bitmap
// of 256-byte granules, first fit, so that blocks of any size mix without size classes. A chunk
// that is empty goes back to the kernel, but for a few.
//
// From kWaitBelow on no allocation waits for a huge page: only memory that the page warmer has made
// present is handed out, it is asked to stay a little ahead of the need, and where it falls behind
// blocks come from malloc, in small pages. Bulk load, which may wait, says so (`patient`).
//
// Thread safety  All functions. Allocation happens when leaves split, not on every insert.
// Ownership      Counted references: blocks retired to an EpochManager may outlive the index, so
//                each pending deleter holds a reference, and so does a pending warming. Ref/Unref;
//                the last one frees everything.
// Invariants     I1  no granule of a chunk that is not present has been handed out
//                I2  at most one chunk is being warmed, and it is not unmapped meanwhile
//                I3  chunks before hints_[n] have no n free granules in a row
// Errors         Out of memory aborts, as everywhere outside the budgeted pools.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"

namespace omendb::index {

class Arena {
 public:
  static constexpr size_t kGranule = 256;
  static constexpr size_t kHugePage = 2 << 20;
  static constexpr size_t kSmallBytes = 2 << 20;
  static constexpr size_t kWaitBelow = 16 << 20;

  static Arena* Make() { return new Arena(); }
  // The one of the process, never freed.
  static Arena& Shared();
  void Ref() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // `bytes` rounded up to whole granules, 64-byte aligned. A `patient` caller may wait for a huge
  // page that is not there yet. Requires: bytes <= kHugePage.
  void* Allocate(size_t bytes, bool patient = false);
  void Free(void* block, size_t bytes);
  // The same for many single granules, the last one of lowest address where they lie side by side.
  void AllocateGranules(std::span<void*> granules);
  void FreeGranules(std::span<void* const> granules);
  static size_t RoundUp(size_t bytes) { return (bytes + kGranule - 1) / kGranule * kGranule; }

  // All memory held: free parts of chunks too, but not huge pages that are not present.
  size_t MemoryBytes() const;

 private:
  struct Chunk;
  void* AllocateLocked(size_t bytes, bool patient) OMEN_REQUIRES(mu_);
  void FreeLocked(void* block, size_t bytes) OMEN_REQUIRES(mu_);
  static constexpr uint32_t kHints = 128;
  Arena();
  ~Arena();
  void* AllocateInChunk(uint32_t granules, bool patient) OMEN_REQUIRES(mu_);
  void* TakeFrom(Chunk& chunk, uint32_t granules) OMEN_REQUIRES(mu_);
  void* AllocateSmall(size_t bytes) OMEN_REQUIRES(mu_);
  Chunk* AddChunk() OMEN_REQUIRES(mu_);
  void SetPresent(Chunk& chunk) OMEN_REQUIRES(mu_);
  Chunk* ChunkOf(uintptr_t base) OMEN_REQUIRES(mu_);
  void LowerHints(uint32_t index) OMEN_REQUIRES(mu_);
  void UnmapIfEmpty(Chunk* chunk) OMEN_REQUIRES(mu_);
  // What is to be present and free.
  size_t Ahead() const OMEN_REQUIRES(mu_);
  // Asks for the next huge page if little that is present is free.
  void KeepAhead() OMEN_REQUIRES(mu_);
  static void Warmed(void* arena);

  std::atomic<int> refs_{1};
  mutable Mutex mu_;
  std::vector<std::unique_ptr<Chunk>> chunks_ OMEN_GUARDED_BY(mu_);
  std::unordered_map<uintptr_t, Chunk*> chunk_by_base_ OMEN_GUARDED_BY(mu_);
  std::unordered_map<void*, size_t> small_ OMEN_GUARDED_BY(mu_);
  size_t small_bytes_ OMEN_GUARDED_BY(mu_) = 0;
  size_t free_bytes_ OMEN_GUARDED_BY(mu_) = 0;        // Of chunks that are present.
  Chunk* freed_in_ OMEN_GUARDED_BY(mu_) = nullptr;    // In which a block was freed last.
  Chunk* warming_ OMEN_GUARDED_BY(mu_) = nullptr;     // I2
  uint32_t hints_[kHints] OMEN_GUARDED_BY(mu_) = {};  // I3
  uint32_t hints_most_ OMEN_GUARDED_BY(mu_) = 0;      // None is greater.
};

}  // namespace omendb::index
