// run_fit.h - cuts a leaf into which keys come in order, between those it has.
//
// Behind the run lie old and new keys, ahead of it only old ones: how much denser it is behind
// tells how much is still to come. So much room is given to the next stretch of the leaf, at once,
// and nothing to what lies behind or further ahead: what the run does not reach stays packed.
#pragma once

#include <span>
#include <vector>

#include "index/fit.h"

namespace omendb::index {

struct KeyRun {
  uint64_t key = 0;  // Comes next; not among the entries.
  bool upward = true;
  uint64_t width = 0;   // Of a bucket, in keys.
  double expected = 1;  // What growth is, for all that is known from elsewhere.
};

// Keys to come for each that lies ahead. Bounded, as it is a guess from a few dozen keys.
double GrowthOf(std::span<const Entry> entries, const KeyRun& run);

// The leaves that make room for the run. Empty where no line fits them.
std::vector<LeafPlan> PartitionRun(std::span<const Entry> entries, const KeyRun& run, double growth,
                                   const FillLimits& limits);

}  // namespace omendb::index
