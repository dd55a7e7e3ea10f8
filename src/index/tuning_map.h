// tuning_map.h - what self-tuning knows of one index: its slices, how each is to be filled, and
// what operations in them cost.
//
// The keys are cut into slices of about as many leaves; eight slices in a row are a region. Every
// fourth is of the arm on which changes are tried, so that what is worse is so for a quarter of the
// keys at most (tuner.h). Who runs a sampled operation adds its cost here: one operation in 256 of
// each thread, so that no line is fought over.
//
// Thread safety  Observe, LevelsOf: any thread under an epoch guard. Set: the tuning thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/fill_levels.h"
#include "index/tuner.h"

namespace omendb::index {

class TuningMap {
 public:
  static constexpr size_t kSlicesPerRegion = 8;
  static constexpr size_t kRegionsMax = 8;

  // `lows`: the first key of each slice, ascending from 0. Requires: a multiple of
  // kSlicesPerRegion, at most kRegionsMax times it; levels for each region.
  TuningMap(std::vector<uint64_t> lows, std::span<const FillLevels> levels);

  // A sampled operation: `ticks` for `units` of it.
  void Observe(Operation operation, uint64_t key, uint64_t ticks, uint64_t units);
  // As Operation::kRebuild of a leaf filled by `levels`; counted only if they still hold there.
  void ObserveRebuild(uint64_t key, FillLevels levels, uint64_t ticks, uint64_t inserts);
  FillLevels LevelsOf(uint64_t key) const;

  size_t regions() const { return lows_.size() / kSlicesPerRegion; }
  void Set(size_t region, FillLevels arm, FillLevels trial_arm);
  RegionSums Totals(size_t region) const;
  size_t RegionOf(uint64_t key) const { return SliceOf(key) / kSlicesPerRegion; }

 private:
  struct alignas(64) Line {
    std::atomic<uint64_t> count{0}, units{0}, sum{0}, squares{0};
    void Add(uint64_t n, uint64_t cost);
  };
  struct Region {
    std::atomic<uint32_t> levels[2];
    Line lines[2][kOperations];
  };
  size_t SliceOf(uint64_t key) const;
  static size_t ArmOf(size_t slice) { return slice % 4 == 1 ? 1 : 0; }

  const std::vector<uint64_t> lows_;
  std::array<Region, kRegionsMax> regions_;
};

}  // namespace omendb::index
