// Deleting rows: of a page, by the version's end; of a segment, few by way of a page, many where
// they lie (delete_mask.h). The latter is also how those end that are replaced
// (relation_replace.cc).
#include "base/sqlstate.h"
#include "engine/redo.h"
#include "engine/relation_impl.h"

namespace omendb::engine {

using rowstore::FrozenSegmentOf;
using rowstore::IsFrozen;
using rowstore::VersionRef;
using txn::LockWait;
using txn::RowLockMode;
using txn::UndoRecord;

// It makes room, so it may go on when other writes are refused; what it takes for rows of segments
// ends that at a third more.
Status RelationImpl::CheckMemoryToEnd() const {
  const rowstore::MemoryAccount& memory = table_->store().memory();
  const uint64_t limit = memory.limit() / 3 * 4;
  if (memory.used_with_other() < limit) [[likely]]
    return Status::Ok();
  return Status(sqlstate::kOutOfMemory, "out of memory")
      .WithDetail(
          "The rows in memory, with what is kept of rows of segments that are being deleted or "
          "updated, have reached " +
          std::to_string(limit >> 20) + " MB.")
      .WithHint("Change fewer rows at once, or start the server with a larger --memory.");
}

Status RelationImpl::DeleteClaimed(txn::TransactionImpl& txn, const RowRef& seen) {
  UndoRecord undo;
  undo.kind = UndoRecord::Kind::kDelete;
  undo.row = seen.row_id;
  undo.old = seen.version;
  txn.AddUndo(undo, table_);
  table_->store().AddRows(-1);
  if (!table_->logged()) return Status::Ok();
  AppendDelete(table_->storage(), seen.row_id, txn.redo());
  return txn.MaybeSpill();
}

DeleteMask* RelationImpl::MaskFor(txn::TransactionImpl& txn, VersionRef frozen, bool replaces) {
  MaskedDeletes& masks = EngineTransaction::Of(txn).masked_deletes();
  const uint64_t segment = FrozenSegmentOf(frozen);
  if (DeleteMask* mask = masks.Find(txn, table_->frozen(), segment, replaces)) return mask;
  std::shared_ptr<DeleteMask> mask = table_->frozen().AddMask(
      segment, txn.word(), replaces ? masks.ReplacementOf(txn, table_->frozen()) : nullptr);
  if (mask == nullptr) return nullptr;
  UndoRecord undo;
  undo.kind = UndoRecord::Kind::kDeleteMask;
  undo.shared_end = mask.get();
  undo.old = rowstore::MakeFrozenRef(segment, 0);
  txn.AddUndo(undo, table_);
  return masks.Add(table_->frozen(), segment, std::move(mask));
}

Result<std::optional<RowResult>> RelationImpl::ClaimInSegment(StatementContext& context,
                                                              const RowRef& first_seen,
                                                              bool replaces, RowLockMode mode) {
  txn::TransactionImpl& txn = TxnOf(context);
  FrozenTable& segments = table_->frozen();
  for (;;) {
    RowRef seen{first_seen.row_id, 0};
    if (FindThawed(first_seen, &seen.version)) return std::optional<RowResult>();
    const Judgement found = Judge(txn, seen);
    if (found.kind != Judgement::Kind::kCurrent) {
      OMEN_ASSIGN(const std::optional<RowResult> outcome,
                  Resolve(context, seen, found, LockWait::kWait));
      if (outcome) return outcome;
      continue;
    }
    DeleteMask* const mask = MaskFor(txn, seen.version, replaces);
    if (mask == nullptr) return std::optional<RowResult>();
    if (!segments.Delete(table_->store(), seen.row_id, seen.version, *mask)) continue;
    if (MayChange(txn, seen.row_id, mode)) {
      return std::optional<RowResult>(RowResult{RowOutcome::kDone, seen});
    }
    segments.Undelete(seen.version, *mask);
    OMEN_TRY(LockToChange(context, seen.row_id, mode));
  }
}

Status RelationImpl::AfterDelete(StatementContext& context, const RowRef& deleted) {
  if (!ConcernsForeignKeys(context)) return Status::Ok();
  const auto columns = ForeignKeyQueue::ReferencedColumns(context, *definition_);
  if (columns.empty()) return Status::Ok();
  types::Arena arena;
  types::Row row;
  OMEN_TRY(ReadInto(deleted, columns, arena, row));
  EngineTransaction::Of(*context.txn).foreign_keys().OnDelete(context, *definition_, row);
  return Status::Ok();
}

Status RelationImpl::ReadInto(const RowRef& ref, std::span<const ColumnId> columns,
                              types::Arena& arena, types::Row& row) {
  types::Row values(columns.size());
  OMEN_TRY(Read(ref, columns, arena, values.data()));
  row.resize(all_columns_.size(), types::Value::Null());
  for (size_t i = 0; i < columns.size(); ++i) {
    row[static_cast<size_t>(columns[i].value() - 1)] = values[i];
  }
  return Status::Ok();
}

Status RelationImpl::QueueReplaced(StatementContext& context, const RowRef& old,
                                   std::span<const types::Value> row) {
  if (!ConcernsForeignKeys(context)) return Status::Ok();
  const auto columns = ForeignKeyQueue::ReferencedColumns(context, *definition_);
  if (columns.empty()) return Status::Ok();
  types::Arena arena;
  types::Row old_row;
  OMEN_TRY(ReadInto(old, columns, arena, old_row));
  EngineTransaction::Of(*context.txn)
      .foreign_keys()
      .OnReplaced(context, *definition_, old_row, row);
  return Status::Ok();
}

Result<RowResult> RelationImpl::Delete(StatementContext& context, const RowRef& seen) {
  OMEN_ASSIGN(const RowResult deleted, EndRow(context, seen));
  if (deleted.outcome == RowOutcome::kDone) OMEN_TRY(AfterDelete(context, deleted.latest));
  return deleted;
}

Result<RowResult> RelationImpl::EndRow(StatementContext& context, const RowRef& seen) {
  txn::TransactionImpl& txn = TxnOf(context);
  OMEN_TRY(txn.CheckWritable());
  std::optional<RowResult> deleted;
  if (IsFrozen(seen.version)) {
    OMEN_TRY(CheckMemoryToEnd());
    if (MaskedDeletes::IsOneOfMany(txn)) {
      OMEN_ASSIGN(deleted, ClaimInSegment(context, seen, /*replaces=*/false, RowLockMode::kUpdate));
      if (deleted && deleted->outcome == RowOutcome::kDone) table_->store().AddRows(-1);
    }
  }
  if (!deleted) {
    OMEN_ASSIGN(deleted, Claim(context, seen, RowLockMode::kUpdate));
    if (deleted->outcome == RowOutcome::kDone) OMEN_TRY(DeleteClaimed(txn, deleted->latest));
  }
  return *deleted;
}

}  // namespace omendb::engine
