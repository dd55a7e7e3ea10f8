// relation_impl.h - Relation over a Table, for one version of its definition.
//
// Thread safety  As Relation. Immutable after construction.
// Ownership      Shares the table and its indexes; borrows the database.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/engine_transaction.h"
#include "engine/relation.h"
#include "engine/row_buffer.h"
#include "engine/runs_ahead.h"
#include "engine/segment_files.h"
#include "engine/table.h"
#include "txn/transaction_manager.h"

namespace omendb::engine {

class LoadUndo;
class ReplaceUndo;
struct RowToDelete;
struct SegmentBatch;

class RelationImpl final : public Relation, public std::enable_shared_from_this<RelationImpl> {
 public:
  RelationImpl(txn::TransactionManager& manager, SegmentFiles& segment_files,
               std::shared_ptr<Table> table, std::shared_ptr<const catalog::TableDef> definition);

  const catalog::TableDef& table() const override { return *definition_; }
  const std::shared_ptr<const catalog::TableDef>& definition() const { return definition_; }
  Table& storage() const { return *table_; }

  Result<std::optional<RowRef>> Lookup(StatementContext& context, Oid index,
                                       std::span<const types::Value> key) override;
  Result<std::optional<RowRef>> FindRow(StatementContext& context, RowId row) override;
  Status LookupBatch(StatementContext& context, Oid index, std::span<const types::Value> keys,
                     std::span<std::optional<RowRef>> found) override;
  Status ScanIndex(StatementContext& context, Oid index, const KeyRange& range,
                   const std::function<Result<bool>(RowRef)>& visit) override;
  uint64_t EstimateRange(Oid index, const KeyRange& range) override;
  uint32_t IndexDepth(Oid index) override;
  Status Read(const RowRef& row, std::span<const ColumnId> columns, types::Arena& arena,
              types::Value* out) override;
  Result<bool> IsCurrent(StatementContext& context, const RowRef& row) override;
  std::unique_ptr<Scan> OpenScan(StatementContext& context, ScanOptions options) override;
  bool ScansByKeyCheaply() const override;
  Result<uint64_t> CountRows(StatementContext& context) const override;
  Result<std::optional<ColumnFacts>> FactsOf(StatementContext& context,
                                             ColumnId column) const override;
  uint64_t rows_estimate() const override;
  Placement placement() const override;
  ColumnStatistics statistics(ColumnId column) const override;

  Result<RowRef> Insert(StatementContext& context, std::span<const types::Value> row) override;
  Result<std::optional<RowRef>> InsertOrFind(StatementContext& context,
                                             std::span<const types::Value> row,
                                             std::span<const Oid> arbiters,
                                             RowRef* conflict) override;
  Status InsertChunk(StatementContext& context, const types::Chunk& chunk) override;
  Result<RowResult> Update(StatementContext& context, const RowRef& seen,
                           std::span<const types::Value> row) override;
  Result<RowResult> Delete(StatementContext& context, const RowRef& seen) override;
  Result<RowResult> Lock(StatementContext& context, const RowRef& seen, txn::RowLockMode mode,
                         txn::LockWait wait) override;

  // ---- For BulkLoad and BulkUpdate -------------------------------------------------------------
  SegmentFiles& segment_files() const { return segment_files_; }
  uint64_t memory_limit() const { return table_->store().memory().limit(); }
  const TableIndex* primary_index() const {
    return primary_ != nullptr ? primary_->index.get() : nullptr;
  }
  // What a statement may not write: see TransactionImpl.
  Status CheckWritable(StatementContext& context) const;
  Status CheckRow(StatementContext& context, std::span<const types::Value> row);
  // The same of a row of a segment that is replaced there: what that takes beyond the row ends, so
  // it may go on when other writes are refused, as deleting may.
  Status CheckReplacing(StatementContext& context, std::span<const types::Value> row);
  // Whether the version has the primary key of the row.
  Result<bool> HasPrimaryKeyOf(const RowRef& seen, std::span<const types::Value> row);
  // Delete, without what foreign keys make of it: for a row that becomes another one.
  Result<RowResult> EndRow(StatementContext& context, const RowRef& seen);
  // The keys that others refer to of a row that has become another one.
  Status QueueReplaced(StatementContext& context, const RowRef& old,
                       std::span<const types::Value> row);
  // 23505 when another row has the primary key of this one.
  Status CheckPrimaryKeyIsFree(StatementContext& context, std::span<const types::Value> row);
  // Whether the statement's snapshot sees that the version began.
  bool IsSeen(const StatementContext& context, const RowRef& row) const;
  // See own_changes.h.
  bool IsChangedByStatement(const StatementContext& context, const RowRef& seen) const {
    return Judge(TxnOf(context), seen).kind == Judgement::Kind::kOwn;
  }
  // The indexes that have one of the columns.
  std::vector<std::shared_ptr<TableIndex>> IndexesOn(std::span<const ColumnId> columns) const;
  // `at`: the row that fails.
  Status CheckChunk(StatementContext& context, const types::Chunk& chunk, uint32_t* at);
  Status DuplicatePrimaryKey(const StatementContext& context,
                             std::span<const types::Value> row) const;
  Status AddToStatistics(const FrozenSegment& segment) const;
  // The transaction's, for EnterSegment.
  LoadUndo* NewLoadUndo(StatementContext& context) const;
  // Makes a segment that was written for this statement part of the table. The transaction sees its
  // rows now, others when it commits. `at`: the row, by arrival, that it got to.
  struct LoadedRows {
    RowId first;  // of the rows in their order: first, first + 1, ...
    const RowBuffer& rows;
    const RowKeys& keys;
    RowId id(uint32_t row) const { return RowId(first.value() + row); }
  };
  Status EnterSegment(StatementContext& context, std::shared_ptr<const FrozenSegment> segment,
                      const LoadedRows& loaded, LoadUndo& undo, uint32_t* at);
  // The transaction's, for EnterReplacing.
  ReplaceUndo* NewReplaceUndo(StatementContext& context) const;
  // Makes a segment that was written for this statement part of the table: its rows replace those
  // that the batch names. What is not kDone is of one of them, and the rest is left.
  Result<RowOutcome> EnterReplacing(StatementContext& context, const SegmentBatch& batch,
                                    ReplaceUndo& undo);
  // Deletes those whose turn is before that of this row; `next`: the first that is left.
  Result<RowOutcome> DeleteBefore(StatementContext& context, uint32_t row,
                                  std::span<const RowToDelete> rows, size_t& next);
  // InsertChunk, which tells the row that it got to.
  Status InsertRows(StatementContext& context, const types::Chunk& chunk, uint32_t* at);

  // For CREATE INDEX: the second of two rows that the snapshot sees with a key that conflicts in
  // this unique index, wherever their entries lie.
  Result<std::optional<RowRef>> FindRepeatedKey(StatementContext& context, const TableIndex& index);

  // ---- For TableScan ---------------------------------------------------------------------------
  const txn::TransactionManager& manager() const { return manager_; }
  // Of a column, or of kRowIdColumn.
  types::SqlType TypeOf(ColumnId column) const;
  // The value that pages without this column read.
  types::Value MissingValue(ColumnId column) const {
    return missing_[static_cast<size_t>(column.value() - 1)];
  }

 private:
  struct Access {
    const catalog::IndexDef* definition;
    std::shared_ptr<TableIndex> index;
  };
  // What stands in the way of a key.
  struct Conflict {
    const Access* access = nullptr;
    RowRef row;
  };
  enum class RowState : uint8_t { kLive, kDead, kGone, kInDoubt };

  const Access* FindAccess(Oid index) const;
  // Begin and end of a version, hot or frozen: the caller holds an epoch guard.
  const std::atomic<uint64_t>& BeginOf(rowstore::VersionRef ref) const;
  const std::atomic<uint64_t>& EndOf(rowstore::VersionRef ref) const;
  rowstore::VersionRef VisibleVersion(const mvcc::Snapshot& snapshot, RowId row) const;
  // Whether another row must not have the key of this one.
  Result<bool> KeyConflicts(const TableIndex& index, const RowRef& row);
  // Whether a version may lack a key by which the row was found: an entry is a hint, and a version
  // older than the newest may be from before the table had its primary key.
  bool MayLackKey(const TableIndex& index, const RowRef& row) const {
    return !index.is_row_map() || table_->store().head(row.row_id) != row.version;
  }
  // The visible version of a row that a primary key has found, if it has the key.
  Result<std::optional<RowRef>> VisibleRow(const mvcc::Snapshot& snapshot, const TableIndex& index,
                                           RowId row, std::span<const types::Value> key) const;
  // The visible version of the row if it has the encoded key. The caller holds an epoch guard.
  Result<std::optional<RowRef>> VersionWithKey(const mvcc::Snapshot& snapshot,
                                               const TableIndex& index, RowId row,
                                               std::string_view key) const;
  // Asks for the words in the row map, then for the headers of the versions they name. The caller
  // holds an epoch guard.
  void PrefetchHeads(std::span<const RowId> rows) const;
  // Parts of LookupBatch, for a row map and for entries; at most TableIndex::kBatchMax keys. The
  // caller holds an epoch guard.
  Status LookupRows(const mvcc::Snapshot& snapshot, const TableIndex& index,
                    std::span<const types::Value> keys,
                    std::span<std::optional<RowRef>> found) const;
  // Of keys that are not in the index, those of segments.
  Status FindFrozenRows(const TableIndex& index, std::span<const types::Value> keys,
                        std::span<RowId> rows) const;
  Status LookupEntries(const mvcc::Snapshot& snapshot, const TableIndex& index,
                       std::span<const types::Value> keys,
                       std::span<std::optional<RowRef>> found) const;
  // The first of the rows whose visible version has the encoded key.
  Result<std::optional<RowRef>> FirstWithKey(const mvcc::Snapshot& snapshot,
                                             const TableIndex& index, std::span<const RowId> rows,
                                             std::string_view key) const;
  // The newest state of a row, for writers. kInDoubt: `mark` is of the transaction to wait for.
  // kLive: `ref` is the version. A version is as the transaction itself sees it, whatever the
  // command.
  RowState NewestState(TxnId self, RowId row, rowstore::VersionRef* ref, uint64_t* mark) const;
  static txn::WaitContext WaitOf(const StatementContext& context);
  static txn::TransactionImpl& TxnOf(const StatementContext& context);

  Status CheckNotNull(const StatementContext& context, std::span<const types::Value> row) const;
  Status CheckMemory() const;
  // Of what is deleted or replaced in segments.
  Status CheckMemoryToEnd() const;
  // Inserts; on a conflict with one of the arbiters (all unique indexes, with `any`) undoes that
  // and tells it in `conflict`; on another conflict: 23505.
  Result<RowRef> TryInsert(StatementContext& context, std::span<const types::Value> row,
                           Conflict* conflict);
  // Finds the row that the primary key decides, or reserves one. Returns the dead head to continue.
  Result<RowId> PlaceRow(StatementContext& context, const std::string& key,
                         rowstore::VersionRef* dead, Conflict* conflict);
  // Makes `fresh` the head of the row that PlaceRow gave, and enters the key of a new row. False
  // when another transaction was faster.
  Result<bool> PlaceHead(RowId id, rowstore::VersionRef dead, rowstore::VersionRef fresh,
                         const std::string& key);
  Result<rowstore::TableStore::SlotRange> NewVersion(txn::TransactionImpl& txn, RowId row,
                                                     rowstore::VersionRef prev,
                                                     std::span<const types::Value> row_values);
  // Empty ones of the unique indexes with runs; but of `among`, where that is given.
  std::vector<RunsAhead> NewRunsAhead(
      const std::vector<std::shared_ptr<TableIndex>>* among = nullptr) const;
  // Looks a row's keys up with the others'.
  static void AddAhead(std::span<RunsAhead> ahead, uint32_t number,
                       std::span<const types::Value> row);
  // Adds entries of a version that is the row's head; `old_row` (may be empty) tells what keys were
  // there. Waits for in-doubt rows with the same key.
  // `ahead`: what was looked up of it before.
  Status AddEntries(StatementContext& context, RowId row, std::span<const types::Value> values,
                    std::span<const types::Value> old_values, Conflict* conflict,
                    const RowAhead& ahead = {});
  // The same; a conflict is 23505.
  Status EnterEntries(StatementContext& context, RowId row, std::span<const types::Value> values,
                      std::span<const types::Value> old_values, const RowAhead& ahead = {});
  // Without `enter` it only waits and looks: the entry is packed.
  Status AddUniqueEntry(StatementContext& context, const Access& access, RowId row,
                        const std::string& key, Conflict* conflict, const RowAhead& ahead,
                        bool enter = true);
  // Another row with this key that is live or in doubt.
  Result<bool> FindDuplicate(TxnId self, const Access& access, RowId except, const std::string& key,
                             RowRef* duplicate, uint64_t* mark, const RowAhead& ahead = {}) const;
  // The same of one row that has an entry of the key.
  Result<bool> IsDuplicate(TxnId self, const Access& access, RowId row, const std::string& key,
                           RowRef* duplicate, uint64_t* mark) const;
  Result<std::optional<RowRef>> FindConflict(StatementContext& context,
                                             std::span<const types::Value> row,
                                             std::span<const Oid> arbiters);
  Status DuplicateKey(const StatementContext& context, const catalog::IndexDef& index,
                      std::span<const types::Value> row) const;
  static bool IsArbiter(std::span<const Oid> arbiters, Oid index);

  // Whether a write may queue foreign-key events; remembered for one catalog version.
  bool ConcernsForeignKeys(const StatementContext& context) const;
  Status AfterInsert(StatementContext& context, const RowRef& inserted,
                     std::span<const types::Value> row);
  Status AfterDelete(StatementContext& context, const RowRef& deleted);
  // These columns of a version into a whole row, whose others stay.
  Status ReadInto(const RowRef& ref, std::span<const ColumnId> columns, types::Arena& arena,
                  types::Row& row);

  // What became of a row since a version of it was seen.
  struct Judgement {
    enum class Kind : uint8_t {
      kCurrent,  // `seen` is the newest version, and not ended
      kChanged,  // `head` was committed since
      kDeleted,
      kRunning,  // the transaction of `mark` is changing it
      kOwn,      // this transaction changed it itself since
      kAgain,    // caught in the middle of a step of another thread
    } kind;
    uint64_t mark;
    rowstore::VersionRef head;
  };
  Judgement Judge(const txn::TransactionImpl& txn, const RowRef& seen) const;
  // What the end of the newest version says of the one that was seen.
  Judgement JudgeEnd(const RowRef& seen, rowstore::VersionRef head,
                     const mvcc::Resolved& end) const;
  // Whether the frozen version is what was seen: it itself, or where that has moved since. Nothing
  // newer can have got into a settled segment while the snapshot in which it was seen is pinned.
  bool IsSame(const RowRef& seen, rowstore::VersionRef frozen) const {
    return frozen == seen.version || table_->frozen().SegmentOf(frozen).is_settled();
  }
  Result<std::optional<RowResult>> Resolve(StatementContext& context, const RowRef& seen,
                                           const Judgement& found, txn::LockWait wait);
  Status RowLocked() const;
  // The version in a page that stands for the one seen, for writers: itself, or when its row was
  // frozen (before it was seen, or since) the copy that is changed instead; made when there is
  // none. The seen one again when the row is gone or has been changed since; a frozen one when that
  // has an end, or was the one seen and has been changed.
  Result<RowRef> Thawed(txn::TransactionImpl& txn, const RowRef& seen);
  // Thawed, until that is in a page; or what became of the row.
  Result<std::optional<RowResult>> ThawForChange(StatementContext& context,
                                                 const RowRef& first_seen, RowRef* seen);
  // Thawed, judged without making a copy; nullopt: there is none, the head is `frozen`.
  std::optional<RowRef> FindThawed(const RowRef& seen, rowstore::VersionRef* frozen) const;
  // Locks a row if `is_same` once the lock is held; nullopt: it is not.
  Result<std::optional<RowResult>> LockUnlessMoved(StatementContext& context, const RowRef& row,
                                                   txn::RowLockMode mode, txn::LockWait wait,
                                                   const std::function<bool()>& is_same);
  // False when `frozen` is no longer the row's head, or is moving. `txn` may have loaded it.
  Result<bool> Thaw(txn::TransactionImpl& txn, RowId row, rowstore::VersionRef frozen,
                    rowstore::VersionRef* fresh);
  // Ends the seen version, or what Thawed gives for it (`latest` of kDone), with the transaction's
  // mark.
  Result<RowResult> Claim(StatementContext& context, const RowRef& seen, txn::RowLockMode mode);
  // Requires: a version in a page.
  void ReadWhole(rowstore::VersionRef ref, types::Row& row) const;
  Result<RowResult> MoveRow(StatementContext& context, const RowRef& seen,
                            std::span<const types::Value> old_row,
                            std::span<const types::Value> row);
  Status DeleteClaimed(txn::TransactionImpl& txn, const RowRef& seen);
  // Ends a row's version where it lies in a segment (`latest` of kDone), as it is deleted, or
  // replaced; nullopt: it does not lie there, or the segment has no mask left.
  Result<std::optional<RowResult>> ClaimInSegment(StatementContext& context, const RowRef& seen,
                                                  bool replaces, txn::RowLockMode mode);
  // Of unique indexes with runs: what they have of the keys of these rows of a batch.
  Result<std::vector<RunsAhead>> LookAhead(const SegmentBatch& batch,
                                           std::span<const uint32_t> places) const;
  // Puts the row of a batch that lies at `fresh` in the place of the one it names; in a page, where
  // that has left its segment.
  Result<RowOutcome> ReplaceRow(StatementContext& context, const SegmentBatch& batch,
                                rowstore::VersionRef fresh, std::span<const RunsAhead> ahead);
  // What became of a row of a batch, at its place there, that others may have changed.
  static Result<RowOutcome> ConflictOf(const SegmentBatch& batch, uint32_t at,
                                       const RowResult& found);
  // Those of a batch whose first row lies at `first`.
  Result<RowOutcome> ReplaceRows(StatementContext& context, const SegmentBatch& batch,
                                 rowstore::VersionRef first);
  // The foreign keys of the row of a batch that lies at `fresh`, in the place of `old`.
  Status QueueUpdated(StatementContext& context, const SegmentBatch& batch,
                      rowstore::VersionRef fresh, const RowRef& old);
  // 23505 when another row has a unique key that a row of a batch has got.
  Status CheckUniqueKeys(StatementContext& context, const SegmentBatch& batch, uint32_t at,
                         std::span<const RunsAhead> ahead);
  // The mask that takes the rows of a segment that the transaction deletes or replaces now; null:
  // there are too many.
  DeleteMask* MaskFor(txn::TransactionImpl& txn, rowstore::VersionRef frozen, bool replaces);
  // Of a version that has just got the transaction's mark as end: whether nobody else has the row
  // locked.
  bool MayChange(const txn::TransactionImpl& txn, RowId row, txn::RowLockMode mode) const;
  // Waits for who has.
  Status LockToChange(StatementContext& context, RowId row, txn::RowLockMode mode);
  Result<bool> KeysUnchanged(rowstore::VersionRef a, rowstore::VersionRef b) const;

  // `*at`: the first row, then the one that it got to.
  Status InsertRange(StatementContext& context, const types::Chunk& chunk, uint32_t* at,
                     uint32_t* inserted);
  // Enters the keys of a segment's rows, whose heads they are.
  Status EnterKeys(StatementContext& context, uint64_t segment, const LoadedRows& loaded,
                   uint32_t* at);
  // Of rows from `first` on. Sets `taken` where another row has the key.
  Status EnterPrimaryKeys(const LoadedRows& loaded, uint32_t first, std::vector<bool>& taken) const;
  // The primary key of a segment's row is in the index already: 23505, or the key of a deleted row,
  // which is continued in a page.
  Status LeaveSegment(StatementContext& context, RowId id, rowstore::VersionRef frozen,
                      std::span<const types::Value> row);
  // Enters the keys of versions that are their rows' heads. `adjacent` becomes false when a version
  // got another row id than its place gives.
  Status IndexRange(StatementContext& context, const rowstore::TableStore::SlotRange& range,
                    uint32_t* at, bool* adjacent);
  Status ContinueRow(StatementContext& context, const rowstore::TableStore::SlotRange& range,
                     uint32_t i);
  void LogRange(txn::TransactionImpl& txn, const rowstore::TableStore::SlotRange& range, RowId rows,
                bool adjacent) const;

  txn::TransactionManager& manager_;
  SegmentFiles& segment_files_;
  const std::shared_ptr<Table> table_;
  const std::shared_ptr<const catalog::TableDef> definition_;
  std::shared_ptr<const rowstore::Layout> layout_;
  std::vector<types::PhysicalType> physical_;
  std::vector<Access> indexes_;
  const Access* primary_ = nullptr;
  std::vector<ColumnId> all_columns_;
  std::vector<ColumnId> not_null_;
  types::Arena missing_arena_;
  types::Row missing_;
  Sketches sketches_;
  // Catalog version (top bit moved to bit 1) << 2 | concerned; 0 = not asked yet.
  mutable std::atomic<uint64_t> foreign_key_cache_{0};
};

}  // namespace omendb::engine
