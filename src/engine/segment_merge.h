// segment_merge.h - live rows of several segments of a table on their way to new ones: read in the
// order of the primary key, a block of each segment at a time.
//
// Of a segment that lies in another order, as from before the table had this key, all rows are in
// memory meanwhile.
//
// Thread safety  One thread at a time; others may change the table but not alter it.
// Ownership      Shares the set of segments; borrows the relation.
// Errors         Those of reading a segment, and of the writer.
// Cost           Memory for a block of all columns of each segment (MemoryOf). Rows are appended
//                in stretches, so that segments of which few keys lie between are copied by column.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "colstore/segment_writer.h"
#include "engine/frozen_table.h"
#include "engine/relation_impl.h"
#include "engine/scan_columns.h"

namespace omendb::engine {

class SegmentMerge {
 public:
  // Of the runs of `set` with these numbers, the rows that are neither dead nor masked in it.
  SegmentMerge(const RelationImpl& relation, std::shared_ptr<const RunSet> set,
               std::span<const uint64_t> numbers);
  ~SegmentMerge();
  // Whether the segment lies in the order of the table's key.
  static bool IsSorted(const RelationImpl& relation, const FrozenSegment& segment);
  // What it takes while it is read, about.
  static uint64_t MemoryOf(const RelationImpl& relation, const FrozenSegment& segment);

  // To be called first.
  Status Start();
  // Rows that were not written yet.
  uint64_t rows_left() const { return rows_left_; }
  // Appends the next `count` rows, or as many as are left, whose columns are those of NewSegment;
  // fewer, where they come to `bytes_max` encoded. `from` gets where each lies. False: `stop` said
  // so.
  Result<bool> Write(uint64_t count, uint64_t bytes_max, const Stop& stop,
                     colstore::SegmentWriter& writer, std::vector<RowRef>& from);

 private:
  class Input;
  static bool IsGreater(const Input* a, const Input* b);
  // Rows of the input with the least key, up to the next key of another one.
  Status WriteStretch(uint64_t count, colstore::SegmentWriter& writer, std::vector<RowRef>& from);

  const RelationImpl& relation_;
  const std::shared_ptr<const RunSet> set_;
  const ScanColumns columns_;
  std::vector<std::unique_ptr<Input>> inputs_;
  std::vector<Input*> heap_;  // those that are not at their end; the least key first
  uint64_t rows_left_ = 0;
};

}  // namespace omendb::engine
