// int_insert.cc - one insert: where the key goes is found before the lock is taken, so that the
// processor does it while the stores of the insert before are still on their way to the cache.
#include "index/int_tree.h"

namespace omendb::index {

namespace {

// Whether a key that goes to a bucket of the leaf, which holds `n`, seems to be one of a run: the
// one before it went to the bucket too, or the run's bucket is beside it. Without branches: of keys
// at random one of them could not be foreseen.
[[gnu::always_inline]] inline bool GoesOn(const Leaf& leaf, const Bucket& bucket, int n) {
  const uint64_t first = bucket.keys[0].get(), last = bucket.keys[n - 1].get();
  const uint64_t beside = reinterpret_cast<uint64_t>(&bucket) - leaf.run_bucket.get();
  return (leaf.latest.get() - first <= last - first) |
         (beside + sizeof(Bucket) <= 2 * sizeof(Bucket));
}

}  // namespace

// In the bucket to which keys came in order last: neither the leaf nor, at either end of the
// bucket, the bucket is searched. It may be read at once, since a leaf whose version is readable
// names none that was retired before our guard (leaf.h, I6).
[[gnu::always_inline]] inline bool IntTree::FindInRun(uint64_t key, Spot* spot) const {
  Leaf* const leaf = run_.load(std::memory_order_acquire);
  const uint64_t version = leaf->lock.Read();
  Bucket* const bucket = leaf->RunBucket();
  if (key < leaf->run_low.get() || key > leaf->run_high.get() || bucket == nullptr ||
      !VersionLock::Readable(version)) {
    return false;
  }
  *spot = {leaf, version, bucket, bucket->meta.get(), 0};
  const int n = Bucket::Count(spot->meta);
  // Branches that are foreseen where keys come in order: the next insert need not wait for them.
  if (n == 0 || key > bucket->keys[n - 1].get()) {
    spot->rank = n;
  } else if (key > bucket->keys[0].get()) {
    spot->rank = bucket->RankFast(key);
  }
  return true;
}

// In the leaf. False: a writer is there.
[[gnu::always_inline]] inline bool IntTree::FindAhead(Leaf* leaf, uint64_t key, Spot* spot) {
  leaf->PrefetchAll();
  const uint64_t version = leaf->lock.Read();
  Bucket* const bucket = leaf->Locate(key).bucket;
  if (!VersionLock::Readable(version) || !leaf->lock.Unchanged(version)) [[unlikely]]
    return false;
  Bucket::PrefetchForWrite(bucket);
  *spot = {leaf, version, bucket, bucket->meta.get(), bucket->RankFast(key)};
  return true;
}

[[gnu::always_inline]] inline bool IntTree::Inserted(Leaf* leaf, uint64_t key) {
  leaf->count.set(leaf->count.get() + 1);
  leaf->latest.set(key);
  leaf->lock.Unlock();
  size_.Add(1);
  return false;
}

// Puts the key where it was found to go. Where keys come downward, that it is the first is taken
// for granted ahead of the comparison: the next insert need not wait for it.
template <bool kInRun>
[[gnu::always_inline]] inline bool IntTree::InsertAt(const Spot& spot, uint64_t key, uint64_t value,
                                                     bool replace, uint64_t* existing) {
  Leaf* const leaf = spot.leaf;
  Bucket& bucket = *spot.bucket;
  const int n = Bucket::Count(spot.meta);
  const bool last = spot.rank == n, first = kInRun || leaf->downward.get() != 0;
  const bool fits =
      n < Bucket::kCapacity && (spot.rank >= n || bucket.keys[spot.rank].get() != key);
  const bool runs = !kInRun && n > 0 && GoesOn(*leaf, bucket, n);
  Bucket::Opened opened;
  if (first && spot.rank == 0) {
    bucket.Open(0, spot.meta, key, value, &opened);
  } else if (!last) {
    bucket.Open(spot.rank, spot.meta, key, value, &opened);
  }
  if (!leaf->lock.TryLockAt(spot.version)) [[unlikely]]
    return InsertLocked(LockLeaf(key), key, value, replace, existing);
  if (!fits) [[unlikely]] {
    if (kInRun && AddBucket(leaf, key, value)) return Inserted(leaf, key);
    return InsertLocked(leaf, key, value, replace, existing);
  }
  if (last) {
    bucket.Append(spot.meta, key, value);
  } else {
    bucket.Put(opened);
  }
  if (runs) [[unlikely]] {  // What is between the bucket's outermost keys goes there.
    SetRun(leaf, &bucket, bucket.keys[0].get(), bucket.keys[n].get());
  } else if (!kInRun && n == 0) [[unlikely]] {
    NoteRun(leaf, key);
  }
  leaf->count.set(leaf->count.get() + 1);
  leaf->latest.set(key);
  leaf->lock.UnlockAt(spot.version);  // To read it again would cost as much as half an insert.
  size_.Add(1);
  return false;
}

OMEN_INDEX_CLONES_INSERT bool IntTree::InsertNow(uint64_t key, uint64_t value, bool replace,
                                                 uint64_t* existing) {
  EpochGuard guard(epochs_);
  Spot spot;
  if (FindInRun(key, &spot)) return InsertAt<true>(spot, key, value, replace, existing);
  if (!FindAhead(FindLeafInOrder(key), key, &spot)) [[unlikely]]
    return InsertLocked(LockLeaf(key), key, value, replace, existing);
  return InsertAt<false>(spot, key, value, replace, existing);
}

// The rest of inserts; the leaf is locked.
OMEN_INDEX_CLONES_INSERT bool IntTree::InsertLocked(Leaf* leaf, uint64_t key, uint64_t value,
                                                    bool replace, uint64_t* existing) {
  for (;;) {
    Place place;
    const uint32_t at = leaf->Route(key);
    const Chain chain = leaf->ChainAt(at);
    const auto outcome = chain.TryInsert(key, value, &place);
    if (outcome == Chain::Outcome::kExists) {
      *existing = place.value->get();
      if (replace) place.value->set(value);
      leaf->lock.Unlock();
      return true;
    }
    if (outcome == Chain::Outcome::kInserted) return Inserted(leaf, key);
    if (leaf->is_model() && LinkSpare(leaf, chain, key)) {
      chain.Insert(key, value);
      return Inserted(leaf, key);
    }
    if (!MakeRoom(leaf, at, key)) leaf = LockLeaf(key);
  }
}

}  // namespace omendb::index
