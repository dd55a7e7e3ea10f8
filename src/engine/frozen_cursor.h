// frozen_cursor.h - one worker's way through the live rows of a segment: chunks with every column
// of a scan, those that the segment lacks included.
//
// Thread safety  One thread; other workers have cursors of their own over the same FrozenScan.
// Ownership      Borrows the scan and the columns. A chunk is valid until the next.
#pragma once

#include <memory>
#include <vector>

#include "engine/frozen_scan.h"
#include "engine/scan_columns.h"

namespace omendb::engine {

class FrozenCursor {
 public:
  // `number`: the segment's, for refs. With late columns chunks have what Fill has filled.
  FrozenCursor(FrozenScan& scan, uint64_t number, const ScanColumns& columns, bool late_columns);

  // False at the end. `refs`, when not null, are replaced: the scan was made with them.
  Result<bool> Next(types::Chunk& chunk, std::vector<RowRef>* refs);
  Status Fill(types::Chunk& chunk, size_t i);
  // The first block of the morsel that the chunk is of.
  uint32_t morsel() const { return worker_->morsel(); }

 private:
  void TakeColumn(types::Chunk& chunk, size_t i) const;

  FrozenScan* scan_;
  uint64_t number_;
  const ScanColumns* columns_;
  bool late_columns_;
  std::unique_ptr<colstore::SegmentScan::Worker> worker_;
  types::Chunk block_;
};

}  // namespace omendb::engine
