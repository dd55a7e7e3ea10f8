#include "engine/packed_entries.h"

#include <algorithm>

#include "base/check.h"
#include "colstore/hash.h"

namespace omendb::engine {

PackedEntries::PackedEntries(std::vector<Entry> entries) {
  std::vector<colstore::IndexEntry> sorted;
  sorted.reserve(entries.size());
  for (const Entry& entry : entries) sorted.push_back({entry.key, entry.row});
  if (!std::is_sorted(sorted.begin(), sorted.end())) std::sort(sorted.begin(), sorted.end());
  bytes_ = colstore::EntryBlock::Encode(sorted);
  OMEN_CHECK(block_.Parse(bytes_));
  std::vector<uint64_t> hashes;
  hashes.reserve(sorted.size());
  for (const colstore::IndexEntry& entry : sorted) hashes.push_back(HashOf(entry.key));
  OMEN_CHECK(filter_.Parse(colstore::KeyFilter::Build(hashes)));
}

uint64_t PackedEntries::HashOf(std::string_view key) { return colstore::HashBytes(key); }

void PackedEntries::Find(std::string_view key, uint64_t hash, std::vector<RowId>& rows) const {
  if (!filter_.MayContain(hash)) return;
  Cursor cursor(*this);
  for (uint32_t at = LowerBound(key); at < size() && cursor.KeyAt(at) == key; ++at) {
    rows.push_back(cursor.RowAt(at));
  }
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
