#include "index/directory.h"

#include <algorithm>

#include "base/check.h"

namespace omendb::index {

Directory::Directory(uint64_t base, uint64_t last, size_t leaves) : base_(base), leaves_(leaves) {
  const size_t wanted = std::min(kCellsMax, leaves * kCellsPerLeaf);
  const uint64_t span = last - base;
  while (shift_ < 63 && (span >> shift_) >= wanted) ++shift_;
  count_ = static_cast<size_t>(span >> shift_) + 1;
  cells_.reset(static_cast<Leaf**>(std::malloc(count_ * sizeof(Leaf*))));
  OMEN_CHECK(cells_ != nullptr);
}

Directory::Cells Directory::CellsOf(const Leaf& leaf) const {
  if (leaf.last < base_) return {0, 0};
  const uint64_t begin = leaf.low <= base_ ? 0 : ((leaf.low - base_ - 1) >> shift_) + 1;
  const uint64_t end = ((leaf.last - base_) >> shift_) + 1;
  return {std::min<size_t>(begin, count_), std::min<size_t>(end, count_)};
}

void Directory::Write(size_t begin, size_t end, Leaf* leaf) {
  for (size_t i = begin; i < std::min(end, next_); ++i) {
    Cell(i).store(leaf, std::memory_order_release);
  }
}

size_t Directory::FillFrom(Leaf* leaf, size_t limit) {
  const Cells cells = CellsOf(*leaf);
  const size_t begin = next_;
  next_ = begin + std::min(limit, cells.end - begin);
  served_ += cells.narrow() && begin == cells.begin;
  Write(begin, next_, cells.narrow() ? leaf : nullptr);
  filled_.store(next_, std::memory_order_release);
  return next_ - begin;
}

void Directory::Replace(std::span<Leaf* const> olds, std::span<Leaf* const> news) {
  for (const Leaf* old : olds) {
    const Cells cells = CellsOf(*old);
    if (cells.narrow()) Write(cells.begin, cells.end, nullptr);
  }
  for (Leaf* leaf : news) {
    const Cells cells = CellsOf(*leaf);
    if (cells.narrow()) Write(cells.begin, cells.end, leaf);
  }
}

bool Directory::Valid() const {
  for (size_t i = 0; i < filled_.load(std::memory_order_relaxed); ++i) {
    const Leaf* leaf = Cell(i).load(std::memory_order_relaxed);
    if (leaf == nullptr) continue;
    if (leaf->low > CellLow(i) || leaf->last < CellLow(i)) return false;
    if (!VersionLock::Readable(leaf->lock.Read()) || !CellsOf(*leaf).narrow()) return false;
  }
  return true;
}

}  // namespace omendb::index
