#include "index/fit.h"

#include <algorithm>

#include "base/check.h"
#include "index/bucket.h"
#include "index/leaf.h"

namespace omendb::index {

namespace {

// Bytes a key may take in a model leaf. absl::btree_map takes 18.7 when loaded in order (17.6 by
// hint) and about 24 when filled at random; the limits keep us within 1.25 times that.
constexpr double kDenseBytesMax = 21.6;
constexpr double kGrowBytesMax = 31.0;
// What a key in a spare is worth in bytes, when fill factors are compared.
constexpr double kSpareKeyPenalty = 40;
// Keys per bucket aimed at. Evenly spaced keys fill buckets to the brim; random ones vary by the
// square root of the mean, and a lower mean then saves more spares than it costs buckets. (For
// leaves that grow: FillLimits.)
constexpr double kDenseMeans[] = {15, 14, 13.25};
// Keys lie unevenly if, of so many dealt at the first mean, more than this share are in spares (at
// random: a tenth). This mean is right for them, and trying all takes three times as long.
constexpr double kUnevenMean = 13.75;
constexpr size_t kSampleKeys = 512;
constexpr double kUnevenShare = 0.05;
// The same for a leaf that keys in order are about to fill, and how many spares a bucket it will
// have then.
constexpr double kRunMean = 13.25, kRunSpares = 0.3;
// Spares a bucket at most when a growing leaf is built, so that a chain has room to grow. Why 3:
// of 800 buckets with 10.25 random keys each the fullest needs more than two every second time, and
// the leaf would be halved for it.
constexpr int kGrowChainMax = 3;
// Keys of a plain leaf: as loaded, and where keys are to come. They are taken in steps of so many
// until a line fits again.
constexpr size_t kPlainDenseKeys = 10 * 15 * 14;
constexpr size_t kPlainGrowKeys = kGroups / 2 * 12 * 12;
constexpr size_t kDenseStep = 448, kGrowStep = 512;
// How near to where the keys leave their line a leaf is cut. Why 16: one bucket. A leaf that has to
// grow is recut in the foreground and will be again: an eighth of it is near enough.
constexpr size_t kCutNear = 16;
// So many steps after a leaf with a line are half the size, so that the next line begins sooner.
constexpr size_t kPlainBetween = 3;
// A cut sought for leaves at least so many keys to the next leaf.
constexpr size_t kRestMin = kModelKeysMin / 2;

struct Dealt {
  bool ok = false;
  uint32_t spares = 0;
  size_t spare_keys = 0;
};

// Positions of neighbouring keys, of which the first kBack are those of the chunk before. A key is
// at least the d-th of its bucket but one if the key d before it goes to the same bucket.
class Positions {
 public:
  static constexpr size_t kChunk = 512;

  Positions() { std::fill(at_, at_ + kBack, uint16_t{kNone}); }
  // Requires: at most kChunk entries, as many as that in each chunk but the last.
  void Take(std::span<const Entry> entries, const LinearModel& model) {
    if (count_ > 0) std::copy(at_ + count_, at_ + count_ + kBack, at_);
    count_ = entries.size();
    for (size_t i = 0; i < count_; ++i) {
      at_[kBack + i] = static_cast<uint16_t>(model(entries[i].key));
    }
  }
  // How many keys of the chunk have `d` others before them in their bucket.
  size_t Behind(size_t d) const {
    using Lanes [[gnu::vector_size(16), gnu::may_alias, gnu::aligned(2)]] = uint16_t;
    const uint16_t* const here = at_ + kBack;
    Lanes minus = {};  // A comparison that holds gives -1.
    size_t i = 0;
    for (; i + 8 <= count_; i += 8) {
      minus += Lanes(*reinterpret_cast<const Lanes*>(here + i) ==
                     *reinterpret_cast<const Lanes*>(here + i - d));
    }
    size_t same = 0;
    for (size_t lane = 0; lane < 8; ++lane) same += static_cast<uint16_t>(-minus[lane]);
    for (; i < count_; ++i) same += here[i] == here[i - d];
    return same;
  }

 private:
  // As many keys as the longest chain may hold, and one.
  static constexpr size_t kBack = 32;
  static_assert(Bucket::kCapacity + kChainMax * Spare::kCapacity < kBack);
  static constexpr uint16_t kNone = UINT16_MAX;

  uint16_t at_[kBack + kChunk];
  size_t count_ = 0;
};

// Deals the keys to buckets and counts the spares. Stops early when over the limit.
Dealt Deal(std::span<const Entry> entries, const LinearModel& model, int chain_max,
           size_t spare_keys_max) {
  Dealt dealt;
  if (model(entries.back().key) >= UINT16_MAX) return dealt;
  constexpr size_t kFull = Bucket::kCapacity, kMore = Spare::kCapacity;
  Positions positions;
  for (size_t begin = 0; begin < entries.size(); begin += Positions::kChunk) {
    const size_t n = std::min(Positions::kChunk, entries.size() - begin);
    positions.Take(entries.subspan(begin, n), model);
    const size_t over = positions.Behind(kFull);
    dealt.spare_keys += over;
    if (dealt.spare_keys > spare_keys_max) return dealt;
    size_t next = over;  // Of those, the ones that are beyond `k` spares.
    for (int k = 0; k < chain_max && next > 0; ++k) {
      const size_t first = kFull + static_cast<size_t>(k) * kMore;
      // The first key of each spare: all but those that have one more before them.
      dealt.spares += static_cast<uint32_t>(next - positions.Behind(first + 1));
      next = positions.Behind(first + kMore);
    }
    if (next > 0) return dealt;
  }
  dealt.ok = true;
  return dealt;
}

uint32_t BucketsFor(size_t keys, double mean) {
  return std::max<uint32_t>(1, static_cast<uint32_t>(static_cast<double>(keys) / mean + 0.9999));
}

bool Holdable(const ModelPlan& plan) {
  return plan.buckets <= kModelBucketsMax && plan.spares <= SpareTable::kMax;
}

struct Candidate {
  bool ok = false;
  double cost = 0;
  ModelPlan plan;
};

Candidate Try(std::span<const Entry> entries, double mean, int chain_max, double bytes_max,
              double spill_max) {
  Candidate candidate;
  const size_t n = entries.size();
  ModelPlan& plan = candidate.plan;
  plan.buckets = BucketsFor(n, mean);
  const uint64_t base = entries.front().key;
  plan.model = LinearModel::Make(base, entries.back().key - base, plan.buckets);
  const Dealt dealt =
      Deal(entries, plan.model, chain_max, static_cast<size_t>(spill_max * static_cast<double>(n)));
  plan.spares = dealt.spares;
  const double bytes =
      (plan.buckets * double{sizeof(Bucket)} + plan.spares * double{sizeof(Spare)}) /
      static_cast<double>(n);
  candidate.ok = dealt.ok && bytes <= bytes_max && Holdable(plan);
  candidate.cost =
      bytes + kSpareKeyPenalty * static_cast<double>(dealt.spare_keys) / static_cast<double>(n);
  return candidate;
}

// Whether keys lie so unevenly that buckets are not to be filled to the brim, by the first of them.
bool Uneven(std::span<const Entry> entries) {
  if (entries.size() < 2 * kSampleKeys) return false;
  const auto sample = entries.first(kSampleKeys);
  return !Try(sample, kDenseMeans[0], kChainMax, kGrowBytesMax, kUnevenShare).ok;
}

Candidate BestDense(std::span<const Entry> entries, double spill_max) {
  Candidate best;
  if (Uneven(entries)) {
    best = Try(entries, kUnevenMean, kChainMax, kDenseBytesMax, spill_max);
    // What does not fit at this mean does not at greater ones.
    return best.ok ? best : Try(entries, kDenseMeans[2], kChainMax, kDenseBytesMax, spill_max);
  }
  for (double mean : kDenseMeans) {
    const Candidate candidate = Try(entries, mean, kChainMax, kDenseBytesMax, spill_max);
    if (candidate.ok && (!best.ok || candidate.cost < best.cost)) best = candidate;
    if (best.ok && best.plan.spares == 0) break;
  }
  return best;
}

// A piece of at most `max`, not leaving a remainder too small to be a leaf of its own.
size_t PieceSize(size_t remaining, size_t max) {
  if (remaining <= max) return remaining;
  if (remaining < 2 * max) return (remaining + 1) / 2;
  return max;
}

}  // namespace

bool FitModelLeaf(std::span<const Entry> entries, Fill fill, const FillLimits& limits,
                  ModelPlan* plan) {
  if (entries.size() < 2) return false;
  Candidate best;
  if (fill == Fill::kDense) {
    best = BestDense(entries, limits.spill_max);
    best.plan.spare_room = best.plan.spares;
    best.plan.spare_limit = best.plan.spares + best.plan.buckets / 16 + 1;
  } else {
    best = Try(entries, limits.grow_mean, kGrowChainMax, kGrowBytesMax, limits.spill_max);
    best.plan.spare_room = best.plan.spares + best.plan.buckets / 16;
    best.plan.spare_limit =
        std::max(best.plan.spares + best.plan.buckets / 8, best.plan.buckets / 2) + 1;
  }
  *plan = best.plan;
  return best.ok;
}

namespace {

// Widens a dense plan to `wide`, from `base` on, at the same keys per bucket.
bool Widen(std::span<const Entry> entries, uint64_t base, uint64_t wide, ModelPlan* plan) {
  const uint64_t span = std::max<uint64_t>(plan->model.span, 1);
  const double ratio = static_cast<double>(wide) / static_cast<double>(span);
  if (ratio < 1.5) return false;
  plan->buckets = static_cast<uint32_t>(plan->buckets * ratio) + 1;
  plan->model = LinearModel::Make(base, wide, plan->buckets);
  const Dealt dealt = Deal(entries, plan->model, kChainMax, entries.size() / 4);
  plan->spares = dealt.spares;
  if (!dealt.ok || !Holdable(*plan)) return false;
  plan->spare_room = static_cast<uint32_t>(plan->spares * ratio);
  plan->spare_limit = plan->spare_room + plan->spare_room / 10 + plan->buckets / 16 + 1;
  return true;
}

// `times` the span, but no more than there is room for, nor more buckets than a leaf may have.
uint64_t Wide(const ModelPlan& plan, uint64_t room, uint32_t times) {
  const uint64_t span = plan.model.span;
  times = std::min(times, (kModelBucketsMax - 1) / plan.buckets);
  return span > room / times ? room : span * times;
}

}  // namespace

bool FitAppendLeaf(std::span<const Entry> entries, uint32_t times, uint64_t last, ModelPlan* plan) {
  const Candidate best = BestDense(entries, FillLimits{}.spill_max);
  if (!best.ok) return false;
  *plan = best.plan;
  const uint64_t base = plan->model.base;
  return Widen(entries, base, Wide(*plan, last - base, times), plan);
}

bool FitPrependLeaf(std::span<const Entry> entries, uint32_t times, uint64_t low, ModelPlan* plan) {
  const Candidate best = BestDense(entries, FillLimits{}.spill_max);
  if (!best.ok) return false;
  *plan = best.plan;
  const uint64_t top = plan->model.base + plan->model.span;
  const uint64_t wide = Wide(*plan, top - low, times);
  return Widen(entries, top - wide, wide, plan);
}

bool FitRunLeaf(std::span<const Entry> entries, double keys, const FillLimits& limits,
                ModelPlan* plan) {
  const auto n = static_cast<double>(entries.size());
  const uint64_t base = entries.front().key;
  plan->buckets = BucketsFor(static_cast<size_t>(keys), kRunMean);
  plan->model = LinearModel::Make(base, entries.back().key - base, plan->buckets);
  const Dealt dealt =
      Deal(entries, plan->model, kGrowChainMax, static_cast<size_t>(limits.spill_max * n));
  plan->spares = dealt.spares;
  plan->spare_room = std::max(dealt.spares, static_cast<uint32_t>(plan->buckets * kRunSpares));
  plan->spare_limit = std::max(plan->spare_room + plan->buckets / 8, plan->buckets / 2) + 1;
  return dealt.ok && Holdable(*plan);
}

namespace {

// The longest run from the first entry on that a line fits, found by halving and then halving what
// is between it and one that fails; 0 if there is none. Keys often follow one line up to a break (a
// gap, another rate): a cut there makes larger leaves, and fewer that no line fits.
size_t FitLongest(std::span<const Entry> entries, size_t aim, Fill fill, const FillLimits& limits,
                  ModelPlan* plan) {
  size_t fails = 0;
  size_t size = PieceSize(entries.size(), aim);
  while (size >= kModelKeysMin && !FitModelLeaf(entries.first(size), fill, limits, plan)) {
    fails = size;
    size = PieceSize(size, (size + 1) / 2);
  }
  if (size < kModelKeysMin) return 0;
  if (fails == 0) return size;
  fails = std::min(fails, entries.size() - std::min(entries.size(), kRestMin));
  const size_t near = fill == Fill::kDense ? kCutNear : std::max(kCutNear, size / 8);
  while (fails > size + near) {
    const size_t middle = size + (fails - size) / 2;
    ModelPlan longer;
    if (FitModelLeaf(entries.first(middle), fill, limits, &longer)) {
      size = middle;
      *plan = longer;
    } else {
      fails = middle;
    }
  }
  return size;
}

}  // namespace

std::vector<LeafPlan> Partition(std::span<const Entry> entries, Fill fill, bool plain_only,
                                const FillLimits& limits) {
  std::vector<LeafPlan> leaves;
  size_t begin = 0;
  size_t aim = limits.keys_max;
  size_t plain_steps = 0;  // Since the last leaf with a line.
  while (begin < entries.size()) {
    const auto rest = entries.subspan(begin);
    LeafPlan leaf{begin, begin, fill};
    size_t size = plain_only ? 0 : FitLongest(rest, aim, fill, limits, &leaf.plan);
    leaf.model = size > 0;
    if (leaf.model) {
      aim = std::min(limits.keys_max, size * 2);
      plain_steps = 0;
    } else {
      // Soon after a leaf with a line another may begin.
      const size_t step = fill == Fill::kGrow                              ? kGrowStep
                          : !leaves.empty() && plain_steps < kPlainBetween ? kDenseStep / 2
                                                                           : kDenseStep;
      size = PieceSize(rest.size(), step);
      aim = kModelKeysMin * 2;
      ++plain_steps;
    }
    begin += size;
    const size_t plain_max = fill == Fill::kGrow ? kPlainGrowKeys : kPlainDenseKeys;
    if (!leaf.model && plain_steps > 1 && begin - leaves.back().begin <= plain_max) {
      leaves.back().end = begin;
    } else {
      leaf.end = begin;
      leaves.push_back(leaf);
    }
  }
  return leaves;
}

}  // namespace omendb::index
