#include "index/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "base/check.h"

namespace omendb::index {

namespace {

constexpr uint32_t kGranules = Arena::kChunkBytes / Arena::kGranule;
constexpr uint32_t kWords = kGranules / 64;
// Headers come in slabs of this many; the first slab of an index is one cell.
constexpr size_t kCellsPerSlabMax = 64;

void* MapChunk() {
  const size_t bytes = Arena::kChunkBytes * 2;  // Twice, to cut an aligned piece out of.
  auto* raw = static_cast<char*>(
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  OMEN_CHECK(raw != MAP_FAILED);
  const auto address = reinterpret_cast<uintptr_t>(raw);
  const uintptr_t aligned = (address + Arena::kChunkBytes - 1) & ~(Arena::kChunkBytes - 1);
  const size_t before = aligned - address;
  if (before > 0) munmap(raw, before);
  munmap(raw + before + Arena::kChunkBytes, Arena::kChunkBytes - before);
  madvise(raw + before, Arena::kChunkBytes, MADV_HUGEPAGE);
  return raw + before;
}

}  // namespace

struct Arena::Chunk {
  char* base = nullptr;
  uint32_t free_granules = kGranules;
  uint32_t longest = kGranules;  // No free run is longer than this.
  uint64_t used[kWords] = {};

  bool IsUsed(uint32_t i) const { return (used[i / 64] >> (i % 64)) & 1; }
  void Mark(uint32_t first, uint32_t count, bool value) {
    for (uint32_t i = first; i < first + count;) {
      const uint32_t bit = i % 64;
      const uint32_t n = std::min(64 - bit, first + count - i);
      const uint64_t mask = (n == 64 ? ~uint64_t{0} : ((uint64_t{1} << n) - 1)) << bit;
      used[i / 64] = value ? used[i / 64] | mask : used[i / 64] & ~mask;
      i += n;
    }
  }
  // The first granule at or after `i` that is used (or free), or kGranules.
  uint32_t Seek(uint32_t i, bool want_used) const {
    while (i < kGranules) {
      const uint64_t word = (want_used ? used[i / 64] : ~used[i / 64]) >> (i % 64);
      if (word != 0) return std::min<uint32_t>(kGranules, i + std::countr_zero(word));
      i = (i / 64 + 1) * 64;
    }
    return kGranules;
  }
  // First fit. kGranules when there is no room, and `longest` is then exact.
  uint32_t Find(uint32_t count) {
    uint32_t best = 0;
    for (uint32_t i = Seek(0, false); i < kGranules;) {
      const uint32_t end = Seek(i, true);
      if (end - i >= count) return i;
      best = std::max(best, end - i);
      i = Seek(end, false);
    }
    longest = best;
    return kGranules;
  }
};

Arena::Arena() = default;

Arena::~Arena() {
  for (auto& chunk : chunks_) munmap(chunk->base, kChunkBytes);
  for (auto& [block, bytes] : small_) std::free(block);
  for (void* slab : cell_slabs_) std::free(slab);
}

void* Arena::Allocate(size_t bytes) {
  OMEN_CHECK(bytes > 0 && bytes <= kChunkBytes);
  bytes = RoundUp(bytes);
  MutexLock lock(mu_);
  if (chunks_.empty() && small_bytes_ + bytes <= kSmallBytes) {
    void* block = std::aligned_alloc(64, bytes);
    OMEN_CHECK(block != nullptr);
    small_.emplace(block, bytes);
    small_bytes_ += bytes;
    return block;
  }
  return AllocateInChunk(static_cast<uint32_t>(bytes / kGranule));
}

void* Arena::AllocateInChunk(uint32_t granules) {
  for (auto& chunk : chunks_) {
    if (chunk->longest < granules || chunk->free_granules < granules) continue;
    const uint32_t at = chunk->Find(granules);
    if (at == kGranules) continue;
    chunk->Mark(at, granules, true);
    chunk->free_granules -= granules;
    return chunk->base + size_t{at} * kGranule;
  }
  auto& chunk = chunks_.emplace_back(std::make_unique<Chunk>());
  chunk->base = static_cast<char*>(MapChunk());
  chunk_by_base_[reinterpret_cast<uintptr_t>(chunk->base)] = chunk.get();
  chunk->Mark(0, granules, true);
  chunk->free_granules -= granules;
  chunk->longest -= granules;
  return chunk->base;
}

void Arena::Free(void* block, size_t bytes) {
  bytes = RoundUp(bytes);
  MutexLock lock(mu_);
  const auto address = reinterpret_cast<uintptr_t>(block);
  const auto it = chunk_by_base_.find(address & ~(kChunkBytes - 1));
  if (it == chunk_by_base_.end()) {
    OMEN_CHECK(small_.erase(block) == 1);
    small_bytes_ -= bytes;
    std::free(block);
    return;
  }
  Chunk* chunk = it->second;
  const auto first =
      static_cast<uint32_t>((address - reinterpret_cast<uintptr_t>(chunk->base)) / kGranule);
  const auto count = static_cast<uint32_t>(bytes / kGranule);
  OMEN_CHECK(chunk->IsUsed(first) && first + count <= kGranules);
  chunk->Mark(first, count, false);
  chunk->free_granules += count;
  chunk->longest = chunk->free_granules;
  if (chunk->free_granules < kGranules || chunks_.size() == 1) return;
  munmap(chunk->base, kChunkBytes);
  chunk_by_base_.erase(it);
  std::erase_if(chunks_, [chunk](const auto& c) { return c.get() == chunk; });
}

void* Arena::AllocateCell(size_t bytes) {
  MutexLock lock(mu_);
  OMEN_CHECK(cell_bytes_ == 0 || cell_bytes_ == bytes);
  cell_bytes_ = bytes;
  if (free_cells_.empty()) {
    const size_t cells = cell_slabs_.empty() ? 1 : kCellsPerSlabMax;
    auto* slab = static_cast<char*>(std::aligned_alloc(64, cells * bytes));
    OMEN_CHECK(slab != nullptr);
    cell_slabs_.push_back(slab);
    cell_slab_bytes_ += cells * bytes;
    for (size_t i = cells; i-- > 0;) free_cells_.push_back(slab + i * bytes);
  }
  void* cell = free_cells_.back();
  free_cells_.pop_back();
  return cell;
}

void Arena::FreeCell(void* cell) {
  MutexLock lock(mu_);
  free_cells_.push_back(cell);
}

size_t Arena::MemoryBytes() const {
  MutexLock lock(mu_);
  return chunks_.size() * kChunkBytes + small_bytes_ + cell_slab_bytes_;
}

}  // namespace omendb::index
