// int_groups.cc - how groups of buckets share, split and join, and plain leaves by whole groups.
// The caller holds the leaf's lock.
//
// No entry is copied: a leaf that is split hands its groups on to two new headers.
#include <algorithm>

#include "index/int_tree.h"

namespace omendb::index {

namespace {

// Groups with fewer buckets than this look for a neighbour to join, up to kJoinMax together.
constexpr uint32_t kJoinBelow = 5;
constexpr uint32_t kJoinMax = 12;

}  // namespace

// Moves buckets, but not that of the new key, to a neighbour with room.
bool IntTree::ShareGroup(Leaf* leaf, uint32_t place, KeyOrder order) {
  const uint32_t g = place / kGroupSize, slot = place % kGroupSize;
  const auto share = [leaf, order](uint32_t to, uint32_t most) {
    const uint32_t room = kGroupSize - leaf->sizes[to].get();
    return std::min(most, order == KeyOrder::kNone ? (room + 1) / 2 : room);
  };
  if (g > 0 && order != KeyOrder::kDownward) {
    const uint32_t count = share(g - 1, slot);
    if (count > 0) return MoveBuckets(leaf, g, g - 1, count), true;
  }
  if (g + 1 < leaf->groups() && order != KeyOrder::kUpward) {
    const uint32_t count = share(g + 1, kGroupSize - 1 - slot);
    if (count > 0) return MoveBuckets(leaf, g, g + 1, count), true;
  }
  return false;
}

// To the group before or after, the buckets next to it.
void IntTree::MoveBuckets(Leaf* leaf, uint32_t from, uint32_t to, uint32_t count) {
  BucketGroup& source = *leaf->GroupAt(from);
  BucketGroup& target = *leaf->GroupAt(to);
  const uint32_t has = leaf->sizes[to].get(), size = leaf->sizes[from].get();
  leaf->Scatter(from);
  leaf->Scatter(to);
  if (to < from) {
    for (uint32_t i = 0; i < count; ++i) target.CopySlot(has + i, source, i);
    source.RemoveAt(0, count, size);
    leaf->tops[to].set(target.upper[has + count - 1].get());
  } else {
    for (uint32_t i = has; i-- > 0;) target.CopySlot(i + count, target, i);
    for (uint32_t i = 0; i < count; ++i) target.CopySlot(i, source, size - count + i);
    source.RemoveAt(size - count, count, size);
    if (count < size) leaf->tops[from].set(source.upper[size - count - 1].get());
  }
  leaf->sizes[to].set(static_cast<uint8_t>(has + count));
  leaf->sizes[from].set(static_cast<uint8_t>(size - count));
}

// Where to cut `count` things of which the one at `at` is to grow: at least one on either side.
uint32_t IntTree::CutAt(uint32_t at, uint32_t count, KeyOrder order) {
  if (order == KeyOrder::kNone) return count / 2;
  return std::clamp<uint32_t>(order == KeyOrder::kUpward ? at + 1 : at, 1, count - 1);
}

// Requires: the leaf has a place for a group free, and the group is full.
void IntTree::SplitGroup(Leaf* leaf, uint32_t place, KeyOrder order) {
  const uint32_t g = place / kGroupSize, groups = leaf->groups();
  auto* fresh = static_cast<BucketGroup*>(memory_->Allocate(sizeof(BucketGroup)));
  fresh->Clear();
  for (uint32_t i = groups; i > g + 1; --i) {
    leaf->tops[i].set(leaf->tops[i - 1].get());
    leaf->pieces[i].set_release(leaf->pieces[i - 1].get());
    leaf->sizes[i].set(leaf->sizes[i - 1].get());
  }
  leaf->tops[g + 1].set(leaf->tops[g].get());
  leaf->pieces[g + 1].set_release(reinterpret_cast<uint64_t>(fresh));
  leaf->sizes[g + 1].set(0);
  leaf->buckets.set((groups + 1) * kGroupSize);
  leaf->bytes += sizeof(BucketGroup);
  MoveBuckets(leaf, g, g + 1, kGroupSize - CutAt(place % kGroupSize, kGroupSize, order));
}

// The leaf is full. True: it has been rebuilt in place, false: replaced.
bool IntTree::SplitPlain(Leaf* leaf, uint64_t key, KeyOrder order) {
  const uint64_t start = Ticks();
  const uint32_t sticky = leaf->sticky_plain;
  const bool upward = order == KeyOrder::kUpward;
  const uint64_t end = order == KeyOrder::kNone ? 0 : Outermost(*leaf, upward);
  const bool at_end = order != KeyOrder::kNone && (upward ? key > end : key < end);
  if (at_end) {
    ModelPlan plan;
    const bool known = sticky == 0 && leaf->Reaches(upward) && PlanAfterPlain(*leaf, &plan);
    leaf->sticky_plain = known ? 0 : sticky > 0 ? sticky - 1 : kStickyGenerations;
    upward ? SealAndAppend(leaf, end, known ? &plan : nullptr)
           : SealAndPrepend(leaf, end, known ? &plan : nullptr);
    return false;
  }
  if (order == KeyOrder::kNone && sticky == 0) {
    return Recut(leaf, Gathered(*leaf), false, nullptr, start);
  }
  SplitGroups(leaf, CutAt(leaf->GroupFor(key), kGroups, order), sticky > 0 ? sticky - 1 : 0);
  return false;
}

// Hands the groups from `cut` on to one leaf and those before it to another.
void IntTree::SplitGroups(Leaf* leaf, uint32_t cut, uint32_t sticky) {
  const uint32_t groups = leaf->groups();
  const uint64_t bound = leaf->tops[cut - 1].get();
  const bool left_smaller = cut * 2 < groups;
  const uint32_t some = left_smaller ? CountGroups(*leaf, 0, cut) : CountGroups(*leaf, cut, groups);
  const uint32_t left_count = left_smaller ? some : leaf->count.get() - some;
  Leaf* const news[] = {NewLeaf(leaf->low, bound), NewLeaf(bound + 1, leaf->last)};
  TakeGroups(news[0], *leaf, 0, cut, left_count);
  TakeGroups(news[1], *leaf, cut, groups, leaf->count.get() - left_count);
  for (Leaf* part : news) part->sticky_plain = sticky;
  Leaf* const olds[] = {leaf};
  Replace(olds, news);
  splits_.fetch_add(1, std::memory_order_relaxed);
}

uint32_t IntTree::CountGroups(const Leaf& leaf, uint32_t begin, uint32_t end) {
  const auto each = [&](auto&& visit) {
    for (uint32_t i = begin * kGroupSize; i < end * kGroupSize; i = leaf.After(i)) {
      visit(leaf.ChainAt(i).bucket);
    }
  };
  uint32_t count = 0;
  each([](const Bucket* bucket) { Prefetch(bucket); });
  each([&count](const Bucket* bucket) { count += static_cast<uint32_t>(bucket->count()); });
  return count;
}

void IntTree::TakeGroups(Leaf* to, const Leaf& from, uint32_t begin, uint32_t end, uint32_t count) {
  const uint32_t groups = end - begin;
  to->SetPlain(groups);
  uint32_t buckets = 0;
  for (uint32_t g = 0; g < groups; ++g) {
    to->tops[g].set(from.tops[begin + g].get());
    to->pieces[g].set_release(from.pieces[begin + g].get());
    to->sizes[g].set(from.sizes[begin + g].get());
    buckets += to->sizes[g].get();
  }
  // The bound of the last bucket is the greatest key: the leaf's own bound is in its range.
  to->tops[groups - 1].set(UINT64_MAX);
  to->GroupAt(groups - 1)->upper[to->sizes[groups - 1].get() - 1].set(UINT64_MAX);
  to->bytes = (buckets + groups) * static_cast<uint32_t>(sizeof(Bucket));
  to->SetBuilt(count);
  to->latest.set(from.latest.get());
  to->downward.set(from.downward.get());
  to->built_count = 0;  // It may be in the midst of keys in order.
  to->filled.set(from.filled.get());
}

void IntTree::MergeGroups(Leaf* leaf, uint32_t g) {
  const uint32_t groups = leaf->groups();
  if (groups < 2 || leaf->sizes[g].get() >= kJoinBelow) return;
  const uint32_t left = g + 1 < groups ? g : g - 1;
  const uint32_t more = leaf->sizes[left + 1].get();
  if (leaf->sizes[left].get() + more > kJoinMax) return;
  BucketGroup* const gone = leaf->GroupAt(left + 1);
  MoveBuckets(leaf, left + 1, left, more);
  for (uint32_t i = left + 1; i + 1 < groups; ++i) {
    leaf->tops[i].set(leaf->tops[i + 1].get());
    leaf->pieces[i].set_release(leaf->pieces[i + 1].get());
    leaf->sizes[i].set(leaf->sizes[i + 1].get());
  }
  leaf->SetUnused(groups - 1);
  leaf->buckets.set((groups - 1) * kGroupSize);
  leaf->bytes -= sizeof(BucketGroup);
  RetireBlock(reinterpret_cast<char*>(gone), sizeof(BucketGroup));
}

}  // namespace omendb::index
