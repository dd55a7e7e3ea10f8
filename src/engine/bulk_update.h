// bulk_update.h - the updates of one statement. Many rows of segments are replaced where they lie:
// the new versions are gathered, and written to segments of their own by a thread
// (segment_batch.h). Then the segment becomes part of the table with the transaction's mark as its
// begin, and row by row the old version gets that mark as its end (delete_mask.h) and the new one
// becomes the head:
//
//   gather -> sort, write, sync (a thread) -> publish, {claim the old, set the head} -> {kFreeze}
//
// Rows in pages, those of a table that is not logged, and the rows of a statement that is too small
// for a segment are updated one by one. Entries of secondary indexes stay packed (packed_entries.h)
// until those of the old versions are gone.
//
// A row that gets another primary key is another row from then on: the old one is deleted where it
// lies, and the new one is loaded (bulk_load.h). Its key must be free at that moment, as if each
// were inserted at once. Where unique indexes have a part in it, rows are moved one by one.
//
// Order          Conflicts are found when a segment is full, or by Finish. That is in time: both
//                belong to the statement. Where keys of unique indexes may change, each row is
//                judged when those that came before it have their new keys, and those that come
//                after it have not; so rows in pages are gathered too while there are others before
//                them. They are locked as if their keys did change.
// Crash, abort   As of a load (bulk_load.h). Undoing needs to read nothing.
// Thread safety  One thread, the transaction's.
// Cost           8 bytes a row until no snapshot sees the old versions, and 7 or more for each
//                secondary index whose columns change; 8 until the end of the transaction where ids
//                do not follow each other in the order of the keys.
// Errors         Those of Relation::Update, and of writing a file: 53100, 58030. After an error it
//                is of no more use, and the statement must be undone.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/bulk_load.h"
#include "engine/relation.h"
#include "engine/row_buffer.h"
#include "engine/segment_batch.h"

namespace omendb::engine {

class ForeignKeyQueue;
class RelationImpl;
class ReplaceUndo;

class BulkUpdate {
 public:
  using Limits = BatchLimits;
  // What to do about a row that others have changed since it was seen: `found` is kChanged or
  // kGone. Without it the statement must be undone.
  using OnConflict = std::function<Result<RowOutcome>(const RowRef& seen, const RowResult& found,
                                                      std::span<const types::Value> row)>;
  // What else the statement does to the table.
  enum class Beside : uint8_t {
    kNothing,  // It deletes rows by Delete only, and inserts none before Apply.
    kOthers,   // It inserts or deletes rows too, at any time: unique keys change one by one.
  };

  // `relation` is one of the database's. `context` must outlive it. `changed`: no other column
  // gets a new value.
  BulkUpdate(StatementContext& context, std::shared_ptr<Relation> relation,
             std::span<const ColumnId> changed, Limits limits = Limits(),
             Beside beside = Beside::kNothing);

  // As Relation::Update, each row once. What is not kDone may be of a row that was given before:
  // the statement must be undone. `latest` has the row's id, but may not be the new version.
  Result<RowResult> Update(const RowRef& seen, std::span<const types::Value> row);
  // As Relation::Delete, in its turn.
  Result<RowResult> Delete(const RowRef& seen);
  // Does what was asked so far, where others need to find it done: rows that are inserted may need
  // keys that these give up.
  Result<RowOutcome> Apply();
  // Whether a row that was found by its key would be gathered, and may be: whatever keys it and
  // others get, and what was found stays told from what is newer.
  bool Gathers(const RowRef& found) const;
  // Of gathered rows. Set before the first.
  void set_on_conflict(OnConflict on_conflict) { on_conflict_ = std::move(on_conflict); }
  // Whether the statement's snapshot sees the row.
  bool Sees(const RowRef& row) const;
  // Replaces what was gathered. Call once, at the end.
  Result<RowOutcome> Finish();

 private:
  bool IsGathered(const RowRef& seen) const;
  // Whether there are rows whose turn is before that of the next one.
  bool WaitsForOthers() const;
  ForeignKeyQueue& foreign_keys();
  // Of a row that gets another primary key.
  Result<RowResult> Move(const RowRef& seen, std::span<const types::Value> row);
  Result<RowOutcome> FlushWhenFull();
  Result<RowOutcome> Flush();
  // Hands the gathered rows to the writing thread.
  Status StartWriting();
  // Waits for the segment being written and makes it part of the table.
  Result<RowOutcome> EnterWritten();
  Result<RowOutcome> UpdateGathered();

  StatementContext& context_;
  const std::shared_ptr<RelationImpl> relation_;
  const Limits limits_;
  bool replaces_ = false;
  bool in_order_ = false;
  std::vector<std::shared_ptr<TableIndex>> indexes_;  // whose columns change
  std::vector<ColumnId> linked_;  // of foreign keys in either direction, which change
  OnConflict on_conflict_;        // may be null
  std::unique_ptr<RowBuffer> gathered_;
  std::vector<RowRef> seen_;  // of the gathered rows
  std::vector<RowToDelete> deletes_;
  uint32_t frozen_ = 0;  // of them
  BatchWriter writer_;
  ReplaceUndo* undo_ = nullptr;      // the transaction's, once there is a segment
  std::unique_ptr<BulkLoad> moved_;  // rows with new primary keys, where these may be new
  bool checks_moved_ = true;         // Of those, the foreign keys are checked.
};

}  // namespace omendb::engine
