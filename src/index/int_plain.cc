// int_plain.cc - how the buckets of plain leaves share, split and join (int_groups.cc: their
// groups). The caller holds the leaf's lock.
//
// What is full first gives to the neighbour in the same group (of groups: in the same leaf) and is
// split when that is full too. Keys in order leave what is behind them full: all of it that fits
// goes to the neighbour behind, and a split cuts where they are. Others are shared evenly.
#include <algorithm>

#include "index/int_tree.h"

namespace omendb::index {

namespace {

// Buckets with fewer entries than this look for a neighbour to join, up to kJoinMax together.
constexpr int kJoinBelow = 5;
constexpr int kJoinMax = 12;

uint64_t AddressOf(const void* memory) { return reinterpret_cast<uint64_t>(memory); }

// The first `count` entries of `from` to the end of `to`.
void MoveFirst(Bucket& from, Bucket& to, int count) {
  const int has = to.count(), n = from.count();
  for (int i = 0; i < count; ++i) {
    to.keys[has + i].set(from.keys[i].get());
    to.values[has + i].set(from.values[i].get());
  }
  for (int i = count; i < n; ++i) {
    from.keys[i - count].set(from.keys[i].get());
    from.values[i - count].set(from.values[i].get());
  }
  for (int i = n - count; i < n; ++i) from.keys[i].set(UINT64_MAX);
  to.SetCount(has + count);
  from.SetCount(n - count);
}

// The last `count` entries of `from` to the beginning of `to`.
void MoveLast(Bucket& from, Bucket& to, int count) {
  const int has = to.count(), n = from.count();
  for (int i = has; i-- > 0;) {
    to.keys[i + count].set(to.keys[i].get());
    to.values[i + count].set(to.values[i].get());
  }
  for (int i = 0; i < count; ++i) {
    to.keys[i].set(from.keys[n - count + i].get());
    to.values[i].set(from.values[n - count + i].get());
    from.keys[n - count + i].set(UINT64_MAX);
  }
  to.SetCount(has + count);
  from.SetCount(n - count);
}

// Of the keys in the full bucket and one more, so many (that one counted) the neighbour gets that
// holds `has`: `behind` of them if keys come in order, else half of what is uneven.
int ShareOf(int has, int behind, bool in_order) {
  const int room = Bucket::kCapacity - has;
  return in_order ? std::min(room, behind) : (Bucket::kCapacity + 1 + has) / 2 - has;
}

}  // namespace

bool IntTree::MakeRoomPlain(Leaf* leaf, uint32_t place, uint64_t key) {
  PrefetchBeside(*leaf, place);
  const uint32_t g = place / kGroupSize;
  const KeyOrder order = OrderAt(*leaf, place, key);
  if (order != KeyOrder::kNone) SetRun(leaf);
  leaf->downward.set(order == KeyOrder::kDownward);
  leaf->ForgetRun();
  const Bucket& full = *leaf->ChainAt(place).bucket;
  const int rank = full.Rank(key);
  const bool run = order != KeyOrder::kNone && !FewFit(full, rank, key, leaf->latest.get());
  const bool shared = ShareBucket(leaf, place, rank, order);
  if (shared || leaf->sizes[g].get() < kGroupSize) {
    if (!shared) SplitBucket(leaf, place, rank, order);
    if (run) NoteRun(leaf, key);
    return true;
  }
  if (ShareGroup(leaf, place, order)) return true;
  if (leaf->groups() < kGroups) {
    SplitGroup(leaf, place, order);
    return true;
  }
  return SplitPlain(leaf, key, order);
}

// The buckets that may share.
void IntTree::PrefetchBeside(const Leaf& leaf, uint32_t place) {
  const BucketGroup& group = *leaf.GroupAt(place / kGroupSize);
  const uint32_t slot = place % kGroupSize;
  if (slot > 0) Bucket::PrefetchForWrite(group.At(slot - 1));
  if (slot + 1 < kGroupSize) Bucket::PrefetchForWrite(group.At(slot + 1));
}

// In order if the key inserted last lies in the same bucket or one beside it.
IntTree::KeyOrder IntTree::OrderAt(const Leaf& leaf, uint32_t place, uint64_t key) {
  if (leaf.count.get() == leaf.built_count) return KeyOrder::kNone;
  const auto bound = [&leaf](uint32_t at) {
    return leaf.GroupAt(at / kGroupSize)->upper[at % kGroupSize].get();
  };
  if (leaf.latest.get() < key) {
    const uint32_t left = place > 0 ? leaf.Before(place) : 0;
    const bool near = left == 0 || leaf.latest.get() > bound(leaf.Before(left));
    return near ? KeyOrder::kUpward : KeyOrder::kNone;
  }
  const uint32_t right = leaf.After(place);
  const bool near = right >= leaf.End() || leaf.latest.get() <= bound(right);
  return near ? KeyOrder::kDownward : KeyOrder::kNone;
}

// Whether few keys more fit between the key and the next in its bucket, at the distance it has from
// the one that came `before`: the run will be beyond that one at once.
bool IntTree::FewFit(const Bucket& full, int rank, uint64_t key, uint64_t before) {
  constexpr uint64_t kFew = 4;
  if (before < key) {
    return rank < Bucket::kCapacity && (full.keys[rank].get() - key) / kFew < key - before;
  }
  return rank > 0 && (key - full.keys[rank - 1].get()) / kFew < before - key;
}

// Moves entries, or only the bound, to a neighbour with room. False: neither has any. `rank`: of
// the new key in its bucket.
bool IntTree::ShareBucket(Leaf* leaf, uint32_t place, int rank, KeyOrder order) {
  BucketGroup& group = *leaf->GroupAt(place / kGroupSize);
  const uint32_t slot = place % kGroupSize, size = leaf->sizes[place / kGroupSize].get();
  Bucket& full = *group.At(slot);
  const int n = Bucket::kCapacity;
  if (slot > 0 && order != KeyOrder::kDownward && n - group.At(slot - 1)->count() >= kRoomMin) {
    Bucket& left = *group.At(slot - 1);
    const bool in_order = order == KeyOrder::kUpward;
    const int share = ShareOf(left.count(), std::max(rank, 1), in_order);
    const int moved = rank < share ? share - 1 : share;
    if (moved > 0) MoveFirst(full, left, moved);
    // The new key goes to the left as well if it is the least of what stays.
    group.upper[slot - 1].set(rank < share ? full.keys[0].get() - 1
                                           : left.keys[left.count() - 1].get());
    return true;
  }
  if (slot + 1 < size && order != KeyOrder::kUpward &&
      n - group.At(slot + 1)->count() >= kRoomMin) {
    Bucket& right = *group.At(slot + 1);
    const bool in_order = order == KeyOrder::kDownward;
    const int share = ShareOf(right.count(), std::max(n - rank, 1), in_order);
    const int moved = n - rank < share ? share - 1 : share;
    if (moved > 0) MoveLast(full, right, moved);
    group.upper[slot].set(n - rank < share ? full.keys[full.count() - 1].get()
                                           : right.keys[0].get() - 1);
    return true;
  }
  return false;
}

// Requires: the group has a place free.
void IntTree::SplitBucket(Leaf* leaf, uint32_t place, int rank, KeyOrder order) {
  const uint32_t g = place / kGroupSize, slot = place % kGroupSize, size = leaf->sizes[g].get();
  BucketGroup& group = *leaf->GroupAt(g);
  Bucket& full = *group.At(slot);
  auto* fresh = static_cast<Bucket*>(memory_->Allocate(sizeof(Bucket)));
  fresh->Clear();
  leaf->Scatter(g);
  const int n = Bucket::kCapacity;
  const int keep = order == KeyOrder::kNone ? n / 2 : rank;
  if (keep == 0) {  // The new key and what follows it downwards.
    group.InsertAt(slot, size, full.keys[0].get() - 1, AddressOf(fresh));
  } else {
    if (keep < n) MoveLast(full, *fresh, n - keep);
    const bool with_right = order == KeyOrder::kDownward || keep == n;
    const uint64_t bound = with_right ? full.keys[keep - 1].get() : fresh->keys[0].get() - 1;
    group.InsertAt(slot + 1, size, group.upper[slot].get(), AddressOf(fresh));
    group.upper[slot].set(bound);
  }
  leaf->sizes[g].set(static_cast<uint8_t>(size + 1));
  leaf->bytes += sizeof(Bucket);
}

// After an entry was erased.
void IntTree::MergeBuckets(Leaf* leaf, uint64_t key) {
  const uint32_t place = leaf->Route(key), g = place / kGroupSize;
  const uint32_t at = place % kGroupSize, size = leaf->sizes[g].get();
  BucketGroup& group = *leaf->GroupAt(g);
  if (group.At(at)->count() >= kJoinBelow) return;
  if (size < 2) return MergeGroups(leaf, g);
  const uint32_t left = at + 1 < size ? at : at - 1;
  Bucket* const to = group.At(left);
  Bucket* const from = group.At(left + 1);
  if (to->count() + from->count() > kJoinMax) return;
  leaf->Scatter(g);
  leaf->ForgetRun();
  MoveFirst(*from, *to, from->count());
  group.upper[left].set(group.upper[left + 1].get());
  group.RemoveAt(left + 1, 1, size);
  leaf->sizes[g].set(static_cast<uint8_t>(size - 1));
  leaf->bytes -= sizeof(Bucket);
  RetireBlock(reinterpret_cast<char*>(from), sizeof(Bucket));
  MergeGroups(leaf, g);
}

}  // namespace omendb::index
