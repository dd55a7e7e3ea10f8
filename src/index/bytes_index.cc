#include "index/bytes_index.h"

#include "index/bytes_tree.h"

namespace omendb::index {

class BytesIndex::Impl : public BytesTree {
 public:
  using BytesTree::BytesTree;
};

BytesIndex::BytesIndex(EpochManager& epochs, IndexOptions)
    : impl_(std::make_unique<Impl>(epochs)) {}
BytesIndex::~BytesIndex() = default;

bool BytesIndex::Find(std::string_view key, uint64_t* value) const {
  return impl_->Find(key, value);
}
std::optional<uint64_t> BytesIndex::Insert(std::string_view key, uint64_t value) {
  return impl_->Insert(key, value, /*replace=*/false);
}
std::optional<uint64_t> BytesIndex::Upsert(std::string_view key, uint64_t value) {
  return impl_->Insert(key, value, /*replace=*/true);
}
std::optional<uint64_t> BytesIndex::Update(std::string_view key, uint64_t value) {
  return impl_->Update(key, value, nullptr);
}
bool BytesIndex::CompareExchange(std::string_view key, uint64_t expected, uint64_t desired) {
  return impl_->Update(key, desired, &expected) == expected;
}
std::optional<uint64_t> BytesIndex::Erase(std::string_view key) {
  return impl_->Erase(key, nullptr);
}
bool BytesIndex::EraseIf(std::string_view key, uint64_t expected) {
  return impl_->Erase(key, &expected) == expected;
}
size_t BytesIndex::LookupBatch(std::span<const std::string_view> keys, std::span<uint64_t> values,
                               std::span<bool> found) const {
  return impl_->LookupBatch(keys, values, found);
}
Status BytesIndex::BulkLoad(std::span<const BytesEntry> entries) {
  return impl_->BulkLoad(entries);
}
size_t BytesIndex::Size() const { return impl_->Size(); }
size_t BytesIndex::CountRange(std::string_view low, std::string_view high) const {
  return impl_->CountRange(low, high);
}
size_t BytesIndex::MemoryBytes() const { return impl_->MemoryBytes(); }
IndexStats BytesIndex::Stats() const { return impl_->Stats(); }
Status BytesIndex::Validate() const { return impl_->Validate(); }

void BytesCursor::SeekForward(std::string_view low) {
  direction_ = Direction::kForward;
  bound_ = low;
  inclusive_ = true;
  unbounded_ = done_ = false;
}
void BytesCursor::SeekBackward(std::string_view high, bool inclusive) {
  direction_ = Direction::kBackward;
  bound_ = high;
  inclusive_ = inclusive;
  unbounded_ = done_ = false;
}
void BytesCursor::SeekLast() {
  SeekBackward({});
  unbounded_ = true;
}

size_t BytesCursor::Next(BytesBatch& batch, size_t count) {
  batch.Clear();
  if (done_ || count == 0) return 0;
  bool more = false;
  if (direction_ == Direction::kForward) {
    index_->impl_->ScanForward(bound_, inclusive_, batch, count, &more);
  } else {
    index_->impl_->ScanBackward(unbounded_ ? nullptr : &bound_, inclusive_, batch, count, &more);
  }
  done_ = !more;
  if (!batch.empty()) bound_ = batch.key(batch.size() - 1);
  inclusive_ = unbounded_ = false;
  return batch.size();
}

}  // namespace omendb::index
