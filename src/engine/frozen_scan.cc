#include "engine/frozen_scan.h"

namespace omendb::engine {
namespace {

colstore::IntRange IntRangeOf(const types::SqlType& type,
                              const Relation::ScanOptions::Bound& bound) {
  colstore::IntRange range;
  if (bound.lower) range.low = colstore::IntOfCell(type, *bound.lower);
  if (bound.upper) range.high = colstore::IntOfCell(type, *bound.upper);
  if (bound.except) range.except = colstore::IntOfCell(type, *bound.except);
  return range;
}

}  // namespace

FrozenScan::FrozenScan(const Run& run, std::span<const ColumnId> columns,
                       std::span<const Relation::ScanOptions::Bound> bounds, bool with_row_ids,
                       bool late_columns)
    : run_(run) {
  const FrozenSegment& segment = *run_.segment;
  colstore::ScanOptions options;
  for (const ColumnId column : columns) {
    const int32_t position = segment.position_of(column);
    chunk_columns_.push_back(position < 0 ? -1 : static_cast<int32_t>(options.columns.size()));
    if (position >= 0) options.columns.push_back(static_cast<uint32_t>(position));
  }
  if (late_columns) options.late_columns = options.columns.size();
  if (with_row_ids) options.columns.push_back(segment.row_ids_position());
  for (const Relation::ScanOptions::Bound& bound : bounds) {
    const int32_t position = segment.position_of(bound.column);
    if (position < 0) continue;
    colstore::ScanOptions::Range& range = options.ranges.emplace_back();
    range = {static_cast<uint32_t>(position), {bound.lower, bound.upper}, {}};
    const types::SqlType& type = segment.reader()->footer().columns[range.column].column.type;
    if (!bound.exact || !colstore::HasIntCells(type)) continue;
    range.exact = IntRangeOf(type, bound);
    exact_.push_back(bound.column);
  }
  if (run_.dead->count() > 0) options.dead = run_.dead->words();
  scan_ = std::make_unique<colstore::SegmentScan>(segment.reader(), std::move(options));
}

}  // namespace omendb::engine
