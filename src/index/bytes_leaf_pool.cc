#include "index/bytes_leaf_pool.h"

#include <utility>

namespace omendb::index {

BytesLeaf* BytesLeafPool::New(std::string low, std::string high, bool has_high, uint32_t words) {
  void* memory = nullptr;
  {
    MutexLock lock(mu_);
    Class& its = classes_[words];
    if (its.free.empty()) {
      const size_t bytes = BytesLeaf::Bytes(words);
      auto* slab = static_cast<char*>(arena_->Allocate(its.next_slab * bytes, patient_));
      for (uint32_t i = its.next_slab; i-- > 0;) its.free.push_back(slab + i * bytes);
      its.next_slab = std::min(its.next_slab * 2, kSlabMax);
    }
    memory = its.free.back();
    its.free.pop_back();
  }
  return new (memory) BytesLeaf(std::move(low), std::move(high), has_high, words);
}

void BytesLeafPool::Delete(BytesLeaf* leaf) {
  const uint32_t words = leaf->cell_words;
  leaf->~BytesLeaf();
  MutexLock lock(mu_);
  classes_[words].free.push_back(leaf);
}

}  // namespace omendb::index
