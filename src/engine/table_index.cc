#include "engine/table_index.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "types/text_io.h"

namespace omendb::engine {
namespace {

using colstore::AppendRowId;
using colstore::kRowIdBytes;

// Entries of one key of a unique index, and the next one's, which ends them.
constexpr size_t kEntriesOfKey = 4;

std::string IntKeyBytes(uint64_t key) {
  std::string bytes(8, '\0');
  StoreBe<uint64_t>(bytes.data(), key);
  return bytes;
}

bool IsNativeInt(const catalog::TableDef& table, const catalog::IndexDef& definition) {
  const catalog::IndexKey& first = definition.keys.front();
  return definition.primary && definition.keys.size() == 1 && !first.descending &&
         types::HasNativeIntKey(table.column(first.column).type);
}

// As FrozenKeys takes them.
std::vector<KeyColumn> ColumnsOfKey(const catalog::TableDef& table,
                                    const catalog::IndexDef& definition) {
  std::vector<KeyColumn> columns;
  if (IsNativeInt(table, definition)) return columns;
  for (const catalog::IndexKey& key : definition.keys) {
    columns.push_back({table.column(key.column).type, {key.descending, key.nulls_first}});
  }
  return columns;
}

}  // namespace

types::Value MissingValueOf(const catalog::ColumnDef& column, types::Arena& arena) {
  if (!column.missing_value) return types::Value::Null();
  auto parsed = types::ParseText(column.type, *column.missing_value, arena, types::IoSettings());
  if (!parsed.ok()) return types::Value::Null();  // It was text of this type's output function.
  return types::CopyTo(arena, types::PhysicalTypeOf(column.type), *parsed);
}

TableIndex::TableIndex(EpochManager& epochs, const catalog::TableDef& table,
                       const catalog::IndexDef& definition)
    : storage_(definition.storage),
      unique_(definition.unique),
      nulls_not_distinct_(definition.nulls_not_distinct),
      frozen_keys_(epochs, ColumnsOfKey(table, definition)),
      runs_(epochs) {
  for (const catalog::IndexKey& key : definition.keys) {
    const catalog::ColumnDef& column = table.column(key.column);
    keys_.push_back({key.column,
                     column.type,
                     {key.descending, key.nulls_first},
                     MissingValueOf(column, arena_)});
    columns_.push_back(key.column);
  }
  if (definition.primary) {
    shape_ = IsNativeInt(table, definition) ? Shape::kRowByInt : Shape::kRowByBytes;
  } else {
    shape_ = Shape::kEntries;
  }
  if (shape_ == Shape::kRowByInt) {
    ints_ = std::make_unique<index::IntIndex>(epochs);
  } else {
    bytes_ = std::make_unique<index::BytesIndex>(epochs);
  }
}

bool TableIndex::Conflicts(std::span<const types::Value> row) const {
  if (!unique_) return false;
  if (nulls_not_distinct_) return true;
  return std::none_of(keys_.begin(), keys_.end(), [&](const Key& key) {
    return row[static_cast<size_t>(key.column.value() - 1)].is_null;
  });
}

bool TableIndex::IsKey(size_t i, ColumnId column, const types::SqlType& type,
                       const types::KeyOptions& options) const {
  return keys_[i].column == column && keys_[i].type == type &&
         keys_[i].options.descending == options.descending &&
         keys_[i].options.nulls_first == options.nulls_first;
}

bool TableIndex::SameKey(std::span<const types::Value> a, std::span<const types::Value> b) const {
  return std::all_of(keys_.begin(), keys_.end(), [&](const Key& key) {
    const auto i = static_cast<size_t>(key.column.value() - 1);
    if (a[i].is_null || b[i].is_null) return a[i].is_null == b[i].is_null;
    return types::Compare(key.type, a[i], b[i]) == 0;
  });
}

void TableIndex::AppendColumn(const Key& key, const types::Value& value, std::string& out) const {
  if (shape_ == Shape::kRowByInt) {
    if (value.is_null) return;
    char bytes[8];
    StoreBe<uint64_t>(bytes, types::EncodeIntKey(key.type, value));
    out.append(bytes, sizeof(bytes));
  } else {
    types::AppendKey(key.type, value, key.options, out);
  }
}

void TableIndex::KeyOfRow(std::span<const types::Value> row, std::string& key) const {
  key.clear();
  for (const Key& k : keys_) {
    AppendColumn(k, row[static_cast<size_t>(k.column.value() - 1)], key);
  }
}

void TableIndex::KeyOfVersion(const rowstore::Page& page, uint32_t slot, std::string& key) const {
  key.clear();
  for (const Key& k : keys_) {
    const auto column = static_cast<uint32_t>(k.column.value() - 1);
    const types::Value value =
        column < page.layout().columns_count() ? page.Read(column, slot) : k.missing;
    AppendColumn(k, value, key);
  }
}

void TableIndex::KeyOfValues(std::span<const types::Value> values, std::string& key) const {
  key.clear();
  for (size_t i = 0; i < values.size(); ++i) AppendColumn(keys_[i], values[i], key);
}

void TableIndex::AppendIdentity(std::string& out) const {
  ByteWriter writer(out);
  for (const Key& key : keys_) {
    writer.Put(key.column.value());
    writer.Put(static_cast<uint8_t>(key.type.kind));
    writer.Put(static_cast<uint8_t>(key.type.is_array));
    writer.Put(key.type.typmod);
    writer.Put(static_cast<uint8_t>(key.options.descending));
    writer.Put(static_cast<uint8_t>(key.options.nulls_first));
    std::string missing;
    types::AppendKey(key.type, key.missing, key.options, missing);
    writer.PutString(missing);
  }
}

TableIndex::KeyBatch TableIndex::KeysOfValues(std::span<const types::Value> values) const {
  KeyBatch batch;
  for (size_t i = 0; i < values.size(); ++i) {
    AppendColumn(keys_[i % keys_.size()], values[i], batch.bytes_);
    if ((i + 1) % keys_.size() == 0) batch.ends_[batch.size_++] = batch.bytes_.size();
  }
  return batch;
}

std::optional<RowId> TableIndex::FindRow(std::string_view key) const {
  if (key.empty()) return std::nullopt;
  const auto found = shape_ == Shape::kRowByInt ? ints_->Lookup(LoadBe<uint64_t>(key.data()))
                                                : bytes_->Lookup(key);
  if (!found.has_value()) return std::nullopt;
  return RowId(*found);
}

void TableIndex::FindRows(std::span<const types::Value> values, std::span<RowId> rows) const {
  OMEN_CHECK(rows.size() <= kBatchMax && values.size() == rows.size() * keys_.size());
  uint64_t ids[kBatchMax];
  bool found[kBatchMax];
  if (shape_ == Shape::kRowByInt) {
    uint64_t keys[kBatchMax];
    for (size_t i = 0; i < rows.size(); ++i) keys[i] = values[i].is_null ? 0 : IntKeyOf(values[i]);
    ints_->LookupBatch({keys, rows.size()}, {ids, rows.size()}, {found, rows.size()});
  } else {
    const KeyBatch batch = KeysOfValues(values);
    std::string_view keys[kBatchMax];
    for (size_t i = 0; i < rows.size(); ++i) keys[i] = batch.key(i);
    bytes_->LookupBatch({keys, rows.size()}, {ids, rows.size()}, {found, rows.size()});
  }
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = found[i] ? RowId(ids[i]) : RowId();
  // What was looked up for a NULL is of no account.
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].is_null) rows[i / keys_.size()] = RowId();
  }
}

std::optional<RowId> TableIndex::InsertRow(std::string_view key, RowId row) {
  const auto found = shape_ == Shape::kRowByInt
                         ? ints_->Insert(LoadBe<uint64_t>(key.data()), row.value())
                         : bytes_->Insert(key, row.value());
  if (!found.has_value()) return std::nullopt;
  return RowId(*found);
}

void TableIndex::EraseRow(std::string_view key, RowId row) {
  if (key.empty()) return;
  if (shape_ == Shape::kRowByInt) {
    ints_->EraseIf(LoadBe<uint64_t>(key.data()), row.value());
  } else {
    bytes_->EraseIf(key, row.value());
  }
}

void TableIndex::InsertEntry(std::string_view key, RowId row) {
  std::string entry(key);
  AppendRowId(row, entry);
  bytes_->Insert(entry, row.value());
}

void TableIndex::EraseEntry(std::string_view key, RowId row) {
  std::string entry(key);
  AppendRowId(row, entry);
  bytes_->Erase(entry);
}

Status TableIndex::FindEntries(std::string_view key, std::vector<RowId>& rows,
                               const RunRows* known) const {
  const auto first = static_cast<ptrdiff_t>(rows.size());
  for (;;) {
    const uint64_t moves = runs_.moves();
    // Before the index is looked at, to which entries may come back from there.
    const bool has_runs = !runs_.empty();
    if (known != nullptr && known->moves == moves) {
      rows.insert(rows.end(), known->rows.begin(), known->rows.end());
    } else if (has_runs) {
      OMEN_TRY(runs_.Find(key, rows));
    }
    const bool may_repeat = FindInMemory(key, rows) || has_runs;
    if (runs_.moves() == moves) [[likely]] {
      if (!may_repeat) return Status::Ok();
      break;
    }
    rows.resize(static_cast<size_t>(first));
  }
  std::sort(rows.begin() + first, rows.end());
  rows.erase(std::unique(rows.begin() + first, rows.end()), rows.end());
  return Status::Ok();
}

bool TableIndex::FindInMemory(std::string_view key, std::vector<RowId>& rows) const {
  Bounds bounds{std::string(key), std::string(key)};
  if (!types::PrefixSuccessor(bounds.high)) bounds.high.clear();
  // Before the index is looked at, to which entries go from there.
  const auto lists = packed_.empty() ? nullptr : packed_.all();
  Cursor cursor(*this, std::move(bounds), /*backward=*/false, kEntriesOfKey, /*with_packed=*/false);
  RowId row;
  std::string_view entry;
  while (cursor.Next(&row, &entry)) {
    if (entry == key) rows.push_back(row);
  }
  if (lists == nullptr) return false;
  const uint64_t hash = PackedEntries::HashOf(key);
  for (const PackedLists::Listed& listed : *lists) listed.entries->Find(key, hash, rows);
  return true;
}

void TableIndex::WarmEntries(const KeyBatch& keys) const {
  std::string_view views[kBatchMax];
  uint64_t ids[kBatchMax];
  bool found[kBatchMax];
  for (size_t i = 0; i < keys.size(); ++i) views[i] = keys.key(i);
  bytes_->LookupBatch({views, keys.size()}, {ids, keys.size()}, {found, keys.size()});
}

void TableIndex::WarmInts(const rowstore::Page& page, uint32_t first, uint32_t count) const {
  const auto column = static_cast<uint32_t>(int_column().value() - 1);
  uint64_t keys[kBatchMax];
  for (uint32_t i = 0; i < count; ++i) keys[i] = IntKeyOf(page.Read(column, first + i));
  if (std::is_sorted(keys, keys + count)) return;
  uint64_t ids[kBatchMax];
  bool found[kBatchMax];
  ints_->LookupBatch({keys, count}, {ids, count}, {found, count});
}

TableIndex::Bounds TableIndex::BoundsOf(const KeyRange& range) const {
  Bounds bounds;
  const size_t equal = range.equal.size();
  for (const types::Value& value : range.equal) {
    if (value.is_null) bounds.empty = true;
  }
  if ((range.lower && range.lower->is_null) || (range.upper && range.upper->is_null)) {
    bounds.empty = true;
  }
  if (bounds.empty) return bounds;
  std::string prefix;
  KeyOfValues(range.equal, prefix);
  std::optional<types::Value> first = range.lower;
  std::optional<types::Value> last = range.upper;
  bool first_inclusive = range.lower_inclusive;
  bool last_inclusive = range.upper_inclusive;
  const bool descending = equal < keys_.size() && keys_[equal].options.descending;
  if (descending) {
    std::swap(first, last);
    std::swap(first_inclusive, last_inclusive);
  }
  bounds.low = prefix;
  bounds.one_key = shape_ == Shape::kEntries && equal == keys_.size();
  if (first) {
    AppendColumn(keys_[equal], *first, bounds.low);
    if (!first_inclusive && !types::PrefixSuccessor(bounds.low)) bounds.empty = true;
  } else if (equal < keys_.size() && last && shape_ != Shape::kRowByInt) {
    // A range excludes NULLs, which may come first: values begin with 0x01.
    bounds.low.push_back('\x01');
  }
  bounds.high = prefix;
  if (last) {
    AppendColumn(keys_[equal], *last, bounds.high);
    if (last_inclusive && !types::PrefixSuccessor(bounds.high)) bounds.high.clear();
  } else if (equal < keys_.size() && first && shape_ != Shape::kRowByInt) {
    bounds.high.push_back('\x02');  // before NULLs that come last
  } else if (!bounds.high.empty()) {
    if (!types::PrefixSuccessor(bounds.high)) bounds.high.clear();
  }
  if (shape_ == Shape::kRowByInt) {
    // A successor drops trailing 0xff bytes; integers need all eight.
    if (!bounds.low.empty()) bounds.low.resize(8, '\0');
    if (!bounds.high.empty()) bounds.high.resize(8, '\0');
  }
  if (!bounds.high.empty() && bounds.low >= bounds.high) bounds.empty = true;
  return bounds;
}

TableIndex::Cursor::Cursor(const TableIndex& index, Bounds bounds, bool backward, size_t batch_size,
                           bool with_packed)
    : index_(index),
      bounds_(std::move(bounds)),
      backward_(backward),
      batch_size_(batch_size),
      finished_(bounds_.empty) {
  if (finished_) return;
  // Before the index is looked at, to which entries go from there.
  if (with_packed && !index_.packed_.empty()) {
    packed_.emplace(index_.packed_.all(), backward_ ? bounds_.high : bounds_.low, backward_);
  }
  SeekIndex();
}

void TableIndex::Cursor::SeekIndex() {
  if (index_.shape_ == Shape::kRowByInt) {
    int_cursor_.emplace(*index_.ints_);
    const uint64_t low = bounds_.low.empty() ? 0 : LoadBe<uint64_t>(bounds_.low.data());
    if (!backward_) {
      int_cursor_->SeekForward(low);
    } else {
      // [low, high): the greatest key is high - 1, and high > low >= 0.
      int_cursor_->SeekBackward(bounds_.high.empty() ? UINT64_MAX
                                                     : LoadBe<uint64_t>(bounds_.high.data()) - 1);
    }
    return;
  }
  bytes_cursor_.emplace(*index_.bytes_);
  if (!backward_) {
    bytes_cursor_->SeekForward(bounds_.low);
  } else if (bounds_.high.empty()) {
    bytes_cursor_->SeekLast();
  } else {
    bytes_cursor_->SeekBackward(bounds_.high, /*inclusive=*/false);
  }
}

bool TableIndex::Cursor::Fill() {
  at_ = 0;
  if (int_cursor_) {
    int_batch_.resize(batch_size_);
    int_count_ = int_cursor_->Next(int_batch_);
    batch_size_ = std::min<size_t>(batch_size_ * 2, 512);
    return int_count_ > 0;
  }
  const size_t count = bytes_cursor_->Next(bytes_batch_, batch_size_);
  batch_size_ = std::min<size_t>(batch_size_ * 2, 512);
  return count > 0;
}

bool TableIndex::Cursor::NextOfIndex(RowId* row, std::string_view* entry) {
  const size_t count = int_cursor_ ? int_count_ : bytes_batch_.size();
  if (at_ == count && !Fill()) return false;
  if (int_cursor_) {
    const index::Entry& next = int_batch_[at_++];
    int_key_ = IntKeyBytes(next.key);
    *entry = int_key_;
    *row = RowId(next.value);
  } else {
    *entry = bytes_batch_.key(at_);
    *row = RowId(bytes_batch_.value(at_));
    ++at_;
  }
  return true;
}

bool TableIndex::Cursor::NextMerged(RowId* row, std::string_view* entry) {
  for (;;) {
    if (!has_entry_ && !index_ended_) {
      RowId of_entry;
      has_entry_ = NextOfIndex(&of_entry, &entry_);
      index_ended_ = !has_entry_;
    }
    if (packed_->at_end() && !has_entry_) return false;
    bool from_index = packed_->at_end();
    if (!from_index && has_entry_) {
      from_index = backward_ ? packed_->entry() < entry_ : entry_ < packed_->entry();
    }
    const bool again = (from_index ? entry_ : packed_->entry()) == last_;
    if (!again) last_ = from_index ? entry_ : packed_->entry();
    if (from_index) {
      has_entry_ = false;
    } else {
      packed_->Next();
    }
    if (again) continue;
    *entry = last_;
    *row = colstore::RowOfEntry(last_);
    return true;
  }
}

bool TableIndex::Cursor::Next(RowId* row, std::string_view* key) {
  if (!NextEntry(row, key)) return false;
  if (index_.shape_ == Shape::kEntries) key->remove_suffix(kRowIdBytes);
  return true;
}

bool TableIndex::Cursor::NextEntry(RowId* row, std::string_view* key) {
  if (finished_) return false;
  finished_ = !(packed_ ? NextMerged(row, key) : NextOfIndex(row, key));
  if (finished_) return false;
  // Bounds are compared with the whole entry, row id included: it only lengthens the key.
  const bool past = backward_ ? *key < std::string_view(bounds_.low)
                              : !bounds_.high.empty() && *key >= std::string_view(bounds_.high);
  if (past) {
    finished_ = true;
    return false;
  }
  return true;
}

uint64_t TableIndex::Estimate(const KeyRange& range) const {
  const Bounds bounds = BoundsOf(range);
  if (bounds.empty) return 0;
  if (shape_ == Shape::kRowByInt) {
    const uint64_t low = bounds.low.empty() ? 0 : LoadBe<uint64_t>(bounds.low.data());
    const uint64_t last =
        bounds.high.empty() ? UINT64_MAX : LoadBe<uint64_t>(bounds.high.data()) - 1;
    return ints_->CountRange(low, last);
  }
  return bytes_->CountRange(bounds.low, bounds.high) + packed_.CountRange(bounds.low, bounds.high) +
         runs_.Estimate(bounds.low, bounds.high, bounds.one_key);
}

std::optional<size_t> TableIndex::BulkLoad(std::vector<BulkEntry>& entries) {
  const auto before = [](const BulkEntry& a, const BulkEntry& b) {
    const int order = a.key.compare(b.key);
    return order != 0 ? order < 0 : a.row < b.row;
  };
  if (!std::is_sorted(entries.begin(), entries.end(), before)) {
    std::sort(entries.begin(), entries.end(), before);
  }
  for (size_t i = 1; i < entries.size(); ++i) {
    if ((entries[i].conflicts || is_row_map()) && entries[i].key == entries[i - 1].key) return i;
  }
  std::vector<index::BytesEntry> bytes;
  bytes.reserve(entries.size());
  for (BulkEntry& e : entries) {
    if (shape_ == Shape::kEntries) AppendRowId(e.row, e.key);
    bytes.push_back({e.key, e.row.value()});
  }
  OMEN_CHECK(bytes_->BulkLoad(bytes).ok());
  return std::nullopt;
}

std::optional<size_t> TableIndex::BulkLoad(std::vector<index::Entry>& entries) {
  const auto before = [](const index::Entry& a, const index::Entry& b) {
    return a.key != b.key ? a.key < b.key : a.value < b.value;
  };
  if (!std::is_sorted(entries.begin(), entries.end(), before)) {
    std::sort(entries.begin(), entries.end(), before);
  }
  for (size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].key == entries[i - 1].key) return i;
  }
  OMEN_CHECK(ints_->BulkLoad(entries).ok());
  return std::nullopt;
}

size_t TableIndex::memory_bytes() const {
  return (ints_ ? ints_->MemoryBytes() : bytes_->MemoryBytes()) + packed_.memory_bytes() +
         runs_.memory_bytes();
}
size_t TableIndex::size() const { return ints_ ? ints_->Size() : bytes_->Size(); }
index::IndexStats TableIndex::stats() const { return ints_ ? ints_->Stats() : bytes_->Stats(); }

}  // namespace omendb::engine
