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

FrozenScan::FrozenScan(const Run& run, const Relation::ScanOptions& wanted,
                       colstore::ScanOptions options)
    : run_(run) {
  const FrozenSegment& segment = *run_.segment;
  for (const ColumnId column : wanted.columns) {
    const int32_t position = segment.position_of(column);
    chunk_columns_.push_back(position < 0 ? -1 : static_cast<int32_t>(options.columns.size()));
    if (position >= 0) options.columns.push_back(static_cast<uint32_t>(position));
  }
  if (wanted.late_columns) options.late_columns = options.columns.size();
  if (wanted.with_refs) options.columns.push_back(segment.row_ids_position());
  for (const Relation::ScanOptions::Bound& bound : wanted.bounds) {
    const int32_t position = segment.position_of(bound.column);
    if (position < 0) continue;
    colstore::ScanOptions::Range& range = options.ranges.emplace_back();
    range.column = static_cast<uint32_t>(position);
    range.range = {bound.lower, bound.upper};
    range.any_of = bound.any_of;
    const types::SqlType& type = segment.reader()->footer().columns[range.column].column.type;
    if (!bound.exact || !colstore::HasIntCells(type)) continue;
    range.exact = IntRangeOf(type, bound);
    exact_.push_back(bound.column);
  }
  for (const Relation::ScanOptions::MovingBound& bound : wanted.moving) {
    const int32_t position = segment.position_of(bound.column);
    if (position < 0) continue;
    const auto column = static_cast<uint32_t>(position);
    if (!colstore::HasIntCells(segment.reader()->footer().columns[column].column.type)) continue;
    options.ranges.push_back({column, {}, {}, bound.range});
    moved_.push_back(bound.column);
  }
  if (run_.dead->count() > 0) options.dead = run_.dead->words();
  scan_ = std::make_unique<colstore::SegmentScan>(segment.reader(), std::move(options));
}

}  // namespace omendb::engine
