// inner.h - an inner node: immutable separators with a model over them, and child pointers.
//
// Readers need no version: the separators never change after construction. A child pointer may be
// swapped for another that covers the same keys; every other change makes a new node, which takes
// this one's place in its parent, and this one is retired. At most 5 KB are copied.
//
// The model deals the separators to four times as many cells; a cell names the child with which its
// keys begin, and the separators inside the cell, at most kCellMax, are compared without a branch.
// A node with a fuller cell is searched by halving instead, so that no set of keys costs more than
// log2(256) steps a level. Both answers are exact.
//
// Thread safety  Find, child: any thread. SetChild: one writer at a time (the structure mutex).
// Invariants     I1  separators ascend strictly; child i covers [separator i, separator i + 1)
//                I2  separator 0 equals the low bound of the node
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <span>

#include "base/check.h"
#include "index/leaf.h"
#include "index/linear_model.h"

namespace omendb::index {

class Inner;

// A pointer to a leaf or to an inner node; the low bit tells which.
class NodeRef {
 public:
  NodeRef() = default;
  explicit NodeRef(Leaf* leaf) : bits_(reinterpret_cast<uintptr_t>(leaf) | 1) {}
  explicit NodeRef(Inner* inner) : bits_(reinterpret_cast<uintptr_t>(inner)) {}
  bool is_leaf() const { return (bits_ & 1) != 0; }
  Leaf* leaf() const { return reinterpret_cast<Leaf*>(bits_ ^ 1); }
  Inner* inner() const { return reinterpret_cast<Inner*>(bits_); }
  friend bool operator==(NodeRef, NodeRef) = default;

 private:
  uintptr_t bits_ = 0;
};

// A child and the smallest key it covers.
struct ChildEntry {
  uint64_t low = 0;
  NodeRef node;
};

class alignas(64) Inner {
 public:
  static constexpr uint32_t kFanout = 256;

  // Separators compared in one cell.
  static constexpr uint32_t kCellMax = 4;
  static constexpr uint32_t kCellsPerChild = 4;

  static Inner* Make(std::span<const ChildEntry> children) {
    OMEN_CHECK(!children.empty() && children.size() <= kFanout);
    void* memory = std::aligned_alloc(64, sizeof(Inner));
    OMEN_CHECK(memory != nullptr);
    return new (memory) Inner(children);
  }
  static void Free(Inner* inner) { std::free(inner); }

  uint32_t count() const { return count_; }
  uint64_t separator(uint32_t i) const { return separators_[i].get(); }
  NodeRef child(uint32_t i) const { return children_[i].load(std::memory_order_acquire); }
  void SetChild(uint32_t i, NodeRef node) { children_[i].store(node, std::memory_order_release); }

  // The child that covers `key`: the last separator not above it (child 0 for keys below all).
  [[gnu::always_inline]] uint32_t Find(uint64_t key) const {
    if (use_model_) [[likely]] {
      const uint64_t first = cells_[model_(key)];
      const Word* next = separators_ + first + 1;
      static_assert(kCellMax == 4);
      const uint64_t a = next[0].get() <= key, b = next[1].get() <= key;
      const uint64_t c = next[2].get() <= key, d = next[3].get() <= key;
      // The padding after the last separator equals the greatest key.
      return static_cast<uint32_t>(std::min<uint64_t>(first + (a + b) + (c + d), last_));
    }
    uint32_t first = 0;
    for (uint32_t width = count_; width > 1;) {
      const uint32_t half = width / 2;
      first += separators_[first + half].get() <= key ? half : 0;
      width -= half;
    }
    return first;
  }

 private:
  explicit Inner(std::span<const ChildEntry> entries)
      : count_(static_cast<uint32_t>(entries.size())), last_(count_ - 1) {
    for (uint32_t i = 0; i < count_; ++i) {
      separators_[i].set(entries[i].low);
      children_[i].store(entries[i].node, std::memory_order_relaxed);
    }
    for (uint32_t i = 0; i < kCellMax; ++i) separators_[count_ + i].set(UINT64_MAX);
    use_model_ = FitModel();
  }
  bool FitModel() {
    const uint32_t cell_count = count_ * kCellsPerChild;
    // The first separator is the low bound of the node, often far below the rest.
    const uint64_t base = separator(count_ > 1 ? 1 : 0);
    model_ = LinearModel::Make(base, separator(count_ - 1) - base, cell_count);
    uint32_t next = 1;  // The first separator not yet dealt.
    for (uint32_t cell = 0; cell < cell_count; ++cell) {
      cells_[cell] = static_cast<uint8_t>(next - 1);
      const uint32_t begin = next;
      while (next < count_ && model_(separator(next)) == cell) ++next;
      if (next - begin > kCellMax) return false;
    }
    return true;
  }

  LinearModel model_;
  uint32_t count_;
  uint64_t last_;
  bool use_model_ = false;
  // Words only so that the compiler compares them one by one, which is faster here.
  Word separators_[kFanout + kCellMax];
  std::atomic<NodeRef> children_[kFanout];
  uint8_t cells_[kFanout * kCellsPerChild];
};
static_assert(std::atomic<NodeRef>::is_always_lock_free);

}  // namespace omendb::index
