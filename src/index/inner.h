// inner.h - an inner node: immutable separators with a model over them, and child pointers.
//
// Readers need no version: the separators never change after construction. A child pointer may be
// swapped for another that covers the same keys; every other change makes a new node, which takes
// this one's place in its parent, and this one is retired. At most 4 KB are copied.
//
// The model predicts a child within `error` places, measured over every key when the node is built;
// where that saves no step of the binary search the whole node is searched, so that no set of keys
// costs more than log2(256) steps a level.
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

class Inner {
 public:
  static constexpr uint32_t kFanout = 256;

  static Inner* Make(std::span<const ChildEntry> children) {
    OMEN_CHECK(!children.empty() && children.size() <= kFanout);
    const auto n = static_cast<uint32_t>(children.size());
    void* memory = std::aligned_alloc(64, Bytes(n));
    OMEN_CHECK(memory != nullptr);
    return new (memory) Inner(children);
  }
  static void Free(Inner* inner) { std::free(inner); }
  static size_t Bytes(uint32_t count) {
    return (sizeof(Inner) + count * (sizeof(uint64_t) + sizeof(std::atomic<NodeRef>)) + 63) / 64 *
           64;
  }

  uint32_t count() const { return count_; }
  uint64_t separator(uint32_t i) const { return separators()[i]; }
  NodeRef child(uint32_t i) const { return children()[i].load(std::memory_order_acquire); }
  void SetChild(uint32_t i, NodeRef node) { children()[i].store(node, std::memory_order_release); }
  size_t bytes() const { return Bytes(count_); }

  // The child that covers `key`: the last separator not above it (child 0 for keys below all).
  uint32_t Find(uint64_t key) const {
    const uint64_t* keys = separators();
    uint32_t first = 0;
    uint32_t steps_width = whole_width_;
    if (use_model_) {
      const auto predicted = static_cast<uint32_t>(model_(key));
      first = predicted > error_ ? predicted - error_ : 0;
      first = std::min(first, count_ - window_);
      steps_width = window_;
    }
    // Branchless: the last i in [first, first + width) with keys[i] <= key, or first.
    for (uint32_t width = steps_width; width > 1;) {
      const uint32_t half = width / 2;
      first += keys[first + half] <= key ? half : 0;
      width -= half;
    }
    return first;
  }

 private:
  explicit Inner(std::span<const ChildEntry> entries)
      : count_(static_cast<uint32_t>(entries.size())), whole_width_(count_) {
    for (uint32_t i = 0; i < count_; ++i) {
      separators()[i] = entries[i].low;
      new (&children()[i]) std::atomic<NodeRef>(entries[i].node);
    }
    FitModel();
  }
  void FitModel() {
    if (count_ < 4) return;
    const uint64_t* keys = separators();
    // The first separator is the low bound of the node, often far below the rest.
    model_ = LinearModel::Make(keys[1], keys[count_ - 1] - keys[1], count_ - 1);
    uint32_t error = 0;
    for (uint32_t i = 0; i < count_; ++i) {
      // Keys of child i lie in [keys[i], keys[i + 1]); the model is monotone, so its error is
      // greatest at the ends.
      const uint64_t top = i + 1 < count_ ? keys[i + 1] - 1 : UINT64_MAX;
      for (uint64_t key : {keys[i], top}) {
        const auto predicted = static_cast<int64_t>(model_(key));
        error = std::max(error, static_cast<uint32_t>(std::abs(predicted - int64_t{i})));
      }
    }
    error_ = error;
    window_ = std::min(count_, 2 * error + 1);
    // The model must save two steps of the search to pay for itself.
    use_model_ = std::bit_width(window_) + 2 <= std::bit_width(count_);
  }

  uint64_t* separators() { return reinterpret_cast<uint64_t*>(this + 1); }
  const uint64_t* separators() const { return reinterpret_cast<const uint64_t*>(this + 1); }
  std::atomic<NodeRef>* children() {
    return reinterpret_cast<std::atomic<NodeRef>*>(separators() + count_);
  }
  const std::atomic<NodeRef>* children() const {
    return reinterpret_cast<const std::atomic<NodeRef>*>(separators() + count_);
  }

  uint32_t count_;
  uint32_t whole_width_;
  uint32_t error_ = 0;
  uint32_t window_ = 1;
  LinearModel model_;
  bool use_model_ = false;
};
static_assert(std::atomic<NodeRef>::is_always_lock_free);

}  // namespace omendb::index
