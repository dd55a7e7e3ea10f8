#include "engine/frozen_keys.h"

#include <algorithm>

#include "base/bytes.h"

namespace omendb::engine {

Result<uint32_t> LowerBoundOf(const colstore::SegmentReader& reader, std::string_view key) {
  return reader.footer().has_integer_key() ? reader.LowerBound(LoadBe<uint64_t>(key.data()))
                                           : reader.LowerBound(key);
}

namespace {

Result<std::optional<RowId>> FindIn(const FrozenSegment& segment, const rowstore::TableStore& store,
                                    std::string_view key) {
  const colstore::SegmentReader& reader = *segment.reader();
  OMEN_ASSIGN(const std::optional<uint32_t> at, reader.footer().has_integer_key()
                                                    ? reader.Find(LoadBe<uint64_t>(key.data()))
                                                    : reader.Find(key));
  if (!at) return std::optional<RowId>();
  OMEN_ASSIGN(const RowId row, segment.ReadRowId(*at));
  // Gone for every snapshot: another row may have the key now.
  if (store.head(row) == 0) return std::optional<RowId>();
  return std::optional<RowId>(row);
}

}  // namespace

FrozenKeys::~FrozenKeys() { delete list_.load(std::memory_order_relaxed); }

bool FrozenKeys::Has(const FrozenSegment& segment) const {
  EpochGuard guard(epochs_);
  const Entries* list = list_.load(std::memory_order_acquire);
  return list != nullptr && std::any_of(list->begin(), list->end(), [&](const Entry& entry) {
           return entry.segment.get() == &segment;
         });
}

Result<std::optional<RowId>> FrozenKeys::Find(const rowstore::TableStore& store,
                                              std::string_view key) const {
  EpochGuard guard(epochs_);
  const Entries* list = list_.load(std::memory_order_acquire);
  if (list == nullptr) return std::optional<RowId>();
  auto entry = std::upper_bound(
      list->begin(), list->end(), key,
      [](std::string_view wanted, const Entry& candidate) { return wanted < candidate.min_key; });
  while (entry != list->begin() && (--entry)->max_so_far >= key) {
    if (entry->max_key < key) continue;
    OMEN_ASSIGN(const std::optional<RowId> row, FindIn(*entry->segment, store, key));
    if (row) return row;
  }
  return std::optional<RowId>();
}

std::vector<FrozenKeys::SegmentPtr> FrozenKeys::Overlapping(std::string_view low,
                                                            std::string_view high) const {
  std::vector<SegmentPtr> found;
  EpochGuard guard(epochs_);
  const Entries* list = list_.load(std::memory_order_acquire);
  if (list == nullptr) return found;
  for (const Entry& entry : *list) {
    if (!high.empty() && entry.min_key >= high) break;
    if (entry.max_key >= low) found.push_back(entry.segment);
  }
  return found;
}

uint64_t FrozenKeys::Estimate(std::string_view low, std::string_view high) const {
  uint64_t rows = 0;
  for (const SegmentPtr& segment : Overlapping(low, high)) {
    const colstore::SegmentReader& reader = *segment->reader();
    // Damage is for who reads the rows to tell.
    const auto place = [&](std::string_view key, uint32_t otherwise) {
      const Result<uint32_t> found = LowerBoundOf(reader, key);
      return found.ok() ? *found : otherwise;
    };
    const uint32_t first = low.empty() ? 0 : place(low, 0);
    const uint32_t end = high.empty() ? reader.rows() : place(high, reader.rows());
    rows += end - std::min(first, end);
  }
  return rows;
}

void FrozenKeys::List(std::vector<SegmentPtr> segments) {
  const Entries* old = list_.load(std::memory_order_relaxed);
  auto next = std::make_unique<Entries>();
  if (old != nullptr) *next = *old;
  for (SegmentPtr& segment : segments) {
    const colstore::SegmentFooter& footer = segment->reader()->footer();
    next->push_back({std::move(segment), footer.min_key, footer.max_key, {}});
  }
  std::stable_sort(next->begin(), next->end(),
                   [](const Entry& a, const Entry& b) { return a.min_key < b.min_key; });
  Replace(std::move(next));
}

void FrozenKeys::Unlist(const std::vector<const FrozenSegment*>& segments) {
  auto next = std::make_unique<Entries>(*list_.load(std::memory_order_relaxed));
  std::erase_if(*next, [&](const Entry& entry) {
    return std::find(segments.begin(), segments.end(), entry.segment.get()) != segments.end();
  });
  Replace(std::move(next));
}

void FrozenKeys::Replace(std::unique_ptr<Entries> next) {
  std::string_view greatest;
  for (Entry& entry : *next) {
    greatest = std::max(greatest, entry.max_key);
    entry.max_so_far = greatest;
  }
  const Entries* old = list_.load(std::memory_order_relaxed);
  list_.store(next.release(), std::memory_order_release);
  if (old != nullptr) epochs_.RetireObject(const_cast<Entries*>(old));
  moves_.fetch_add(1, std::memory_order_seq_cst);
}

}  // namespace omendb::engine
