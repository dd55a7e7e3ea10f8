// replacement.h - the rows of segments that one command replaced: their new versions lie in
// segments too, which know the old ones (FrozenSegment::OlderOf) until no snapshot sees those.
//
// Life           The old rows are in masks (delete_mask.h), each of which names this. When the last
//                of them is settled, the segments forget what their rows replace.
// Keys           Where the statement assigned to columns of secondary indexes, the entries of the
//                new versions are packed (packed_entries.h), and are entered when the segments
//                forget.
// Order          Masks are settled oldest first: one whose segment knows old versions waits. So the
//                version that goes is the last one of its row, and needs no successor.
// Thread safety  segments, changed: the transaction's until it commits, then nobody changes them.
//                masks: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/ids.h"

namespace omendb::engine {

struct Replacement {
  std::vector<uint64_t> segments;  // of the new versions, by number
  std::vector<ColumnId> changed;   // columns of indexes that may have got new values
  std::atomic<uint32_t> masks{0};  // not settled yet
};

}  // namespace omendb::engine
