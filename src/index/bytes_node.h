// bytes_node.h - the inner nodes of the byte-string index.
//
// A node cuts off the prefix that all its separators share and keeps the next eight bytes of each
// as a big-endian word, its head, and the eight after those as its tail. Heads decide almost every
// comparison, among equal heads the tails do; only where both are equal are whole keys compared, so
// nothing is ever decided by a truncated key. Where the heads spread well a model over them (cells,
// as inner.h) names the place.
//
// A child is added in place, under the node's version: the words behind it move up. What cannot be
// done so (another prefix, a fuller node, a model fitted anew, children taken out) makes a new
// node, and this one is dead.
//
// Thread safety  Find, child: any thread under an epoch guard, at any moment: what they return is
//                a child that the node had meanwhile. That it is the right one is known once the
//                version still stands. The rest: one writer (the structure mutex).
// Invariants     I1  a node's range, prefix and model never change
//                I2  every place below count() holds a child and, but for the first, a separator
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/check.h"
#include "index/bytes_leaf.h"
#include "index/child_cells.h"
#include "index/linear_model.h"
#include "index/plain_group.h"
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
  static BytesRef OfBits(uint64_t bits) {
    BytesRef ref;
    ref.bits_ = bits;
    return ref;
  }
  uint64_t bits() const { return bits_; }
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

// `low` belongs to the leaf that begins there; null: the beginning of all keys.
struct BytesChild {
  BytesRecord* low = nullptr;
  BytesRef node;
};

class alignas(64) BytesInner {
 public:
  static constexpr uint32_t kFanout = 256;

  explicit BytesInner(std::span<const BytesChild> children);

  VersionLock lock;  // Dead: the node has been replaced.

  uint32_t count() const { return count_.get_acquire(); }
  bool uses_model() const { return use_model_.get() != 0; }
  static size_t bytes() { return sizeof(BytesInner); }
  BytesRef child(uint32_t i) const { return BytesRef::OfBits(children_[i].get_acquire()); }
  BytesChild ChildAt(uint32_t i) const { return {low(i), child(i)}; }
  // Requires: `node` covers the same keys.
  void SetChild(uint32_t i, BytesRef node) { children_[i].set_release(node.bits()); }

  // The child with the greatest low bound <= key; with `below`, < key.
  uint32_t Find(std::string_view key, bool below = false) const;

  // Puts `left` in place of the child at `place` and `right` behind it, in place; false: that needs
  // a new node. Between them they cover what the child covered.
  bool TrySplit(uint32_t place, BytesRef left, const BytesChild& right);
  // Asks for what TrySplit will write to at the end of the node.
  [[gnu::always_inline]] void PrefetchForSplit(uint32_t place) const {
    const uint32_t at = std::min(place + 1, kFanout - 1);
    PrefetchWrite(children_ + at);
    PrefetchWrite(lows_ + at);
    PrefetchWrite(heads_ + at);
    PrefetchWrite(tails_ + at);
  }

 private:
  static constexpr uint32_t kPrefixWords = 4;
  static constexpr uint32_t kGroup = kGroupSize;
  // Fewer children than this need no model; where the first did not fit, the next is tried later.
  static constexpr uint32_t kModelMin = 8, kRefitMin = 64;
  static_assert(kGroup * kGroup == kFanout);
  void SetPrefix(std::string_view first, std::string_view last);
  bool FitModel();
  bool SharesPrefix(std::string_view key) const;
  uint32_t FindAmong(std::string_view key, bool below, uint32_t first, uint32_t end) const;
  void CountIn(uint64_t head, uint32_t count);
  // Without a model: how many children there shall be when one is tried again.
  static uint32_t RefitAt(uint32_t count) { return std::max(kRefitMin, 4 * count); }
  BytesRecord* low(uint32_t i) const {
    return reinterpret_cast<BytesRecord*>(lows_[i].get_acquire());
  }
  // Requires: 0 < i.
  std::string_view separator(uint32_t i) const { return low(i)->key(); }
  // The order of the key's beginning and the prefix. A key that ends before the prefix does counts
  // as if zeros followed: it is then less than every separator, as its whole shows.
  [[gnu::always_inline]] int ComparePrefix(std::string_view key) const {
    if (prefix_size_ > 8 * kPrefixWords) [[unlikely]]
      return key.substr(0, prefix_size_).compare(separator(1).substr(0, prefix_size_));
    for (uint32_t w = 0; w * 8 < prefix_size_; ++w) {
      uint64_t head = HeadOf(key, w * 8);
      if (prefix_size_ - w * 8 < 8) head &= prefix_mask_;
      if (head != prefix_[w]) return head < prefix_[w] ? -1 : 1;
    }
    return 0;
  }
  [[gnu::always_inline]] uint32_t LastBelowAll(uint64_t head, uint32_t last) const;
  // Of sixteen ascending words the last that is below `head`; the first if none is.
  [[gnu::always_inline]] static uint32_t LastBelow(const Word* words, uint64_t head) {
    const uint32_t below = CountBelow(words, head);
    return below - (below > 0);
  }

  Relaxed<uint32_t> count_;
  Relaxed<uint32_t> use_model_{0};
  // Of separators 1, 2, ...; separator 0 bounds the node and decides nothing.
  uint32_t prefix_size_ = 0;
  uint32_t refit_at_ = 0;               // The writer's.
  uint64_t prefix_mask_ = 0;            // Of its last word.
  uint64_t prefix_[kPrefixWords] = {};  // If it is not longer.
  LinearModel model_;
  uint32_t cell_count_ = 0;
  alignas(64) Word tops_[kGroup];  // Every sixteenth head.
  alignas(64) Word heads_[kFanout + kCellMax];
  alignas(64) Word children_[kFanout];
  Relaxed<uint8_t> cells_[kFanout * kCellsPerChild + kCellStride];
  Word tails_[kFanout];
  Word lows_[kFanout];  // BytesRecord*: the separators.
};

}  // namespace omendb::index
