#include "index/leaf_memory.h"

#include "base/check.h"

namespace omendb::index {

namespace {

// Cells come in slabs of this many; the first slab of an index is one cell.
constexpr size_t kCellsPerSlab = 16;

}  // namespace

LeafMemory::~LeafMemory() {
  for (const auto& [slab, bytes] : slabs_) Free(slab, bytes);
  OMEN_CHECK(MemoryBytes() == 0);
}

void* LeafMemory::AllocateCell(size_t bytes) {
  MutexLock lock(mu_);
  OMEN_CHECK(cell_bytes_ == 0 || cell_bytes_ == bytes);
  cell_bytes_ = bytes;
  if (free_cells_.empty()) {
    const size_t cells = slabs_.empty() ? 1 : kCellsPerSlab;
    auto* slab = static_cast<char*>(Allocate(cells * bytes));
    slabs_.emplace_back(slab, cells * bytes);
    for (size_t i = cells; i-- > 0;) free_cells_.push_back(slab + i * bytes);
  }
  void* cell = free_cells_.back();
  free_cells_.pop_back();
  return cell;
}

void LeafMemory::FreeCell(void* cell) {
  MutexLock lock(mu_);
  free_cells_.push_back(cell);
}

}  // namespace omendb::index
