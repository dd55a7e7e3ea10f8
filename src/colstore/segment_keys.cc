// Finding rows of a segment by key: the index gives a window, key blocks decide.
#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "base/sqlstate.h"
#include "colstore/bitpack.h"
#include "colstore/hash.h"
#include "colstore/key_cursor.h"

namespace omendb::colstore {
namespace {

using index::PositionRange;

// types::EncodeIntKey of an integer cell, without the way through a Value.
struct IntegerKeys {
  explicit IntegerKeys(const types::SqlType& type) : is_oid(type.kind == types::TypeKind::kOid) {}
  uint64_t operator()(int64_t cell) const {
    return is_oid ? uint64_t{static_cast<uint32_t>(cell)}
                  : static_cast<uint64_t>(cell) ^ uint64_t { 1 } << 63;
  }
  bool is_oid;
};

using Place = KeyCursor::Place;

// The first of values [low, high) of a block of ascending integer keys that is not below `key`, or
// `high`, whose key is then not told.
Place LowerBoundOfIntegers(IntegerKeys encode, const BlockView& block, uint32_t low, uint32_t high,
                           uint64_t key) {
  if (block.encoding == Encoding::kDelta && block.width > 0) {
    // Reading a value of a delta block sums up to 255 numbers: first find the stride.
    while ((high - 1) / kDeltaStride > low / kDeltaStride) {
      const uint32_t middle = (low / kDeltaStride + (high - 1) / kDeltaStride + 1) / 2;
      const uint32_t at = middle * kDeltaStride;
      if (encode(LoadLe<int64_t>(block.positions + size_t{middle} * 8)) < key) {
        low = at;
      } else {
        high = at;
      }
    }
    // Then walk it, each value from the one before.
    auto value = static_cast<uint64_t>(block.ReadInt(low));
    while (encode(static_cast<int64_t>(value)) < key) {
      if (++low == high) return {high, std::nullopt};
      value += static_cast<uint64_t>(block.step) + UnpackOne(block.packed, low, block.width);
    }
    return {low, encode(static_cast<int64_t>(value))};
  }
  std::optional<uint64_t> found;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    const uint64_t at = encode(block.ReadInt(middle));
    if (at < key) {
      low = middle + 1;
    } else {
      high = middle;
      found = at;
    }
  }
  return {low, found};
}

std::string_view IntegerAsBytes(uint64_t key, char (&bytes)[8]) {
  StoreBe<uint64_t>(bytes, key);
  return {bytes, sizeof(bytes)};
}

}  // namespace

Result<const BlockView*> KeyCursor::Hold(size_t key_column, uint32_t block) {
  Held& held = held_[key_column];
  if (held.block == nullptr || held.number != block) {
    if (key_column == 0) OMEN_TRY(reader_.PrefetchForKey(block));
    OMEN_ASSIGN(held.block, reader_.GetBlock(reader_.footer().key[key_column].column, block));
    held.number = block;
    held.reads = 0;
    held.integers.clear();
  }
  return &held.block->view();
}

KeyCursor::KeyCursor(const SegmentReader& reader) : reader_(reader) {
  held_.resize(reader.footer().key.size());
}

const types::SqlType& KeyCursor::type(size_t key_column) const {
  const SegmentFooter& footer = reader_.footer();
  return footer.columns[footer.key[key_column].column].column.type;
}

Result<uint64_t> KeyCursor::IntegerAt(uint32_t row) {
  OMEN_ASSIGN(const BlockView* block, Hold(0, row / kBlockRows));
  Held& held = held_[0];
  if (held.integers.empty() && block->IsDearDelta() && held.reads++ > 0) {
    block->ReadInts(held.integers);
  }
  const int64_t cell =
      held.integers.empty() ? block->ReadInt(row % kBlockRows) : held.integers[row % kBlockRows];
  return IntegerKeys(type(0))(cell);
}

Status KeyCursor::BytesAt(uint32_t row, std::string& key) {
  key.clear();
  arena_.Reset();
  for (size_t i = 0; i < held_.size(); ++i) {
    OMEN_ASSIGN(const BlockView* block, Hold(i, row / kBlockRows));
    if (held_[i].integers.empty() && block->IsDearDelta()) block->ReadInts(held_[i].integers);
    const types::Value value = held_[i].integers.empty() ? block->Read(row % kBlockRows, arena_)
                                                         : held_[i].Integer(row % kBlockRows);
    types::AppendKey(type(i), value, reader_.footer().key[i].options, key);
  }
  return Status::Ok();
}

Status KeyCursor::KeyAt(uint32_t row, std::string& key) {
  if (!reader_.footer().has_integer_key()) return BytesAt(row, key);
  OMEN_ASSIGN(const uint64_t integer, IntegerAt(row));
  key.resize(sizeof(integer));
  StoreBe<uint64_t>(key.data(), integer);
  return Status::Ok();
}

Result<KeyCursor::Place> KeyCursor::SearchIntegers(PositionRange window, uint64_t key) {
  auto low = static_cast<uint32_t>(window.begin), high = static_cast<uint32_t>(window.end);
  if (low == high) return Place{low, std::nullopt};
  OMEN_ASSIGN(const ColumnDirectory* directory, reader_.directory(reader_.footer().key[0].column));
  while (low / kBlockRows != (high - 1) / kBlockRows) {
    // The least key of a block is the first, and its zone has it.
    const uint32_t last = (high - 1) / kBlockRows;
    if (types::EncodeIntKey(type(0), directory->zone(last).min()) < key) {
      low = last * kBlockRows;
    } else {
      high = last * kBlockRows;
      if (low >= high) return Place{high, std::nullopt};
    }
  }
  OMEN_ASSIGN(const BlockView* block, Hold(0, low / kBlockRows));
  const uint32_t base = low / kBlockRows * kBlockRows;
  Place place = LowerBoundOfIntegers(IntegerKeys(type(0)), *block, low - base, high - base, key);
  place.row += base;
  return place;
}

Result<std::strong_ordering> KeyCursor::FirstOf(uint32_t block, std::string_view key) const {
  const SegmentKeyColumn& part = reader_.footer().key[0];
  OMEN_ASSIGN(const ColumnDirectory* directory, reader_.directory(part.column));
  const Zone zone = directory->zone(block);
  const bool exact = part.options.descending ? zone.max_exact() : zone.min_exact();
  if (!zone.has_range() || !exact || zone.nulls() > 0) return std::strong_ordering::equal;
  std::string first;
  types::AppendKey(type(0), part.options.descending ? zone.max() : zone.min(), part.options, first);
  // Of two encodings none is a prefix of the other, so that they differ here or are the same.
  return std::string_view(first) <=> key.substr(0, first.size());
}

Status KeyCursor::NarrowToBlock(std::string_view key, uint32_t& low, uint32_t& high) {
  while (low < high && low / kBlockRows != (high - 1) / kBlockRows) {
    const uint32_t last = (high - 1) / kBlockRows;
    OMEN_ASSIGN(const std::strong_ordering first, FirstOf(last, key));
    if (first == std::strong_ordering::equal) break;
    (first < 0 ? low : high) = last * kBlockRows;
  }
  return Status::Ok();
}

Result<uint32_t> KeyCursor::SearchBytes(PositionRange window, std::string_view key) {
  auto low = static_cast<uint32_t>(window.begin), high = static_cast<uint32_t>(window.end);
  OMEN_TRY(NarrowToBlock(key, low, high));
  std::string at;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    OMEN_TRY(BytesAt(middle, at));
    if (std::string_view(at) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// A damaged filter costs time and nothing else.
Result<bool> SegmentReader::MayHave(uint64_t hash, bool is_expected) const {
  const bool is_needed = !is_expected || was_missed_.load(std::memory_order_relaxed);
  if (!is_needed && key_filter_.ready() == nullptr) return true;
  const Result<const KeyFilter*> filter = key_filter();
  if (filter.ok()) return (*filter)->MayContain(hash);
  if (filter.status().Is(sqlstate::kDataCorrupted)) return true;
  return filter.status();
}

Result<uint32_t> SegmentReader::LowerBound(uint64_t key) const {
  OMEN_CHECK(footer_.has_integer_key());
  LoadForLookups();
  OMEN_ASSIGN(const KeyIndex* index, key_index());
  OMEN_ASSIGN(const Place place, KeyCursor(*this).SearchIntegers(index->Find(key), key));
  return place.row;
}

Result<uint32_t> SegmentReader::LowerBound(std::string_view key) const {
  OMEN_CHECK(!footer_.key.empty() && !footer_.has_integer_key());
  LoadForLookups();
  OMEN_ASSIGN(const KeyIndex* index, key_index());
  return KeyCursor(*this).SearchBytes(index->Find(key), key);
}

Result<std::optional<uint32_t>> SegmentReader::Find(uint64_t key,
                                                    const FindOptions& options) const {
  OMEN_CHECK(footer_.has_integer_key());
  char bytes[8];
  const std::string_view as_bytes = IntegerAsBytes(key, bytes);
  if (as_bytes < footer_.min_key || as_bytes > footer_.max_key) {
    return std::optional<uint32_t>();
  }
  OMEN_ASSIGN(const bool may, MayHave(HashInt(key), options.is_expected));
  if (!may) return std::optional<uint32_t>();
  std::optional<KeyCursor> own;
  KeyCursor& cursor = options.cursor != nullptr ? *options.cursor : own.emplace(*this);
  return Noted(FindThere(key, cursor));
}

Result<std::optional<uint32_t>> SegmentReader::Find(std::string_view key,
                                                    const FindOptions& options) const {
  OMEN_CHECK(!footer_.key.empty() && !footer_.has_integer_key());
  if (key < footer_.min_key || key > footer_.max_key) return std::optional<uint32_t>();
  OMEN_ASSIGN(const bool may, MayHave(HashBytes(key), options.is_expected));
  if (!may) return std::optional<uint32_t>();
  std::optional<KeyCursor> own;
  KeyCursor& cursor = options.cursor != nullptr ? *options.cursor : own.emplace(*this);
  return Noted(FindThere(key, cursor));
}

Result<std::optional<uint32_t>> SegmentReader::Noted(Result<std::optional<uint32_t>> found) const {
  if (found.ok() && !*found) was_missed_.store(true, std::memory_order_relaxed);
  return found;
}

Result<std::optional<uint32_t>> SegmentReader::FindThere(uint64_t key, KeyCursor& cursor) const {
  LoadForLookups();
  OMEN_ASSIGN(const KeyIndex* index, key_index());
  OMEN_ASSIGN(Place place, cursor.SearchIntegers(index->Find(key), key));
  if (place.row >= rows()) return std::optional<uint32_t>();
  if (!place.key) {
    OMEN_ASSIGN(place.key, cursor.IntegerAt(place.row));
  }
  return *place.key == key ? std::optional(place.row) : std::nullopt;
}

Result<std::optional<uint32_t>> SegmentReader::FindThere(std::string_view key,
                                                         KeyCursor& cursor) const {
  LoadForLookups();
  OMEN_ASSIGN(const KeyIndex* index, key_index());
  OMEN_ASSIGN(const uint32_t row, cursor.SearchBytes(index->Find(key), key));
  if (row >= rows()) return std::optional<uint32_t>();
  std::string found;
  OMEN_TRY(cursor.BytesAt(row, found));
  return found == key ? std::optional(row) : std::nullopt;
}

}  // namespace omendb::colstore
