// bulk_load.h - many rows of one statement (COPY, INSERT ... SELECT), straight to segments.
//
// Rows are gathered; when there are many, a thread sorts them by primary key and writes them to a
// segment file while the next ones come. Then the segment becomes part of the table with the
// transaction's mark as its begin, its keys are entered, and the log gets the file's name instead
// of the rows:
//
//   gather -> sort, write, sync (a thread) -> publish, enter keys -> {kLoad, file, dead rows}
//
// Rows of a key that a deleted row has go to a page instead, under that row's id, as do the rows of
// a load that is too small for a segment, and those of a table that is not logged.
//
// Order          No row can be seen before Finish or a full segment; constraints of keys are
//                checked then. That is in time: both belong to the statement.
// Crash, abort   A file without a commit record is removed at start. Undoing takes the rows' keys
//                from the indexes, and the next checkpoint removes the file.
// Thread safety  One thread, the transaction's; the writing thread is its own affair.
// Errors         Those of Relation::InsertChunk, and of writing a file: 53100, 58030. After an
//                error it is of no more use, and the statement must be undone.
#pragma once

#include <memory>

#include "engine/relation.h"
#include "engine/row_buffer.h"
#include "engine/segment_batch.h"

namespace omendb::engine {

class LoadUndo;
class RelationImpl;

class BulkLoad {
 public:
  using Limits = BatchLimits;

  // `relation` is one of the database's. `context` must outlive it.
  BulkLoad(StatementContext& context, std::shared_ptr<Relation> relation, Limits limits);
  BulkLoad(StatementContext& context, std::shared_ptr<Relation> relation)
      : BulkLoad(context, std::move(relation), Limits()) {}

  // Rows as Relation::InsertChunk and Insert take them.
  Status Append(const types::Chunk& chunk);
  Status AppendRow(std::span<const types::Value> row);
  // Whether the next AppendRow, or Finish, first enters what was gathered.
  bool IsFull() const { return limits_.AreReachedBy(*gathered_); }
  // Enters what was gathered. Call once, at the end.
  Status Finish();
  // After an error of keys or NULLs: the row it was, counted from 0 as rows came.
  uint64_t failed_row() const { return failed_row_; }

 private:
  Status Flush();
  // Hands the gathered rows to the writing thread.
  Status StartWriting();
  // Waits for the segment being written and makes it part of the table.
  Status EnterWritten();
  Status InsertGathered();

  StatementContext& context_;
  const std::shared_ptr<RelationImpl> relation_;
  const Limits limits_;
  std::unique_ptr<RowBuffer> gathered_;
  std::unique_ptr<RowBuffer> spare_;  // was written; its memory is used again
  BatchWriter writer_;
  uint64_t gathered_first_ = 0;  // how many rows came before them
  uint64_t failed_row_ = 0;
  LoadUndo* undo_ = nullptr;  // the transaction's, once there is a segment
};

}  // namespace omendb::engine
