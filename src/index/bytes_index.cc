#include "index/bytes_index.h"

#include <map>
#include <string>

#include "base/mutex.h"
#include "base/sqlstate.h"

namespace omendb::index {

class BytesIndex::Impl {
 public:
  mutable SharedMutex mu;
  std::map<std::string, uint64_t, std::less<>> map OMEN_GUARDED_BY(mu);
};

BytesIndex::BytesIndex(EpochManager&, IndexOptions) : impl_(std::make_unique<Impl>()) {}
BytesIndex::~BytesIndex() = default;

std::optional<uint64_t> BytesIndex::Lookup(std::string_view key) const {
  ReaderLock lock(impl_->mu);
  auto it = impl_->map.find(key);
  if (it == impl_->map.end()) return std::nullopt;
  return it->second;
}
std::optional<uint64_t> BytesIndex::Insert(std::string_view key, uint64_t value) {
  WriterLock lock(impl_->mu);
  auto [it, inserted] = impl_->map.emplace(std::string(key), value);
  if (inserted) return std::nullopt;
  return it->second;
}
std::optional<uint64_t> BytesIndex::Upsert(std::string_view key, uint64_t value) {
  WriterLock lock(impl_->mu);
  auto [it, inserted] = impl_->map.emplace(std::string(key), value);
  if (inserted) return std::nullopt;
  return std::exchange(it->second, value);
}
std::optional<uint64_t> BytesIndex::Update(std::string_view key, uint64_t value) {
  WriterLock lock(impl_->mu);
  auto it = impl_->map.find(key);
  if (it == impl_->map.end()) return std::nullopt;
  return std::exchange(it->second, value);
}
bool BytesIndex::CompareExchange(std::string_view key, uint64_t expected, uint64_t desired) {
  WriterLock lock(impl_->mu);
  auto it = impl_->map.find(key);
  if (it == impl_->map.end() || it->second != expected) return false;
  it->second = desired;
  return true;
}
std::optional<uint64_t> BytesIndex::Erase(std::string_view key) {
  WriterLock lock(impl_->mu);
  auto it = impl_->map.find(key);
  if (it == impl_->map.end()) return std::nullopt;
  const uint64_t value = it->second;
  impl_->map.erase(it);
  return value;
}
bool BytesIndex::EraseIf(std::string_view key, uint64_t expected) {
  WriterLock lock(impl_->mu);
  auto it = impl_->map.find(key);
  if (it == impl_->map.end() || it->second != expected) return false;
  impl_->map.erase(it);
  return true;
}
size_t BytesIndex::LookupBatch(std::span<const std::string_view> keys, std::span<uint64_t> values,
                               std::span<bool> found) const {
  size_t count = 0;
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto value = Lookup(keys[i]);
    found[i] = value.has_value();
    if (value) values[i] = *value;
    count += found[i];
  }
  return count;
}
Status BytesIndex::BulkLoad(std::span<const BytesEntry> entries) {
  for (size_t i = 1; i < entries.size(); ++i) {
    if (entries[i - 1].key >= entries[i].key) {
      return Status(sqlstate::kInvalidParameterValue,
                    "bulk load needs strictly ascending keys; entry " + std::to_string(i) +
                        " is not above the one before");
    }
  }
  WriterLock lock(impl_->mu);
  if (!impl_->map.empty()) {
    return Status(sqlstate::kObjectNotInPrerequisiteState, "bulk load needs an empty index");
  }
  for (const BytesEntry& entry : entries)
    impl_->map.emplace_hint(impl_->map.end(), entry.key, entry.value);
  return Status::Ok();
}
size_t BytesIndex::Size() const {
  ReaderLock lock(impl_->mu);
  return impl_->map.size();
}
size_t BytesIndex::CountRange(std::string_view low, std::string_view high) const {
  ReaderLock lock(impl_->mu);
  if (!high.empty() && low >= high) return 0;
  return std::distance(impl_->map.lower_bound(low),
                       high.empty() ? impl_->map.end() : impl_->map.lower_bound(high));
}
size_t BytesIndex::MemoryBytes() const { return Size() * 96; }
IndexStats BytesIndex::Stats() const { return {}; }
Status BytesIndex::Validate() const { return Status::Ok(); }

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
  ReaderLock lock(index_->impl_->mu);
  const auto& map = index_->impl_->map;
  if (direction_ == Direction::kForward) {
    auto it = inclusive_ ? map.lower_bound(bound_) : map.upper_bound(bound_);
    for (; it != map.end() && batch.size() < count; ++it) batch.Append(it->first, it->second);
  } else {
    auto it = unbounded_   ? map.end()
              : inclusive_ ? map.upper_bound(bound_)
                           : map.lower_bound(bound_);
    while (it != map.begin() && batch.size() < count) {
      --it;
      batch.Append(it->first, it->second);
    }
  }
  done_ = batch.size() < count;
  if (!done_) bound_ = batch.key(batch.size() - 1);
  inclusive_ = unbounded_ = false;
  return batch.size();
}

}  // namespace omendb::index
