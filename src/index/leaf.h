// leaf.h - a leaf of the integer index: a header of a few lines and buckets.
//
//   header (own cache lines, hot)                    cold: one miss
//   version | range | model | segments ------------> bucket 0 | bucket 1 | ... | bucket 31
//                           | spare segments ------> spare 0 | spare 1 | ...
//                     or upper bounds, one block --> bucket slot[0], slot[1], ...
//
// Model leaf   Keys are dealt to buckets by a monotone linear map of the key, never by search: a
//              key is in the bucket the model names, or in that bucket's few spares. Nothing to
//              correct, so a lookup is one dependent miss; up to kModelKeysMax keys. Buckets come
//              in segments of one size, so that leaves of all sizes leave no holes in memory;
//              spares are added as they are needed.
// Plain leaf   Up to kPlainBuckets buckets found by their upper bounds, split as in a B-tree. For
//              keys that no line fits, and for leaves too young to tell.
//
// Thread safety  The header is read optimistically under `lock`; the range [low, last] is constant.
// Invariants     I1  every key of the leaf is in [low, last]
//                I2  plain: key k is in the first bucket i with upper[i] >= k; upper of the last
//                    bucket and of the unused places is UINT64_MAX
//                I3  memory is never changed in kind: a rebuilt leaf gets new segments or a new
//                    block, the old ones are retired
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "index/bucket.h"
#include "index/linear_model.h"
#include "index/relaxed.h"

namespace omendb::index {

// Why 32: a plain leaf is 8 KB, its upper bounds are four lines and its split costs a microsecond.
inline constexpr uint32_t kPlainBuckets = 32;
inline constexpr uint32_t kPlainBucketsMin = 4;
// Why 8,192: rebuilding a leaf moves at most 128 KB of entries, and happens once in a thousand or
// more inserts into it.
inline constexpr size_t kModelKeysMax = 8192;
// Why 64: the addresses of a leaf of usual size are two lines.
inline constexpr uint32_t kSegmentBuckets = 64;
inline constexpr uint32_t kSegments = 16;
inline constexpr uint32_t kModelBucketsMax = kSegmentBuckets * kSegments;
// Below this a plain leaf is as fast and needs no space for the unevenness of the keys.
inline constexpr size_t kModelKeysMin = 256;

struct alignas(64) Leaf {
  VersionLock lock;
  uint64_t low = 0;           // Constant.
  uint64_t last = 0;          // Constant, inclusive.
  Word base, span, factor;    // The model, see LinearModel.
  Relaxed<char*> block;       // Plain.
  Relaxed<uint32_t> shape;    // Bits 0-7 left, 8-15 right, 16-31: 1 if model.
  Relaxed<uint32_t> buckets;  // Model: primaries. Plain: in use.

  // The writer's line.
  Relaxed<uint32_t> count;         // Entries.
  Relaxed<uint32_t> shrink_below;  // Fewer entries than this: rebuild smaller or merge.
  uint32_t bucket_capacity = 0;    // Plain: buckets in the block.
  uint32_t slots_used = 0;         // Plain: bitmap of taken slots.
  uint32_t spare_capacity = 0;     // Model.
  uint32_t spares_used = 0;
  uint32_t spare_limit = 0;  // More spares than this: rebuild.
  uint32_t bytes = 0;        // Of the block, or of all segments.
  uint32_t built_count = 0;
  uint32_t sticky_plain = 0;  // Splits for which fitting a model is not tried again.
  uint32_t seen_count = 0;    // The tuning thread's: entries when it came by last.
  uint64_t latest = 0;        // The key inserted last: tells whether keys come in order.
  Relaxed<uint32_t> filled;   // FillLevels::Pack, kTuned: how it was filled, by whom.
  bool from_run = false;      // Cut where keys in order had filled a leaf.

  alignas(64) Word upper[kPlainBuckets];  // Plain: upper bounds. Model: addresses of segments.
  Relaxed<uint8_t> slot[kPlainBuckets];   // Plain.
  SpareTable spares;                      // Model; else empty.

  static constexpr uint32_t kModelFlag = 1 << 16;
  static constexpr uint32_t kTuned = 1 << 24;
  [[gnu::always_inline]] bool is_model() const { return (shape.get() & kModelFlag) != 0; }
  Bucket* bucket_array() const { return reinterpret_cast<Bucket*>(block.get()); }
  // Model: the address is right only if the version stands.
  [[gnu::always_inline]] Bucket* BucketAt(uint64_t i) const {
    static_assert(kSegments <= kPlainBuckets);
    return reinterpret_cast<Bucket*>(upper[i / kSegmentBuckets % kSegments].get() +
                                     i % kSegmentBuckets * sizeof(Bucket));
  }

  void SetModel(const LinearModel& model) {
    base.set(model.base);
    span.set(model.span);
    factor.set(model.factor);
    shape.set(model.left | uint32_t{model.right} << 8 | kModelFlag);
  }
  [[gnu::always_inline]] LinearModel model() const {
    const uint32_t s = shape.get();
    return {base.get(), span.get(), factor.get(), static_cast<uint8_t>(s),
            static_cast<uint8_t>(s >> 8)};
  }

  // Before it is known which of them: the misses shall overlap with that of the first line.
  [[gnu::always_inline]] void PrefetchSegments() const {
    Prefetch(upper);
    Prefetch(upper + 8);
  }
  [[gnu::always_inline]] void PrefetchUpper() const {
    for (uint32_t i = 0; i < kPlainBuckets; i += 8) Prefetch(upper + i);
    Prefetch(slot);
  }

  // The place of the bucket for `key` in order: [0, buckets).
  [[gnu::always_inline]] uint32_t Route(uint64_t key) const {
    if (is_model()) return static_cast<uint32_t>(model()(key));
    return RoutePlain(key);
  }
  [[gnu::always_inline]] uint32_t RoutePlain(uint64_t key) const {
    const uint32_t n = std::min(buckets.get(), kPlainBuckets);
#if OMEN_INDEX_VECTORS
    const auto* v = reinterpret_cast<const Words4*>(upper);
    const Words4 wanted = {key, key, key, key};
    Words4 even = {}, odd = {};  // A comparison that holds gives -1.
    for (uint32_t i = 0; i < n; i += 8) {
      even -= reinterpret_cast<Words4>(v[i / 4] < wanted);
      odd -= reinterpret_cast<Words4>(v[i / 4 + 1] < wanted);
    }
    even += odd;
    const Words2 half =
        __builtin_shufflevector(even, even, 0, 1) + __builtin_shufflevector(even, even, 2, 3);
    return static_cast<uint32_t>(half[0] + half[1]);
#else
    uint32_t below = 0;
    for (uint32_t i = 0; i < n; ++i) below += upper[i].get() < key;
    return below;
#endif
  }
  // Route and ChainAt in one, reading each word of the header once.
  [[gnu::always_inline]] Chain Locate(uint64_t key) const {
    const uint32_t s = shape.get();
    if ((s & kModelFlag) != 0) [[likely]] {
      const LinearModel m{base.get(), span.get(), factor.get(), static_cast<uint8_t>(s),
                          static_cast<uint8_t>(s >> 8)};
      return {BucketAt(m(key)), &spares};
    }
    const uint32_t at = slot[RoutePlain(key) & (kPlainBuckets - 1)].get();
    return {bucket_array() + at, &spares};
  }
  // The chain at place `i` in order. Readers: check the version before following it.
  [[gnu::always_inline]] Chain ChainAt(uint32_t i) const {
    if (is_model()) return {BucketAt(i), &spares};
    return {bucket_array() + slot[i & (kPlainBuckets - 1)].get(), &spares};
  }
  // Whether no other leaf lies beyond.
  bool Reaches(bool upward) const { return upward ? last == UINT64_MAX : low == 0; }
  // Calls visit(memory, bytes) for all memory of the leaf. Writers only.
  template <typename Visit>
  void ForEachPiece(Visit&& visit) const {
    if (!is_model()) {
      visit(block.get(), size_t{bytes});
      return;
    }
    for (uint32_t i = 0; i < buckets.get(); i += kSegmentBuckets) {
      visit(reinterpret_cast<char*>(BucketAt(i)),
            std::min(kSegmentBuckets, buckets.get() - i) * sizeof(Bucket));
    }
    for (uint32_t i = 0; i < SpareTable::kSegments; ++i) {
      if (spares.capacity(i) > 0) visit(spares.memory(i), spares.capacity(i) * sizeof(Spare));
    }
  }
};
static_assert(sizeof(Leaf) == 448);

}  // namespace omendb::index
