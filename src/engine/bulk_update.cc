#include "engine/bulk_update.h"

#include <algorithm>

#include "catalog/column_ids.h"
#include "engine/foreign_keys.h"
#include "engine/relation_impl.h"
#include "engine/replace_undo.h"

namespace omendb::engine {

namespace {

using catalog::ConstraintDef;

constexpr uint32_t kFewRows = 2048;

// Those columns that the table's foreign keys have.
std::vector<ColumnId> ReferringColumns(const catalog::TableDef& table,
                                       std::span<const ColumnId> columns) {
  std::vector<ColumnId> referring;
  for (const ConstraintDef& constraint : table.constraints) {
    if (constraint.kind != catalog::ConstraintKind::kForeignKey) continue;
    for (const ColumnId column : constraint.columns) {
      if (catalog::Contains(columns, column) && !catalog::Contains(referring, column)) {
        referring.push_back(column);
      }
    }
  }
  return referring;
}

// The same, and those that foreign keys refer to.
std::vector<ColumnId> LinkedColumns(const StatementContext& context, const catalog::TableDef& table,
                                    std::span<const ColumnId> columns) {
  std::vector<ColumnId> linked = ReferringColumns(table, columns);
  for (const ColumnId column : ForeignKeyQueue::ReferencedColumns(context, table)) {
    if (catalog::Contains(columns, column) && !catalog::Contains(linked, column)) {
      linked.push_back(column);
    }
  }
  return linked;
}

}  // namespace

BulkUpdate::BulkUpdate(StatementContext& context, std::shared_ptr<Relation> relation,
                       std::span<const ColumnId> changed, Limits limits, Beside beside)
    : context_(context),
      relation_(std::static_pointer_cast<RelationImpl>(std::move(relation))),
      limits_(limits.Within(relation_->memory_limit())),
      gathered_(NewRowBuffer(relation_->table())),
      writer_(relation_->segment_files()) {
  if (!relation_->storage().logged() || relation_->storage().frozen().empty()) return;
  linked_ = LinkedColumns(context, relation_->table(), changed);
  bool new_keys = false;
  for (std::shared_ptr<TableIndex>& index : relation_->IndexesOn(changed)) {
    if (index->is_row_map()) {
      new_keys = true;
      continue;
    }
    in_order_ = in_order_ || index->unique();
    indexes_.push_back(std::move(index));
  }
  replaces_ = !in_order_ || beside == Beside::kNothing;
  if (!new_keys) return;
  replaces_ = !in_order_ && beside == Beside::kNothing;
  if (!replaces_) return;
  moved_ = std::make_unique<BulkLoad>(context, relation_, limits);
  checks_moved_ = foreign_keys().waits() || !ReferringColumns(relation_->table(), changed).empty();
}

ForeignKeyQueue& BulkUpdate::foreign_keys() {
  return EngineTransaction::Of(*context_.txn).foreign_keys();
}

// In this order, so that the row's own key may be another's next, and what others have now not: as
// if the row were inserted at once.
Result<RowResult> BulkUpdate::Move(const RowRef& seen, std::span<const types::Value> row) {
  OMEN_ASSIGN(const RowResult deleted, relation_->EndRow(context_, seen));
  if (deleted.outcome != RowOutcome::kDone) return deleted;
  OMEN_TRY(relation_->CheckPrimaryKeyIsFree(context_, row));
  {
    const ForeignKeyQueue::Pause pause(foreign_keys(), !checks_moved_);
    OMEN_TRY(moved_->AppendRow(row));
  }
  OMEN_TRY(relation_->QueueReplaced(context_, deleted.latest, row));
  return deleted;
}

// What is newer than the statement's snapshot is not pinned until it is claimed.
bool BulkUpdate::Gathers(const RowRef& found) const {
  return replaces_ && !in_order_ && rowstore::IsFrozen(found.version) && Sees(found);
}

bool BulkUpdate::Sees(const RowRef& row) const { return relation_->IsSeen(context_, row); }

bool BulkUpdate::IsGathered(const RowRef& seen) const {
  if (!replaces_) return false;
  return rowstore::IsFrozen(seen.version) || (in_order_ && WaitsForOthers());
}

bool BulkUpdate::WaitsForOthers() const {
  return gathered_->rows() > 0 || !deletes_.empty() || writer_.is_busy();
}

Result<RowResult> BulkUpdate::Update(const RowRef& seen, std::span<const types::Value> row) {
  if (moved_ != nullptr) {
    OMEN_ASSIGN(const bool same, relation_->HasPrimaryKeyOf(seen, row));
    if (!same) return Move(seen, row);
  }
  if (!IsGathered(seen)) return relation_->Update(context_, seen, row);
  OMEN_TRY(relation_->CheckWritable(context_));
  OMEN_TRY(relation_->CheckReplacing(context_, row));
  gathered_->AppendRow(row);
  seen_.push_back(seen);
  frozen_ += rowstore::IsFrozen(seen.version) ? 1 : 0;
  OMEN_ASSIGN(const RowOutcome outcome, FlushWhenFull());
  return RowResult{outcome, seen};
}

Result<RowResult> BulkUpdate::Delete(const RowRef& seen) {
  if (!in_order_ || !WaitsForOthers()) return relation_->Delete(context_, seen);
  deletes_.push_back({gathered_->rows(), seen});
  OMEN_ASSIGN(const RowOutcome outcome, FlushWhenFull());
  return RowResult{outcome, seen};
}

Result<RowOutcome> BulkUpdate::FlushWhenFull() {
  if (!limits_.AreReachedBy(*gathered_) && deletes_.size() < limits_.segment_rows) {
    return RowOutcome::kDone;
  }
  OMEN_ASSIGN(const RowOutcome outcome, EnterWritten());
  return outcome == RowOutcome::kDone ? Flush() : outcome;
}

// A segment most of whose rows are in pages anyway, or of very few, is not worth it.
Result<RowOutcome> BulkUpdate::Flush() {
  const uint32_t rows = gathered_->rows();
  if (frozen_ < rows / 2 || rows < std::min(limits_.rest_min, kFewRows)) return UpdateGathered();
  OMEN_TRY(StartWriting());
  return RowOutcome::kDone;
}

Status BulkUpdate::StartWriting() {
  auto batch = std::make_unique<SegmentBatch>();
  batch->relation = relation_.get();
  batch->rows = std::move(gathered_);
  batch->replaced = std::move(seen_);
  batch->deletes = std::move(deletes_);
  batch->indexes = indexes_;
  batch->in_order = in_order_;
  batch->linked = linked_;
  batch->on_conflict = on_conflict_;
  gathered_ = NewRowBuffer(relation_->table());
  seen_.clear();
  deletes_.clear();
  frozen_ = 0;
  return writer_.Start(std::move(batch));
}

Result<RowOutcome> BulkUpdate::EnterWritten() {
  OMEN_ASSIGN(const SegmentBatch* const written, writer_.Await(context_));
  if (written == nullptr) return RowOutcome::kDone;
  if (written->duplicate) return RowOutcome::kGone;  // A row was given twice.
  OMEN_TRY(written->segment.status());
  if (undo_ == nullptr) undo_ = relation_->NewReplaceUndo(context_);
  const std::unique_ptr<SegmentBatch> batch = writer_.Take();
  batch->file->Keep();  // From here on the table's set of segments has it.
  return relation_->EnterReplacing(context_, *batch, *undo_);
}

Result<RowOutcome> BulkUpdate::UpdateGathered() {
  types::Row row;
  size_t next_delete = 0;
  for (uint32_t i = 0; i < gathered_->rows(); ++i) {
    if (context_.cancel != nullptr && context_.cancel->set()) return context_.cancel->ToStatus();
    OMEN_ASSIGN(const RowOutcome deleted,
                relation_->DeleteBefore(context_, i, deletes_, next_delete));
    if (deleted != RowOutcome::kDone) return deleted;
    gathered_->Read(i, row);
    OMEN_ASSIGN(const RowResult updated, relation_->Update(context_, seen_[i], row));
    if (updated.outcome == RowOutcome::kDone) continue;
    if (on_conflict_ == nullptr) return updated.outcome;
    OMEN_ASSIGN(const RowOutcome outcome, on_conflict_(seen_[i], updated, row));
    if (outcome != RowOutcome::kDone) return outcome;
  }
  OMEN_ASSIGN(const RowOutcome deleted,
              relation_->DeleteBefore(context_, gathered_->rows(), deletes_, next_delete));
  gathered_->Clear();
  seen_.clear();
  deletes_.clear();
  frozen_ = 0;
  return deleted;
}

Result<RowOutcome> BulkUpdate::Apply() {
  if (!in_order_) return RowOutcome::kDone;
  OMEN_ASSIGN(const RowOutcome outcome, EnterWritten());
  if (outcome != RowOutcome::kDone) return outcome;
  OMEN_ASSIGN(const RowOutcome flushed, Flush());
  return flushed == RowOutcome::kDone ? EnterWritten() : flushed;
}

Result<RowOutcome> BulkUpdate::Finish() {
  if (moved_ != nullptr) {
    const ForeignKeyQueue::Pause pause(foreign_keys(), !checks_moved_);
    OMEN_TRY(moved_->Finish());
  }
  OMEN_ASSIGN(const RowOutcome outcome, EnterWritten());
  if (outcome != RowOutcome::kDone) return outcome;
  if (gathered_->rows() < (undo_ != nullptr ? limits_.rest_min : limits_.rows_min)) {
    return UpdateGathered();
  }
  OMEN_ASSIGN(const RowOutcome flushed, Flush());
  return flushed == RowOutcome::kDone ? EnterWritten() : flushed;
}

}  // namespace omendb::engine
