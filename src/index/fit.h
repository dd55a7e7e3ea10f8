// fit.h - cuts sorted entries into leaves: model leaves where a line fits, plain leaves elsewhere.
//
// A line fits a run of keys when dealing them to buckets by it leaves few of them in spares and the
// space per key stays near a B-tree's. The judge is the space that would really be used, counted
// over every key, so no assumption about the keys can make it wrong.
//
// Greedy from the left, with the piece size doubled after success and halved after failure, and
// then stretched towards the size that failed: every key is looked at a bounded number of times.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "index/fill_levels.h"
#include "index/index_types.h"
#include "index/linear_model.h"

namespace omendb::index {

// How leaves are to be filled.
enum class Fill {
  kDense,  // Bulk load and what is not expected to grow: near 100 %.
  kGrow,   // Room for about 40 % more.
};

struct ModelPlan {
  LinearModel model;
  uint32_t buckets = 0;
  uint32_t spares = 0;       // Needed by the keys at hand.
  uint32_t spare_room = 0;   // Allocated at once, the needed ones included.
  uint32_t spare_limit = 0;  // So many there may be before the leaf is rebuilt.
};

struct LeafPlan {
  size_t begin = 0;
  size_t end = 0;
  Fill fill = Fill::kDense;
  bool model = false;
  ModelPlan plan = {};
};

// Tries one model leaf over `entries`. False when no acceptable line exists.
// Requires: 2 <= entries.size() <= kModelKeysMax, strictly ascending.
bool FitModelLeaf(std::span<const Entry> entries, Fill fill, const FillLimits& limits,
                  ModelPlan* plan);

// As FitModelLeaf with Fill::kDense, but sized for `times` as many keys going on upwards at the
// same density, with nothing above `last`.
bool FitAppendLeaf(std::span<const Entry> entries, uint32_t times, uint64_t last, ModelPlan* plan);
// The same for keys going on downwards, with nothing below `low`.
bool FitPrependLeaf(std::span<const Entry> entries, uint32_t times, uint64_t low, ModelPlan* plan);
// A leaf over `entries` with room for `keys` of them between the first and the last.
bool FitRunLeaf(std::span<const Entry> entries, double keys, const FillLimits& limits,
                ModelPlan* plan);

// Cuts all of `entries` (not empty). `plain_only` keeps it from trying models.
std::vector<LeafPlan> Partition(std::span<const Entry> entries, Fill fill, bool plain_only,
                                const FillLimits& limits = {});

}  // namespace omendb::index
