// inner.h - an inner node: immutable separators with a model over them, and child pointers.
//
// Readers need no version: the separators never change after construction. A child pointer may be
// swapped for another that covers the same keys; every other change makes a new node, which takes
// this one's place in its parent, and this one is retired. At most 5 KB are copied.
//
// The model deals the separators to four times as many cells; a cell names the child with which its
// keys begin, and the separators inside the cell, at most kCellMax, are compared without a branch.
// A node with a fuller cell compares every sixteenth separator and then the sixteen of one group,
// so that no set of keys costs more than two steps a level. Both answers are exact.
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
#include <cstring>
#include <new>
#include <span>

#include "base/check.h"
#include "index/child_cells.h"
#include "index/leaf.h"
#include "index/linear_model.h"
#include "index/node_cache.h"

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

  static constexpr uint32_t kGroup = 16;
  static_assert(kGroup * kGroup == kFanout);

  static Inner* Make(std::span<const ChildEntry> children) {
    OMEN_CHECK(!children.empty() && children.size() <= kFanout);
    return new (NodeCache::Instance().Take(sizeof(Inner))) Inner(children);
  }
  // A copy of `from` with `added` in place of the child at `place`; the first of them covers the
  // same low bound. The model stays, and so do most cells: a tenth of the time that Make takes.
  // Requires: from.count() + added.size() <= kFanout + 1, added is not empty.
  static Inner* MakeSpliced(const Inner& from, uint32_t place, std::span<const ChildEntry> added) {
    OMEN_CHECK(!added.empty() && from.count() + added.size() <= kFanout + 1);
    return new (NodeCache::Instance().Take(sizeof(Inner))) Inner(from, place, added);
  }
  static void Free(Inner* inner) { NodeCache::Instance().Give(inner); }

  uint32_t count() const { return count_; }
  uint64_t separator(uint32_t i) const { return separators_[i].get(); }
  NodeRef child(uint32_t i) const { return children_[i].load(std::memory_order_acquire); }
  ChildEntry ChildAt(uint32_t i) const { return {separator(i), child(i)}; }
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
    // Padding equals the greatest key, hence the minimum.
    const uint32_t group = LastUpTo(tops_, key);
    return std::min(group * kGroup + LastUpTo(separators_ + group * kGroup, key),
                    static_cast<uint32_t>(last_));
  }

 private:
  explicit Inner(std::span<const ChildEntry> entries)
      : count_(static_cast<uint32_t>(entries.size())), last_(count_ - 1) {
    for (uint32_t i = 0; i < count_; ++i) {
      separators_[i].set(entries[i].low);
      children_[i].store(entries[i].node, std::memory_order_relaxed);
    }
    Pad();
    use_model_ = FitModel();
  }
  Inner(const Inner& from, uint32_t place, std::span<const ChildEntry> added)
      : model_(from.model_),
        count_(from.count_ + static_cast<uint32_t>(added.size()) - 1),
        last_(count_ - 1),
        cell_count_(from.cell_count_) {
    const uint32_t grown = count_ - from.count_;
    CopyChildren(0, from, 0, place);
    for (uint32_t i = 0; i <= grown; ++i) {
      separators_[place + i].set(added[i].low);
      children_[place + i].store(added[i].node, std::memory_order_relaxed);
    }
    CopyChildren(place + 1 + grown, from, place + 1, from.count_ - place - 1);
    Pad();
    use_model_ = from.use_model_ && (SpliceCells(from, place, grown) || FitModel());
  }
  // Nobody changes `from` meanwhile: the structure mutex is held.
  void CopyChildren(uint32_t to, const Inner& from, uint32_t begin, uint32_t count) {
    std::memcpy(static_cast<void*>(separators_ + to), from.separators_ + begin,
                count * sizeof(Word));
    std::memcpy(static_cast<void*>(children_ + to), from.children_ + begin,
                count * sizeof(children_[0]));
  }
  void Pad() {
    for (uint32_t i = count_; i < kFanout + kCellMax; ++i) separators_[i].set(UINT64_MAX);
    for (uint32_t i = 0; i < kGroup; ++i) tops_[i].set(separator(i * kGroup));
  }
  // Separators place + 1 ... place + grown are new: every cell after theirs begins later by them.
  bool SpliceCells(const Inner& from, uint32_t place, uint32_t grown) {
    std::memcpy(cells_, from.cells_, sizeof(cells_));
    for (uint32_t i = 1; i <= grown; ++i) {
      const auto cell = static_cast<uint32_t>(model_(separator(place + i)));
      CountUpCells(cells_, cell + 1, cell_count_);
      const uint32_t end = cell + 1 < cell_count_ ? cells_[cell + 1] : from.last_ + i;
      if (end - cells_[cell] > kCellMax) return false;
    }
    return true;
  }
  // The last of sixteen ascending words that is not above `key`; the first if all are.
  [[gnu::always_inline]] static uint32_t LastUpTo(const Word* words, uint64_t key) {
    static_assert(kGroup == kGroupSize);
    const uint32_t not_above = key == UINT64_MAX ? kGroup : CountBelow(words, key + 1);
    return not_above - (not_above > 0);
  }
  bool FitModel() {
    cell_count_ = count_ * kCellsPerChild;
    return FitCells(separators_, count_, cell_count_, &model_, cells_);
  }

  LinearModel model_;
  uint32_t count_;
  uint64_t last_;
  uint32_t cell_count_ = 0;
  bool use_model_ = false;
  alignas(64) Word tops_[kGroup];  // Every sixteenth separator.
  alignas(64) Word separators_[kFanout + kCellMax];
  std::atomic<NodeRef> children_[kFanout];
  uint8_t cells_[kFanout * kCellsPerChild + kCellStride];
};
static_assert(std::atomic<NodeRef>::is_always_lock_free);

}  // namespace omendb::index
