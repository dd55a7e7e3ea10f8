// block_counts.h - what a scan did with the blocks of segments, for EXPLAIN ANALYZE.
//
// Thread safety  Any thread, while the scan runs too.
#pragma once

#include <cstdint>

namespace omendb::engine {

struct BlockCounts {
  uint64_t read = 0;     // of columns
  uint64_t loaded = 0;   // of these, from files: the cache did not have them
  uint64_t skipped = 0;  // ruled out by zones
};

// A Relation::Scan that reads segments is one of these too.
class CountsBlocks {
 public:
  virtual ~CountsBlocks() = default;
  virtual BlockCounts block_counts() const = 0;
};

}  // namespace omendb::engine
