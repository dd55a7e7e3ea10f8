#include "index/run_fit.h"

#include <algorithm>
#include <cmath>

#include "index/leaf.h"

namespace omendb::index {

namespace {

// The share of the greatest leaf that one with room for a run is to hold in the end.
constexpr double kFullShare = 0.75;
// A leaf with room for a run has at least so many keys already.
constexpr size_t kKeysMin = 256;
// Fewer keys than this behind the run stay in one leaf with what lies ahead.
constexpr size_t kBehindMin = 2 * kKeysMin;
// A leaf with room is to hold at least so many in the end.
constexpr double kRoomyMin = 2048;
constexpr double kGrowthMax = 4;
// What less growth needs every leaf has that is to grow.
constexpr double kGrowthMin = 0.6;
// Density is compared over many widths, for certainty, and over fewer where that shows clearly
// more: the run has just begun.
constexpr uint64_t kWidths[] = {16, 4, 1};
constexpr double kClearly = 1.2;
// So many widths behind the run, where old and new keys may lie, stay with what lies ahead: the
// rest is as even as it was.
constexpr uint64_t kWidthsKept = 8;
// What is known from elsewhere counts as so many keys.
constexpr double kExpectedWeight = 24;
// Where the keys are denser than the line thinks, it is given that much more.
constexpr double kMore[] = {1, 1.25, 1.6};

size_t PositionOf(std::span<const Entry> entries, uint64_t key) {
  const auto at = std::lower_bound(entries.begin(), entries.end(), key,
                                   [](const Entry& entry, uint64_t k) { return entry.key < k; });
  return static_cast<size_t>(at - entries.begin());
}

uint64_t Times(uint64_t width, uint64_t times) {
  return width > UINT64_MAX / times ? UINT64_MAX : width * times;
}

// The entries that are at most `width` below the key, or less than that above it.
size_t CountNear(std::span<const Entry> entries, uint64_t key, uint64_t width, bool below) {
  const size_t at = PositionOf(entries, key);
  if (below) return at - PositionOf(entries, key - std::min(key, width));
  return PositionOf(entries, key + std::min(UINT64_MAX - key, width)) - at;
}

void Append(std::vector<LeafPlan>& plans, std::span<const Entry> entries, size_t begin, size_t end,
            const FillLimits& limits) {
  if (begin == end) return;
  const auto part = entries.subspan(begin, end - begin);
  for (LeafPlan plan : Partition(part, Fill::kDense, false, limits)) {
    plan.begin += begin;
    plan.end += begin;
    plans.push_back(plan);
  }
}

}  // namespace

double GrowthOf(std::span<const Entry> entries, const KeyRun& run) {
  const uint64_t reach = run.upward ? run.key - std::min(run.key, entries.front().key)
                                    : std::max(run.key, entries.back().key) - run.key;
  double growth = 0;
  for (const uint64_t widths : kWidths) {
    // As far ahead as there are keys behind.
    const uint64_t width = std::min(reach, Times(run.width, widths));
    const auto behind = static_cast<double>(CountNear(entries, run.key, width, run.upward));
    const auto ahead = static_cast<double>(CountNear(entries, run.key, width, !run.upward));
    const double here =
        (behind + kExpectedWeight * (1 + run.expected)) / (ahead + kExpectedWeight) - 1;
    if (widths == kWidths[0] || 1 + here > kClearly * (1 + growth)) growth = here;
  }
  return std::min(growth, kGrowthMax);
}

std::vector<LeafPlan> PartitionRun(std::span<const Entry> entries, const KeyRun& run, double growth,
                                   const FillLimits& limits) {
  if (growth < kGrowthMin) return {};
  const size_t at = PositionOf(entries, run.key);
  const size_t behind = run.upward ? at : entries.size() - at;
  const size_t ahead = entries.size() - behind;
  const double full = kFullShare * static_cast<double>(limits.keys_max);
  const double after = static_cast<double>(ahead) * (1 + growth);
  const double pieces = std::max(1.0, std::ceil(after / full));
  const auto taken = static_cast<size_t>(static_cast<double>(ahead) / pieces);
  size_t kept = CountNear(entries, run.key, Times(run.width, kWidthsKept), run.upward);
  kept = std::max(kept, static_cast<size_t>(std::max(0.0, kRoomyMin - after / pieces)));
  if (behind < kept + kBehindMin) kept = behind;
  // The leaf of the key begins with the entry below it.
  kept = std::max<size_t>(kept, behind > 0 && run.upward ? 1 : 0);
  const size_t begin = run.upward ? at - kept : at - taken;
  const size_t end = run.upward ? at + taken : at + kept;
  LeafPlan roomy{begin, end, Fill::kGrow};
  for (const double more : kMore) {
    const double keys = more * (static_cast<double>(kept) + after / pieces);
    if (end - begin < kKeysMin || roomy.model) break;
    roomy.model = FitRunLeaf(entries.subspan(begin, end - begin), keys, limits, &roomy.plan);
  }
  if (!roomy.model && (end - begin >= kKeysMin || begin == end)) return {};
  std::vector<LeafPlan> plans;
  Append(plans, entries, 0, begin, limits);
  plans.push_back(roomy);
  Append(plans, entries, end, entries.size(), limits);
  return plans;
}

}  // namespace omendb::index
