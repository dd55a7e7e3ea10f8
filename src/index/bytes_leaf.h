// bytes_leaf.h - the leaf of the byte-string index: up to 64 entries in cells of one size.
//
//   line 0             version, bitmap of the cells in use, sizes, the range
//   fingerprints       a byte of hash for each cell; lengths of keys, beside them
//   heads, order       sorted: the first eight bytes of each key, and its cell
//   cells              value, then the key without the prefix of the range, as big-endian words,
//                      zeros at its end; a key that is too long: a pointer to its record
//
// An entry goes into the free cell nearest above the one that its fingerprint names, and the size
// of cells stands in every pointer to the leaf. So a lookup asks for the lines it may need, the
// cell among them, before it has read any, and its misses overlap. Fingerprints then say where the
// entry really is; whole keys decide.
//
// Thread safety  Readers are optimistic: what they read counts only if the version still stands,
//                and a key's record is followed only after the version was asked. Bounds may be
//                followed at any time.
// Ownership      A bound belongs to the leaf that begins there; the leaf before it borrows it.
// Invariants     I1  keys of a leaf are in [low, high) and ascend strictly along `order`; the range
//                    only ever shrinks
//                I2  the first `skip` bytes of every key in [low, high) are the same
//                I3  bit i of `used`: cell i is named once in order[0, count)
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "index/bytes_index.h"
#include "index/relaxed.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace omendb::index {

// A key that does not fit into its cell, or where a leaf begins.
struct BytesRecord {
  uint32_t size;

  std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), size}; }
  static size_t Bytes(size_t key_size) { return sizeof(BytesRecord) + key_size; }
  static BytesRecord* Make(std::string_view key) {
    auto* record = new (std::malloc(Bytes(key.size()))) BytesRecord;
    record->size = static_cast<uint32_t>(key.size());
    std::memcpy(reinterpret_cast<char*>(record + 1), key.data(), key.size());
    return record;
  }
  static void Free(BytesRecord* record) { std::free(record); }
};

// The eight bytes after the first `skip`, zeros past the end. Order-preserving among keys that
// share those first bytes, but for keys that differ only later or in trailing zeros: equal heads.
inline uint64_t HeadOf(std::string_view key, size_t skip) {
  if (key.size() >= skip + 8) return LoadBe<uint64_t>(key.data() + skip);
  if (key.size() <= skip) return 0;
  const size_t n = key.size() - skip;
  if (key.size() >= 8) return LoadBe<uint64_t>(key.data() + key.size() - 8) << (64 - 8 * n);
  uint64_t head = 0;
  for (size_t i = 0; i < n; ++i) {
    head |= uint64_t{static_cast<uint8_t>(key[skip + i])} << (56 - 8 * i);
  }
  return head;
}

// The shortest string above `left` and not above `right`. Requires: left < right.
inline std::string_view Separator(std::string_view left, std::string_view right) {
  return right.substr(0, CommonPrefix(left, right) + 1);
}

// A byte from the last sixteen bytes of a key, where neighbours in a leaf mostly differ. Equal
// fingerprints decide nothing.
inline uint8_t FingerprintOf(std::string_view key) {
  uint64_t first = 0, last = 0;
  if (key.size() >= 8) {
    const char* end = key.data() + key.size();
    first = LoadLe<uint64_t>(key.size() >= 16 ? end - 16 : key.data());
    last = LoadLe<uint64_t>(end - 8);
  } else {
    first = HeadOf(key, 0);
    last = key.size();
  }
  const uint64_t mixed = (first * 0x9e3779b97f4a7c15) ^ last;
  return static_cast<uint8_t>((mixed * 0xff51afd7ed558ccd) >> 56);
}

struct alignas(64) BytesLeaf {
  static constexpr uint32_t kCapacity = 64;
  // A cell's words, that of the value counted.
  static constexpr uint32_t kCellWordsMin = 2;
  static constexpr uint32_t kCellWordsMax = 12;
  static constexpr uint8_t kOutside = 255;  // Instead of a length: the cell points to a record.
  static constexpr uint32_t kNone = UINT32_MAX - 1;
  // After so many keys in order beside the first it is a run; the others see to what a run will
  // need, one thing at a time (BytesTree::GoOn).
  static constexpr uint32_t kRun = 4, kFenceSoon = 8, kFenceLate = 32, kSizesAhead = 40,
                            kMemoryAhead = 48;
  // So many inserts after a fence was chosen, its leaf's lines are asked for, it is filled, put in.
  static constexpr uint32_t kToAsk = 1, kToCopy = 2, kToPut = 3;

  VersionLock lock;
  Word used{0};  // I3
  Relaxed<uint32_t> count{0};
  const uint32_t skip;  // I2
  const uint32_t cell_words;
  uint32_t latest = kNone;  // The writer's: where the entry inserted last is.
  uint32_t in_order = 0;    // The writer's: so many entries were next to the one before.
  uint32_t alike = 0;       // The writer's: what keys in order before began with, bytes.
  // The writer's: cells for the next leaf of keys in order, if that has this prefix (0: not known),
  // and whether those of this one are as small as they should be.
  uint32_t next_skip = 0;
  uint16_t next_words = 0;
  bool cells_fit = false;
  Relaxed<BytesRecord*> low, high;  // Null: no end.
  alignas(64) Relaxed<uint8_t> fingerprints[kCapacity];
  Relaxed<uint8_t> lengths[kCapacity];  // Of the key in cell i after `skip`.
  Relaxed<uint8_t> order[kCapacity];
  Word heads[kCapacity];

  BytesLeaf(BytesRecord* low_bound, BytesRecord* high_bound, uint32_t words)
      : skip(SkipOf(low_bound, high_bound)), cell_words(words), low(low_bound), high(high_bound) {}

  static uint32_t SkipOf(const BytesRecord* low, const BytesRecord* high) {
    if (low == nullptr || high == nullptr) return 0;
    return static_cast<uint32_t>(CommonPrefix(low->key(), high->key()));
  }
  static size_t Bytes(uint32_t words) { return sizeof(BytesLeaf) + size_t{kCapacity} * words * 8; }

  // ---- Reading ---------------------------------------------------------------------------------
  // Words of cell i: the value, then the key.
  Word* cell(uint32_t i) const {
    auto* cells = reinterpret_cast<Word*>(const_cast<BytesLeaf*>(this) + 1);
    return cells + size_t{i} * cell_words;
  }
  Word* cell_at(uint32_t at) const { return cell(order[at].get()); }
  bool IsOutside(uint32_t i) const { return lengths[i].get() == kOutside; }
  bool outside_at(uint32_t at) const { return IsOutside(order[at].get()); }
  static BytesRecord* RecordOf(const Word* cell) {
    return reinterpret_cast<BytesRecord*>(cell[1].get_acquire());
  }
  static std::string_view KeyOf(const BytesRecord* bound) {
    return bound == nullptr ? std::string_view() : bound->key();
  }
  std::string_view prefix() const { return KeyOf(low.get_acquire()).substr(0, skip); }
  uint32_t ReadCount() const { return std::min(count.get_acquire(), kCapacity); }

  // All that a lookup may read here, so that its misses overlap. `words`: cell_words, from the
  // pointer.
  [[gnu::always_inline]] void PrefetchForLookup(uint8_t fingerprint, uint32_t words) const {
    const char* first =
        reinterpret_cast<const char*>(this + 1) + size_t{WantedCell(fingerprint)} * words * 8;
    Prefetch(this);
    Prefetch(fingerprints);
    Prefetch(first);
    Prefetch(lengths);
    Prefetch(first + 64);
  }
  [[gnu::always_inline]] void PrefetchForSearch() const {
    Prefetch(this);
    for (const auto* line = reinterpret_cast<const char*>(fingerprints);
         line < reinterpret_cast<const char*>(this + 1); line += 64) {
      Prefetch(line);
    }
  }
  [[gnu::always_inline]] void PrefetchForScan(uint32_t words) const {
    const auto* begin = reinterpret_cast<const char*>(this);
    for (size_t i = 0; i < sizeof(BytesLeaf) + size_t{kCapacity} * words * 8; i += 64) {
      Prefetch(begin + i);
    }
  }

  // Bit i: cell i has this fingerprint.
  uint64_t Matches(uint8_t fingerprint) const {
    uint64_t matches = 0;
#if OMEN_INDEX_FENCES && defined(__SSE2__)
    const auto* v = reinterpret_cast<const __m128i*>(fingerprints);
    const __m128i wanted = _mm_set1_epi8(static_cast<char>(fingerprint));
    for (uint32_t i = 0; i < kCapacity / 16; ++i) {
      const auto bits =
          static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_load_si128(v + i), wanted)));
      matches |= uint64_t{bits} << (16 * i);
    }
#else
    for (uint32_t i = 0; i < kCapacity; ++i) {
      matches |= uint64_t{fingerprints[i].get() == fingerprint} << i;
    }
#endif
    return matches & used.get_acquire();
  }
  // The cell of `key`, or null. `version`: what the lock showed before.
  const Word* Find(std::string_view key, uint8_t fingerprint, uint64_t version) const {
    for (uint64_t left = Matches(fingerprint); left != 0; left &= left - 1) {
      const auto i = static_cast<uint32_t>(std::countr_zero(left));
      if (Holds(i, key, version)) return cell(i);
    }
    return nullptr;
  }

  struct Spot {
    uint32_t at = 0;  // The first entry not below the key.
    bool found = false;
  };
  Spot Search(std::string_view key, uint64_t version) const;
  // The same under the lock, sooner for keys in order.
  Spot SearchInOrder(std::string_view key, uint64_t version) const;
  // Appends `n` entries, from `at` on in steps of one; `within`: any key of the leaf's range.
  // False: the leaf has changed.
  bool AppendTo(BytesBatch& batch, uint32_t at, uint32_t n, int step, std::string_view within,
                uint64_t version) const;

  // ---- Changing: the lock is held --------------------------------------------------------------
  bool Fits(std::string_view key) const { return key.size() - skip <= (cell_words - 1) * 8; }
  // `record`: of a key that does not fit.
  void InsertAt(uint32_t at, std::string_view key, uint64_t value, BytesRecord* record);
  // Appends entry `at` of another leaf without making its key again. False: not possible here.
  bool AppendCell(const BytesLeaf& from, uint32_t at);
  // Copies entries [begin, end) of another leaf into this, which is empty, each into the cell that
  // it had there. False: not possible here.
  bool CopyRange(const BytesLeaf& from, uint32_t begin, uint32_t end);
  // Remembers where an entry was inserted. True: there is something to do for keys in order.
  bool NoteInsert(uint32_t at) {
    constexpr uint64_t kOne = 1, kFence = kOne | kOne << kToAsk | kOne << kToCopy | kOne << kToPut;
    constexpr uint64_t kSteps = kOne << kRun | kFence << kFenceSoon | kFence << kFenceLate |
                                kOne << kSizesAhead | kOne << kMemoryAhead;
    const bool next = at == latest || at == latest + 1;
    in_order = next ? in_order + 1 : 0;
    latest = at;
    return in_order < 64 && (kSteps >> in_order & 1) != 0;
  }
  // The record that belonged to the entry, or null.
  BytesRecord* RemoveAt(uint32_t at);
  // Lets go of the entries from `at` on, or of those before it, and of the range where they lie.
  void KeepBefore(uint32_t at, BytesRecord* bound);
  void KeepFrom(uint32_t at, BytesRecord* bound);
  std::string KeyAt(uint32_t at) const {
    std::string key;
    ReadKeyAt(at, &key);
    return key;
  }
  void ReadKeyAt(uint32_t at, std::string* key) const;
  uint32_t KeySizeAt(uint32_t at) const {
    return outside_at(at) ? RecordOf(cell_at(at))->size : skip + lengths[order[at].get()].get();
  }

 private:
  static uint32_t WantedCell(uint8_t fingerprint) { return fingerprint % kCapacity; }
  bool Holds(uint32_t i, std::string_view key, uint64_t version) const {
    const uint8_t length = lengths[i].get();
    const Word* words = cell(i) + 1;
    if (length == kOutside) [[unlikely]] {
      const BytesRecord* record = RecordOf(cell(i));
      return lock.Unchanged(version) && record->key() == key;
    }
    if (skip + length != key.size()) return false;
    for (uint32_t w = 0; w * 8 < length; ++w) {
      if (words[w].get() != HeadOf(key, skip + w * 8)) return false;
    }
    return true;
  }
  template <uint32_t kWords>
  uint32_t AppendInside(BytesBatch& batch, uint32_t at, uint32_t n, int step,
                        std::string_view within) const;
  template <uint32_t kWords>
  class RestCopier;
  template <uint32_t kWords>
  void CopyCells(const BytesLeaf& from, uint32_t begin, uint32_t end);
  // The free cell nearest above the one the fingerprint names, now taken.
  uint32_t TakeCell(uint8_t fingerprint);
  void FreeCells(uint32_t begin, uint32_t end);
  void Open(uint32_t at, uint64_t head, uint32_t cell_index);
  // As memcmp of the key in cell i with `key`.
  int Compare(uint32_t i, std::string_view key, uint64_t version) const;
};

static_assert(sizeof(BytesLeaf) == 768 && offsetof(BytesLeaf, fingerprints) == 64);

}  // namespace omendb::index
