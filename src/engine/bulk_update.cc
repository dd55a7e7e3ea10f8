#include "engine/bulk_update.h"

#include "catalog/column_ids.h"
#include "engine/foreign_keys.h"
#include "engine/relation_impl.h"
#include "engine/replace_undo.h"

namespace omendb::engine {

namespace {

using catalog::ConstraintDef;

// Whether a foreign key refers to one of the columns: what is to be done about old keys must then
// see the new ones.
bool AreReferenced(const StatementContext& context, const catalog::TableDef& table,
                   std::span<const ColumnId> columns) {
  for (const auto& [referring, constraint] : context.catalog->ReferencesTo(table.oid)) {
    if (catalog::HaveCommon(constraint->referenced_columns, columns)) return true;
  }
  return false;
}

// Those columns of the table's foreign keys.
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

}  // namespace

BulkUpdate::BulkUpdate(StatementContext& context, std::shared_ptr<Relation> relation,
                       std::span<const ColumnId> changed, Limits limits, Beside beside)
    : context_(context),
      relation_(std::static_pointer_cast<RelationImpl>(std::move(relation))),
      limits_(limits.Within(relation_->memory_limit())),
      gathered_(NewRowBuffer(relation_->table())),
      writer_(relation_->segment_files()) {
  if (!relation_->storage().logged() || relation_->storage().frozen().empty()) return;
  if (AreReferenced(context, relation_->table(), changed)) return;
  referring_ = ReferringColumns(relation_->table(), changed);
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
  replaces_ = !in_order_ && beside == Beside::kNothing &&
              !ForeignKeyQueue::Concerns(context, relation_->table());
  if (replaces_) moved_ = std::make_unique<BulkLoad>(context, relation_, limits);
}

// In this order, so that the row's own key may be another's next, and what others have now not: as
// if the row were inserted at once.
Result<RowResult> BulkUpdate::Move(const RowRef& seen, std::span<const types::Value> row) {
  OMEN_ASSIGN(const RowResult deleted, relation_->Delete(context_, seen));
  if (deleted.outcome != RowOutcome::kDone) return deleted;
  OMEN_TRY(relation_->CheckPrimaryKeyIsFree(context_, row));
  OMEN_TRY(moved_->AppendRow(row));
  return deleted;
}

// What is newer than the statement's snapshot is not pinned until it is claimed.
bool BulkUpdate::Gathers(const RowRef& found) const {
  return replaces_ && !in_order_ && rowstore::IsFrozen(found.version) &&
         relation_->IsSeen(context_, found);
}

bool BulkUpdate::IsGathered(const RowRef& seen) const {
  if (!replaces_) return false;
  return rowstore::IsFrozen(seen.version) ||
         (in_order_ && (gathered_->rows() > 0 || writer_.is_busy()));
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

Result<RowOutcome> BulkUpdate::FlushWhenFull() {
  if (!limits_.AreReachedBy(*gathered_)) return RowOutcome::kDone;
  OMEN_ASSIGN(const RowOutcome outcome, EnterWritten());
  return outcome == RowOutcome::kDone ? Flush() : outcome;
}

// A segment most of whose rows are in pages anyway is not worth it.
Result<RowOutcome> BulkUpdate::Flush() {
  if (frozen_ < gathered_->rows() / 2) return UpdateGathered();
  OMEN_TRY(StartWriting());
  return RowOutcome::kDone;
}

Status BulkUpdate::StartWriting() {
  auto batch = std::make_unique<SegmentBatch>();
  batch->relation = relation_.get();
  batch->rows = std::move(gathered_);
  batch->replaced = std::move(seen_);
  batch->indexes = indexes_;
  batch->in_order = in_order_;
  batch->referring = referring_;
  gathered_ = NewRowBuffer(relation_->table());
  seen_.clear();
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
  for (uint32_t i = 0; i < gathered_->rows(); ++i) {
    if (context_.cancel != nullptr && context_.cancel->set()) return context_.cancel->ToStatus();
    gathered_->Read(i, row);
    OMEN_ASSIGN(const RowResult updated, relation_->Update(context_, seen_[i], row));
    if (updated.outcome != RowOutcome::kDone) return updated.outcome;
  }
  gathered_->Clear();
  seen_.clear();
  frozen_ = 0;
  return RowOutcome::kDone;
}

Result<RowOutcome> BulkUpdate::Finish() {
  if (moved_ != nullptr) OMEN_TRY(moved_->Finish());
  OMEN_ASSIGN(const RowOutcome outcome, EnterWritten());
  if (outcome != RowOutcome::kDone || gathered_->rows() == 0) return outcome;
  if (gathered_->rows() < (undo_ != nullptr ? limits_.rest_min : limits_.rows_min)) {
    return UpdateGathered();
  }
  OMEN_ASSIGN(const RowOutcome flushed, Flush());
  return flushed == RowOutcome::kDone ? EnterWritten() : flushed;
}

}  // namespace omendb::engine
