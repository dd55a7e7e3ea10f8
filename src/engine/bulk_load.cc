#include "engine/bulk_load.h"

#include <algorithm>

#include "engine/load_undo.h"
#include "engine/relation_impl.h"

namespace omendb::engine {

BulkLoad::BulkLoad(StatementContext& context, std::shared_ptr<Relation> relation, Limits limits)
    : context_(context),
      relation_(std::static_pointer_cast<RelationImpl>(std::move(relation))),
      limits_(limits.Within(relation_->memory_limit())),
      gathered_(NewRowBuffer(relation_->table())),
      writer_(relation_->segment_files()) {}

Status BulkLoad::Append(const types::Chunk& chunk) {
  if (!relation_->storage().logged()) return relation_->InsertChunk(context_, chunk);
  uint32_t at = 0;
  const Status checked = relation_->CheckChunk(context_, chunk, &at);
  failed_row_ = gathered_first_ + gathered_->rows() + at;
  OMEN_TRY(checked);
  for (uint32_t first = 0; first < chunk.rows_count;) {
    const uint32_t count =
        std::min(chunk.rows_count - first, limits_.segment_rows - gathered_->rows());
    gathered_->Append(chunk, first, count);
    first += count;
    if (IsFull()) OMEN_TRY(Flush());
  }
  return Status::Ok();
}

Status BulkLoad::AppendRow(std::span<const types::Value> row) {
  if (!relation_->storage().logged()) return relation_->Insert(context_, row).status();
  OMEN_TRY(relation_->CheckRow(context_, row));
  if (IsFull()) OMEN_TRY(Flush());
  gathered_->AppendRow(row);
  return Status::Ok();
}

Status BulkLoad::Flush() {
  OMEN_TRY(EnterWritten());
  return StartWriting();
}

Status BulkLoad::StartWriting() {
  OMEN_TRY(relation_->CheckWritable(context_));
  auto batch = std::make_unique<SegmentBatch>();
  batch->relation = relation_.get();
  batch->first_arrival = gathered_first_;
  gathered_first_ += gathered_->rows();
  batch->first = relation_->storage().store().ReserveRows(gathered_->rows());
  batch->rows = std::move(gathered_);
  gathered_ = spare_ != nullptr ? std::move(spare_) : NewRowBuffer(relation_->table());
  return writer_.Start(std::move(batch));
}

Status BulkLoad::EnterWritten() {
  OMEN_ASSIGN(const SegmentBatch* const written, writer_.Await(context_));
  if (written == nullptr) return Status::Ok();
  if (written->duplicate) {
    types::Row row;
    written->rows->Read(*written->duplicate, row);
    failed_row_ = written->first_arrival + written->rows->arrival(*written->duplicate);
    return relation_->DuplicatePrimaryKey(context_, row);
  }
  OMEN_TRY(written->segment.status());
  if (undo_ == nullptr) undo_ = relation_->NewLoadUndo(context_);
  const std::unique_ptr<SegmentBatch> batch = writer_.Take();
  batch->file->Keep();  // From here on the table's set of segments has it.
  uint32_t at = 0;
  const Status entered = relation_->EnterSegment(
      context_, *batch->segment, {batch->first, *batch->rows, batch->keys}, *undo_, &at);
  failed_row_ = batch->first_arrival + at;
  spare_ = std::move(batch->rows);
  spare_->Clear();
  return entered;
}

Status BulkLoad::InsertGathered() {
  if (gathered_->rows() == 0) return Status::Ok();
  uint32_t at = 0;
  const Status inserted = relation_->InsertRows(context_, gathered_->View(), &at);
  failed_row_ = gathered_first_ + at;
  return inserted;
}

Status BulkLoad::Finish() {
  OMEN_TRY(EnterWritten());
  if (gathered_->rows() < (undo_ != nullptr ? limits_.rest_min : limits_.rows_min)) {
    return InsertGathered();
  }
  OMEN_TRY(StartWriting());
  return EnterWritten();
}

}  // namespace omendb::engine
