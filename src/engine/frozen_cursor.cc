#include "engine/frozen_cursor.h"

namespace omendb::engine {

FrozenCursor::FrozenCursor(FrozenScan& scan, uint64_t number, const ScanColumns& columns,
                           bool late_columns)
    : scan_(&scan),
      number_(number),
      columns_(&columns),
      late_columns_(late_columns),
      worker_(scan.NewWorker()) {}

Result<bool> FrozenCursor::Next(types::Chunk& chunk, std::vector<RowRef>* refs) {
  OMEN_ASSIGN(const bool more, scan_->Next(*worker_, block_));
  if (!more) return false;
  chunk.rows_count = block_.rows_count;
  chunk.columns.resize(columns_->size());
  for (size_t i = 0; i < columns_->size(); ++i) {
    chunk.columns[i] = columns_->Missing(i);
    if (!late_columns_) TakeColumn(chunk, i);
  }
  if (refs == nullptr) return true;
  refs->clear();
  for (uint32_t i = 0; i < chunk.rows_count; ++i) {
    refs->push_back(
        {scan_->row_id(block_, i), rowstore::MakeFrozenRef(number_, worker_->row_at(i))});
  }
  return true;
}

Status FrozenCursor::Fill(types::Chunk& chunk, size_t i) {
  const int32_t from = scan_->chunk_column(i);
  if (from < 0) return Status::Ok();
  OMEN_TRY(scan_->Fill(*worker_, block_, static_cast<size_t>(from)));
  TakeColumn(chunk, i);
  return Status::Ok();
}

void FrozenCursor::TakeColumn(types::Chunk& chunk, size_t i) const {
  const int32_t from = scan_->chunk_column(i);
  if (from < 0) return;
  types::ColumnView& view = chunk.columns[i];
  view = block_.columns[static_cast<size_t>(from)];
  view.type = columns_->type(i);
  view.physical = types::PhysicalTypeOf(view.type);
}

}  // namespace omendb::engine
