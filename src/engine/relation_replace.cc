// Replacing rows where they lie in segments: see bulk_update.h.
#include <algorithm>

#include "base/check.h"
#include "catalog/column_ids.h"
#include "engine/redo.h"
#include "engine/relation_impl.h"
#include "engine/replace_undo.h"

namespace omendb::engine {

using rowstore::MakeFrozenRef;
using rowstore::VersionRef;
using txn::RowLockMode;

namespace {

constexpr uint32_t kCancelRows = 4096;  // Between two looks at the flag.

void AddColumnsOf(const SegmentBatch& batch, Replacement& replacement) {
  for (const auto& index : batch.indexes) {
    for (const ColumnId column : index->key_columns()) {
      if (!catalog::Contains(replacement.changed, column)) replacement.changed.push_back(column);
    }
  }
}

}  // namespace

Status RelationImpl::CheckReplacing(StatementContext& context, std::span<const types::Value> row) {
  OMEN_TRY(CheckNotNull(context, row));
  return CheckMemoryToEnd();
}

Result<bool> RelationImpl::HasPrimaryKeyOf(const RowRef& seen, std::span<const types::Value> row) {
  types::Arena arena;
  types::Row old_row(row.begin(), row.end());
  OMEN_TRY(ReadInto(seen, primary_->index->key_columns(), arena, old_row));
  return primary_->index->SameKey(old_row, row);
}

Status RelationImpl::CheckPrimaryKeyIsFree(StatementContext& context,
                                           std::span<const types::Value> row) {
  const Oid primary = primary_->definition->oid;
  OMEN_ASSIGN(const auto other, FindConflict(context, row, {&primary, 1}));
  return other ? DuplicatePrimaryKey(context, row) : Status::Ok();
}

bool RelationImpl::IsSeen(const StatementContext& context, const RowRef& row) const {
  EpochGuard guard(table_->epochs());
  return mvcc::IsSeen(manager_.txns(), TxnOf(context).snapshot(), BeginOf(row.version));
}

std::vector<std::shared_ptr<TableIndex>> RelationImpl::IndexesOn(
    std::span<const ColumnId> columns) const {
  std::vector<std::shared_ptr<TableIndex>> found;
  for (const Access& access : indexes_) {
    if (catalog::HaveCommon(access.index->key_columns(), columns)) found.push_back(access.index);
  }
  return found;
}

ReplaceUndo* RelationImpl::NewReplaceUndo(StatementContext& context) const {
  auto undo = std::make_unique<ReplaceUndo>(table_);
  ReplaceUndo* const made = undo.get();
  TxnOf(context).AddUndoAction(std::move(undo));
  return made;
}

Result<RowOutcome> RelationImpl::EnterReplacing(StatementContext& context,
                                                const SegmentBatch& batch, ReplaceUndo& undo) {
  txn::TransactionImpl& txn = TxnOf(context);
  FrozenTable& frozen = table_->frozen();
  const std::shared_ptr<const FrozenSegment> segment = *batch.segment;
  const uint32_t count = batch.rows->rows();
  segment->set_begin(txn.word());
  segment->MakeOlder();
  const uint64_t number = frozen.Publish(segment, DeadRows(count), {});
  undo.Add(number, batch);
  Replacement& replacement =
      *EngineTransaction::Of(txn).masked_deletes().ReplacementOf(txn, frozen);
  replacement.segments.push_back(number);
  AddColumnsOf(batch, replacement);
  // Before the rows have the keys: entries must not be missing then.
  for (size_t i = 0; i < batch.indexes.size(); ++i) {
    batch.indexes[i]->packed().Add(number, batch.entries[i]);
  }
  OMEN_ASSIGN(const RowOutcome outcome, ReplaceRows(context, batch, MakeFrozenRef(number, 0)));
  if (outcome != RowOutcome::kDone) return outcome;
  std::string dead;
  frozen.runs()->runs[number].dead->Serialize(dead);
  AppendSegment(RedoOp::kFreeze, table_->storage(), segment->file_id(), dead, txn.redo());
  OMEN_TRY(txn.MaybeSpill());
  return RowOutcome::kDone;
}

Result<RowOutcome> RelationImpl::ReplaceRows(StatementContext& context, const SegmentBatch& batch,
                                             VersionRef first) {
  std::vector<uint32_t> places;
  if (batch.in_order) places = batch.places();
  const uint32_t count = batch.rows->rows();
  size_t next_delete = 0;
  std::vector<RunsAhead> ahead;
  for (uint32_t i = 0; i < count; ++i) {
    if (batch.in_order && i % RunsAhead::kKeysAtOnce == 0) {
      const size_t some = std::min(count - i, RunsAhead::kKeysAtOnce);
      OMEN_ASSIGN(ahead, LookAhead(batch, std::span(places).subspan(i, some)));
    }
    if (i % kCancelRows == 0 && context.cancel != nullptr && context.cancel->set()) {
      return context.cancel->ToStatus();
    }
    OMEN_ASSIGN(const RowOutcome deleted, DeleteBefore(context, i, batch.deletes, next_delete));
    if (deleted != RowOutcome::kDone) return deleted;
    const uint32_t at = batch.in_order ? places[i] : i;
    const VersionRef fresh = MakeFrozenRef(rowstore::FrozenSegmentOf(first), at);
    OMEN_ASSIGN(const RowOutcome outcome, ReplaceRow(context, batch, fresh, ahead));
    if (outcome != RowOutcome::kDone) return outcome;
  }
  return DeleteBefore(context, count, batch.deletes, next_delete);
}

Result<RowOutcome> RelationImpl::DeleteBefore(StatementContext& context, uint32_t row,
                                              std::span<const RowToDelete> rows, size_t& next) {
  for (; next < rows.size() && rows[next].before <= row; ++next) {
    OMEN_ASSIGN(const RowResult deleted, Delete(context, rows[next].seen));
    if (deleted.outcome != RowOutcome::kDone) return deleted.outcome;
  }
  return RowOutcome::kDone;
}

Result<std::vector<RunsAhead>> RelationImpl::LookAhead(const SegmentBatch& batch,
                                                       std::span<const uint32_t> places) const {
  std::vector<RunsAhead> ahead = NewRunsAhead(&batch.indexes);
  if (ahead.empty()) return ahead;
  std::vector<uint32_t> ascending(places.begin(), places.end());
  std::sort(ascending.begin(), ascending.end());
  types::Row row;
  for (const uint32_t at : ascending) {
    batch.rows->Read(at, row);
    AddAhead(ahead, at, row);
  }
  for (RunsAhead& index : ahead) OMEN_TRY(index.Look());
  return ahead;
}

Result<RowOutcome> RelationImpl::ReplaceRow(StatementContext& context, const SegmentBatch& batch,
                                            VersionRef fresh, std::span<const RunsAhead> ahead) {
  FrozenTable& frozen = table_->frozen();
  const uint32_t at = rowstore::FrozenRowOf(fresh);
  const RowRef& seen = batch.seen(at);
  const RowLockMode mode = batch.in_order ? RowLockMode::kUpdate : RowLockMode::kNoKeyUpdate;
  OMEN_ASSIGN(const std::optional<RowResult> claimed,
              ClaimInSegment(context, seen, /*replaces=*/true, mode));
  if (!claimed) {
    // In a page by now, or it has to go there.
    frozen.MarkDead(fresh);
    types::Row row;
    batch.rows->Read(at, row);
    OMEN_ASSIGN(const RowResult updated, Update(context, seen, row));
    return ConflictOf(batch, at, updated);
  }
  if (claimed->outcome != RowOutcome::kDone) {
    frozen.MarkDead(fresh);
    return ConflictOf(batch, at, *claimed);
  }
  // Until here others find the old head with our mark as its end, and from here on a head with our
  // mark as its begin.
  frozen.SegmentOf(fresh).SetOlder(at, claimed->latest.version);
  OMEN_CHECK(table_->store().SetHead(seen.row_id, claimed->latest.version, fresh));
  if (batch.in_order) OMEN_TRY(CheckUniqueKeys(context, batch, at, ahead));
  if (!batch.linked.empty()) OMEN_TRY(QueueUpdated(context, batch, fresh, claimed->latest));
  return RowOutcome::kDone;
}

Result<RowOutcome> RelationImpl::ConflictOf(const SegmentBatch& batch, uint32_t at,
                                            const RowResult& found) {
  if (found.outcome == RowOutcome::kDone || batch.on_conflict == nullptr) return found.outcome;
  types::Row row;
  batch.rows->Read(at, row);
  return batch.on_conflict(batch.seen(at), found, row);
}

Status RelationImpl::QueueUpdated(StatementContext& context, const SegmentBatch& batch,
                                  VersionRef fresh, const RowRef& old) {
  types::Row row;
  batch.rows->Read(rowstore::FrozenRowOf(fresh), row);
  types::Row old_row = row;
  types::Arena arena;
  OMEN_TRY(ReadInto(old, batch.linked, arena, old_row));
  EngineTransaction::Of(*context.txn)
      .foreign_keys()
      .OnUpdate(context, *definition_, {old.row_id, fresh}, old_row, row);
  return Status::Ok();
}

Status RelationImpl::CheckUniqueKeys(StatementContext& context, const SegmentBatch& batch,
                                     uint32_t at, std::span<const RunsAhead> ahead) {
  types::Row row;
  batch.rows->Read(at, row);
  std::string key;
  for (const Access& access : indexes_) {
    const auto changed = std::find(batch.indexes.begin(), batch.indexes.end(), access.index);
    if (changed == batch.indexes.end() || !access.index->Conflicts(row)) continue;
    access.index->KeyOfRow(row, key);
    Conflict conflict;
    OMEN_TRY(AddUniqueEntry(context, access, batch.id(at), key, &conflict, {ahead, at},
                            /*enter=*/false));
    if (conflict.access != nullptr) return DuplicateKey(context, *access.definition, row);
  }
  return Status::Ok();
}

}  // namespace omendb::engine
