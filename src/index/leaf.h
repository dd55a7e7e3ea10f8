// leaf.h - a leaf of the integer index: a header of a few lines and buckets.
//
//   header (own cache lines, hot)                    cold: one miss
//   range | model || version, counts || segments --> bucket 0 | bucket 1 | ... | bucket 63
//                            || spare segments ----> spare 0 | spare 1 | ...
//                   || or bounds | groups -> bounds | bucket addresses -> a bucket
//
// Model leaf   Keys are dealt to buckets by a monotone linear map of the key, never by search: a
//              key is in the bucket the model names, or in that bucket's few spares. Nothing to
//              correct, so a lookup is one dependent miss; up to kModelKeysMax keys. Buckets come
//              in segments of one size, so that leaves of all sizes leave no holes in memory;
//              spares are added as they are needed.
// Plain leaf   Up to 16 groups of up to 16 buckets, found by their upper bounds and split as in a
//              B-tree, each bucket a block of its own. For keys that no line fits, and for leaves
//              too young to tell.
//
// Thread safety  The header is read optimistically under `lock`; the range [low, last] is constant.
// Invariants     I1  every key of the leaf is in [low, last]
//                I2  plain: key k is in the first group g with tops[g] >= k, there in the first
//                    bucket i with upper[i] >= k; the top of a group is its last bucket's bound,
//                    that of the last group and of the unused places is UINT64_MAX
//                I3  memory is never changed in kind: a rebuilt leaf gets new segments or groups,
//                    the old ones are retired
//                I4  every word of `pieces` is, but for kInRow, the address of memory that may be
//                    read as a group, so that a reader may do so before it asks for the version
//                I5  plain: every bound but the last bucket's lies in [low, last): a leaf may be
//                    split at any of them
//                I6  run_bucket is 0 or a bucket of the leaf to which every key from run_low to
//                    run_high, all in [low, last], goes. Whoever changes which keys go to a bucket,
//                    or retires one, calls ForgetRun or names another before the lock is released
//                I7  model: a segment to which some key of [low, last] is dealt is there; any other
//                    may be kNoBuckets
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "index/chain.h"
#include "index/linear_model.h"
#include "index/plain_group.h"
#include "index/relaxed.h"

namespace omendb::index {

// Groups of a plain leaf. Why 16 of 16 buckets: a leaf is split once in a thousand inserts or more,
// in order or not, and what it holds is found with twice sixteen comparisons.
inline constexpr uint32_t kGroups = 16;
inline constexpr size_t kPlainKeysMax = size_t{kGroups} * kGroupSize * Bucket::kCapacity;
// Why 8,192: rebuilding a leaf moves at most 128 KB of entries, and happens once in a thousand or
// more inserts into it.
inline constexpr size_t kModelKeysMax = 8192;
// Why 64: the addresses of a leaf of usual size are two lines.
inline constexpr uint32_t kSegmentBuckets = 64;
inline constexpr uint32_t kSegments = 16;
inline constexpr uint32_t kModelBucketsMax = kSegmentBuckets * kSegments;
// Below this a leaf with a line would be recut more than once in a thousand inserts, and each time
// all of it is dealt anew; a plain leaf splits a bucket.
inline constexpr size_t kModelKeysMin = 2048;

// What a segment leads to that no key of the leaf's range is dealt to: empty buckets, of nobody.
inline const Bucket kNoBuckets[kSegmentBuckets]{};

struct alignas(64) Leaf {
  // What leads to a bucket; inserts seldom write it, so that every core keeps a copy of the line.
  uint64_t low = 0;           // Constant.
  uint64_t last = 0;          // Constant, inclusive.
  Word base, span, factor;    // The model, see LinearModel.
  Relaxed<uint32_t> shape;    // Bits 0-7 left, 8-15 right, 16-31: 1 if model.
  Relaxed<uint32_t> buckets;  // Model: primaries. Plain: places, kGroupSize a group.
  Word run_bucket;  // The address of the bucket to which keys came in order last, or 0: I6.

  // The writer's line. A reader's load of the version overlaps with that of the bucket.
  alignas(64) VersionLock lock;
  Relaxed<uint32_t> count;         // Entries.
  Relaxed<uint32_t> shrink_below;  // Fewer entries than this: rebuild smaller or merge.
  uint32_t spare_capacity = 0;     // Model.
  uint32_t spares_used = 0;
  uint32_t spare_limit = 0;  // More spares than this: rebuild.
  uint32_t bytes = 0;        // Of all that the header leads to.
  uint32_t built_count = 0;
  uint32_t sticky_plain = 0;  // Splits for which fitting a model is not tried again.
  uint32_t seen_count = 0;    // The tuning thread's: entries when it came by last.
  Word latest{0};             // The key inserted last: tells whether keys come in order.
  Relaxed<uint32_t> filled;   // FillLevels::Pack, kTuned: how it was filled, by whom.
  // Whether keys were coming downward when it was made, or last when it had no room: only a guess.
  Relaxed<uint32_t> downward;

  alignas(64) Word tops[kGroups];   // Plain: upper bounds of the groups.
  Word pieces[kGroups];             // Plain: groups. Model: segments.
  SpareTable spares;                // Model; else empty.
  Relaxed<uint8_t> sizes[kGroups];  // Plain: buckets of each group.
  Word run_low, run_high;           // Keys that go to that bucket.

  static constexpr uint32_t kModelFlag = 1 << 16;
  // Of a piece: a group whose buckets lie behind it in a row, so that the lines with their
  // addresses need not be read. So they are when they are loaded.
  static constexpr uint64_t kInRow = 1;
  static constexpr uint32_t kTuned = 1 << 24;
  [[gnu::always_inline]] bool is_model() const { return (shape.get() & kModelFlag) != 0; }
  // Model: the address is right only if the version stands.
  [[gnu::always_inline]] Bucket* BucketAt(uint64_t i) const {
    static_assert(kSegments == kGroups);
    return reinterpret_cast<Bucket*>(pieces[i / kSegmentBuckets % kSegments].get() +
                                     i % kSegmentBuckets * sizeof(Bucket));
  }
  uint32_t segments() const { return (buckets.get() + kSegmentBuckets - 1) / kSegmentBuckets; }
  size_t SegmentBytes(uint32_t s) const {
    return std::min(kSegmentBuckets, buckets.get() - s * kSegmentBuckets) * sizeof(Bucket);
  }
  bool HasSegment(uint32_t s) const {
    return pieces[s].get() != reinterpret_cast<uint64_t>(kNoBuckets);
  }
  // Plain; memory that may be read whatever the leaf is by now.
  [[gnu::always_inline]] BucketGroup* GroupAt(uint32_t g) const {
    return GroupOf(pieces[g % kGroups].get_acquire());
  }
  [[gnu::always_inline]] static BucketGroup* GroupOf(uint64_t piece) {
    return reinterpret_cast<BucketGroup*>(piece & ~kInRow);
  }
  // Requires: GroupOf(piece) may be read.
  [[gnu::always_inline]] static Bucket* BucketOf(uint64_t piece, uint32_t slot) {
    if ((piece & kInRow) == 0) return GroupOf(piece)->At(slot);
    return reinterpret_cast<Bucket*>(piece - kInRow + (slot + 1) * sizeof(Bucket));
  }
  // The buckets of the group will not lie in a row any more.
  void Scatter(uint32_t g) { pieces[g].set_release(pieces[g].get() & ~kInRow); }
  uint32_t groups() const { return buckets.get() / kGroupSize; }

  void SetModel(const LinearModel& model) {
    base.set(model.base);
    span.set(model.span);
    factor.set(model.factor);
    shape.set(model.left | uint32_t{model.right} << 8 | kModelFlag);
    run_bucket.set(0);
  }
  // As a plain leaf of so many groups, which are still to be named.
  void SetPlain(uint32_t groups) {
    shape.set(0);
    run_bucket.set(0);
    buckets.set(groups * kGroupSize);
    spares.Clear();
    SetUnused(0);
  }
  // Nothing at the places from `begin` on.
  void SetUnused(uint32_t begin) {
    for (uint32_t i = begin; i < kGroups; ++i) {
      tops[i].set(UINT64_MAX);
      pieces[i].set(reinterpret_cast<uint64_t>(&kNoGroup));
      sizes[i].set(0);
    }
  }
  void SetBuilt(uint32_t entries) {
    count.set(entries);
    built_count = entries;
    shrink_below.set(entries < 12 ? 1 : entries / 3);
  }
  [[gnu::always_inline]] LinearModel model() const {
    const uint32_t s = shape.get();
    return {base.get(), span.get(), factor.get(), static_cast<uint8_t>(s),
            static_cast<uint8_t>(s >> 8)};
  }

  // Before it is known which of them: the misses shall overlap with that of the first line.
  [[gnu::always_inline]] void PrefetchPieces() const {
    Prefetch(pieces);
    Prefetch(pieces + 8);
  }
  // Of a plain leaf, what Locate reads beyond the header.
  [[gnu::always_inline]] void PrefetchGroup(uint64_t key) const {
    if (is_model()) return;
    const uint64_t piece = pieces[GroupFor(key)].get_acquire();
    const BucketGroup* group = GroupOf(piece);
    Prefetch(group->upper);
    Prefetch(group->upper + kGroupSize / 2);
    if ((piece & kInRow) == 0) group->PrefetchAddresses();
  }
  [[gnu::always_inline]] void PrefetchAll() const {
    Prefetch(tops);
    Prefetch(tops + 8);
    PrefetchPieces();
  }

  // The place of the bucket for `key`. Places ascend with the keys; After, Before and End tell
  // which there are.
  [[gnu::always_inline]] uint32_t Route(uint64_t key) const {
    if (is_model()) return static_cast<uint32_t>(model()(key));
    const uint32_t g = GroupFor(key);
    return g * kGroupSize + GroupAt(g)->SlotOf(key);
  }
  [[gnu::always_inline]] uint32_t GroupFor(uint64_t key) const {
    return CountBelow(tops, key) % kGroups;
  }
  uint32_t After(uint32_t place) const {
    if (is_model()) return place + 1;
    const uint32_t next = place + 1;
    return next % kGroupSize < sizes[place / kGroupSize % kGroups].get() && next % kGroupSize != 0
               ? next
               : (place / kGroupSize + 1) * kGroupSize;
  }
  // Requires: place > 0.
  uint32_t Before(uint32_t place) const {
    if (is_model() || place % kGroupSize != 0) return place - 1;
    const uint32_t g = place / kGroupSize - 1;
    return g * kGroupSize + std::clamp<uint32_t>(sizes[g % kGroups].get(), 1, kGroupSize) - 1;
  }
  uint32_t End() const { return buckets.get(); }

  Bucket* RunBucket() const { return reinterpret_cast<Bucket*>(run_bucket.get_acquire()); }
  void ForgetRun() { run_bucket.set(0); }

  // The share of the leaf's entries below `key`, were all of its buckets equally full.
  double ShareBelow(uint64_t key) const {
    if (is_model()) {
      const uint32_t first = Route(low), end = Route(last) + 1;
      return std::min(1.0, static_cast<double>(Route(key) - first) / std::max(1U, end - first));
    }
    const uint32_t g = GroupFor(key);
    uint32_t before = GroupAt(g)->SlotOf(key);
    uint32_t all = 0;
    for (uint32_t i = 0; i < kGroups; ++i) {
      if (i < g) before += sizes[i].get();
      all += sizes[i].get();
    }
    return std::min(1.0, static_cast<double>(before) / std::max(1U, all));
  }

  // Route and ChainAt in one, reading each word of the header once.
  [[gnu::always_inline]] Chain Locate(uint64_t key) const {
    const uint32_t s = shape.get();
    if ((s & kModelFlag) != 0) [[likely]] {
      const LinearModel m{base.get(), span.get(), factor.get(), static_cast<uint8_t>(s),
                          static_cast<uint8_t>(s >> 8)};
      return {BucketAt(m(key)), &spares};
    }
    const uint64_t piece = pieces[GroupFor(key)].get_acquire();
    const BucketGroup* group = GroupOf(piece);
    if ((piece & kInRow) == 0) group->PrefetchAddresses();
    return {BucketOf(piece, group->SlotOf(key)), &spares};
  }
  // The chain at a place. Readers: check the version before following it.
  [[gnu::always_inline]] Chain ChainAt(uint32_t place) const {
    if (is_model()) return {BucketAt(place), &spares};
    const uint64_t piece = pieces[place / kGroupSize % kGroups].get_acquire();
    return {BucketOf(piece, place % kGroupSize), &spares};
  }
  // Whether no other leaf lies beyond.
  bool Reaches(bool upward) const { return upward ? last == UINT64_MAX : low == 0; }
  // Calls visit(memory, bytes) for all memory of the leaf. Writers only.
  template <typename Visit>
  void ForEachPiece(Visit&& visit) const {
    if (!is_model()) {
      for (uint32_t i = 0; i < End(); i = After(i)) {
        visit(reinterpret_cast<char*>(ChainAt(i).bucket), sizeof(Bucket));
      }
      for (uint32_t g = 0; g < groups(); ++g) {
        visit(reinterpret_cast<char*>(GroupAt(g)), sizeof(BucketGroup));
      }
      return;
    }
    for (uint32_t s = 0; s < segments(); ++s) {
      if (HasSegment(s)) visit(reinterpret_cast<char*>(pieces[s].get()), SegmentBytes(s));
    }
    for (uint32_t i = 0; i < SpareTable::kSegments; ++i) {
      if (spares.capacity(i) > 0) visit(spares.memory(i), spares.capacity(i) * sizeof(Spare));
    }
  }
};
static_assert(sizeof(Leaf) == 448);

}  // namespace omendb::index
