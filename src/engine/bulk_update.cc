#include "engine/bulk_update.h"

#include "catalog/column_ids.h"
#include "engine/relation_impl.h"
#include "engine/replace_undo.h"

namespace omendb::engine {

namespace {

using catalog::ConstraintDef;

// Whether a foreign key, of this table or referring to it, has one of the columns.
bool HaveForeignKeys(const StatementContext& context, const catalog::TableDef& table,
                     std::span<const ColumnId> columns) {
  for (const ConstraintDef& constraint : table.constraints) {
    if (constraint.kind != catalog::ConstraintKind::kForeignKey) continue;
    if (catalog::HaveCommon(constraint.columns, columns)) return true;
  }
  for (const auto& [referring, constraint] : context.catalog->ReferencesTo(table.oid)) {
    if (catalog::HaveCommon(constraint->referenced_columns, columns)) return true;
  }
  return false;
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
  if (HaveForeignKeys(context, relation_->table(), changed)) return;
  for (std::shared_ptr<TableIndex>& index : relation_->IndexesOn(changed)) {
    if (index->is_row_map()) return;
    in_order_ = in_order_ || index->unique();
    indexes_.push_back(std::move(index));
  }
  replaces_ = !in_order_ || beside == Beside::kNothing;
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
  OMEN_ASSIGN(const RowOutcome outcome, EnterWritten());
  if (outcome != RowOutcome::kDone || gathered_->rows() == 0) return outcome;
  if (gathered_->rows() < (undo_ != nullptr ? limits_.rest_min : limits_.rows_min)) {
    return UpdateGathered();
  }
  OMEN_ASSIGN(const RowOutcome flushed, Flush());
  return flushed == RowOutcome::kDone ? EnterWritten() : flushed;
}

}  // namespace omendb::engine
