// plain_group.h - sixteen buckets of a plain leaf: their upper bounds and where they lie.
//
// Four lines, as a bucket. Groups and buckets are handed from one leaf header to another when a
// leaf is split, never copied.
//
// Thread safety  As bucket.h.
// Invariants     I1  bounds ascend strictly; those past the size are UINT64_MAX
//                I2  bucket i takes the keys above bound i - 1 up to bound i
#pragma once

#include <cstdint>

#include "index/bucket.h"
#include "index/relaxed.h"

namespace omendb::index {

inline constexpr uint32_t kGroupSize = 16;

// How many of sixteen words are below `key`, without a branch.
[[gnu::always_inline]] inline uint32_t CountBelow(const Word* words, uint64_t key) {
#if OMEN_INDEX_VECTORS
  const auto* v = reinterpret_cast<const Words4*>(words);
  const Words4 wanted = {key, key, key, key};
  // A comparison that holds gives -1.
  const Words4 minus =
      (reinterpret_cast<Words4>(v[0] < wanted) + reinterpret_cast<Words4>(v[1] < wanted)) +
      (reinterpret_cast<Words4>(v[2] < wanted) + reinterpret_cast<Words4>(v[3] < wanted));
  const Words2 half =
      __builtin_shufflevector(minus, minus, 0, 1) + __builtin_shufflevector(minus, minus, 2, 3);
  return static_cast<uint32_t>(0 - (half[0] + half[1]));
#else
  uint32_t below = 0;
  for (uint32_t i = 0; i < kGroupSize; ++i) below += words[i].get() < key;
  return below;
#endif
}

struct alignas(64) BucketGroup {
  Word upper[kGroupSize];
  Word bucket[kGroupSize];  // Addresses.

  void Clear() {
    for (Word& bound : upper) bound.set(UINT64_MAX);
    for (Word& address : bucket) address.set(0);
  }
  // A reader may find any number below kGroupSize, and any address, while a writer is there.
  [[gnu::always_inline]] uint32_t SlotOf(uint64_t key) const {
    return CountBelow(upper, key) % kGroupSize;
  }
  [[gnu::always_inline]] Bucket* At(uint32_t slot) const {
    return reinterpret_cast<Bucket*>(bucket[slot].get());
  }
  [[gnu::always_inline]] void PrefetchAddresses() const {
    Prefetch(bucket);
    Prefetch(bucket + kGroupSize / 2);
  }
  // Whether the buckets lie behind the group, one after the other.
  bool InRow(uint32_t size) const {
    for (uint32_t i = 0; i < size; ++i) {
      if (bucket[i].get() != reinterpret_cast<uint64_t>(this) + (i + 1) * sizeof(Bucket))
        return false;
    }
    return true;
  }
  // Puts a bucket at `slot`; those from there on, up to `size`, move up by one.
  void InsertAt(uint32_t slot, uint32_t size, uint64_t bound, uint64_t address) {
    for (uint32_t i = size; i > slot; --i) CopySlot(i, *this, i - 1);
    upper[slot].set(bound);
    bucket[slot].set(address);
  }
  void CopySlot(uint32_t to, const BucketGroup& from, uint32_t slot) {
    upper[to].set(from.upper[slot].get());
    bucket[to].set(from.bucket[slot].get());
  }
  // Takes `count` slots out at `slot`; those behind, up to `size`, move down.
  void RemoveAt(uint32_t slot, uint32_t count, uint32_t size) {
    for (uint32_t i = slot; i + count < size; ++i) CopySlot(i, *this, i + count);
    for (uint32_t i = size - count; i < size; ++i) {
      upper[i].set(UINT64_MAX);
      bucket[i].set(0);
    }
  }
};
static_assert(sizeof(BucketGroup) == sizeof(Bucket));
// What may be read where there is no group.
inline const BucketGroup kNoGroup{};

}  // namespace omendb::index
