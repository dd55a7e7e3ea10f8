// int_plain.cc - how plain leaves grow, split and join buckets. The caller holds the leaf's lock.
#include <algorithm>
#include <bit>

#include "index/int_tree.h"

namespace omendb::index {

namespace {

// A run has a gap between keys to itself that is so many of its steps wide; a narrower one says
// that keys of the leaf lie between those of the run.
constexpr uint64_t kGapSteps = 16;
// Buckets with fewer entries than this look for a neighbour to join, up to kJoinMax together.
constexpr int kJoinBelow = 5;
constexpr int kJoinMax = 12;

uint64_t SlotMask(uint32_t slot) { return uint64_t{1} << slot; }

}  // namespace

bool IntTree::MakeRoomPlain(Leaf* leaf, uint64_t key) {
  if (leaf->buckets.get() < leaf->bucket_capacity) {
    SplitBucket(leaf, leaf->RoutePlain(key), key);
    return true;
  }
  if (leaf->bucket_capacity < kPlainBuckets) {
    GrowPlain(leaf);
    return true;
  }
  return SplitPlain(leaf, key);
}

void IntTree::SplitBucket(Leaf* leaf, uint32_t place, uint64_t key) {
  const auto fresh_slot = static_cast<uint32_t>(std::countr_one(leaf->slots_used));
  Bucket& full = leaf->bucket_array()[leaf->slot[place].get()];
  Bucket& fresh = leaf->bucket_array()[fresh_slot];
  fresh.Clear();
  const int n = full.count();
  const int rank = full.Rank(key);
  // Keys that come in order leave full buckets behind; the rest is cut in the middle.
  const bool in_order = rank == 0 || rank == n || full.keys[rank - 1].get() == leaf->latest ||
                        full.keys[rank].get() == leaf->latest;
  const int keep = in_order ? rank : n / 2;
  for (int i = keep; i < n; ++i) {
    const Entry entry = full.At(i);
    fresh.InsertAt(i - keep, entry.key, entry.value);
  }
  const uint64_t boundary = keep == n   ? full.keys[n - 1].get()
                            : keep == 0 ? full.keys[0].get() - 1
                                        : full.keys[keep].get() - 1;
  for (int i = n; i-- > keep;) full.RemoveAt(i);

  const uint32_t used = leaf->buckets.get();
  for (uint32_t i = used; i > place; --i) {
    leaf->upper[i].set(leaf->upper[i - 1].get());
    leaf->slot[i].set(leaf->slot[i - 1].get());
  }
  leaf->upper[place].set(boundary);
  leaf->slot[place + 1].set(static_cast<uint8_t>(fresh_slot));
  leaf->slots_used |= static_cast<uint32_t>(SlotMask(fresh_slot));
  leaf->buckets.set(used + 1);
}

void IntTree::GrowPlain(Leaf* leaf) {
  const uint32_t used = leaf->buckets.get();
  const uint32_t capacity = std::min(kPlainBuckets, leaf->bucket_capacity * 2);
  const size_t bytes = capacity * sizeof(Bucket);
  auto* block = static_cast<char*>(memory_->Allocate(bytes));
  auto* buckets = reinterpret_cast<Bucket*>(block);
  for (uint32_t i = 0; i < used; ++i) {
    buckets[i].CopyFrom(leaf->bucket_array()[leaf->slot[i].get()]);
  }
  RetireBlock(leaf->block.get(), leaf->bytes);
  leaf->block.set_release(block);
  leaf->bytes = static_cast<uint32_t>(bytes);
  leaf->bucket_capacity = capacity;
  leaf->slots_used = (uint32_t{1} << used) - 1;
  for (uint32_t i = 0; i < used; ++i) leaf->slot[i].set(static_cast<uint8_t>(i));
}

IntTree::Neighbours IntTree::NeighboursOf(const Leaf& leaf, uint64_t key) {
  const uint32_t place = leaf.RoutePlain(key);
  const Bucket& own = *leaf.ChainAt(place).bucket;
  const int rank = own.Rank(key), n = own.count();
  Neighbours found;
  if (rank > 0) found.below = own.keys[rank - 1].get();
  if (rank < n) found.above = own.keys[rank].get();
  // Erasing leaves buckets empty, at the ends too.
  for (uint32_t i = place; i-- > 0 && !found.below;) {
    const Bucket& bucket = *leaf.ChainAt(i).bucket;
    if (bucket.count() > 0) found.below = bucket.keys[bucket.count() - 1].get();
  }
  for (uint32_t i = place + 1; i < leaf.buckets.get() && !found.above; ++i) {
    const Bucket& bucket = *leaf.ChainAt(i).bucket;
    if (bucket.count() > 0) found.above = bucket.keys[0].get();
  }
  return found;
}

// Whether keys come one after the other, with no others between them and ahead of them.
bool IntTree::HasGapToItself(const Leaf& leaf, uint64_t key, const Neighbours& next) {
  if (next.below == leaf.latest) {
    const uint64_t gap = next.above.value_or(leaf.last) - key;
    return gap / kGapSteps >= key - leaf.latest || (!next.above && leaf.Reaches(true));
  }
  if (next.above != leaf.latest) return false;
  const uint64_t gap = key - next.below.value_or(leaf.low);
  return gap / kGapSteps >= leaf.latest - key || (!next.below && leaf.Reaches(false));
}

// Keys in order need no look at the other entries: gathering them takes longer than all the rest.
bool IntTree::SplitPlain(Leaf* leaf, uint64_t key) {
  const uint64_t start = Ticks();
  const Neighbours next = NeighboursOf(*leaf, key);
  const auto& [below, above] = next;
  const uint32_t count = leaf->count.get();
  const bool near =
      count != leaf->built_count && leaf->RoutePlain(leaf->latest) == leaf->RoutePlain(key);
  const bool run_was_here = leaf->from_run || leaf->built_count < count / 4;
  const bool in_order =
      near ? HasGapToItself(*leaf, key, next) : count >= kInOrderCount && run_was_here;
  if (!in_order) return Recut(leaf, Gathered(*leaf), leaf->sticky_plain > 0, nullptr, start);
  if (!above) {
    if (leaf->Reaches(true) && Extend(leaf, Gathered(*leaf), true)) return true;
    SealAndAppend(leaf, *below);
  } else if (!below) {
    if (leaf->Reaches(false) && Extend(leaf, Gathered(*leaf), false)) return true;
    SealAndPrepend(leaf, *above);
  } else {
    SplitAt(leaf, key);
  }
  return false;
}

void IntTree::MergeBuckets(Leaf* leaf, uint64_t key) {
  const uint32_t used = leaf->buckets.get();
  const uint32_t at = leaf->RoutePlain(key);
  if (used < 2 || leaf->bucket_array()[leaf->slot[at].get()].count() >= kJoinBelow) return;
  const uint32_t left = at + 1 < used ? at : at - 1;
  Bucket& to = leaf->bucket_array()[leaf->slot[left].get()];
  const uint32_t gone = leaf->slot[left + 1].get();
  const Bucket& from = leaf->bucket_array()[gone];
  if (to.count() + from.count() > kJoinMax) return;
  for (int i = 0; i < from.count(); ++i) {
    to.InsertAt(to.count(), from.keys[i].get(), from.values[i].get());
  }
  leaf->upper[left].set(leaf->upper[left + 1].get());
  for (uint32_t i = left + 1; i + 1 < used; ++i) {
    leaf->upper[i].set(leaf->upper[i + 1].get());
    leaf->slot[i].set(leaf->slot[i + 1].get());
  }
  leaf->upper[used - 1].set(UINT64_MAX);
  leaf->slots_used &= ~static_cast<uint32_t>(SlotMask(gone));
  leaf->buckets.set(used - 1);
}

}  // namespace omendb::index
