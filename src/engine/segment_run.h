// segment_run.h - the index run of one segment and one secondary index: made from the segment's
// columns, written beside it, opened again.
//
// Thread safety  Any thread, but one at a time for the same segment and index.
// Errors         Those of reading the segment, and of env; XX001 of a run that is damaged, or is
//                not of this segment and index as they are now.
// Cost           Sorting the segment's keys, which are in memory meanwhile: 2^17 integers take less
//                than a tenth of a second, and give 1.1 MB of file.
#pragma once

#include <memory>

#include "engine/frozen_table.h"
#include "engine/segment_files.h"
#include "engine/table_index.h"

namespace omendb::engine {

using IndexRunPtr = std::shared_ptr<const colstore::IndexRun>;

// What was written before.
Result<IndexRunPtr> OpenSegmentRun(SegmentFiles& files, const TableIndex& index,
                                   const FrozenSegment& segment);
// Entries of all rows, dead or not. Requires: the segment is not hollow.
Result<IndexRunPtr> WriteSegmentRun(SegmentFiles& files, TableIndex& index,
                                    const std::shared_ptr<const FrozenSegment>& segment);

}  // namespace omendb::engine
