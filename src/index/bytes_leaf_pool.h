// bytes_leaf_pool.h - the memory of the leaves of one byte-string index, in the huge pages that all
// indexes share: free lists by the size of a leaf, filled by slabs of one leaf first, later of
// eight.
//
// Thread safety  All functions.
// Ownership      Counted references, as LeafMemory: a retired leaf holds one. Slabs go back with
//                the last one.
#pragma once

#include <atomic>
#include <vector>

#include "base/mutex.h"
#include "index/bytes_leaf.h"
#include "index/leaf_memory.h"

namespace omendb::index {

class BytesLeafPool {
 public:
  static BytesLeafPool* Make() { return new BytesLeafPool(); }
  void Ref() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  BytesLeaf* New(BytesRecord* low, BytesRecord* high, uint32_t words);
  void Delete(BytesLeaf* leaf);
  // Sees to it that the next leaf with cells of these words finds its memory.
  void Provide(uint32_t words);
  // The same, and that it is in the cache but for the cells; of those the ones named.
  void Prepare(uint32_t words, uint64_t cells = 0);
  // While set, a new leaf may wait for memory: LeafMemory::SetPatient.
  void SetPatient(bool patient) { memory_->SetPatient(patient); }
  size_t MemoryBytes() const { return memory_->MemoryBytes(); }

 private:
  static constexpr uint32_t kSlabMax = 8;
  struct Class {
    std::vector<void*> free;
    uint32_t next_slab = 1;
  };
  struct Slab {
    void* memory;
    size_t bytes;
  };
  void Refill(uint32_t words) OMEN_REQUIRES(mu_);
  BytesLeafPool() : memory_(LeafMemory::Make()) {}
  ~BytesLeafPool();

  std::atomic<int> refs_{1};
  LeafMemory* const memory_;
  Mutex mu_;
  std::vector<Slab> slabs_ OMEN_GUARDED_BY(mu_);
  Class classes_[BytesLeaf::kCellWordsMax + 1] OMEN_GUARDED_BY(mu_);  // By words of a cell.
};

}  // namespace omendb::index
