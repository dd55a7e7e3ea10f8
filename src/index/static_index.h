// static_index.h - the immutable index of a sorted run: an error-bounded piecewise-linear model.
//
// Built in one pass over a sorted key column (repeated keys allowed); it does not keep the keys.
// LowerBound answers with a window of positions that contains the lower bound of the key, never
// wider than one block of 1,024 keys, so that a reader of the run touches two blocks at most.
// Where the model would cost more than fences (every 1,024th key), fences are kept instead.
//
// The knots are a greedy spline: a segment grows while some line from its first point passes within
// kErrorAim of every point since. The true maximum error is then measured over every key with the
// arithmetic that lookups use, and stored: the window is right whatever was rounded.
//
// Thread safety  Immutable after Build and Parse.
// Errors         Parse: XX001 on a truncated or damaged image, saying what. Build: 22023 on
//                unsorted keys, saying where.
// Format         docs/learned-index.md, "The static index".
// See            Kipf et al., "RadixSpline" (2020); Ferragina and Vinciguerra, "The PGM-index"
//                (2020).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace omendb::index {

// Positions [begin, end]: the lower bound is one of them. end - begin <= kBlockKeys.
struct PositionRange {
  uint64_t begin = 0;
  uint64_t end = 0;
};

class StaticIndex {
 public:
  static constexpr uint32_t kBlockKeys = 1024;
  // Below kBlockKeys / 2, so that the window stays within a block's width after rounding.
  static constexpr uint32_t kErrorAim = 500;

  static Result<StaticIndex> Build(std::span<const uint64_t> sorted_keys);
  static Result<StaticIndex> Parse(std::string_view image);
  std::string Serialize() const;

  PositionRange LowerBound(uint64_t key) const;

  uint64_t size() const { return count_; }
  bool uses_fences() const { return fences_; }
  // The greatest distance between predicted and true position over all keys, gaps included.
  uint32_t max_error() const { return max_error_; }
  size_t MemoryBytes() const;

 private:
  uint64_t Predict(size_t segment, uint64_t key) const;
  size_t FindSegment(uint64_t key) const;
  void BuildKnots(std::span<const uint64_t> keys);
  uint64_t MeasureError(std::span<const uint64_t> keys) const;
  void BuildFences(std::span<const uint64_t> keys);

  std::vector<uint64_t> knot_keys_;       // Ascending; strictly, but for fences.
  std::vector<uint64_t> knot_positions_;  // Parallel; empty for fences, where it is known.
  uint64_t count_ = 0;
  uint64_t first_key_ = 0;
  uint64_t last_key_ = 0;
  uint32_t max_error_ = 0;
  bool fences_ = false;
};

}  // namespace omendb::index
