// segment_run.h - the index runs of a secondary index as files: of one segment, made from its
// columns; of several, made of runs that are there (colstore/index_run_writer.h).
//
// Thread safety  Any thread, but one at a time for the same segments and index.
// Errors         Those of reading the segment, and of env; XX001 of a run that is damaged, or is
//                not of this segment and index as they are now.
// Cost           Sorting the segment's keys, which are in memory meanwhile: 2^17 integers take less
//                than a tenth of a second, and give 1.1 MB of file.
#pragma once

#include <memory>

#include "engine/frozen_table.h"
#include "engine/segment_files.h"
#include "engine/table.h"

namespace omendb::engine {

using IndexRunPtr = std::shared_ptr<const colstore::IndexRun>;

// What was written before, of one segment; of several, at `path`. Whether those are the ones of
// the table that have their numbers remains to be seen.
Result<IndexRunPtr> OpenSegmentRun(SegmentFiles& files, const TableIndex& index,
                                   const FrozenSegment& segment);
Result<IndexRunPtr> OpenMergedRun(SegmentFiles& files, const TableIndex& index,
                                  const std::string& path);
// What a run of these segments is called; the list is sorted.
colstore::IndexRunName NameOfRun(const SegmentFiles& files, const TableIndex& index,
                                 std::vector<colstore::RunSegment> segments);
colstore::RunSegment RunSegmentOf(const FrozenSegment& segment);
// Whether all columns of the index can be read there.
Status ReadKeys(const TableIndex& index, const std::shared_ptr<const FrozenSegment>& segment);
// Entries of all rows, dead or not; the index knows then where it is. Requires: the segment is not
// hollow.
Result<IndexRunPtr> WriteSegmentRun(SegmentFiles& files, TableIndex& index,
                                    const std::shared_ptr<const FrozenSegment>& segment);

// No segment of the set needs the run there any more.
void ForgetRun(TableIndex& index, const RunSet& set, const std::string& path);
// Entries of all these runs, named by all of their segments: one that has entries of a segment that
// is gone is known by its name, since it must not stand for what is in memory (I3 of
// index_runs.h). Null: `stop` said so.
Result<IndexRunPtr> WriteMergedRun(SegmentFiles& files, const TableIndex& index,
                                   std::span<const IndexRunPtr> runs, const Stop& stop);

}  // namespace omendb::engine
