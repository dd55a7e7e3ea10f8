// int_runs.cc - keys that come in order: what they leave behind stays full, what they go on to has
// room. The caller holds the leaf's lock.
#include <algorithm>

#include "index/int_tree.h"
#include "index/run_fit.h"

namespace omendb::index {

namespace {

// How much further than its keys so far a leaf reaches that is extended for keys in order.
constexpr uint32_t kExtendTimes = 4;
// Keys a leaf is made for that goes on where one filled in order ends.
constexpr uint32_t kNextKeys = kModelKeysMax * 15 / 16;
// A sealed leaf whose block takes more than this per key is packed first.
constexpr size_t kSealedBytesMax = 23;

}  // namespace

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
  return moved;
}

// Only where nothing lies beyond: keys that come in order between others may stop at any time, and
// the room would stay empty.
bool IntTree::Extend(Leaf* leaf, std::span<const Entry> entries, bool upward) {
  if (!leaf->Reaches(upward)) return false;
  ModelPlan plan;
  const bool fits = upward ? FitAppendLeaf(entries, kExtendTimes, leaf->last, &plan)
                           : FitPrependLeaf(entries, kExtendTimes, leaf->low, &plan);
  if (!fits) return false;
  RetireMemory(*leaf);
  FillModel(leaf, entries, plan);
  leaf->downward.set(!upward);
  rebuilds_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

std::vector<Leaf*> IntTree::Sealed(Leaf* leaf, uint64_t low, uint64_t last) {
  // Buckets whose keys were erased may lie beyond the outermost key, and so beyond the new range.
  const bool as_it_is = leaf->is_model()
                            ? leaf->bytes <= leaf->count.get() * kSealedBytesMax
                            : OutermostPlace(*leaf, false) == 0 &&
                                  leaf->After(OutermostPlace(*leaf, true)) >= leaf->End();
  if (as_it_is) return {MoveToNewHeader(leaf, low, last)};
  const std::vector<Entry>& entries = Gathered(*leaf);
  const auto plans = Partition(entries, Fill::kDense, false);
  RetireMemory(*leaf);
  return BuildLeaves(entries, plans, low, last);
}

// The empty leaf next to one that keys in order have filled. At the end of the index they go on, it
// is taken, as they came: the same line, so that nothing is moved until that leaf is full too.
void IntTree::FillNext(Leaf* next, const Leaf& filled, bool upward) {
  const uint32_t count = filled.count.get();
  // Not more keys than may be gathered when the leaf is cut one day.
  const auto scaled = [count](uint64_t of) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(of) * std::min(count, kNextKeys) /
                                 std::max<uint32_t>(1, count));
  };
  const uint64_t span = scaled(filled.span.get());
  const bool even = filled.is_model() && count > kModelKeysMax / 2 &&
                    span <= next->last - next->low && filled.bytes <= count * kSealedBytesMax;
  if (!even || !next->Reaches(upward)) {
    FillPlain(next, {}, Fill::kGrow);
    next->sticky_plain = filled.sticky_plain;
    next->downward.set(!upward);
    return;
  }
  ModelPlan plan;
  plan.buckets = static_cast<uint32_t>(scaled(filled.buckets.get())) + 1;
  plan.model = LinearModel::Make(upward ? next->low : next->last - span, span, plan.buckets);
  const auto spares = static_cast<uint32_t>(scaled(filled.spares_used));
  plan.spare_room = spares;
  plan.spare_limit = spares + spares / 16 + plan.buckets / 32 + 1;
  FillModel(next, {}, plan);
  next->downward.set(!upward);
}

// The leaf is done with: it keeps its keys, up to `top`, and what lies above them becomes a leaf of
// its own.
void IntTree::SealAndAppend(Leaf* leaf, uint64_t top) {
  std::vector<Leaf*> news = Sealed(leaf, leaf->low, top);
  news.push_back(NewLeaf(top + 1, leaf->last));
  FillNext(news.back(), *leaf, true);
  Leaf* const olds[] = {leaf};
  Replace(olds, news);
  splits_.fetch_add(1, std::memory_order_relaxed);
}

void IntTree::SealAndPrepend(Leaf* leaf, uint64_t bottom) {
  std::vector<Leaf*> news = Sealed(leaf, bottom, leaf->last);
  news.insert(news.begin(), NewLeaf(leaf->low, bottom - 1));
  FillNext(news.front(), *leaf, false);
  Leaf* const olds[] = {leaf};
  Replace(olds, news);
  splits_.fetch_add(1, std::memory_order_relaxed);
}

// Width 0: the key inserted last is elsewhere.
KeyRun IntTree::RunAt(const Leaf& leaf, uint64_t key) const {
  const uint64_t width = leaf.span.get() / leaf.buckets.get();
  const bool upward = leaf.latest < key;
  const uint64_t distance = upward ? key - leaf.latest : leaf.latest - key;
  if (leaf.count.get() == leaf.built_count || distance / 2 > width) return {};
  return {key, upward, width, run_growth_.load(std::memory_order_relaxed)};
}

// Of the bucket with the greatest or smallest key. Requires: the leaf is not empty.
uint32_t IntTree::OutermostPlace(const Leaf& leaf, bool upward) {
  uint32_t i = upward ? leaf.Before(leaf.End()) : 0;
  while (leaf.ChainAt(i).bucket->count() == 0) i = upward ? leaf.Before(i) : leaf.After(i);
  return i;
}

// The greatest or smallest key. Requires: the leaf is not empty.
uint64_t IntTree::Outermost(const Leaf& leaf, bool upward) {
  const Chain chain = leaf.ChainAt(OutermostPlace(leaf, upward));
  const Bucket& bucket = *chain.bucket;
  if (!upward) return bucket.keys[0].get();
  uint64_t top = bucket.keys[bucket.count() - 1].get();
  for (const Spare* spare = chain.Next(bucket.next()); spare != nullptr && spare->count() > 0;
       spare = chain.Next(spare->next())) {
    top = spare->keys[spare->count() - 1].get();
  }
  return top;
}

}  // namespace omendb::index
