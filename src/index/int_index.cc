#include "index/int_index.h"

#include <map>

#include "base/mutex.h"
#include "base/sqlstate.h"

namespace omendb::index {

class IntIndex::Impl {
 public:
  mutable SharedMutex mu;
  std::map<uint64_t, uint64_t> map OMEN_GUARDED_BY(mu);
};

IntIndex::IntIndex(EpochManager&, IndexOptions) : impl_(std::make_unique<Impl>()) {}
IntIndex::~IntIndex() = default;

std::optional<uint64_t> IntIndex::Lookup(uint64_t key) const {
  ReaderLock lock(impl_->mu);
  auto it = impl_->map.find(key);
  if (it == impl_->map.end()) return std::nullopt;
  return it->second;
}
std::optional<uint64_t> IntIndex::Insert(uint64_t key, uint64_t value) {
  WriterLock lock(impl_->mu);
  auto [it, inserted] = impl_->map.emplace(key, value);
  if (inserted) return std::nullopt;
  return it->second;
}
std::optional<uint64_t> IntIndex::Upsert(uint64_t key, uint64_t value) {
  WriterLock lock(impl_->mu);
  auto [it, inserted] = impl_->map.emplace(key, value);
  if (inserted) return std::nullopt;
  return std::exchange(it->second, value);
}
std::optional<uint64_t> IntIndex::Update(uint64_t key, uint64_t value) {
  WriterLock lock(impl_->mu);
  auto it = impl_->map.find(key);
  if (it == impl_->map.end()) return std::nullopt;
  return std::exchange(it->second, value);
}
bool IntIndex::CompareExchange(uint64_t key, uint64_t expected, uint64_t desired) {
  WriterLock lock(impl_->mu);
  auto it = impl_->map.find(key);
  if (it == impl_->map.end() || it->second != expected) return false;
  it->second = desired;
  return true;
}
std::optional<uint64_t> IntIndex::Erase(uint64_t key) {
  WriterLock lock(impl_->mu);
  auto it = impl_->map.find(key);
  if (it == impl_->map.end()) return std::nullopt;
  const uint64_t value = it->second;
  impl_->map.erase(it);
  return value;
}
bool IntIndex::EraseIf(uint64_t key, uint64_t expected) {
  WriterLock lock(impl_->mu);
  auto it = impl_->map.find(key);
  if (it == impl_->map.end() || it->second != expected) return false;
  impl_->map.erase(it);
  return true;
}
size_t IntIndex::LookupBatch(std::span<const uint64_t> keys, std::span<uint64_t> values,
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
Status IntIndex::BulkLoad(std::span<const Entry> entries) {
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
  for (const Entry& entry : entries)
    impl_->map.emplace_hint(impl_->map.end(), entry.key, entry.value);
  return Status::Ok();
}
size_t IntIndex::Size() const {
  ReaderLock lock(impl_->mu);
  return impl_->map.size();
}
size_t IntIndex::CountRange(uint64_t low, uint64_t high) const {
  ReaderLock lock(impl_->mu);
  if (low > high) return 0;
  return std::distance(impl_->map.lower_bound(low), impl_->map.upper_bound(high));
}
size_t IntIndex::MemoryBytes() const { return Size() * 64; }
IndexStats IntIndex::Stats() const { return {}; }
Status IntIndex::Validate() const { return Status::Ok(); }

size_t IntCursor::Next(std::span<Entry> out) {
  if (done_ || out.empty()) return 0;
  ReaderLock lock(index_->impl_->mu);
  const auto& map = index_->impl_->map;
  size_t n = 0;
  if (direction_ == Direction::kForward) {
    for (auto it = map.lower_bound(bound_); it != map.end() && n < out.size(); ++it) {
      out[n++] = {it->first, it->second};
    }
    done_ = n < out.size() || out[n - 1].key == UINT64_MAX;
    if (!done_) bound_ = out[n - 1].key + 1;
  } else {
    for (auto it = map.upper_bound(bound_); it != map.begin() && n < out.size();) {
      --it;
      out[n++] = {it->first, it->second};
    }
    done_ = n < out.size() || out[n - 1].key == 0;
    if (!done_) bound_ = out[n - 1].key - 1;
  }
  return n;
}

}  // namespace omendb::index
