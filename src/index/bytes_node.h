// bytes_node.h - the nodes of the byte-string index.
//
// Every node cuts off the prefix that all its keys share and keeps the next eight bytes of each key
// as a big-endian word, its head. Heads decide almost every comparison; only among equal heads are
// whole keys compared, so nothing is ever decided by a truncated key.
//
//   inner (immutable)   heads, a model over them (cells, as inner.h) where they spread well, the
//                       separators themselves, children
//   leaf (versioned)    up to 64 heads and records, sorted, and a fingerprint of each key: a lookup
//                       compares those, one line, and reads the records that match
//   record              the key (immutable) and its value
//
// Thread safety  As int_tree.h: inner nodes never change but for child pointers; leaves are read
//                optimistically; records are freed through the epoch manager.
// Invariants     I1  keys of a leaf are in [low, high) and ascend strictly; low, high are constant
//                I2  the first `skip` bytes of every key in [low, high) are the same
//                I3  fingerprints[i] is FingerprintOf the key of records[i]
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "index/linear_model.h"
#include "index/relaxed.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace omendb::index {

struct BytesRecord {
  std::atomic<uint64_t> value;
  uint32_t size;

  std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), size}; }
  static size_t Bytes(size_t key_size) { return sizeof(BytesRecord) + key_size; }
  static BytesRecord* Make(std::string_view key, uint64_t value) {
    auto* record = new (std::malloc(Bytes(key.size()))) BytesRecord;
    record->value.store(value, std::memory_order_relaxed);
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
  uint64_t head = 0;
  for (size_t i = 0; i < 8; ++i) {
    head = head << 8 | (skip + i < key.size() ? static_cast<uint8_t>(key[skip + i]) : 0);
  }
  return head;
}

inline size_t CommonPrefix(std::string_view a, std::string_view b) {
  const size_t n = std::min(a.size(), b.size());
  size_t i = 0;
  while (i < n && a[i] == b[i]) ++i;
  return i;
}

// A byte from the last sixteen bytes of a key, where neighbours in a leaf mostly differ. Equal
// fingerprints decide nothing.
inline uint8_t FingerprintOf(std::string_view key) {
  uint64_t words[2] = {};
  if (key.size() >= 16) {
    std::memcpy(words, key.data() + key.size() - 16, 16);
  } else {
    std::memcpy(words, key.data(), key.size());
  }
  const uint64_t mixed = (words[0] * 0x9e3779b97f4a7c15) ^ words[1];
  return static_cast<uint8_t>((mixed * 0xff51afd7ed558ccd) >> 56);
}

struct alignas(64) BytesLeaf {
  static constexpr uint32_t kCapacity = 64;

  VersionLock lock;
  Relaxed<uint32_t> count{0};
  uint32_t skip = 0;  // Constant, I2.
  alignas(64) Relaxed<uint8_t> fingerprints[kCapacity];
  alignas(64) Word heads[kCapacity];
  Relaxed<BytesRecord*> records[kCapacity];
  std::string low;   // Constant.
  std::string high;  // Constant.
  bool has_high = false;

  BytesLeaf(std::string low_bound, std::string high_bound, bool bounded)
      : low(std::move(low_bound)), high(std::move(high_bound)), has_high(bounded) {
    skip = has_high ? static_cast<uint32_t>(CommonPrefix(low, high)) : 0;
  }

  void PrefetchAll() const {
    const auto* lines = reinterpret_cast<const char*>(heads);
    for (size_t i = 0; i < sizeof(heads) + sizeof(records); i += 64) Prefetch(lines + i);
  }

  // All that a lookup may read here, so that its misses overlap.
  void PrefetchForLookup() const {
    Prefetch(this);
    Prefetch(fingerprints);
    for (uint32_t i = 0; i < kCapacity; i += 8) Prefetch(records + i);
  }

  // Bit i: entry i has this fingerprint.
  uint64_t Matches(uint8_t fingerprint) const {
    const uint32_t n = std::min(count.get_acquire(), kCapacity);
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
    return n == kCapacity ? matches : matches & ((uint64_t{1} << n) - 1);
  }
  // The entry of `key`, without its place. Readers: the answer counts only if the version stands.
  BytesRecord* Find(std::string_view key, uint8_t fingerprint) const {
    for (uint64_t left = Matches(fingerprint); left != 0; left &= left - 1) {
      BytesRecord* record = records[std::countr_zero(left)].get_acquire();
      if (record != nullptr && record->key() == key) return record;
    }
    return nullptr;
  }

  struct Spot {
    uint32_t at = 0;                // The first entry not below the key.
    BytesRecord* record = nullptr;  // The entry of the key itself.
  };
  // Readers: the answer counts only if the version still stands.
  Spot Search(std::string_view key) const {
    const uint64_t head = HeadOf(key, skip);
    const uint32_t n = std::min(count.get_acquire(), kCapacity);
    uint32_t first = 0;
    for (uint32_t width = n; width > 0;) {
      const uint32_t half = (width + 1) / 2;
      first += heads[first + half - 1].get() < head ? half : 0;
      width -= half;
    }
    uint32_t end = first;
    while (end < n && heads[end].get() == head) ++end;
    while (first < end) {  // Equal heads: halve by whole keys.
      const uint32_t middle = first + (end - first) / 2;
      BytesRecord* record = records[middle].get_acquire();
      if (record == nullptr) return {};
      const int order = record->key().compare(key);
      if (order == 0) return {middle, record};
      if (order < 0) {
        first = middle + 1;
      } else {
        end = middle;
      }
    }
    return {first, nullptr};
  }
  void InsertAt(uint32_t at, BytesRecord* record) {
    const uint32_t n = count.get();
    for (uint32_t i = n; i > at; --i) {
      heads[i].set(heads[i - 1].get());
      fingerprints[i].set(fingerprints[i - 1].get());
      records[i].set_release(records[i - 1].get());
    }
    heads[at].set(HeadOf(record->key(), skip));
    fingerprints[at].set(FingerprintOf(record->key()));
    records[at].set_release(record);
    count.set_release(n + 1);
  }
  void RemoveAt(uint32_t at) {
    const uint32_t n = count.get();
    for (uint32_t i = at; i + 1 < n; ++i) {
      heads[i].set(heads[i + 1].get());
      fingerprints[i].set(fingerprints[i + 1].get());
      records[i].set_release(records[i + 1].get());
    }
    count.set_release(n - 1);
  }
};

class BytesInner;

class BytesRef {
 public:
  BytesRef() = default;
  explicit BytesRef(BytesLeaf* leaf) : bits_(reinterpret_cast<uintptr_t>(leaf) | 1) {}
  explicit BytesRef(BytesInner* inner) : bits_(reinterpret_cast<uintptr_t>(inner)) {}
  bool is_leaf() const { return (bits_ & 1) != 0; }
  BytesLeaf* leaf() const { return reinterpret_cast<BytesLeaf*>(bits_ ^ 1); }
  BytesInner* inner() const { return reinterpret_cast<BytesInner*>(bits_); }

 private:
  uintptr_t bits_ = 0;
};

struct BytesChild {
  std::string low;
  BytesRef node;
};

class BytesInner {
 public:
  static constexpr uint32_t kFanout = 256;

  explicit BytesInner(std::span<const BytesChild> children);

  uint32_t count() const { return count_; }
  bool uses_model() const { return use_model_; }
  size_t bytes() const { return sizeof(*this) + text_.capacity(); }
  std::string_view separator(uint32_t i) const {
    return std::string_view(text_).substr(ends_[i], ends_[i + 1] - ends_[i]);
  }
  BytesRef child(uint32_t i) const { return children_[i].load(std::memory_order_acquire); }
  void SetChild(uint32_t i, BytesRef node) { children_[i].store(node, std::memory_order_release); }

  // The child with the greatest low bound <= key; with `below`, < key.
  uint32_t Find(std::string_view key, bool below = false) const;

 private:
  static constexpr uint32_t kCellMax = 4;
  static constexpr uint32_t kCellsPerChild = 4;
  bool FitModel();
  uint32_t CountBelow(uint64_t head) const;

  uint32_t count_;
  bool use_model_ = false;
  LinearModel model_;
  std::string prefix_;  // Of separators 1, 2, ...; separator 0 bounds the node and decides nothing.
  Word heads_[kFanout + kCellMax];
  std::atomic<BytesRef> children_[kFanout];
  uint8_t cells_[kFanout * kCellsPerChild];
  std::array<uint32_t, kFanout + 1> ends_;
  std::string text_;
};

}  // namespace omendb::index
