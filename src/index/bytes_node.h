// bytes_node.h - the inner nodes of the byte-string index.
//
// A node cuts off the prefix that all its separators share and keeps the next eight bytes of each
// as a big-endian word, its head. Heads decide almost every comparison; only among equal heads are
// whole keys compared, so nothing is ever decided by a truncated key. Where the heads spread well a
// model over them (cells, as inner.h) names the place.
//
// Thread safety  As int_tree.h: inner nodes never change but for child pointers.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"
#include "index/bytes_leaf.h"
#include "index/linear_model.h"
#include "index/relaxed.h"

namespace omendb::index {

class BytesInner;

// A pointer to a node. That to a leaf says how many words its cells have, in bits 1 to 4.
class BytesRef {
 public:
  BytesRef() = default;
  explicit BytesRef(BytesLeaf* leaf)
      : bits_(reinterpret_cast<uintptr_t>(leaf) | leaf->cell_words << 1 | 1) {}
  explicit BytesRef(BytesInner* inner) : bits_(reinterpret_cast<uintptr_t>(inner)) {}
  bool is_null() const { return bits_ == 0; }
  bool is_leaf() const { return (bits_ & 1) != 0; }
  BytesLeaf* leaf() const { return reinterpret_cast<BytesLeaf*>(bits_ & ~kTag); }
  uint32_t cell_words() const { return (bits_ & kTag) >> 1; }
  BytesInner* inner() const { return reinterpret_cast<BytesInner*>(bits_); }

 private:
  static constexpr uintptr_t kTag = alignof(BytesLeaf) - 1;
  static_assert((BytesLeaf::kCellWordsMax << 1 | 1) <= kTag);
  uintptr_t bits_ = 0;
};

// `low` stays readable while the node is made: a leaf or an inner node keeps it.
struct BytesChild {
  std::string_view low;
  BytesRef node;
};

class alignas(64) BytesInner {
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
  static constexpr uint32_t kGroup = 16;
  static constexpr uint32_t kCellStride = 16;
  static_assert(kGroup * kGroup == kFanout);
  bool FitModel();
  void FillCells(uint32_t begin, uint32_t end, uint32_t child);
  // The order of the key's beginning and the prefix.
  int ComparePrefix(std::string_view key) const {
    if (prefix_size_ <= 8 && key.size() >= 8) [[likely]] {
      const uint64_t head = LoadBe<uint64_t>(key.data()) & prefix_mask_;
      return head == prefix_head_ ? 0 : head < prefix_head_ ? -1 : 1;
    }
    return key.substr(0, prefix_size_).compare(separator(1).substr(0, prefix_size_));
  }
  uint32_t CountBelow(uint64_t head) const;
  // Of sixteen ascending words the last that is below `head`; the first if none is.
  static uint32_t LastBelow(const uint64_t* words, uint64_t head) {
    uint32_t below = 0;
    for (uint32_t i = 0; i < kGroup; ++i) below += words[i] < head;
    return below - (below > 0);
  }

  uint32_t count_;
  bool use_model_ = false;
  // Of separators 1, 2, ...; separator 0 bounds the node and decides nothing.
  uint32_t prefix_size_ = 0;
  uint64_t prefix_head_ = 0;  // The prefix in a word, if it is not longer.
  uint64_t prefix_mask_ = 0;
  LinearModel model_;
  alignas(64) uint64_t tops_[kGroup];  // Every sixteenth head.
  uint64_t heads_[kFanout + kCellMax];
  std::atomic<BytesRef> children_[kFanout];
  uint8_t cells_[kFanout * kCellsPerChild + kCellStride];
  std::array<uint32_t, kFanout + 1> ends_;
  std::string text_;
};

}  // namespace omendb::index
