// compaction.h - which segments of a table are worth writing anew: sparse ones, and small ones that
// together fill a segment. A load or freeze of few rows leaves a small one; many of them cost
// memory for what is known of each, and a lookup that asks each. A segment with rows that are being
// deleted waits until they are gone or back.
//
// Thread safety  A pure function over a set that never changes.
#pragma once

#include <cstddef>
#include <vector>

#include "engine/frozen_table.h"

namespace omendb::engine {

// Rows of a full segment.
inline constexpr uint32_t kFullSegmentRows = 1U << 17;
static_assert(kFullSegmentRows <= colstore::kSegmentRowsMax);

// Numbers of runs, ascending, whose rows are as old as `settled_by`, so that they can be frozen
// again at once. Small is less than half of `full_rows`; of small ones, the oldest that fill one
// segment or more.
std::vector<size_t> SegmentsToCompact(const RunSet& set, uint64_t settled_by,
                                      uint32_t full_rows = kFullSegmentRows);

}  // namespace omendb::engine
