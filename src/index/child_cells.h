// child_cells.h - the model of an inner node and its cells, for both kinds of keys.
//
// The model deals the separators to four times as many cells. A cell names the child before its
// first separator; so do the empty ones before it. Whoever searches compares kCellMax separators
// from there on.
//
// Thread safety  None by itself: Cell is a plain byte in nodes that do not change, a relaxed one in
//                nodes that change under the eyes of readers.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "index/bucket.h"
#include "index/linear_model.h"
#include "index/relaxed.h"

namespace omendb::index {

inline constexpr uint32_t kCellMax = 4;        // Separators in one cell, at most.
inline constexpr uint32_t kCellsPerChild = 4;  // Cells of a node.
inline constexpr uint32_t kCellStride = 16;    // So many bytes lie behind the last cell.

inline uint32_t CellOf(uint8_t cell) { return cell; }
inline uint32_t CellOf(const Relaxed<uint8_t>& cell) { return cell.get(); }

// In strides that run over the end: how many cells there are cannot be foreseen, and a branch
// mispredicted for each separator took longer than all else.
template <typename Cell>
void FillCells(Cell* cells, uint32_t begin, uint32_t end, uint32_t child) {
  do {
    std::memset(static_cast<void*>(cells + begin), static_cast<int>(child), kCellStride);
    begin += kCellStride;
  } while (begin < end);
}

// Deals separators[1, count) to `cell_count` cells. False: one is too full. Requires: count > 0.
template <typename Cell>
bool FitCells(const Word* separators, uint32_t count, uint32_t cell_count, LinearModel* model,
              Cell* cells) {
  // The first separator is the low bound of the node, often far below the rest.
  const uint64_t base = separators[count > 1 ? 1 : 0].get();
  *model = LinearModel::Make(base, separators[count - 1].get() - base, cell_count);
  uint32_t filled = 0;  // Cells written.
  for (uint32_t next = 1; next < count; ++next) {
    const auto cell = static_cast<uint32_t>((*model)(separators[next].get()));
    if (cell >= filled) FillCells(cells, filled, cell + 1, next - 1);
    filled = cell + 1;
    if (next - CellOf(cells[cell]) > kCellMax) return false;
  }
  FillCells(cells, filled, cell_count, count - 1);
  return true;
}

// Adds one to the cells from `begin` on, many at a time. No cell overflows into the next; those
// past the last one are not looked at.
template <typename Cell>
void CountUpCells(Cell* cells, uint32_t begin, uint32_t cell_count) {
  const auto add_one = [cells](uint32_t c) {
    if constexpr (std::is_same_v<Cell, uint8_t>) {
      ++cells[c];
    } else {
      cells[c].set(static_cast<uint8_t>(cells[c].get() + 1));
    }
  };
  uint32_t c = begin;
#if OMEN_INDEX_VECTORS
  using Bytes32 [[gnu::vector_size(32), gnu::may_alias, gnu::aligned(1)]] = uint8_t;
  for (; c + sizeof(Bytes32) <= cell_count; c += sizeof(Bytes32)) {
    Bytes32& many = *reinterpret_cast<Bytes32*>(cells + c);
    many = many + 1;
  }
  for (; c < cell_count; c += 8) {
    uint64_t eight = 0;
    std::memcpy(&eight, static_cast<const void*>(cells + c), sizeof(eight));
    eight += 0x0101010101010101;
    std::memcpy(static_cast<void*>(cells + c), &eight, sizeof(eight));
  }
#endif
  for (; c < cell_count; ++c) add_one(c);
}

}  // namespace omendb::index
