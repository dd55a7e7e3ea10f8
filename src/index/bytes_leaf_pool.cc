#include "index/bytes_leaf_pool.h"

#include <bit>

namespace omendb::index {

namespace {

// What a new leaf is written to, and some of its cells.
[[gnu::always_inline]] inline void PrefetchLeaf(const void* memory, uint32_t words,
                                                uint64_t cells) {
  const auto* const bytes = static_cast<const char*>(memory);
  for (size_t i = 0; i < sizeof(BytesLeaf); i += 64) PrefetchWrite(bytes + i);
  for (uint64_t left = cells; left != 0; left &= left - 1) {
    const size_t size = words * sizeof(Word);
    const char* const cell =
        bytes + sizeof(BytesLeaf) + static_cast<size_t>(std::countr_zero(left)) * size;
    PrefetchWrite(cell);
    PrefetchWrite(cell + size - 1);
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

void BytesLeafPool::Provide(uint32_t words) {
  MutexLock lock(mu_);
  if (classes_[words].free.empty()) Refill(words);
}

void BytesLeafPool::Prepare(uint32_t words, uint64_t cells) {
  MutexLock lock(mu_);
  if (classes_[words].free.empty()) Refill(words);
  PrefetchLeaf(classes_[words].free.back(), words, cells);
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
