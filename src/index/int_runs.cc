// int_runs.cc - keys that come in order: where they go on is known without a search. The caller
// holds the leaf's lock, but for ContinueRun.
#include <algorithm>

#include "index/int_tree.h"
#include "index/run_fit.h"

namespace omendb::index {

namespace {

// How much further than its keys so far a leaf reaches that is extended for keys in order.
constexpr uint32_t kExtendTimes = 4;

}  // namespace

// Keys around `key`, which goes to the bucket at a place, that go there too; of a model leaf only
// on the side where the run goes on, since each bound costs a division. False: not known.
bool IntTree::RunBounds(const Leaf& leaf, uint32_t place, uint64_t key, uint64_t* low,
                        uint64_t* high) {
  *low = leaf.low;
  *high = leaf.last;
  if (!leaf.is_model()) {
    const uint32_t g = place / kGroupSize, slot = place % kGroupSize;
    if (slot > 0 || g > 0) {
      *low = (slot > 0 ? leaf.GroupAt(g)->upper[slot - 1] : leaf.tops[g - 1]).get() + 1;
    }
    *high = std::min(*high, leaf.GroupAt(g)->upper[slot].get());
    return true;
  }
  const LinearModel model = leaf.model();
  // Where keys go ascends with them: what holds at both ends holds between.
  if (leaf.latest.get() < key) {
    *low = key;
    if (place + 1 < leaf.buckets.get()) *high = std::min(*high, model.FirstAt(place + 1) - 1);
    return *low <= *high && leaf.Route(*high) == place;
  }
  *high = key;
  if (place > 0) *low = std::max(*low, model.FirstAt(place));
  return *low <= *high && leaf.Route(*low) == place;
}

// The next insert is expected in the bucket of `key`, which is or will be there.
void IntTree::NoteRun(Leaf* leaf, uint64_t key) {
  const uint32_t place = leaf->Route(key);
  uint64_t low = 0, high = 0;
  if (RunBounds(*leaf, place, key, &low, &high)) {
    SetRun(leaf, leaf->ChainAt(place).bucket, low, high);
  } else {
    SetRun(leaf);
    leaf->ForgetRun();
  }
}

// See leaf.h, I6.
bool IntTree::RunIsThere(const Leaf& leaf) {
  if (leaf.RunBucket() == nullptr) return true;
  const uint64_t low = leaf.run_low.get(), high = leaf.run_high.get();
  return leaf.low <= low && low <= high && high <= leaf.last &&
         leaf.ChainAt(leaf.Route(low)).bucket == leaf.RunBucket() &&
         leaf.ChainAt(leaf.Route(high)).bucket == leaf.RunBucket();
}

// A bucket with the key, beside that of the run, which is full. False: it is no plain leaf, or the
// key is not beyond all in there, or did not come in order, or the group is full, or the bucket
// behind is to be filled first.
bool IntTree::AddBucket(Leaf* leaf, uint64_t key, uint64_t value) {
  if (leaf->is_model()) return false;
  const Bucket& full = *leaf->RunBucket();
  const uint64_t bottom = full.keys[0].get(), top = full.keys[Bucket::kCapacity - 1].get();
  const bool upward = key > top;
  if (!upward && key >= bottom) return false;
  if (leaf->latest.get() < leaf->run_low.get() || leaf->latest.get() > leaf->run_high.get())
    return false;
  const uint32_t place = leaf->Route(key), g = place / kGroupSize, slot = place % kGroupSize;
  const uint32_t size = leaf->sizes[g].get();
  if (size == kGroupSize) return false;
  BucketGroup& group = *leaf->GroupAt(g);
  const bool outermost = upward ? slot == 0 : slot + 1 == size;
  const int behind =
      outermost ? Bucket::kCapacity : group.At(upward ? slot - 1 : slot + 1)->count();
  if (Bucket::kCapacity - behind >= kRoomMin) return false;
  const Entry entry{key, value};
  const uint64_t fresh = NewBucket({&entry, 1});
  leaf->Scatter(g);
  if (upward) {
    group.InsertAt(slot + 1, size, group.upper[slot].get(), fresh);
    group.upper[slot].set(top);
    leaf->run_low.set(top + 1);
  } else {
    group.InsertAt(slot, size, bottom - 1, fresh);
    leaf->run_high.set(bottom - 1);
  }
  leaf->run_bucket.set_release(fresh);
  leaf->sizes[g].set(static_cast<uint8_t>(size + 1));
  leaf->bytes += sizeof(Bucket);
  leaf->downward.set(!upward);
  return true;
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

// Width 0: the key inserted last is elsewhere.
KeyRun IntTree::RunAt(const Leaf& leaf, uint64_t key) const {
  const uint64_t width = leaf.span.get() / leaf.buckets.get();
  const bool upward = leaf.latest.get() < key;
  const uint64_t distance = upward ? key - leaf.latest.get() : leaf.latest.get() - key;
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
