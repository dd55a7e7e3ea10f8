// leaf_memory.h - the memory of the leaves of one index, out of the arena that all indexes share.
//
// Shared, since huge pages are large: what one index has freed or not yet used of them is there for
// the others. What an index holds is what it was given and has not freed.
//
// Thread safety  All functions.
// Ownership      Counted references, as Arena: what is retired holds one. Blocks must have been
//                freed before the last one goes; cells go with it.
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "index/arena.h"
#include "index/granule_cache.h"

namespace omendb::index {

class LeafMemory {
 public:
  static LeafMemory* Make() { return new LeafMemory(); }
  void Ref() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  // As Arena::Allocate and Arena::Free.
  void* Allocate(size_t bytes) {
    bytes_.fetch_add(Arena::RoundUp(bytes), std::memory_order_relaxed);
    const bool patient = patient_.load(std::memory_order_relaxed);
    if (bytes == Arena::kGranule && !patient) return GranuleCache::Take();
    return arena_.Allocate(bytes, patient);
  }
  void Free(void* block, size_t bytes) {
    bytes_.fetch_sub(Arena::RoundUp(bytes), std::memory_order_relaxed);
    if (bytes == Arena::kGranule) return GranuleCache::Give(block);
    arena_.Free(block, bytes);
  }
  // While set, an allocation may wait for a huge page.
  void SetPatient(bool patient) { patient_.store(patient, std::memory_order_relaxed); }

  // Cells of one fixed size (headers), packed densely.
  void* AllocateCell(size_t bytes);
  void FreeCell(void* cell);

  size_t MemoryBytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  LeafMemory() = default;
  ~LeafMemory();

  std::atomic<int> refs_{1};
  std::atomic<bool> patient_{false};
  std::atomic<size_t> bytes_{0};
  Arena& arena_ = Arena::Shared();
  Mutex mu_;
  size_t cell_bytes_ OMEN_GUARDED_BY(mu_) = 0;
  std::vector<std::pair<void*, size_t>> slabs_ OMEN_GUARDED_BY(mu_);
  std::vector<void*> free_cells_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::index
