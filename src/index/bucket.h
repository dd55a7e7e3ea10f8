// bucket.h - the sorted runs in which a leaf keeps its entries.
//
// A bucket is 256 bytes: 15 keys in two cache lines, their values in the next two. When a bucket of
// a model leaf is full its greatest keys move to spares of 3 entries (one cache line), chained.
//
// Invariants     I1  keys ascend strictly along bucket, first spare, second spare, ...
//                I2  a run of the chain has entries only if every run before it is full
//                I3  key slots past the count hold UINT64_MAX, so that a rank needs no count
// Thread safety  Readers: optimistic, under the leaf's version. Writers: hold the leaf's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

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
  // The same without a branch on how far to move, which cannot be foreseen. Only for functions that
  // are compiled for machines with AVX2. `known` is what meta holds.
  [[gnu::always_inline]] void InsertAtFast(int rank, uint64_t known, uint64_t key, uint64_t value) {
#if OMEN_INDEX_VECTORS
    if (rank < Count(known)) {
      OpenSlot(&meta, rank + 1, key, known + 1);
      OpenSlot(&unused, rank + 1, value, 0);
      return;
    }
    keys[rank].set(key);
    values[rank].set(value);
    meta.set(known + 1);
#else
    static_cast<void>(known);
    InsertAt(rank, key, value);
#endif
  }
#if OMEN_INDEX_VECTORS
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

// A chain longer than this makes the leaf be rebuilt: it bounds what a lookup can cost.
inline constexpr int kChainMax = 5;

// Where a key is: a word pair inside a run.
struct Place {
  Word* value = nullptr;
  bool in_spare = false;
};

// The spares of a leaf: segments of kSegment of them, of which the last may be shorter. A reader
// looks at it after it has asked for the leaf's version, so it may find the table of another block:
// what it then follows is memory that the epoch keeps, never beyond the end of a segment.
struct SpareTable {
  static constexpr uint32_t kSegment = 128;
  static constexpr uint32_t kSegments = 4;
  static constexpr uint32_t kMax = kSegment * kSegments;
  // Capacities are multiples of this, for the low bits of an address (of 64 bytes) to tell them.
  static constexpr uint32_t kUnit = 16;

  Word words[kSegments];

  static uint32_t RoundUp(uint32_t spares) { return (spares + kUnit - 1) / kUnit * kUnit; }
  void Set(uint32_t segment, char* memory, uint32_t capacity) {
    words[segment].set_release(reinterpret_cast<uint64_t>(memory) | capacity / kUnit);
  }
  void Clear() {
    for (Word& word : words) word.set(0);
  }
  char* memory(uint32_t segment) const {
    return reinterpret_cast<char*>(words[segment].get() & ~uint64_t{63});
  }
  uint32_t capacity(uint32_t segment) const {
    return static_cast<uint32_t>(words[segment].get() & 63) * kUnit;
  }
  Spare* At(uint32_t i) const {
    const uint64_t word = words[i / kSegment % kSegments].get_acquire();
    if (i % kSegment >= (word & 63) * kUnit) [[unlikely]]
      return nullptr;
    return reinterpret_cast<Spare*>(word & ~uint64_t{63}) + i % kSegment;
  }
};

// A bucket together with the spares of its leaf.
struct Chain {
  Bucket* bucket;
  const SpareTable* spares;

  Spare* Next(uint32_t next) const { return next == 0 ? nullptr : spares->At(next - 1); }

  [[gnu::always_inline]] Place Find(uint64_t key) const {
    const uint32_t slot = bucket->SlotOf(key);
    const uint64_t meta = bucket->meta.get();
    if (slot != 0) [[likely]] {
      // A padding slot holds the greatest key: only a count tells it from a real one. All slots
      // with that key fold into one number that is at least the true one.
      if (key == UINT64_MAX) [[unlikely]]
        return FindGreatest(*this);
      return {&bucket->values[slot - 1], false};
    }
    if (Bucket::Next(meta) == 0) return {};
    return FindInSpares(key);
  }
  // By value: whoever calls it keeps the chain in registers.
  [[gnu::noinline]] static Place FindGreatest(Chain chain) {
    const Bucket& bucket = *chain.bucket;
    const int n = bucket.count();
    if (n < Bucket::kCapacity || bucket.keys[n - 1].get() == UINT64_MAX) {
      if (n == 0 || bucket.keys[n - 1].get() != UINT64_MAX) return {};
      return {&chain.bucket->values[n - 1], false};
    }
    return chain.FindInSpares(UINT64_MAX);
  }
  Place FindInSpares(uint64_t key) const {
    Spare* spare = Next(bucket->next());
    for (int i = 0; spare != nullptr && i < kChainMax; ++i) {
      const int rank = spare->Rank(key);
      if (rank < Spare::kCapacity) {
        if (spare->keys[rank].get() != key || rank >= spare->count()) return {};
        return {&spare->values[rank], true};
      }
      spare = Next(spare->next());
    }
    return {};
  }

  // The last run if it is full, else null: where room for one more would have to be linked.
  // `length` counts the spares.
  bool HasRoom(int* length) const {
    *length = 0;
    if (bucket->count() < Bucket::kCapacity) return true;
    Spare* spare = Next(bucket->next());
    while (spare != nullptr) {
      ++*length;
      if (spare->count() < Spare::kCapacity) return true;
      spare = Next(spare->next());
    }
    return false;
  }
  void Link(uint32_t next) const {
    Spare* spare = Next(bucket->next());
    if (spare == nullptr) {
      bucket->SetNext(next);
      return;
    }
    while (spare->next() != 0) spare = Next(spare->next());
    spare->SetNext(next);
  }

  enum class Outcome { kInserted, kExists, kFull };
  // Inserts unless `key` is there (its place is then in *place) or the bucket and its spares are
  // full. The common case looks at the bucket once.
  [[gnu::always_inline]] Outcome TryInsert(uint64_t key, uint64_t value, Place* place) const {
    const int rank = bucket->RankFast(key);
    const uint64_t meta = bucket->meta.get();
    const int n = Bucket::Count(meta);
    if (rank < n && bucket->keys[rank].get() == key) {
      *place = {&bucket->values[rank], false};
      return Outcome::kExists;
    }
    if (n < Bucket::kCapacity) [[likely]] {
      bucket->InsertAtFast(rank, meta, key, value);
      return Outcome::kInserted;
    }
    if (rank == n) {
      *place = FindInSpares(key);
      if (place->value != nullptr) return Outcome::kExists;
    }
    return InsertInChain(key, value);
  }
  [[gnu::noinline]] Outcome InsertInChain(uint64_t key, uint64_t value) const {
    int length = 0;
    if (!HasRoom(&length)) return Outcome::kFull;
    Insert(key, value);
    return Outcome::kInserted;
  }

  // Requires: room, and `key` absent.
  void Insert(uint64_t key, uint64_t value) const {
    Entry carry{key, value};
    if (InsertInto(*bucket, carry)) return;
    Spare* spare = Next(bucket->next());
    while (!InsertInto(*spare, carry)) spare = Next(spare->next());
  }
  template <typename R>
  static bool InsertInto(R& run, Entry& carry) {
    const int n = run.count();
    const int rank = run.Rank(carry.key);
    if (n < R::kCapacity) {
      run.InsertAt(rank, carry.key, carry.value);
      return true;
    }
    if (rank == n) return false;
    const Entry last = run.At(n - 1);
    run.SetCount(n - 1);
    run.InsertAt(rank, carry.key, carry.value);
    carry = last;
    return false;
  }

  // Removes `key`, keeping I2. Returns its value, or nullopt.
  std::optional<uint64_t> Erase(uint64_t key) const {
    const int rank = bucket->Rank(key);
    if (rank < Bucket::kCapacity) {
      if (rank >= bucket->count() || bucket->keys[rank].get() != key) return std::nullopt;
      const uint64_t value = bucket->values[rank].get();
      bucket->RemoveAt(rank);
      Refill(*bucket);
      return value;
    }
    for (Spare* spare = Next(bucket->next()); spare != nullptr; spare = Next(spare->next())) {
      const int at = spare->Rank(key);
      if (at == Spare::kCapacity) continue;
      if (at >= spare->count() || spare->keys[at].get() != key) return std::nullopt;
      const uint64_t value = spare->values[at].get();
      spare->RemoveAt(at);
      Refill(*spare);
      return value;
    }
    return std::nullopt;
  }
  template <typename R>
  void Refill(R& run) const {
    Spare* spare = Next(run.next());
    if (spare == nullptr || spare->count() == 0) return;
    const Entry first = spare->At(0);
    run.InsertAt(run.count(), first.key, first.value);
    spare->RemoveAt(0);
    Refill(*spare);
  }
};

}  // namespace omendb::index
