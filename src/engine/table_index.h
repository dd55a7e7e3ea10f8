// table_index.h - one index of a table: keys of rows to row ids, through the learned indexes.
//
//   kRowByInt    primary key of one integer-like column: u64 key -> row id
//   kRowByBytes  any other primary key: encoded key -> row id
//   kEntries     everything else: (encoded key, row id) -> row id
//
// A primary key and its row id belong together for good: updating the key makes another row, and
// inserting a deleted key again continues the old row. So one entry serves every snapshot. Entries
// of the third kind may be stale: readers compare the key with the version they found.
//
// Thread safety  Any thread. Lookups and cursors enter epoch guards themselves.
// See            types/key_encoding.h for the bytes.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/epoch.h"
#include "catalog/definitions.h"
#include "engine/frozen_keys.h"
#include "engine/index_runs.h"
#include "engine/packed_entries.h"
#include "engine/relation.h"
#include "index/bytes_index.h"
#include "index/int_index.h"
#include "rowstore/page.h"
#include "types/key_encoding.h"

namespace omendb::engine {

// What rows stored before ADD COLUMN read in it.
types::Value MissingValueOf(const catalog::ColumnDef& column, types::Arena& arena);

class TableIndex {
 public:
  enum class Shape : uint8_t { kRowByInt, kRowByBytes, kEntries };

  // `table` gives the key columns' types.
  TableIndex(EpochManager& epochs, const catalog::TableDef& table,
             const catalog::IndexDef& definition);

  Oid storage() const { return storage_; }
  Shape shape() const { return shape_; }
  bool unique() const { return unique_; }
  bool is_row_map() const { return shape_ != Shape::kEntries; }
  size_t keys_count() const { return keys_.size(); }
  std::span<const ColumnId> key_columns() const { return columns_; }
  bool IsKey(size_t i, ColumnId column, const types::SqlType& type,
             const types::KeyOptions& options) const;
  // What key column i reads in rows of before it was added.
  types::Value missing_key_value(size_t i) const { return keys_[i].missing; }

  // Whether equal keys conflict: false when a key column is NULL (unless NULLS NOT DISTINCT).
  // `row` has a value for each column of the table, by ColumnId - 1.
  bool Conflicts(std::span<const types::Value> row) const;
  bool SameKey(std::span<const types::Value> a, std::span<const types::Value> b) const;

  // Encoded keys, without the row id; `key` is replaced. Of a whole row, of a stored version, of
  // values given in key order. A version from before the table had this primary key may be NULL in
  // it: then its key is empty, or one that no row has.
  void KeyOfRow(std::span<const types::Value> row, std::string& key) const;
  void KeyOfVersion(const rowstore::Page& page, uint32_t slot, std::string& key) const;
  void KeyOfValues(std::span<const types::Value> values, std::string& key) const;
  // Many of the last kind, given one after the other.
  static constexpr size_t kBatchMax = 64;
  class KeyBatch {
   public:
    std::string_view key(size_t i) const {
      const size_t begin = i == 0 ? 0 : ends_[i - 1];
      return std::string_view(bytes_).substr(begin, ends_[i] - begin);
    }
    size_t size() const { return size_; }

   private:
    friend class TableIndex;
    std::string bytes_;
    std::array<size_t, kBatchMax> ends_;
    size_t size_ = 0;
  };
  KeyBatch KeysOfValues(std::span<const types::Value> values) const;

  // ---- kRowByInt and kRowByBytes ---------------------------------------------------------------
  std::optional<RowId> FindRow(std::string_view key) const;
  // The rows of up to kBatchMax keys, given by their values one after the other; RowId() where
  // there is none. The misses of all of them overlap.
  void FindRows(std::span<const types::Value> values, std::span<RowId> rows) const;
  // The row already there, or nullopt when inserted.
  std::optional<RowId> InsertRow(std::string_view key, RowId row);
  void EraseRow(std::string_view key, RowId row);
  // The fast ways for kRowByInt.
  index::IntIndex& ints() { return *ints_; }
  uint64_t IntKeyOf(const types::Value& value) const {
    return types::EncodeIntKey(keys_[0].type, value);
  }
  ColumnId int_column() const { return keys_[0].column; }
  // Goes the way to the keys of up to kBatchMax adjacent versions at once, before they are entered.
  // Keys that ascend each find it warm from the one before: then it does nothing.
  void WarmInts(const rowstore::Page& page, uint32_t first, uint32_t count) const;

  // The keys that are not in the index but in segments.
  FrozenKeys& frozen_keys() { return frozen_keys_; }
  const FrozenKeys& frozen_keys() const { return frozen_keys_; }

  // ---- kEntries --------------------------------------------------------------------------------
  void InsertEntry(std::string_view key, RowId row);
  void EraseEntry(std::string_view key, RowId row);
  // Those that are not in the index yet. Who enters one takes it from there afterwards.
  PackedLists& packed() { return packed_; }
  const PackedLists& packed() const { return packed_; }
  // Those that have left the index for the runs of their segments.
  IndexRuns& runs() { return runs_; }
  const IndexRuns& runs() const { return runs_; }
  // What runs have of a key, looked up at so many moves.
  struct RunRows {
    uint64_t moves;
    std::span<const RowId> rows;
  };
  // Appends the rows that have or had this full key, each once, wherever the entry lies. `known`,
  // which may be null, spares the look at the runs where none have moved since. Errors: those of
  // runs.
  Status FindEntries(std::string_view key, std::vector<RowId>& rows,
                     const RunRows* known = nullptr) const;
  // Appends what of the definition decides on the entries of a row.
  void AppendIdentity(std::string& out) const;
  // Goes the way to all of these keys at once, so that FindEntries meets no miss on it.
  void WarmEntries(const KeyBatch& keys) const;

  // ---- Ranges ----------------------------------------------------------------------------------
  // Bounds of a range as encoded keys: [low, high); an empty high has no end.
  struct Bounds {
    std::string low;
    std::string high;
    bool empty = false;
    bool one_key = false;  // of kEntries: `low` is a whole key, and no other is in the range
  };
  Bounds BoundsOf(const KeyRange& range) const;
  // Entries of the bounds in order, in batches; for kEntries `key` is without the row id, and
  // packed ones are among them, each entry once, but not those in runs (entry_cursor.h).
  class Cursor {
   public:
    // `batch_size`: of the first one; they grow, so that short ranges stay cheap.
    Cursor(const TableIndex& index, Bounds bounds, bool backward, size_t batch_size = 16,
           bool with_packed = true);
    // False at the end.
    bool Next(RowId* row, std::string_view* key);
    // The same with the row id in the key.
    bool NextEntry(RowId* row, std::string_view* entry);

   private:
    void SeekIndex();
    bool Fill();
    // The next entry of the index, of any bounds; with the row id.
    bool NextOfIndex(RowId* row, std::string_view* entry);
    // The same of index and packed lists.
    bool NextMerged(RowId* row, std::string_view* entry);
    const TableIndex& index_;
    const Bounds bounds_;
    const bool backward_;
    size_t batch_size_;
    size_t at_ = 0;
    bool finished_ = false;
    std::optional<index::IntCursor> int_cursor_;
    std::vector<index::Entry> int_batch_;
    size_t int_count_ = 0;
    std::string int_key_;
    std::optional<index::BytesCursor> bytes_cursor_;
    index::BytesBatch bytes_batch_;
    // What is packed, and the entry of the index that comes next.
    std::optional<PackedCursor> packed_;
    bool has_entry_ = false;
    bool index_ended_ = false;
    std::string_view entry_;
    std::string last_;  // of both
  };
  uint64_t Estimate(const KeyRange& range) const;

  // Fills an empty index from entries in any order; `keys[i]` belongs to `rows[i]`. Returns the
  // position of an entry whose key an earlier one has, when this is a row map or `check_unique`.
  struct BulkEntry {
    std::string key;
    RowId row;
    bool conflicts;
  };
  std::optional<size_t> BulkLoad(std::vector<BulkEntry>& entries);
  // The same for kRowByInt: keys of IntKeyOf to row ids.
  std::optional<size_t> BulkLoad(std::vector<index::Entry>& entries);

  size_t memory_bytes() const;
  size_t size() const;
  index::IndexStats stats() const;

 private:
  struct Key {
    ColumnId column;
    types::SqlType type;
    types::KeyOptions options;
    types::Value missing;  // of pages from before the column was added
  };
  void AppendColumn(const Key& key, const types::Value& value, std::string& out) const;
  // FindEntries of index and packed lists. Whether rows may be there twice.
  bool FindInMemory(std::string_view key, std::vector<RowId>& rows) const;

  const Oid storage_;
  const bool unique_;
  const bool nulls_not_distinct_;
  Shape shape_;
  types::Arena arena_;  // owns the missing values' strings
  std::vector<Key> keys_;
  std::vector<ColumnId> columns_;  // of keys_
  std::unique_ptr<index::IntIndex> ints_;
  std::unique_ptr<index::BytesIndex> bytes_;
  FrozenKeys frozen_keys_;
  PackedLists packed_;
  IndexRuns runs_;
};

}  // namespace omendb::engine
