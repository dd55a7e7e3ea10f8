#include "engine/bulk_update.h"

#include <algorithm>

#include "engine/relation_impl.h"
#include "engine/replace_undo.h"

namespace omendb::engine {

namespace {

using catalog::ConstraintDef;

// Whether an index or a foreign key, of this table or referring to it, has one of the columns.
bool HaveKeys(const StatementContext& context, const catalog::TableDef& table,
              std::span<const ColumnId> columns) {
  const auto is_one = [&](ColumnId column) {
    return std::find(columns.begin(), columns.end(), column) != columns.end();
  };
  for (const catalog::IndexDef& index : table.indexes) {
    for (const catalog::IndexKey& key : index.keys) {
      if (is_one(key.column)) return true;
    }
  }
  for (const ConstraintDef& constraint : table.constraints) {
    if (constraint.kind != catalog::ConstraintKind::kForeignKey) continue;
    if (std::any_of(constraint.columns.begin(), constraint.columns.end(), is_one)) return true;
  }
  for (const auto& [referring, constraint] : context.catalog->ReferencesTo(table.oid)) {
    const auto& referenced = constraint->referenced_columns;
    if (std::any_of(referenced.begin(), referenced.end(), is_one)) return true;
  }
  return false;
}

}  // namespace

BulkUpdate::BulkUpdate(StatementContext& context, std::shared_ptr<Relation> relation,
                       std::span<const ColumnId> changed, Limits limits)
    : context_(context),
      relation_(std::static_pointer_cast<RelationImpl>(std::move(relation))),
      limits_(limits.Within(relation_->memory_limit())),
      replaces_(relation_->storage().logged() && !relation_->storage().frozen().empty() &&
                !HaveKeys(context, relation_->table(), changed)),
      gathered_(NewRowBuffer(relation_->table())),
      writer_(relation_->segment_files()) {}

Result<RowResult> BulkUpdate::Update(const RowRef& seen, std::span<const types::Value> row) {
  if (!replaces_ || !rowstore::IsFrozen(seen.version)) {
    return relation_->Update(context_, seen, row);
  }
  OMEN_TRY(relation_->CheckWritable(context_));
  OMEN_TRY(relation_->CheckRow(context_, row));
  gathered_->AppendRow(row);
  seen_.push_back(seen);
  OMEN_ASSIGN(const RowOutcome outcome, FlushWhenFull());
  return RowResult{outcome, seen};
}

Result<RowOutcome> BulkUpdate::FlushWhenFull() {
  if (!limits_.AreReachedBy(*gathered_)) return RowOutcome::kDone;
  OMEN_ASSIGN(const RowOutcome outcome, EnterWritten());
  if (outcome == RowOutcome::kDone) OMEN_TRY(StartWriting());
  return outcome;
}

Status BulkUpdate::StartWriting() {
  auto batch = std::make_unique<SegmentBatch>();
  batch->relation = relation_.get();
  batch->rows = std::move(gathered_);
  batch->replaced = std::move(seen_);
  gathered_ = NewRowBuffer(relation_->table());
  seen_.clear();
  return writer_.Start(std::move(batch));
}

Result<RowOutcome> BulkUpdate::EnterWritten() {
  OMEN_ASSIGN(const SegmentBatch* const written, writer_.Await(context_));
  if (written == nullptr) return RowOutcome::kDone;
  if (written->duplicate) return RowOutcome::kGone;  // A row was given twice.
  OMEN_TRY(written->segment.status());
  if (undo_ == nullptr) undo_ = relation_->NewReplaceUndo(context_);
  const std::unique_ptr<SegmentBatch> batch = writer_.Take();
  // From here on the table's set of segments keeps the file.
  Result<RowOutcome> outcome = relation_->EnterReplacing(context_, *batch, *undo_);
  relation_->segment_files().Release(batch->file_id);
  return outcome;
}

Result<RowOutcome> BulkUpdate::UpdateGathered() {
  types::Row row;
  for (uint32_t i = 0; i < gathered_->rows(); ++i) {
    if (context_.cancel != nullptr && context_.cancel->set()) return context_.cancel->ToStatus();
    gathered_->Read(i, row);
    OMEN_ASSIGN(const RowResult updated, relation_->Update(context_, seen_[i], row));
    if (updated.outcome != RowOutcome::kDone) return updated.outcome;
  }
  return RowOutcome::kDone;
}

Result<RowOutcome> BulkUpdate::Finish() {
  OMEN_ASSIGN(const RowOutcome outcome, EnterWritten());
  if (outcome != RowOutcome::kDone || gathered_->rows() == 0) return outcome;
  if (gathered_->rows() < (undo_ != nullptr ? limits_.rest_min : limits_.rows_min)) {
    return UpdateGathered();
  }
  OMEN_TRY(StartWriting());
  return EnterWritten();
}

}  // namespace omendb::engine
