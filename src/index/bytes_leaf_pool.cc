#include "index/bytes_leaf_pool.h"

namespace omendb::index {

namespace {

// What a new leaf is written to.
void PrefetchLeaf(const void* memory) {
  for (size_t i = 0; i < sizeof(BytesLeaf); i += 64) {
    PrefetchWrite(static_cast<const char*>(memory) + i);
  }
}

}  // namespace

BytesLeafPool::~BytesLeafPool() {
  for (const Slab& slab : slabs_) memory_->Free(slab.memory, slab.bytes);
  memory_->Unref();
}

BytesLeaf* BytesLeafPool::New(BytesRecord* low, BytesRecord* high, uint32_t words) {
  void* memory = nullptr;
  {
    MutexLock lock(mu_);
    Class& its = classes_[words];
    if (its.free.empty()) Refill(words);
    memory = its.free.back();
    its.free.pop_back();
  }
  return new (memory) BytesLeaf(low, high, words);
}

void BytesLeafPool::Prepare(uint32_t words) {
  MutexLock lock(mu_);
  if (classes_[words].free.empty()) Refill(words);
  PrefetchLeaf(classes_[words].free.back());
}

void BytesLeafPool::Refill(uint32_t words) {
  Class& its = classes_[words];
  const size_t bytes = BytesLeaf::Bytes(words);
  auto* slab = static_cast<char*>(memory_->Allocate(its.next_slab * bytes));
  slabs_.push_back({slab, its.next_slab * bytes});
  for (uint32_t i = its.next_slab; i-- > 0;) its.free.push_back(slab + i * bytes);
  its.next_slab = std::min(its.next_slab * 2, kSlabMax);
}

void BytesLeafPool::Delete(BytesLeaf* leaf) {
  const uint32_t words = leaf->cell_words;
  leaf->~BytesLeaf();
  MutexLock lock(mu_);
  classes_[words].free.push_back(leaf);
}

}  // namespace omendb::index
