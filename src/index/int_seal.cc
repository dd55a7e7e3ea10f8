// int_seal.cc - leaves that keys in order have filled: what they leave behind stays as it is, what
// they go on to has room. The caller holds the leaf's lock.
#include <algorithm>

#include "index/int_tree.h"

namespace omendb::index {

namespace {

// Keys a leaf is made for that goes on where one filled in order ends.
constexpr uint32_t kNextKeys = kModelKeysMax * 15 / 16;
// Keys lie unevenly if one bucket in so many, or more, has a spare: then buckets are to hold this
// many on average.
constexpr uint32_t kFewSpares = 16;
constexpr double kUnevenMean = 13.5;
constexpr double kSpanMax = 1.8e19;
// So many keys in either half of what came lately tell how dense they are.
constexpr size_t kLateKeysMin = 128;
// A sealed leaf whose block takes more than this per key is packed first.
constexpr size_t kSealedBytesMax = 23;

}  // namespace

// The leaf is done with: it keeps its keys, up to `top`, and what lies above them becomes a leaf of
// its own, by `plan` if there is one.
void IntTree::SealAndAppend(Leaf* leaf, uint64_t top, const ModelPlan* plan) {
  const uint32_t sticky = leaf->sticky_plain;
  std::vector<Leaf*> news = Sealed(leaf, leaf->low, top, true);
  news.push_back(NewLeaf(top + 1, leaf->last));
  FillNext(news.back(), sticky, true, plan);
  Leaf* const olds[] = {leaf};
  Replace(olds, news);
  splits_.fetch_add(1, std::memory_order_relaxed);
}

void IntTree::SealAndPrepend(Leaf* leaf, uint64_t bottom, const ModelPlan* plan) {
  const uint32_t sticky = leaf->sticky_plain;
  std::vector<Leaf*> news = Sealed(leaf, bottom, leaf->last, false);
  news.insert(news.begin(), NewLeaf(leaf->low, bottom - 1));
  FillNext(news.front(), sticky, false, plan);
  Leaf* const olds[] = {leaf};
  Replace(olds, news);
  splits_.fetch_add(1, std::memory_order_relaxed);
}

std::vector<Leaf*> IntTree::Sealed(Leaf* leaf, uint64_t low, uint64_t last, bool upward) {
  // Buckets whose keys were erased may lie beyond the outermost key, and so beyond the new range.
  const bool as_it_is = leaf->is_model()
                            ? BytesWithin(*leaf, low, last) <= leaf->count.get() * kSealedBytesMax
                            : OutermostPlace(*leaf, false) == 0 &&
                                  leaf->After(OutermostPlace(*leaf, true)) >= leaf->End();
  if (as_it_is) return {MoveToNewHeader(leaf, low, last)};
  if (leaf->is_model()) {
    std::vector<Leaf*> parts = SealedInParts(leaf, low, last, upward);
    if (!parts.empty()) return parts;
  }
  const std::span<const Entry> entries = Gathered(*leaf);
  const auto plans = Partition(entries, Fill::kDense, false);
  RetireMemory(*leaf);
  return BuildLeaves(entries, plans, low, last);
}

// What the leaf would take with that range.
size_t IntTree::BytesWithin(const Leaf& leaf, uint64_t low, uint64_t last) {
  if (!leaf.is_model()) return leaf.bytes;
  const uint64_t first = leaf.Route(low) / kSegmentBuckets;
  const uint64_t end = leaf.Route(last) / kSegmentBuckets + 1;
  size_t bytes = leaf.bytes;
  for (uint32_t s = 0; s < leaf.segments(); ++s) {
    if ((s < first || s >= end) && leaf.HasSegment(s)) bytes -= leaf.SegmentBytes(s);
  }
  return bytes;
}

// So many segments from where the run began are filled well, as far as keys kept to the line.
uint32_t IntTree::WellFilled(const Leaf& leaf, bool upward) {
  const uint32_t segments = leaf.segments();
  size_t bytes = leaf.spare_capacity * sizeof(Spare), keys = 0;
  uint32_t well = 0;
  for (uint32_t i = 0; i < segments; ++i) {
    const uint32_t s = upward ? i : segments - 1 - i;
    const uint32_t begin = s * kSegmentBuckets;
    const uint32_t end = std::min(begin + kSegmentBuckets, leaf.buckets.get());
    for (uint32_t b = begin; b < end; ++b) keys += leaf.ChainAt(b).Count();
    if (leaf.HasSegment(s)) bytes += leaf.SegmentBytes(s);
    if (bytes <= keys * kSealedBytesMax) well = i + 1;
  }
  return well;
}

// Keys that left the leaf's line in its midst: what came before stays as it is, the rest is packed.
// Empty: there is nothing that may stay.
std::vector<Leaf*> IntTree::SealedInParts(Leaf* leaf, uint64_t low, uint64_t last, bool upward) {
  const uint32_t well = WellFilled(*leaf, upward);
  if (well == 0 || well == leaf->segments()) return {};
  const uint32_t cut = (upward ? well : leaf->segments() - well) * kSegmentBuckets;
  const uint64_t bound = leaf->model().FirstAt(cut);  // The upper part begins with it.
  if (bound <= low || bound > last || leaf->Route(bound) < cut || leaf->Route(bound - 1) >= cut) {
    return {};
  }
  const auto rest = Gathered(*leaf, upward ? cut : 0, upward ? leaf->End() : cut);
  if (rest.empty()) return {};
  const auto plans = Partition(rest, Fill::kDense, false);
  auto parts = BuildLeaves(rest, plans, upward ? bound : low, upward ? last : bound - 1);
  const auto kept = leaf->count.get() - static_cast<uint32_t>(rest.size());
  Leaf* const stays = MoveToNewHeader(leaf, upward ? low : bound, upward ? bound - 1 : last);
  stays->SetBuilt(kept);
  parts.insert(upward ? parts.begin() : parts.end(), stays);
  return parts;
}

Leaf* IntTree::MoveToNewHeader(Leaf* leaf, uint64_t low, uint64_t last) {
  Leaf* moved = NewLeaf(low, last);
  moved->base.set(leaf->base.get());
  moved->span.set(leaf->span.get());
  moved->factor.set(leaf->factor.get());
  moved->shape.set(leaf->shape.get());
  moved->buckets.set(leaf->buckets.get());
  moved->count.set(leaf->count.get());
  moved->shrink_below.set(leaf->shrink_below.get());
  moved->spare_capacity = leaf->spare_capacity;
  moved->spares_used = leaf->spares_used;
  moved->spare_limit = leaf->spare_limit;
  moved->bytes = leaf->bytes;
  moved->built_count = leaf->built_count;
  moved->sticky_plain = leaf->sticky_plain;
  moved->filled.set(leaf->filled.get());
  for (uint32_t i = 0; i < kGroups; ++i) {
    moved->tops[i].set(leaf->tops[i].get());
    moved->pieces[i].set_release(leaf->pieces[i].get());
    moved->sizes[i].set(leaf->sizes[i].get());
  }
  for (uint32_t i = 0; i < SpareTable::kSegments; ++i) {
    moved->spares.words[i].set(leaf->spares.words[i].get());
  }
  if (moved->is_model()) FitSegments(moved);
  return moved;
}

// The line and the room for keys that go on as they came into the leaf lately: as many buckets, as
// full, but not for more keys than may be gathered when the new leaf is cut one day. False: it is
// not known how they come.
bool IntTree::PlanNext(const Leaf& filled, bool upward, ModelPlan* plan) {
  const uint32_t all = filled.buckets.get(), outer = OutermostPlace(filled, upward);
  const uint32_t used = upward ? outer + 1 : all - outer;
  const uint32_t late = used / 8;  // Twice.
  size_t keys[2] = {0, 0};
  for (uint32_t i = 0; i < 2 * late; ++i) {
    keys[i / late] += filled.ChainAt(upward ? outer - i : outer + i).Count();
  }
  const size_t few = std::min(keys[0], keys[1]), many = std::max(keys[0], keys[1]);
  if (few < kLateKeysMin || many - few > few / 4) return false;
  const double recent = static_cast<double>(keys[0] + keys[1]) / (2 * late);
  const double width = static_cast<double>(filled.span.get()) / all;
  return PlanFor(recent, width, filled.spares_used > used / kFewSpares, plan);
}

// The same of keys of which a plain leaf is full, if a line fits them.
bool IntTree::PlanAfterPlain(const Leaf& filled, ModelPlan* plan) {
  ModelPlan fits;
  const std::span<const Entry> entries = Gathered(filled);
  if (!FitModelLeaf(entries, Fill::kDense, FillLimits{}, &fits)) return false;
  const double mean = static_cast<double>(entries.size()) / fits.buckets;
  const double width = static_cast<double>(fits.model.span) / fits.buckets;
  return PlanFor(mean, width, fits.spares > fits.buckets / kFewSpares, plan);
}

// For keys of which a bucket of such a width gets so many. False: there is no line so wide.
bool IntTree::PlanFor(double keys, double width, bool uneven, ModelPlan* plan) {
  const double full = uneven ? kUnevenMean : std::max(keys, kUnevenMean);
  plan->buckets = static_cast<uint32_t>(kNextKeys / full) + 1;
  const double span = width * full / keys * plan->buckets;
  if (span >= kSpanMax) return false;
  plan->model.span = static_cast<uint64_t>(span);
  plan->spare_room = uneven ? plan->buckets / 4 : 0;
  plan->spare_limit = uneven ? plan->buckets * 5 / 8 : plan->buckets / 32 + 1;
  return true;
}

// The empty leaf next to one that keys in order have filled: with a line if it is known how they
// come, so that nothing is moved until that leaf is full too.
void IntTree::FillNext(Leaf* next, uint32_t sticky, bool upward, const ModelPlan* plan) {
  if (plan != nullptr && next->Reaches(upward) && plan->model.span <= next->last - next->low) {
    ModelPlan placed = *plan;
    const uint64_t span = plan->model.span;
    placed.model = LinearModel::Make(upward ? next->low : next->last - span, span, plan->buckets);
    FillModel(next, {}, placed);
  } else {
    FillPlain(next, {}, Fill::kGrow);
    next->sticky_plain = sticky;
  }
  next->downward.set(!upward);
}

}  // namespace omendb::index
