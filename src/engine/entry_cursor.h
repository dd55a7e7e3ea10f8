// entry_cursor.h - the entries of a secondary index in order, each once, wherever they lie: in the
// index, in packed lists, and in the runs of segments whose entries the index has let go.
//
// What leaves the index while the cursor is under way is found in its run, and the other way round.
//
// Thread safety  One thread at a time, beside writers.
// Ownership      Borrows the index; shares the runs.
// Errors         XX001 and 58030, as reading a run.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/table_index.h"

namespace omendb::engine {

class EntryCursor {
 public:
  // `index` is a secondary one.
  EntryCursor(const TableIndex& index, TableIndex::Bounds bounds, bool backward);

  // False at the end. `key` is valid until the next call, and without the row id.
  Result<bool> Next(RowId* row, std::string_view* key);

 private:
  // The entries of one run.
  struct Part {
    std::shared_ptr<const colstore::IndexRun> run;
    std::unique_ptr<colstore::IndexRun::Cursor> cursor;  // null: not looked at; `entry` is a bound
    std::string_view entry;                              // the next one
  };
  void Start();
  // Starts again behind the entry that was given last.
  void StartAgain();
  // The next entry of all, to next_; it may be the last again.
  Result<bool> NextMerged();
  // Makes the first of the parts know its entry, or takes it away.
  Status OpenPart();
  Status StepPart();
  // Puts the changed first part where it belongs, or takes it away where it has ended.
  void Reorder();
  bool IsBefore(std::string_view a, std::string_view b) const { return backward_ ? b < a : a < b; }
  bool IsWithin(std::string_view entry) const {
    return entry >= bounds_.low && (bounds_.high.empty() || entry < bounds_.high);
  }

  const TableIndex& index_;
  TableIndex::Bounds bounds_;
  const std::string one_key_;  // as the bounds were at first
  const bool backward_;
  uint64_t moves_ = 0;
  std::optional<TableIndex::Cursor> entries_;
  bool has_entry_ = false;
  bool entries_ended_ = false;
  std::string_view entry_;                    // of the index
  std::vector<std::unique_ptr<Part>> parts_;  // a heap: the next entry first
  std::string next_;
  std::string last_;  // that was given; empty: none was
};

}  // namespace omendb::engine
