#include "engine/frozen_keys.h"

#include <algorithm>

#include "base/bytes.h"
#include "colstore/key_cursor.h"

namespace omendb::engine {

Result<uint32_t> LowerBoundOf(const colstore::SegmentReader& reader, std::string_view key) {
  return reader.footer().has_integer_key() ? reader.LowerBound(LoadBe<uint64_t>(key.data()))
                                           : reader.LowerBound(key);
}

namespace {

Result<std::optional<RowId>> FindIn(const FrozenSegment& segment, const rowstore::TableStore& store,
                                    std::string_view key,
                                    const colstore::SegmentReader::FindOptions& options) {
  const colstore::SegmentReader& reader = *segment.reader();
  OMEN_ASSIGN(const std::optional<uint32_t> at,
              reader.footer().has_integer_key() ? reader.Find(LoadBe<uint64_t>(key.data()), options)
                                                : reader.Find(key, options));
  if (!at) return std::optional<RowId>();
  OMEN_ASSIGN(const RowId row, segment.ReadRowId(*at));
  // Gone for every snapshot: another row may have the key now.
  if (store.head(row) == 0) return std::optional<RowId>();
  return std::optional<RowId>(row);
}

// Keys in order, as the segments have them, with their parts.
class KeyRun {
 public:
  KeyRun(std::span<const KeyColumn> columns, const RowKeys& keys, uint32_t first, size_t count) {
    integers_.resize(keys.ints.empty() ? 1 : count);
    keys_.reserve(count);
    parts_.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      keys_.push_back(keys.key(first + i, integers_[keys.ints.empty() ? 0 : i]));
      parts_.push_back(PartsOfKey(columns, keys_.back()));
      const KeyBox point{parts_.back(), parts_.back()};
      if (i == 0) box_ = point;
      box_.Merge(point);
    }
  }
  const KeyBox& box() const { return box_; }
  std::string_view key(size_t i) const { return keys_[i]; }
  const KeyParts& parts(size_t i) const { return parts_[i]; }
  // Positions of the keys in [low, high].
  std::pair<size_t, size_t> Between(std::string_view low, std::string_view high) const {
    const auto begin = std::lower_bound(keys_.begin(), keys_.end(), low);
    const auto end = std::upper_bound(begin, keys_.end(), high);
    return {begin - keys_.begin(), end - keys_.begin()};
  }

 private:
  std::vector<std::array<char, 8>> integers_;
  std::vector<std::string_view> keys_;
  std::vector<KeyParts> parts_;
  KeyBox box_;
};

}  // namespace

FrozenKeys::~FrozenKeys() { delete entries_.load(std::memory_order_relaxed); }

bool FrozenKeys::Has(const FrozenSegment& segment) const {
  EpochGuard guard(epochs_);
  const Entries* entries = entries_.load(std::memory_order_acquire);
  return entries != nullptr &&
         std::any_of(entries->list.begin(), entries->list.end(),
                     [&](const Entry& entry) { return entry.segment.get() == &segment; });
}

Result<std::optional<RowId>> FrozenKeys::Find(const rowstore::TableStore& store,
                                              std::string_view key) const {
  EpochGuard guard(epochs_);
  const Entries* entries = entries_.load(std::memory_order_acquire);
  if (entries == nullptr) return std::optional<RowId>();
  const auto end = std::upper_bound(
      entries->list.begin(), entries->list.end(), key,
      [](std::string_view wanted, const Entry& candidate) { return wanted < candidate.min_key; });
  Result<std::optional<RowId>> found = std::optional<RowId>();
  const FrozenSegment* next = nullptr;  // Looked into when it is known whether there is another.
  const auto visit = [&](size_t i) {
    const Entry& entry = entries->list[i];
    if (entry.max_key < key) return true;
    if (next != nullptr) found = FindIn(*next, store, key, {});
    next = entry.segment.get();
    return found.ok() && !*found;
  };
  entries->boxes.VisitBackward(PartsOfKey(columns_, key),
                               static_cast<size_t>(end - entries->list.begin()), visit);
  if (next == nullptr || !found.ok() || *found) return found;
  return FindIn(*next, store, key, {.is_expected = true});
}

Status FrozenKeys::FindSorted(const rowstore::TableStore& store, const RowKeys& keys,
                              uint32_t first, std::span<std::optional<RowId>> rows) const {
  EpochGuard guard(epochs_);
  const Entries* entries = entries_.load(std::memory_order_acquire);
  if (entries == nullptr || rows.empty()) return Status::Ok();
  const KeyRun run(columns_, keys, first, rows.size());
  for (const Entry& entry : entries->list) {
    const KeyBox& box = entry.box;
    if (!box.Meets(run.box())) continue;
    colstore::KeyCursor cursor(*entry.segment->reader());
    const auto [begin, end] = run.Between(entry.min_key, entry.max_key);
    for (size_t i = begin; i < end; ++i) {
      if (rows[i] || !box.Has(run.parts(i))) continue;
      OMEN_ASSIGN(rows[i], FindIn(*entry.segment, store, run.key(i), {.cursor = &cursor}));
    }
  }
  return Status::Ok();
}

std::vector<FrozenKeys::SegmentPtr> FrozenKeys::Overlapping(std::string_view low,
                                                            std::string_view high) const {
  std::vector<SegmentPtr> found;
  EpochGuard guard(epochs_);
  const Entries* entries = entries_.load(std::memory_order_acquire);
  if (entries == nullptr) return found;
  for (const Entry& entry : entries->list) {
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
  const Entries* old = entries_.load(std::memory_order_relaxed);
  std::vector<Entry> next;
  if (old != nullptr) next = old->list;
  for (SegmentPtr& segment : segments) {
    const colstore::SegmentFooter& footer = segment->reader()->footer();
    const KeyBox box = BoxOfSegment(columns_, footer);
    next.push_back({std::move(segment), footer.min_key, footer.max_key, box});
  }
  std::stable_sort(next.begin(), next.end(),
                   [](const Entry& a, const Entry& b) { return a.min_key < b.min_key; });
  Replace(std::move(next));
}

void FrozenKeys::Unlist(const std::vector<const FrozenSegment*>& segments) {
  std::vector<Entry> next = entries_.load(std::memory_order_relaxed)->list;
  std::erase_if(next, [&](const Entry& entry) {
    return std::find(segments.begin(), segments.end(), entry.segment.get()) != segments.end();
  });
  Replace(std::move(next));
}

void FrozenKeys::Replace(std::vector<Entry> next) {
  auto entries = std::make_unique<Entries>();
  for (const Entry& entry : next) entries->boxes.Add(entry.box);
  entries->list = std::move(next);
  const Entries* old = entries_.load(std::memory_order_relaxed);
  entries_.store(entries.release(), std::memory_order_release);
  if (old != nullptr) epochs_.RetireObject(const_cast<Entries*>(old));
  moves_.fetch_add(1, std::memory_order_seq_cst);
}

}  // namespace omendb::engine
