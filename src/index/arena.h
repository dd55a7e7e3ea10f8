// arena.h - the memory of one index: blocks of whole granules inside large-page chunks.
//
// While an index is small its blocks come from malloc; from kSmallBytes on they are cut from chunks
// of 2 MB, later of 16 MB, for which huge pages are asked: that halves the cost of a cache miss. A
// chunk is a bitmap of 1 KB granules, first fit, so that blocks of any size mix without size
// classes and the untouched end of the last chunk costs no memory.
//
// From 16 MB on no allocation waits for a huge page: only memory that the page warmer has made
// present is handed out, it is asked to stay a little ahead of the need, and where it falls behind
// blocks come from malloc, in small pages. Bulk load, which may wait, says so (SetPatient).
//
// Thread safety  All functions. Allocation happens when leaves split, not on every insert.
// Ownership      Counted references: blocks retired to an EpochManager may outlive the index, so
//                each pending deleter holds a reference, and so does a pending warming. Ref/Unref;
//                the last one frees everything.
// Invariants     I1  granules of a chunk from `ready` on have never been handed out
//                I2  at most one chunk is being warmed, and it is not unmapped meanwhile
// Errors         Out of memory aborts, as everywhere outside the budgeted pools.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"

namespace omendb::index {

class Arena {
 public:
  static constexpr size_t kGranule = 1024;
  static constexpr size_t kHugePage = 2 << 20;
  static constexpr size_t kChunkBytesMax = 16 << 20;
  static constexpr size_t kSmallBytes = 2 << 20;

  static Arena* Make() { return new Arena(); }
  void Ref() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // `bytes` rounded up to whole granules, 64-byte aligned. Requires: bytes <= kHugePage.
  void* Allocate(size_t bytes);
  void Free(void* block, size_t bytes);
  // While set, an allocation takes huge pages that are not there yet and waits for them.
  void SetPatient(bool patient);
  static size_t RoundUp(size_t bytes) { return (bytes + kGranule - 1) / kGranule * kGranule; }

  // Cells of one fixed size (headers), packed densely.
  void* AllocateCell(size_t bytes);
  void FreeCell(void* cell);

  // All memory held: free parts of chunks too, but not huge pages that are not present.
  size_t MemoryBytes() const;

 private:
  struct Chunk;
  Arena();
  ~Arena();
  void* AllocateLocked(size_t bytes) OMEN_REQUIRES(mu_);
  void* AllocateInChunk(uint32_t granules) OMEN_REQUIRES(mu_);
  void* AllocateSmall(size_t bytes) OMEN_REQUIRES(mu_);
  Chunk* AddChunk() OMEN_REQUIRES(mu_);
  void UnmapIfEmpty(Chunk* chunk) OMEN_REQUIRES(mu_);
  // Asks for the next huge page of the last chunk if little that is present is left.
  void KeepAhead() OMEN_REQUIRES(mu_);
  static void Warmed(void* arena);
  Chunk* FindChunk(uintptr_t address) OMEN_REQUIRES(mu_);

  std::atomic<int> refs_{1};
  mutable Mutex mu_;
  std::vector<std::unique_ptr<Chunk>> chunks_ OMEN_GUARDED_BY(mu_);
  std::unordered_map<uintptr_t, Chunk*> chunk_by_base_ OMEN_GUARDED_BY(mu_);
  std::unordered_map<void*, size_t> small_ OMEN_GUARDED_BY(mu_);
  size_t small_bytes_ OMEN_GUARDED_BY(mu_) = 0;
  size_t chunk_bytes_ OMEN_GUARDED_BY(mu_) = 0;
  Chunk* warming_ OMEN_GUARDED_BY(mu_) = nullptr;  // I2
  uint32_t warmed_upto_ OMEN_GUARDED_BY(mu_) = 0;
  bool patient_ OMEN_GUARDED_BY(mu_) = false;
  size_t cell_bytes_ OMEN_GUARDED_BY(mu_) = 0;
  bool has_cells_ OMEN_GUARDED_BY(mu_) = false;
  std::vector<void*> free_cells_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::index
