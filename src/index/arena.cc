#include "index/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "base/check.h"

namespace omendb::index {

namespace {

// Headers come in slabs of this many; the first slab of an index is one cell.
constexpr size_t kCellsPerSlab = 64;

// `bytes` of address space, aligned to `bytes`.
char* MapAligned(size_t bytes) {
  auto* raw = static_cast<char*>(
      mmap(nullptr, bytes * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  OMEN_CHECK(raw != MAP_FAILED);
  const auto address = reinterpret_cast<uintptr_t>(raw);
  const size_t before = ((address + bytes - 1) & ~(bytes - 1)) - address;
  if (before > 0) munmap(raw, before);
  munmap(raw + before + bytes, bytes - before);
  madvise(raw + before, bytes, MADV_HUGEPAGE);
  return raw + before;
}

}  // namespace

struct Arena::Chunk {
  explicit Chunk(size_t size)
      : base(MapAligned(size)),
        bytes(size),
        granules(static_cast<uint32_t>(size / kGranule)),
        free_granules(granules),
        longest(granules),
        used(granules / 64) {}

  char* const base;
  const size_t bytes;
  const uint32_t granules;
  uint32_t free_granules;
  uint32_t longest;         // No free run is longer than this.
  uint32_t first_free = 0;  // Everything before is used.
  uint32_t touched = 0;     // Granules up to here have been handed out once.
  std::vector<uint64_t> used;

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
  // The first granule at or after `i` that is used (or free), or `granules`.
  uint32_t Seek(uint32_t i, bool want_used) const {
    while (i < granules) {
      const uint64_t word = (want_used ? used[i / 64] : ~used[i / 64]) >> (i % 64);
      if (word != 0) return std::min<uint32_t>(granules, i + std::countr_zero(word));
      i = (i / 64 + 1) * 64;
    }
    return granules;
  }
  // First fit. `granules` when there is no room, and `longest` is then exact.
  uint32_t Find(uint32_t count) {
    uint32_t best = 0;
    uint32_t i = Seek(first_free, false);
    first_free = i;
    while (i < granules) {
      const uint32_t end = Seek(i, true);
      if (end - i >= count) return i;
      best = std::max(best, end - i);
      i = Seek(end, false);
    }
    longest = best;
    return granules;
  }
  char* Take(uint32_t at, uint32_t count) {
    Mark(at, count, true);
    free_granules -= count;
    touched = std::max(touched, at + count);
    return base + size_t{at} * kGranule;
  }
};

Arena::Arena() = default;

Arena::~Arena() {
  for (auto& chunk : chunks_) munmap(chunk->base, chunk->bytes);
  for (auto& [block, bytes] : small_) std::free(block);
  for (void* slab : cell_slabs_) std::free(slab);
  for (void* page : cell_pages_) munmap(page, kHugePage);
}

void* Arena::Allocate(size_t bytes) {
  OMEN_CHECK(bytes > 0 && bytes <= kHugePage);
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
  size_t held = 0;
  for (auto& chunk : chunks_) {
    held += chunk->bytes;
    if (chunk->longest < granules || chunk->free_granules < granules) continue;
    const uint32_t at = chunk->Find(granules);
    if (at < chunk->granules) return chunk->Take(at, granules);
  }
  const size_t bytes = held < kChunkBytesMax ? kHugePage : kChunkBytesMax;
  auto& chunk = chunks_.emplace_back(std::make_unique<Chunk>(bytes));
  chunk_by_base_[reinterpret_cast<uintptr_t>(chunk->base)] = chunk.get();
  return chunk->Take(0, granules);
}

// Chunks are aligned to their own size.
Arena::Chunk* Arena::FindChunk(uintptr_t address) {
  for (const size_t bytes : {kChunkBytesMax, kHugePage}) {
    const auto it = chunk_by_base_.find(address & ~(bytes - 1));
    if (it != chunk_by_base_.end() && it->second->bytes == bytes) return it->second;
  }
  return nullptr;
}

void Arena::Free(void* block, size_t bytes) {
  bytes = RoundUp(bytes);
  MutexLock lock(mu_);
  const auto address = reinterpret_cast<uintptr_t>(block);
  Chunk* chunk = FindChunk(address);
  if (chunk == nullptr) {
    OMEN_CHECK(small_.erase(block) == 1);
    small_bytes_ -= bytes;
    std::free(block);
    return;
  }
  const auto base = reinterpret_cast<uintptr_t>(chunk->base);
  const auto first = static_cast<uint32_t>((address - base) / kGranule);
  const auto count = static_cast<uint32_t>(bytes / kGranule);
  OMEN_CHECK(first + count <= chunk->granules && chunk->IsUsed(first));
  chunk->Mark(first, count, false);
  chunk->free_granules += count;
  chunk->longest = chunk->free_granules;
  chunk->first_free = std::min(chunk->first_free, first);
  if (chunk->free_granules < chunk->granules || chunks_.size() == 1) return;
  munmap(chunk->base, chunk->bytes);
  chunk_by_base_.erase(base);
  std::erase_if(chunks_, [chunk](const auto& c) { return c.get() == chunk; });
}

void* Arena::AllocateCell(size_t bytes) {
  MutexLock lock(mu_);
  OMEN_CHECK(cell_bytes_ == 0 || cell_bytes_ == bytes);
  cell_bytes_ = bytes;
  if (free_cells_.empty()) {
    if (chunks_.size() < 2) {
      const size_t cells = cell_slabs_.empty() ? 1 : kCellsPerSlab;
      auto* slab = static_cast<char*>(std::aligned_alloc(64, cells * bytes));
      OMEN_CHECK(slab != nullptr);
      cell_slabs_.push_back(slab);
      cell_slab_bytes_ += cells * bytes;
      for (size_t i = cells; i-- > 0;) free_cells_.push_back(slab + i * bytes);
    } else {
      // Headers of a large index share huge pages of their own.
      if (cell_page_left_ < bytes) {
        cell_page_ = MapAligned(kHugePage);
        cell_page_left_ = kHugePage;
        cell_pages_.push_back(cell_page_);
      }
      free_cells_.push_back(cell_page_);
      cell_page_ += bytes;
      cell_page_left_ -= bytes;
    }
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
  size_t bytes = small_bytes_ + cell_slab_bytes_ + cell_pages_.size() * kHugePage;
  for (const auto& chunk : chunks_) {
    bytes += (chunk->touched * kGranule + kHugePage - 1) / kHugePage * kHugePage;
  }
  return bytes;
}

}  // namespace omendb::index
