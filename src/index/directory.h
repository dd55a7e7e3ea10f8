// directory.h - a table over the leaves that answers most descents with one look.
//
// The range of the keys is cut into cells of one width, a power of two; a cell names the leaf that
// covers its first key. A key of the cell beyond that leaf, a cell that names none and a key
// outside the range all mean that the tree is descended: the directory is never needed for the
// right answer, only for the short way to it. Where it would serve too few leaves (keys clustered
// at all scales) it is switched off.
//
// Thread safety  Find: any thread under an epoch guard. The rest: one writer (structure mutex).
// Invariants     D1  a cell below `filled` names null or a leaf that covers the cell's first key
//                D2  no cell names a leaf that has been retired: its cells are written before
//                D3  a leaf with more than kCellsPerLeafMax cells is named by none, so that the
//                    work of replacing leaves is bounded
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "index/leaf.h"

namespace omendb::index {

class Directory {
 public:
  // Why 8: where keys spread evenly one key in 16 then lies beyond the leaf that its cell names.
  static constexpr size_t kCellsPerLeaf = 8;
  static constexpr size_t kCellsPerLeafMax = 128;
  static constexpr size_t kCellsMax = 256 << 10;
  // Cells written for each change of the structure: 4 KB, one page, some microseconds.
  static constexpr size_t kCellsPerStep = 512;

  // For keys in [base, last], cut into `leaves` leaves. Empty until filled.
  // Requires: base <= last, leaves > 0.
  Directory(uint64_t base, uint64_t last, size_t leaves);

  // The leaf that covers `key`, or null when the directory does not know.
  [[gnu::always_inline]] Leaf* Find(uint64_t key) const {
    const uint64_t at = (key - base_) >> shift_;  // A key below the base wraps around.
    if (key < base_ || at >= filled_.load(std::memory_order_acquire)) [[unlikely]]
      return nullptr;
    Leaf* leaf = Cell(at).load(std::memory_order_acquire);
    return leaf != nullptr && key <= leaf->last ? leaf : nullptr;
  }

  bool complete() const { return next_ == count_; }
  size_t leaves() const { return leaves_; }
  size_t bytes() const { return sizeof(*this) + count_ * sizeof(Leaf*); }
  // The first key of the first cell not yet written. Requires: !complete().
  uint64_t next_key() const { return CellLow(next_); }
  // Writes the next cells, at most `limit`, as far as `leaf` reaches; returns how many.
  // Requires: `leaf` covers next_key(); limit > 0.
  size_t FillFrom(Leaf* leaf, size_t limit);
  // Writes the cells of `olds` anew; `news` cover the same range. Both in order.
  void Replace(std::span<Leaf* const> olds, std::span<Leaf* const> news);
  // Whether it serves less than half of the leaves, once it is complete.
  bool useless() const { return complete() && served_ * 2 < leaves_; }
  void SwitchOff() { filled_.store(0, std::memory_order_relaxed); }
  // For tests: whether D1 and D3 hold for every cell.
  bool Valid() const;

 private:
  // Cells [begin, end) have their first key in the leaf.
  struct Cells {
    size_t begin, end;
    bool narrow() const { return end - begin <= kCellsPerLeafMax; }
  };
  Cells CellsOf(const Leaf& leaf) const;
  [[gnu::always_inline]] std::atomic_ref<Leaf*> Cell(size_t i) const {
    return std::atomic_ref<Leaf*>(cells_[i]);
  }
  void Write(size_t begin, size_t end, Leaf* leaf);
  uint64_t CellLow(size_t i) const { return base_ + (uint64_t{i} << shift_); }

  const uint64_t base_;
  uint8_t shift_ = 0;
  std::atomic<uint64_t> filled_{0};
  // From malloc and not initialized, so that no page is touched before it is filled.
  struct Free {
    void operator()(Leaf** p) const { std::free(p); }
  };
  std::unique_ptr<Leaf*[], Free> cells_;
  size_t count_ = 0;   // Cells.
  size_t next_ = 0;    // The first cell not yet written.
  size_t served_ = 0;  // Leaves with cells of their own, when it was filled.
  const size_t leaves_;
};

}  // namespace omendb::index
