#include "index/int_index.h"

#include "index/int_tree.h"

namespace omendb::index {

void SetIndexTuning(bool enabled) { TuningThread::Instance().SetEnabled(enabled); }

class IntIndex::Impl : public IntTree {
 public:
  using IntTree::IntTree;
};

IntIndex::IntIndex(EpochManager& epochs, IndexOptions options)
    : impl_(std::make_unique<Impl>(epochs, options)) {}
IntIndex::~IntIndex() = default;

bool IntIndex::Find(uint64_t key, uint64_t* value) const { return impl_->Find(key, value); }
bool IntIndex::Put(uint64_t key, uint64_t value, bool replace, uint64_t* existing) {
  return impl_->Insert(key, value, replace, existing);
}
std::optional<uint64_t> IntIndex::Update(uint64_t key, uint64_t value) {
  return impl_->Update(key, value, nullptr);
}
bool IntIndex::CompareExchange(uint64_t key, uint64_t expected, uint64_t desired) {
  return impl_->Update(key, desired, &expected) == expected;
}
std::optional<uint64_t> IntIndex::Erase(uint64_t key) { return impl_->Erase(key, nullptr); }
bool IntIndex::EraseIf(uint64_t key, uint64_t expected) {
  return impl_->Erase(key, &expected) == expected;
}
size_t IntIndex::LookupBatch(std::span<const uint64_t> keys, std::span<uint64_t> values,
                             std::span<bool> found) const {
  return impl_->LookupBatch(keys, values, found);
}
Status IntIndex::BulkLoad(std::span<const Entry> entries) { return impl_->BulkLoad(entries); }
size_t IntIndex::Size() const { return impl_->Size(); }
size_t IntIndex::CountRange(uint64_t low, uint64_t high) const {
  return impl_->CountRange(low, high);
}
size_t IntIndex::MemoryBytes() const { return impl_->MemoryBytes(); }
IndexStats IntIndex::Stats() const { return impl_->Stats(); }
bool IntIndex::Tune() { return impl_->Tune(); }
Status IntIndex::Validate() const { return impl_->Validate(); }

size_t IntCursor::Next(std::span<Entry> out) {
  if (done_ || out.empty()) return 0;
  const bool forward = direction_ == Direction::kForward;
  bool more = false;
  const size_t n = forward ? index_->impl_->ScanForward(bound_, out, &more)
                           : index_->impl_->ScanBackward(bound_, out, &more);
  done_ = !more;
  if (more) bound_ = forward ? out[n - 1].key + 1 : out[n - 1].key - 1;
  return n;
}

}  // namespace omendb::index
