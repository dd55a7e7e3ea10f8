// bucket.h - the sorted runs in which a leaf keeps its entries.
//
// A bucket is 256 bytes: 15 keys in two cache lines, their values in the next two. When a bucket of
// a model leaf is full its greatest keys move to spares of 3 entries (one cache line): chain.h.
//
// Invariants     I1  keys ascend strictly
//                I2  key slots past the count hold UINT64_MAX, so that a rank needs no count
// Thread safety  Readers: optimistic, under the leaf's version. Writers: hold the leaf's lock.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/index_types.h"
#include "index/relaxed.h"

namespace omendb::index {

// Optimistic readers compare four words at a time where the compiler has vectors. Each word is read
// whole on every machine we run on; ThreadSanitizer sees the atomic loads of the plain loop.
#if OMEN_INDEX_FENCES && (defined(__GNUC__) || defined(__clang__))
#define OMEN_INDEX_VECTORS 1
using Words4 [[gnu::vector_size(32), gnu::may_alias]] = uint64_t;
using Words2 [[gnu::vector_size(16), gnu::may_alias]] = uint64_t;
#else
#define OMEN_INDEX_VECTORS 0
#endif

template <int kSlots>
struct alignas(64) Run {
  static constexpr int kCapacity = kSlots;
  Word meta;  // Bits 0-7: count. Bits 16-31: 1 + index of the next spare, 0 = none.
  Word keys[kSlots];
  Word unused;
  Word values[kSlots];

  static int Count(uint64_t meta) { return static_cast<int>(meta & 0xff); }
  static uint32_t Next(uint64_t meta) { return static_cast<uint32_t>(meta >> 16) & 0xffff; }
  int count() const { return Count(meta.get()); }
  uint32_t next() const { return Next(meta.get()); }
  void SetCount(int count) { meta.set((meta.get() & ~uint64_t{0xff}) | count); }
  void SetNext(uint32_t next) {
    meta.set((meta.get() & ~(uint64_t{0xffff} << 16)) | uint64_t{next} << 16);
  }

  [[gnu::always_inline]] void PrefetchValues() const {
    Prefetch(values);
    Prefetch(values + 8);
  }
  // All lines at once: their misses overlap. `run` may be no run's address.
  [[gnu::always_inline]] static void PrefetchForWrite(const Run* run) {
    static_assert(sizeof(Run) == 256);
    const auto line = reinterpret_cast<uintptr_t>(run);
    PrefetchWrite(reinterpret_cast<const void*>(line));
    PrefetchWrite(reinterpret_cast<const void*>(line + 64));
    PrefetchWrite(reinterpret_cast<const void*>(line + 128));
    PrefetchWrite(reinterpret_cast<const void*>(line + 192));
  }

  void Clear() {
#if OMEN_INDEX_VECTORS
    if constexpr (kSlots % 2 == 1) {  // Meta and keys are whole vectors.
      auto* const v = reinterpret_cast<Words2*>(this);
      v[0] = Words2{0, UINT64_MAX};
      for (int i = 1; i <= kSlots / 2; ++i) v[i] = Words2{UINT64_MAX, UINT64_MAX};
      return;
    }
#endif
    meta.set(0);
    for (Word& key : keys) key.set(UINT64_MAX);
  }
  // All but the chain. Requires: nobody else sees this run yet; the other one has no spares.
  void CopyFrom(const Run& other) {
    meta.set(other.meta.get());
    for (int i = 0; i < kSlots; ++i) keys[i].set(other.keys[i].get());
    for (int i = 0; i < kSlots; ++i) values[i].set(other.values[i].get());
  }
  // How many keys are below `key`. All slots are looked at: no branch to mispredict.
  int Rank(uint64_t key) const {
    int even = 0, odd = 0;
    for (int i = 0; i + 1 < kSlots; i += 2) {
      even += keys[i].get() < key;
      odd += keys[i + 1].get() < key;
    }
    if (kSlots % 2 == 1) even += keys[kSlots - 1].get() < key;
    return even + odd;
  }
  // The same, four at a time. Only for functions that are compiled for machines with AVX2.
  [[gnu::always_inline]] int RankFast(uint64_t key) const {
#if OMEN_INDEX_VECTORS
    if constexpr (kSlots == 15) {
      const auto* v = reinterpret_cast<const Words4*>(this);  // Lane 0 is meta.
      const Words4 wanted = {key, key, key, key};
      const Words4 first = reinterpret_cast<Words4>(v[0] < wanted) & Words4{0, ~0ul, ~0ul, ~0ul};
      // A comparison that holds gives -1.
      const Words4 minus =
          (first + reinterpret_cast<Words4>(v[1] < wanted)) +
          (reinterpret_cast<Words4>(v[2] < wanted) + reinterpret_cast<Words4>(v[3] < wanted));
      const Words2 half =
          __builtin_shufflevector(minus, minus, 0, 1) + __builtin_shufflevector(minus, minus, 2, 3);
      return -static_cast<int>(half[0] + half[1]);
    }
#endif
    return Rank(key);
  }
  // 1 + the slot that holds `key` (a padding slot, for UINT64_MAX, too), 0 if none.
  [[gnu::always_inline]] uint32_t SlotOf(uint64_t key) const {
#if OMEN_INDEX_VECTORS
    if constexpr (kSlots == 15) {
      // Meta and keys are four vectors of four words. Lane numbers are masked by the comparisons
      // and folded; only one lane can be left, since keys differ.
      const auto* v = reinterpret_cast<const Words4*>(this);
      const Words4 wanted = {key, key, key, key};
      Words4 at = reinterpret_cast<Words4>(v[0] == wanted) & Words4{0, 1, 2, 3};
      at |= reinterpret_cast<Words4>(v[1] == wanted) & Words4{4, 5, 6, 7};
      at |= reinterpret_cast<Words4>(v[2] == wanted) & Words4{8, 9, 10, 11};
      at |= reinterpret_cast<Words4>(v[3] == wanted) & Words4{12, 13, 14, 15};
      const Words2 half =
          __builtin_shufflevector(at, at, 0, 1) | __builtin_shufflevector(at, at, 2, 3);
      return static_cast<uint32_t>(half[0] | half[1]);
    }
#endif
    uint32_t at = 0;
    for (uint32_t i = 0; i < kSlots; ++i) at |= keys[i].get() == key ? i + 1 : 0;
    return at;
  }
  // Requires: count() < kSlots, rank <= count().
  void InsertAt(int rank, uint64_t key, uint64_t value) {
    const int n = count();
    for (int i = n; i > rank; --i) {
      keys[i].set(keys[i - 1].get());
      values[i].set(values[i - 1].get());
    }
    keys[rank].set(key);
    values[rank].set(value);
    SetCount(n + 1);
  }
  // The same without a branch on how far to move, which cannot be foreseen; but where keys come
  // downward it can, and then the insert that follows need not wait until this one has compared the
  // key. Only for functions that are compiled for machines with AVX2. `known` is what meta holds.
  [[gnu::always_inline]] void InsertAtFast(int rank, uint64_t known, uint64_t key, uint64_t value,
                                           bool downward = false) {
#if OMEN_INDEX_VECTORS
    const int n = Count(known);
    if (rank == n) {  // Keys in order: where they are stored depends on the count alone.
      keys[n].set(key);
      values[n].set(value);
      meta.set(known + 1);
      return;
    }
    if (downward && rank == 0) {
      OpenFirstSlot(&meta, key, known + 1, Count(known));
      OpenFirstSlot(&unused, value, 0, Count(known));
      return;
    }
    OpenSlot(&meta, rank + 1, key, known + 1);
    OpenSlot(&unused, rank + 1, value, 0);
#else
    static_cast<void>(known), static_cast<void>(downward);
    InsertAt(rank, key, value);
#endif
  }
  // Requires: `key` is below all others.
  [[gnu::always_inline]] void InsertFirst(uint64_t known, uint64_t key, uint64_t value) {
#if OMEN_INDEX_VECTORS
    OpenFirstSlot(&meta, key, known + 1, Count(known));
    OpenFirstSlot(&unused, value, 0, Count(known));
#else
    static_cast<void>(known);
    InsertAt(0, key, value);
#endif
  }
#if OMEN_INDEX_VECTORS
  // As OpenSlot at 1. Whole vectors are loaded, as the insert before stored them: one that lies
  // across two of them would have to wait until they are in the cache.
  [[gnu::always_inline]] static void OpenFirstSlot(Word* words, uint64_t word, uint64_t first,
                                                   int n) {
    using Words8 [[gnu::vector_size(64), gnu::may_alias]] = uint64_t;
    auto* const vectors = reinterpret_cast<Words8*>(words);
    const Words8 old = vectors[0];
    if (n >= 7) {
      vectors[1] = __builtin_shufflevector(old, vectors[1], 7, 8, 9, 10, 11, 12, 13, 14);
    }
    vectors[0] = __builtin_shufflevector(Words8{first, word, 0, 0, 0, 0, 0, 0}, old, 0, 1, 9, 10,
                                         11, 12, 13, 14);
  }
  // Moves words[at..14] of 16 up by one and puts `word` at `at` > 0 and `first` at 0: stored by
  // itself, the next load of these four words would wait for it.
  [[gnu::always_inline]] static void OpenSlot(Word* words, int at, uint64_t word, uint64_t first) {
    using Lanes [[gnu::vector_size(32)]] = int64_t;
    using Loose4 [[gnu::vector_size(32), gnu::may_alias, gnu::aligned(8)]] = uint64_t;
    auto* const vectors = reinterpret_cast<Words4*>(words);
    const Words4 wanted = {word, word, word, word};
    const Lanes place = {at, at, at, at};
#pragma GCC unroll 4
    for (int v = 3; v >= 0; --v) {
      const Lanes lanes = Lanes{0, 1, 2, 3} + 4 * v;
      const Words4 old = vectors[v];
      const Words4 moved = v > 0 ? Words4(*reinterpret_cast<Loose4*>(words + 4 * v - 1))
                                 : __builtin_shufflevector(old, old, 0, 0, 1, 2);
      const auto above = reinterpret_cast<Words4>(lanes > place);
      const auto here = reinterpret_cast<Words4>(lanes == place);
      Words4 opened = (old & ~(above | here)) | (moved & above) | (wanted & here);
      if (v == 0) opened[0] = first;
      vectors[v] = opened;
    }
  }
#endif
  // Copies the entries of all slots, those past the count too, without asking how many there are.
  // Only for functions that are compiled for machines with AVX2.
  [[gnu::always_inline]] void CopySlots(Entry* out) const {
#if OMEN_INDEX_VECTORS
    if constexpr (kSlots == 15) {
      using Loose4 [[gnu::vector_size(32), gnu::may_alias, gnu::aligned(8)]] = uint64_t;
      const auto* k = reinterpret_cast<const Words4*>(&meta);    // Lane 0 is meta,
      const auto* v = reinterpret_cast<const Words4*>(&unused);  // and here nothing.
      const Words4 first = __builtin_shufflevector(k[0], v[0], 1, 5, 1, 5);
      out[0] = {first[0], first[1]};
      auto* to = reinterpret_cast<uint64_t*>(out) - 2;
      *reinterpret_cast<Loose4*>(to + 4) = __builtin_shufflevector(k[0], v[0], 2, 6, 3, 7);
#pragma GCC unroll 3
      for (int i = 1; i < 4; ++i) {
        const Words4 low = __builtin_shufflevector(k[i], v[i], 0, 4, 1, 5);
        const Words4 high = __builtin_shufflevector(k[i], v[i], 2, 6, 3, 7);
        *reinterpret_cast<Loose4*>(to + 8 * i) = low;
        *reinterpret_cast<Loose4*>(to + 8 * i + 4) = high;
      }
      return;
    }
#endif
    for (int i = 0; i < kSlots; ++i) out[i] = At(i);
  }
  Entry At(int i) const { return {keys[i].get(), values[i].get()}; }
  void RemoveAt(int rank) {
    const int n = count();
    for (int i = rank; i + 1 < n; ++i) {
      keys[i].set(keys[i + 1].get());
      values[i].set(values[i + 1].get());
    }
    keys[n - 1].set(UINT64_MAX);
    SetCount(n - 1);
  }
};

using Bucket = Run<15>;
using Spare = Run<3>;
static_assert(sizeof(Bucket) == 256 && sizeof(Spare) == 64);

}  // namespace omendb::index
