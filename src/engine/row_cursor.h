// row_cursor.h - the rows of a table in the order of an index: of a secondary one by its entries
// (entry_cursor.h); of that of the primary key by what is in the index, merged with the keys of the
// segments that it has let go.
//
// Rows may be gone or invisible; an entry of a secondary index may be stale: readers look at the
// version. A key that leaves the index while the cursor is under way is found in its segment.
//
// Thread safety  One thread at a time, beside writers.
// Ownership      Borrows the index.
// Errors         XX001 and 58030, as reading a segment.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "colstore/key_cursor.h"
#include "engine/entry_cursor.h"
#include "engine/table_index.h"

namespace omendb::engine {

class RowCursor {
 public:
  RowCursor(const TableIndex& index, TableIndex::Bounds bounds, bool backward);

  // False at the end. `key` is valid until the next call, and without the row id.
  Result<bool> Next(RowId* row, std::string_view* key);

 private:
  // The keys of one segment.
  struct Run {
    FrozenKeys::SegmentPtr segment;
    std::unique_ptr<colstore::KeyCursor> keys;  // null: not looked at; `key` is a bound
    std::string key;                            // of the row at `at`
    uint32_t at = 0;
  };
  void Start();
  // Starts again at the key that was given last: it may have another row, which is not gone.
  void StartAgain();
  Result<bool> NextMerged(RowId* row, std::string_view* key);
  // False when the row was given with this key before: two segments may have it.
  bool Note(RowId row, std::string_view key);
  // Makes the first of the runs know its key, or takes it away.
  Status OpenRun();
  Status StepRun();
  // Puts the changed first run where it belongs; removes it when `more` is false.
  void Reorder(bool more);
  bool IsBefore(std::string_view a, std::string_view b) const { return backward_ ? b < a : a < b; }
  bool IsWithin(std::string_view key) const;

  const TableIndex& index_;
  TableIndex::Bounds bounds_;
  const bool backward_;
  std::optional<EntryCursor> secondary_;  // null: the primary key's; all that follows is of that
  uint64_t moves_ = 0;
  std::optional<TableIndex::Cursor> entries_;
  bool has_entry_ = false;
  bool entries_ended_ = false;
  std::string_view entry_key_;
  RowId entry_row_;
  std::vector<std::unique_ptr<Run>> runs_;  // a heap: the next key first
  std::string run_key_;                     // of the run that was stepped
  // What was given last, and the rows that were given with that key.
  std::string last_key_;
  std::vector<RowId> last_rows_;
};

}  // namespace omendb::engine
