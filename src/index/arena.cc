#include "index/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "base/check.h"
#include "index/page_warmer.h"

namespace omendb::index {

namespace {

// Headers come in slabs of this many; the first slab of an index is one cell.
constexpr size_t kCellsPerSlab = 64;
// What is kept present and unused: this share of the chunks, within bounds. At 10 M ascending
// inserts a second 1 MB, the least, lasts 6 ms, and the warmer needs up to 7 ms for a huge page.
constexpr size_t kAheadShare = 32;
constexpr size_t kAheadMin = 1 << 20;
constexpr size_t kAheadMax = 8 << 20;

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
  uint32_t ready = 0;       // Granules up to here are present.
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
  // First fit below `ready`. `granules` when there is no room, and `longest` is then exact.
  uint32_t Find(uint32_t count) {
    uint32_t best = 0;
    uint32_t i = Seek(first_free, false);
    first_free = i;
    while (i < ready) {
      const uint32_t end = std::min(ready, Seek(i, true));
      if (end - i >= count) return i;
      best = std::max(best, end - i);
      i = Seek(end, false);
    }
    longest = best;
    return granules;
  }
  void SetReady(uint32_t upto) {
    ready = std::max(ready, upto);
    longest = free_granules;
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
}

void Arena::SetPatient(bool patient) {
  MutexLock lock(mu_);
  patient_ = patient;
  if (!patient) KeepAhead();
}

void* Arena::Allocate(size_t bytes) {
  OMEN_CHECK(bytes > 0 && bytes <= kHugePage);
  MutexLock lock(mu_);
  return AllocateLocked(RoundUp(bytes));
}

void* Arena::AllocateLocked(size_t bytes) {
  if (chunks_.empty() && small_bytes_ + bytes <= kSmallBytes) return AllocateSmall(bytes);
  void* block = AllocateInChunk(static_cast<uint32_t>(bytes / kGranule));
  if (!patient_) KeepAhead();
  return block != nullptr ? block : AllocateSmall(bytes);
}

void* Arena::AllocateSmall(size_t bytes) {
  void* block = std::aligned_alloc(64, bytes);
  OMEN_CHECK(block != nullptr);
  small_.emplace(block, bytes);
  small_bytes_ += bytes;
  return block;
}

// Null when no room is present and waiting is not allowed. Small arenas wait for their few pages:
// blocks from malloc beside pages that come later would cost them memory that shows.
void* Arena::AllocateInChunk(uint32_t granules) {
  for (auto& chunk : chunks_) {
    if (chunk->longest < granules || chunk->free_granules < granules) continue;
    const uint32_t at = chunk->Find(granules);
    if (at < chunk->granules) return chunk->Take(at, granules);
  }
  if (!patient_ && chunk_bytes_ >= kChunkBytesMax) return nullptr;
  Chunk* last = chunks_.empty() ? AddChunk() : chunks_.back().get();
  for (;;) {
    if (last->ready == last->granules) last = AddChunk();
    last->SetReady(last->ready + kHugePage / kGranule);
    const uint32_t at = last->Find(granules);
    if (at < last->granules) return last->Take(at, granules);
  }
}

Arena::Chunk* Arena::AddChunk() {
  const size_t bytes = chunk_bytes_ < kChunkBytesMax ? kHugePage : kChunkBytesMax;
  Chunk* chunk = chunks_.emplace_back(std::make_unique<Chunk>(bytes)).get();
  chunk_by_base_[reinterpret_cast<uintptr_t>(chunk->base)] = chunk;
  chunk_bytes_ += bytes;
  return chunk;
}

void Arena::KeepAhead() {
  if (warming_ != nullptr || chunk_bytes_ < kChunkBytesMax) return;
  Chunk* last = chunks_.back().get();
  const size_t ahead = std::clamp(chunk_bytes_ / kAheadShare, kAheadMin, kAheadMax);
  if (last->ready > last->touched && (last->ready - last->touched) * kGranule >= ahead) {
    return;
  }
  if (last->ready == last->granules) last = AddChunk();
  warming_ = last;
  warmed_upto_ = last->ready + kHugePage / kGranule;
  Ref();
  PageWarmer::Instance().Request(last->base + last->ready * kGranule, kHugePage, &Arena::Warmed,
                                 this);
}

void Arena::Warmed(void* arena) {
  auto* const self = static_cast<Arena*>(arena);
  {
    MutexLock lock(self->mu_);
    self->warming_->SetReady(self->warmed_upto_);
    self->warming_ = nullptr;
    self->KeepAhead();
  }
  self->Unref();
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
  UnmapIfEmpty(chunk);
}

// The last chunk stays: it is where the arena grows.
void Arena::UnmapIfEmpty(Chunk* chunk) {
  if (chunk->free_granules < chunk->granules || chunk == chunks_.back().get()) return;
  if (chunk == warming_) return;
  munmap(chunk->base, chunk->bytes);
  chunk_bytes_ -= chunk->bytes;
  chunk_by_base_.erase(reinterpret_cast<uintptr_t>(chunk->base));
  std::erase_if(chunks_, [chunk](const auto& c) { return c.get() == chunk; });
}

void* Arena::AllocateCell(size_t bytes) {
  MutexLock lock(mu_);
  OMEN_CHECK(cell_bytes_ == 0 || cell_bytes_ == bytes);
  cell_bytes_ = bytes;
  if (free_cells_.empty()) {
    const size_t cells = has_cells_ ? kCellsPerSlab : 1;
    has_cells_ = true;
    auto* slab = static_cast<char*>(AllocateLocked(RoundUp(cells * bytes)));
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
  size_t bytes = small_bytes_;
  for (const auto& chunk : chunks_) bytes += size_t{chunk->ready} * kGranule;
  return bytes;
}

}  // namespace omendb::index
