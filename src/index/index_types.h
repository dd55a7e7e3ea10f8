// index_types.h - what the index structures share: entries, options, statistics.
#pragma once

#include <cstddef>
#include <cstdint>

namespace omendb::index {

// A key and what it maps to. Values are opaque: row ids, mostly.
struct Entry {
  uint64_t key = 0;
  uint64_t value = 0;
  friend bool operator==(const Entry&, const Entry&) = default;
};

enum class Direction { kForward, kBackward };

struct IndexOptions {
  // Whether the index adapts how it fills its leaves to what is done with it (integer keys only).
  bool tuning = true;
};

// Counters of the model path are sampled (one operation in 64 of each thread) and scaled, so that
// readers share no line; the structural figures are exact when no writer runs.
struct IndexStats {
  uint64_t model_hits = 0;   // Found at the place the model predicted.
  uint64_t corrections = 0;  // Found elsewhere in the predicted bucket or its overflow.
  uint64_t fallbacks = 0;    // Answered by a leaf that has no model.
  uint64_t retries = 0;      // Optimistic reads repeated because a writer was there.
  uint64_t splits = 0;       // Leaves replaced by more leaves.
  uint64_t rebuilds = 0;     // Leaves rebuilt in place.
  uint64_t merges = 0;       // Leaves joined with a neighbour.
  uint64_t model_leaves = 0;
  uint64_t plain_leaves = 0;
  uint32_t depth = 0;  // Levels, the leaves counted.
  // Self-tuning: changes tried, kept and taken back, and leaves rewritten for them.
  uint64_t trials = 0;
  uint64_t trials_kept = 0;
  uint64_t trials_reverted = 0;
  uint64_t rewritten = 0;
};

}  // namespace omendb::index
