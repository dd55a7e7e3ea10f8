#include "index/tuning_map.h"

#include <algorithm>

#include "base/check.h"

namespace omendb::index {

namespace {

// Costs are kept in 16ths of a tick: an entry scanned takes a few ticks.
constexpr uint64_t kScale = 16;
// What a unit may cost: beyond it the thread was preempted, or touched a page for the first time.
constexpr uint64_t kTicksMax[kOperations] = {4000, 4000, 500, 4000};

}  // namespace

TuningMap::TuningMap(std::vector<uint64_t> lows, std::span<const FillLevels> levels)
    : lows_(std::move(lows)) {
  OMEN_CHECK(!lows_.empty() && lows_.size() % kSlicesPerRegion == 0);
  OMEN_CHECK(lows_.front() == 0 && regions() <= kRegionsMax && levels.size() == regions());
  for (size_t i = 0; i < levels.size(); ++i) Set(i, levels[i], levels[i]);
}

size_t TuningMap::SliceOf(uint64_t key) const {
  return static_cast<size_t>(std::upper_bound(lows_.begin(), lows_.end(), key) - lows_.begin()) - 1;
}

void TuningMap::Line::Add(uint64_t n, uint64_t cost) {
  count.fetch_add(1, std::memory_order_relaxed);
  units.fetch_add(n, std::memory_order_relaxed);
  sum.fetch_add(cost, std::memory_order_relaxed);
  squares.fetch_add(cost * cost, std::memory_order_relaxed);
}

void TuningMap::Observe(Operation operation, uint64_t key, uint64_t ticks, uint64_t units) {
  if (units == 0) return;
  const size_t slice = SliceOf(key), at = static_cast<size_t>(operation);
  const uint64_t cost = std::min(ticks * kScale / units, kTicksMax[at] * kScale);
  regions_[slice / kSlicesPerRegion].lines[ArmOf(slice)][at].Add(units, cost);
}

void TuningMap::ObserveRebuild(uint64_t key, FillLevels levels, uint64_t ticks, uint64_t inserts) {
  if (LevelsOf(key) == levels) Observe(Operation::kRebuild, key, ticks, inserts);
}

FillLevels TuningMap::LevelsOf(uint64_t key) const {
  const size_t slice = SliceOf(key);
  const Region& region = regions_[slice / kSlicesPerRegion];
  return FillLevels::Unpack(region.levels[ArmOf(slice)].load(std::memory_order_relaxed));
}

void TuningMap::Set(size_t region, FillLevels arm, FillLevels trial_arm) {
  regions_[region].levels[0].store(arm.Pack(), std::memory_order_relaxed);
  regions_[region].levels[1].store(trial_arm.Pack(), std::memory_order_relaxed);
}

RegionSums TuningMap::Totals(size_t region) const {
  RegionSums sums;
  for (size_t arm = 0; arm < 2; ++arm) {
    for (size_t i = 0; i < kOperations; ++i) {
      const Line& line = regions_[region].lines[arm][i];
      sums.arms[arm][i] = {
          line.count.load(std::memory_order_relaxed), line.units.load(std::memory_order_relaxed),
          line.sum.load(std::memory_order_relaxed), line.squares.load(std::memory_order_relaxed)};
    }
  }
  return sums;
}

}  // namespace omendb::index
