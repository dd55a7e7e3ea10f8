// chain.h - a bucket of a model leaf and the spares that took what it could not.
//
// Invariants     I1  keys ascend strictly along bucket, first spare, second spare, ...
//                I2  a run of the chain has entries only if every run before it is full
// Thread safety  As bucket.h.
#pragma once

#include <cstdint>
#include <optional>

#include "index/bucket.h"

namespace omendb::index {

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

  size_t Count() const {
    auto count = static_cast<size_t>(bucket->count());
    for (const Spare* spare = Next(bucket->next()); spare != nullptr; spare = Next(spare->next())) {
      count += static_cast<size_t>(spare->count());
    }
    return count;
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
  [[gnu::always_inline]] Outcome InsertInChain(uint64_t key, uint64_t value) const {
    int length = 0;
    if (!HasRoom(&length)) return Outcome::kFull;
    Insert(key, value);
    return Outcome::kInserted;
  }

  // Requires: room, and `key` absent.
  [[gnu::always_inline]] void Insert(uint64_t key, uint64_t value) const {
    Entry carry{key, value};
    if (InsertInto(*bucket, carry)) return;
    Spare* spare = Next(bucket->next());
    while (!InsertInto(*spare, carry)) spare = Next(spare->next());
  }
  // Into a run; from one that is full the greatest entry goes on with `carry`.
  template <typename R>
  [[gnu::always_inline]] static bool InsertInto(R& run, Entry& carry) {
    const uint64_t meta = run.meta.get();
    const int n = R::Count(meta), rank = run.RankFast(carry.key);
    if (n < R::kCapacity) {
      run.InsertAtFast(rank, meta, carry.key, carry.value);
      return true;
    }
    if (rank == n) return false;
    const Entry last = run.At(n - 1);
    run.InsertAtFast(rank, meta - 1, carry.key, carry.value);
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
