// frozen_scan.h - the live rows of one segment of a table: SegmentScan by column id, with row ids.
//
// Thread safety  Next: any number of workers, each with its own Worker.
// Ownership      Shares segment and mask with the run.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "colstore/segment_scan.h"
#include "engine/frozen_table.h"
#include "engine/relation.h"

namespace omendb::engine {

class FrozenScan {
 public:
  // Blocks without a row within every one of the bounds are left out, and rows outside exact and
  // moving ones. `with_refs` asks for the row ids. Only rows [first, end) of the segment.
  FrozenScan(const Run& run, const Relation::ScanOptions& wanted, uint32_t first_row = 0,
             uint32_t end_row = UINT32_MAX)
      : FrozenScan(run, wanted, OptionsOf(first_row, end_row)) {}
  // Of each column so many blocks are read at once.
  static FrozenScan ReadingAtOnce(uint32_t blocks, const Run& run,
                                  const Relation::ScanOptions& wanted) {
    colstore::ScanOptions options;
    options.blocks_at_once = blocks;
    return FrozenScan(run, wanted, std::move(options));
  }

  std::unique_ptr<colstore::SegmentScan::Worker> NewWorker() const { return scan_->NewWorker(); }
  // Chunks have the columns that the segment has, then, when asked for, the row ids.
  Result<bool> Next(colstore::SegmentScan::Worker& worker, types::Chunk& chunk) {
    return scan_->Next(worker, chunk);
  }
  // With late columns, before column `i` of the chunk is read. The row ids are always there.
  Status Fill(colstore::SegmentScan::Worker& worker, types::Chunk& chunk, size_t i) {
    return scan_->Fill(worker, chunk, i);
  }
  // Where columns[i] lies in the chunks; -1 when the segment is older than it.
  int32_t chunk_column(size_t i) const { return chunk_columns_[i]; }
  RowId row_id(const types::Chunk& chunk, uint32_t row) const {
    return RowId(static_cast<uint64_t>(chunk.columns.back().Get(row).i64));
  }
  // Whether rows outside the column's exact bound were left out.
  bool HasApplied(ColumnId column) const {
    return std::find(exact_.begin(), exact_.end(), column) != exact_.end();
  }
  // Whether those outside its moving bound were.
  bool HasMoved(ColumnId column) const {
    return std::find(moved_.begin(), moved_.end(), column) != moved_.end();
  }
  colstore::SegmentScan::Counters counters() const { return scan_->counters(); }

 private:
  FrozenScan(const Run& run, const Relation::ScanOptions& wanted, colstore::ScanOptions options);
  static colstore::ScanOptions OptionsOf(uint32_t first_row, uint32_t end_row) {
    colstore::ScanOptions options;
    options.first_row = first_row;
    options.end_row = end_row;
    return options;
  }

  const Run run_;
  std::vector<int32_t> chunk_columns_;
  std::vector<ColumnId> exact_;
  std::vector<ColumnId> moved_;
  std::unique_ptr<colstore::SegmentScan> scan_;
};

}  // namespace omendb::engine
