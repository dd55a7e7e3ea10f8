#include "engine/packed_entries.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "colstore/hash.h"

namespace omendb::engine {

namespace {

constexpr size_t kRowIdBytes = 8;

size_t CommonPrefix(std::string_view a, std::string_view b) {
  const size_t most = std::min(a.size(), b.size());
  return static_cast<size_t>(std::mismatch(a.begin(), a.begin() + most, b.begin()).first -
                             a.begin());
}

}  // namespace

PackedEntries::PackedEntries(std::vector<Entry> entries)
    : size_(static_cast<uint32_t>(entries.size())) {
  const auto before = [](const Entry& a, const Entry& b) {
    const int order = a.key.compare(b.key);
    return order != 0 ? order < 0 : a.row < b.row;
  };
  if (!std::is_sorted(entries.begin(), entries.end(), before)) {
    std::sort(entries.begin(), entries.end(), before);
  }
  first_row_ = UINT64_MAX;
  for (const Entry& entry : entries) first_row_ = std::min(first_row_, entry.row.value());
  ByteWriter out(bytes_);
  for (uint32_t i = 0; i < size_; ++i) {
    const bool begins = i % kBlockEntries == 0;
    if (begins) blocks_.push_back(static_cast<uint32_t>(bytes_.size()));
    const std::string_view key = entries[i].key;
    const size_t shared = begins ? 0 : CommonPrefix(entries[i - 1].key, key);
    out.PutVarint(shared);
    out.PutVarint(key.size() - shared);
    bytes_.append(key.substr(shared));
    out.PutVarint(entries[i].row.value() - first_row_);
  }
  OMEN_CHECK(bytes_.size() <= UINT32_MAX);
  std::vector<uint64_t> hashes;
  hashes.reserve(size_);
  for (const Entry& entry : entries) hashes.push_back(HashOf(entry.key));
  OMEN_CHECK(filter_.Parse(colstore::KeyFilter::Build(hashes)));
  bytes_.shrink_to_fit();
  blocks_.shrink_to_fit();
}

void PackedEntries::Unpack(uint32_t block, std::string* entries) const {
  const uint32_t count = std::min(kBlockEntries, size_ - block * kBlockEntries);
  ByteReader in(std::string_view(bytes_).substr(blocks_[block]));
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t shared = in.GetVarint();
    const uint64_t rest = in.GetVarint();
    entries[i].assign(i == 0 ? std::string_view() : std::string_view(entries[i - 1]), 0, shared);
    entries[i].append(in.GetRaw(rest));
    char row[kRowIdBytes];
    StoreBe<uint64_t>(row, first_row_ + in.GetVarint());
    entries[i].append(row, kRowIdBytes);
  }
  OMEN_CHECK(!in.failed());
}

bool PackedEntries::BeginsBelow(uint32_t block, std::string_view bound) const {
  ByteReader in(std::string_view(bytes_).substr(blocks_[block]));
  (void)in.GetVarint();  // Nothing is shared.
  const std::string_view key = in.GetRaw(in.GetVarint());
  const int order = key.compare(bound.substr(0, key.size()));
  if (order != 0) return order < 0;
  char row[kRowIdBytes];
  StoreBe<uint64_t>(row, first_row_ + in.GetVarint());
  return std::string_view(row, kRowIdBytes) < bound.substr(key.size());
}

uint32_t PackedEntries::LowerBound(std::string_view bound) const {
  // The first block that begins at or behind the bound; what is sought may be in the one before.
  uint32_t low = 0;
  auto high = static_cast<uint32_t>(blocks_.size());
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (BeginsBelow(middle, bound)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return 0;
  Cursor cursor(*this);
  uint32_t at = (low - 1) * kBlockEntries;
  const uint32_t end = std::min(size_, low * kBlockEntries);
  while (at < end && cursor.EntryAt(at) < bound) ++at;
  return at;
}

uint64_t PackedEntries::HashOf(std::string_view key) { return colstore::HashBytes(key); }

void PackedEntries::Find(std::string_view key, uint64_t hash, std::vector<RowId>& rows) const {
  if (!filter_.MayContain(hash)) return;
  Cursor cursor(*this);
  for (uint32_t at = LowerBound(key); at < size_ && cursor.KeyAt(at) == key; ++at) {
    rows.push_back(cursor.RowAt(at));
  }
}

std::string_view PackedEntries::Cursor::EntryAt(uint32_t at) {
  const uint32_t block = at / kBlockEntries;
  if (block != block_) {
    entries_->Unpack(block, unpacked_.data());
    block_ = block;
  }
  return unpacked_[at % kBlockEntries];
}

std::string_view PackedEntries::Cursor::KeyAt(uint32_t at) {
  std::string_view entry = EntryAt(at);
  entry.remove_suffix(kRowIdBytes);
  return entry;
}

RowId PackedEntries::Cursor::RowAt(uint32_t at) {
  const std::string_view entry = EntryAt(at);
  return RowId(LoadBe<uint64_t>(entry.data() + entry.size() - kRowIdBytes));
}

std::shared_ptr<const PackedLists::List> PackedLists::all() const {
  MutexLock lock(mu_);
  return list_;
}

void PackedLists::Add(uint64_t segment, std::shared_ptr<const PackedEntries> entries) {
  MutexLock lock(mu_);
  auto next = list_ != nullptr ? std::make_shared<List>(*list_) : std::make_shared<List>();
  next->push_back({segment, std::move(entries)});
  count_.store(next->size(), std::memory_order_release);
  list_ = std::move(next);
}

void PackedLists::Remove(uint64_t segment) {
  MutexLock lock(mu_);
  if (list_ == nullptr) return;
  auto next = std::make_shared<List>(*list_);
  std::erase_if(*next, [&](const Listed& listed) { return listed.segment == segment; });
  count_.store(next->size(), std::memory_order_release);
  list_ = next->empty() ? nullptr : std::move(next);
}

bool PackedLists::Has(uint64_t segment) const {
  if (empty()) return false;
  const std::shared_ptr<const List> lists = all();
  return lists != nullptr && std::any_of(lists->begin(), lists->end(), [&](const Listed& listed) {
           return listed.segment == segment;
         });
}

size_t PackedLists::memory_bytes() const {
  if (empty()) return 0;
  const std::shared_ptr<const List> lists = all();
  size_t bytes = 0;
  if (lists == nullptr) return bytes;
  for (const Listed& listed : *lists) bytes += listed.entries->memory_bytes();
  return bytes;
}

uint64_t PackedLists::CountRange(std::string_view low, std::string_view high) const {
  if (empty()) return 0;
  const std::shared_ptr<const List> lists = all();
  uint64_t count = 0;
  if (lists == nullptr) return count;
  for (const Listed& listed : *lists) {
    const PackedEntries& entries = *listed.entries;
    const uint32_t end = high.empty() ? entries.size() : entries.LowerBound(high);
    count += end - std::min(end, entries.LowerBound(low));
  }
  return count;
}

PackedCursor::PackedCursor(std::shared_ptr<const PackedLists::List> lists, std::string_view bound,
                           bool backward)
    : lists_(std::move(lists)), backward_(backward) {
  if (lists_ == nullptr) return;
  for (const PackedLists::Listed& listed : *lists_) {
    const PackedEntries& entries = *listed.entries;
    const uint32_t from = backward_ && bound.empty() ? entries.size() : entries.LowerBound(bound);
    const uint32_t left = backward_ ? from : entries.size() - from;
    if (left == 0) continue;
    heap_.push_back(std::make_unique<Part>(
        Part{PackedEntries::Cursor(entries), backward_ ? from - 1 : from, left}));
  }
  std::make_heap(heap_.begin(), heap_.end(),
                 [&](const auto& a, const auto& b) { return ComesLater(*a, *b); });
}

void PackedCursor::Next() {
  const auto later = [&](const auto& a, const auto& b) { return ComesLater(*a, *b); };
  std::pop_heap(heap_.begin(), heap_.end(), later);
  Part& part = *heap_.back();
  if (--part.left == 0) {
    heap_.pop_back();
    return;
  }
  part.at += backward_ ? -1 : 1;
  std::push_heap(heap_.begin(), heap_.end(), later);
}

}  // namespace omendb::engine
