// fill_levels.h - the knobs of how leaves are filled, and what their levels mean.
//
// Thread safety  Values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace omendb::index {

enum class Knob : uint8_t { kDensity, kLeafKeys, kSpill };
inline constexpr size_t kKnobs = 3;

// One level for each knob. The initial ones are what an index has that is not tuned.
struct FillLevels {
  static constexpr uint8_t kPacked = 0, kUsual = 1, kRoomy = 2;
  static constexpr uint8_t kMax[kKnobs] = {2, 2, 1};
  uint8_t level[kKnobs] = {kUsual, 2, 1};

  uint8_t density() const { return level[static_cast<size_t>(Knob::kDensity)]; }
  void SetDensity(uint8_t to) { level[static_cast<size_t>(Knob::kDensity)] = to; }
  bool CanMove(Knob knob, int step) const {
    const int to = level[static_cast<size_t>(knob)] + step;
    return to >= 0 && to <= kMax[static_cast<size_t>(knob)];
  }
  // Requires: CanMove(knob, step).
  FillLevels Moved(Knob knob, int step) const {
    FillLevels moved = *this;
    uint8_t& to = moved.level[static_cast<size_t>(knob)];
    to = static_cast<uint8_t>(to + step);
    return moved;
  }
  uint32_t Pack() const { return level[0] | uint32_t{level[1]} << 8 | uint32_t{level[2]} << 16; }
  static FillLevels Unpack(uint32_t bits) {
    FillLevels levels;
    for (size_t i = 0; i < kKnobs; ++i) levels.level[i] = static_cast<uint8_t>(bits >> (8 * i));
    return levels;
  }
  friend bool operator==(const FillLevels&, const FillLevels&) = default;
};

// What fit.h is given. The limits that bound memory and foreground work are its own and stay.
struct FillLimits {
  // Keys per bucket of a leaf that is to grow.
  double grow_mean = 10.25;
  // Keys of a leaf with a line at most.
  size_t keys_max = 8192;
  // Share of the keys that may lie in spares.
  double spill_max = 0.10;
};

inline FillLimits LimitsOf(FillLevels levels) {
  FillLimits limits;
  // Why 9: 28.4 bytes a key and a few spares, still under the limit of 31 for a leaf that grows.
  if (levels.density() == FillLevels::kRoomy) limits.grow_mean = 9;
  limits.keys_max >>= FillLevels::kMax[static_cast<size_t>(Knob::kLeafKeys)] -
                      levels.level[static_cast<size_t>(Knob::kLeafKeys)];
  if (levels.level[static_cast<size_t>(Knob::kSpill)] == 0) limits.spill_max = 0.05;
  return limits;
}

}  // namespace omendb::index
