// bytes_leaf_pool.h - the memory of the leaves of one byte-string index, in the huge pages of an
// arena: free lists by the size of a leaf, filled by slabs of one leaf first, later of eight.
//
// Thread safety  All functions.
// Ownership      Counted references, as Arena: a retired leaf holds one.
#pragma once

#include <atomic>
#include <vector>

#include "base/mutex.h"
#include "index/arena.h"
#include "index/bytes_leaf.h"

namespace omendb::index {

class BytesLeafPool {
 public:
  static BytesLeafPool* Make() { return new BytesLeafPool(); }
  void Ref() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  BytesLeaf* New(std::string low, std::string high, bool has_high, uint32_t words);
  void Delete(BytesLeaf* leaf);
  // While set, a new leaf may wait for memory: Arena::Allocate.
  void SetPatient(bool patient) {
    MutexLock lock(mu_);
    patient_ = patient;
  }
  size_t MemoryBytes() const { return arena_->MemoryBytes(); }

 private:
  static constexpr uint32_t kSlabMax = 8;
  struct Class {
    std::vector<void*> free;
    uint32_t next_slab = 1;
  };
  BytesLeafPool() : arena_(Arena::Make()) {}
  ~BytesLeafPool() { arena_->Unref(); }

  std::atomic<int> refs_{1};
  Arena* const arena_;
  Mutex mu_;
  bool patient_ OMEN_GUARDED_BY(mu_) = false;
  Class classes_[BytesLeaf::kCellWordsMax + 1] OMEN_GUARDED_BY(mu_);  // By words of a cell.
};

}  // namespace omendb::index
