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
#include <span>

#include "index/index_types.h"
#include "index/relaxed.h"

namespace omendb::index {

// Optimistic readers compare four words at a time where the compiler has vectors. Each word is read
// whole on every machine we run on; ThreadSanitizer sees the atomic loads of the plain loop.
#if OMEN_INDEX_FENCES && (defined(__GNUC__) || defined(__clang__))
#define OMEN_INDEX_VECTORS 1
using Words4 [[gnu::vector_size(32), gnu::may_alias]] = uint64_t;
using Words8 [[gnu::vector_size(64), gnu::may_alias]] = uint64_t;
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
  // Puts ascending entries into a run that holds anything. Requires: at most kSlots.
  void Fill(std::span<const Entry> entries) {
    Clear();
    for (size_t i = 0; i < entries.size(); ++i) {
      keys[i].set(entries[i].key);
      values[i].set(entries[i].value);
    }
    meta.set(entries.size());
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
  // The same without a branch on how far to move, which cannot be foreseen. Only for functions that
  // are compiled for machines with AVX2, as the next ones. `known` is what meta holds, or, of a
  // full run, one less: the greatest entry goes.
  [[gnu::always_inline]] void InsertAtFast(int rank, uint64_t known, uint64_t key, uint64_t value) {
    if (rank == Count(known)) return Append(known, key, value);
    if constexpr (kSlots == 15) {
      Opened opened;
      Open(rank, known, key, value, &opened);
      Put(opened);
    } else {
      meta.set(known);
      InsertAt(rank, key, value);
    }
  }
  // Keys in order: where they are stored depends on the count alone.
  [[gnu::always_inline]] void Append(uint64_t known, uint64_t key, uint64_t value) {
    keys[Count(known)].set(key);
    values[Count(known)].set(value);
    meta.set(known + 1);
  }
  // What a run will hold with one entry more, put together by Open before the lock is taken and
  // stored by Put.
#if OMEN_INDEX_VECTORS
  struct Opened {
    Words8 keys[2], values[2];
  };
  // Requires: rank <= count() < kSlots, of what is put.
  [[gnu::always_inline]] void Open(int rank, uint64_t known, uint64_t key, uint64_t value,
                                   Opened* opened) const {
    OpenSlot(&meta, rank + 1, key, known + 1, opened->keys);
    OpenSlot(&unused, rank + 1, value, 0, opened->values);
  }
  [[gnu::always_inline]] void Put(const Opened& opened) {
    auto* const k = reinterpret_cast<Words8*>(&meta);
    auto* const v = reinterpret_cast<Words8*>(&unused);
    for (int i = 0; i < 2; ++i) {
      k[i] = opened.keys[i];
      v[i] = opened.values[i];
    }
  }
  // Moves words[at..14] of 16 up by one and puts `word` at `at` > 0 and `first` at 0. Whole vectors
  // are loaded and stored: the next load of one that was stored in parts, or that lies across two,
  // would have to wait until it is in the cache.
  [[gnu::always_inline]] static void OpenSlot(const Word* words, int at, uint64_t word,
                                              uint64_t first, Words8* opened) {
    using Lanes [[gnu::vector_size(64)]] = int64_t;
    const auto* const old = reinterpret_cast<const Words8*>(words);
    const Words8 moved[2] = {__builtin_shufflevector(old[0], old[0], 0, 0, 1, 2, 3, 4, 5, 6),
                             __builtin_shufflevector(old[0], old[1], 7, 8, 9, 10, 11, 12, 13, 14)};
    const Words8 wanted = {word, word, word, word, word, word, word, word};
    const Lanes place = {at, at, at, at, at, at, at, at};
    for (int v = 0; v < 2; ++v) {
      const Lanes lanes = Lanes{0, 1, 2, 3, 4, 5, 6, 7} + 8 * v;
      opened[v] = lanes < place ? old[v] : lanes == place ? wanted : moved[v];
    }
    opened[0][0] = first;
  }
#else
  struct Opened {
    int rank;
    uint64_t known;
    Entry entry;
  };
  void Open(int rank, uint64_t known, uint64_t key, uint64_t value, Opened* opened) const {
    *opened = {rank, known, {key, value}};
  }
  void Put(const Opened& opened) {
    meta.set(opened.known);  // Which may be less than the count: the greatest entry goes then.
    InsertAt(opened.rank, opened.entry.key, opened.entry.value);
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
