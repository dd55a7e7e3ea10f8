// compaction.h - which segments of a table are worth writing anew, together: sparse ones, and small
// ones that fill a segment; and those of which many have one key between their first and last. A
// load or freeze of few rows leaves a small one; many of them cost memory for what is known of
// each, and a lookup that asks each. Where rows come in no order of their keys each segment has
// keys of the whole range: a lookup asks all, a range reads a block of each, and zones rule out
// little. A segment with rows that are being deleted, or replace others, waits until that is over.
//
// Thread safety  A pure function over a set that never changes.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "engine/frozen_table.h"

namespace omendb::engine {

// Rows of a full segment.
inline constexpr uint32_t kFullSegmentRows = 1U << 17;
static_assert(kFullSegmentRows <= colstore::kSegmentRowsMax);

struct CompactionRules {
  // Rows that are older can be moved: all snapshots see them.
  uint64_t settled_by = UINT64_MAX;
  // A segment is full that has so many rows, or so many encoded bytes.
  uint32_t full_rows = kFullSegmentRows;
  uint64_t full_bytes = UINT64_MAX;
  // Segments that are read together, at most; and what they may take in memory, but of two.
  size_t inputs_max = 16;
  uint64_t memory_max = UINT64_MAX;
  // Of segments that are put in order, rows without row map words of their own: each gets one.
  uint64_t words_max = UINT64_MAX;
  // How often segments are put together.
  size_t merges_max = SIZE_MAX;
  // So many that have a key in common, and lie over about as much of all keys, are put in order; 2:
  // any that overlap; 0: none.
  size_t overlapping_min = 0;
  // Whether a segment lies in the order of the table's key: only then it can overlap others.
  std::function<bool(const FrozenSegment&)> is_sorted;
  // What it takes in memory while it is read.
  std::function<uint64_t(const FrozenSegment&)> memory_of;
};

// Numbers of runs to be written anew together, ascending. First the sparse and the small ones (less
// than half of a full one), the oldest first; then those that overlap most. Writing them leaves
// fewer of the first kind, or fewer with a key in common. None: there is nothing to do, or memory
// for it.
std::vector<uint64_t> SegmentsToCompact(const RunSet& set, const CompactionRules& rules);

// The bytes of a segment's blocks.
uint64_t EncodedBytes(const FrozenSegment& segment);
// What part of a full segment the live rows of a run come to.
double FullnessOf(const Run& run, const CompactionRules& rules);

}  // namespace omendb::engine
