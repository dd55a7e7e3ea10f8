#include "index/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "base/check.h"
#include "index/page_warmer.h"

namespace omendb::index {

namespace {

// What is kept present and unused: this share of the chunks, within bounds. At 10 M ascending
// inserts a second 1 MB, the least, lasts 6 ms, and the warmer needs up to 7 ms for a huge page.
constexpr size_t kAheadShare = 32;
constexpr size_t kAheadMin = 1 << 20;
constexpr size_t kAheadMax = 4 << 20;
// Empty chunks are given back beyond this: an index that comes after another finds its first pages.
constexpr size_t kKept = 16 << 20;
constexpr uint32_t kGranules = Arena::kHugePage / Arena::kGranule;

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
  explicit Chunk(uint32_t place) : base(MapAligned(kHugePage)), index(place) {}

  char* const base;
  uint32_t index;  // Among the chunks.
  bool present = false;
  uint32_t free_granules = kGranules;
  uint32_t longest = kGranules;  // No free run is longer than this.
  uint32_t first_free = 0;       // Everything before is used.
  uint64_t used[kGranules / 64] = {};

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
    if (longest < count || free_granules < count) return kGranules;
    uint32_t best = 0;
    uint32_t i = Seek(first_free, false);
    first_free = i;
    while (i < kGranules) {
      if (count == 1) return i;
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
  for (auto& chunk : chunks_) munmap(chunk->base, kHugePage);
  for (auto& [block, bytes] : small_) std::free(block);
}

Arena& Arena::Shared() {
  static auto* const arena = Make();  // Outlives every index, even at exit.
  return *arena;
}

void* Arena::Allocate(size_t bytes, bool patient) {
  OMEN_CHECK(bytes > 0 && bytes <= kHugePage);
  MutexLock lock(mu_);
  return AllocateLocked(RoundUp(bytes), patient);
}

void Arena::AllocateGranules(std::span<void*> granules) {
  MutexLock lock(mu_);
  for (size_t i = granules.size(); i-- > 0;) granules[i] = AllocateLocked(kGranule, false);
}

void* Arena::AllocateLocked(size_t bytes, bool patient) {
  if (chunks_.empty() && small_bytes_ + bytes <= kSmallBytes) return AllocateSmall(bytes);
  void* block = AllocateInChunk(static_cast<uint32_t>(bytes / kGranule), patient);
  if (!patient) KeepAhead();
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
void* Arena::AllocateInChunk(uint32_t granules, bool patient) {
  uint32_t none = 0;
  uint32_t& hint = granules < kHints ? hints_[granules] : none;
  for (uint32_t i = hint; i < chunks_.size(); ++i) {
    Chunk& chunk = *chunks_[i];
    if (!chunk.present) continue;
    void* block = TakeFrom(chunk, granules);
    if (block != nullptr) return block;
    if (i == hint) hints_most_ = std::max(hints_most_, ++hint);
  }
  if (!patient && chunks_.size() * kHugePage >= kWaitBelow) return nullptr;
  Chunk* added = AddChunk();
  SetPresent(*added);
  return TakeFrom(*added, granules);
}

void* Arena::TakeFrom(Chunk& chunk, uint32_t granules) {
  const uint32_t at = chunk.Find(granules);
  if (at == kGranules) return nullptr;
  chunk.Mark(at, granules, true);
  chunk.free_granules -= granules;
  free_bytes_ -= granules * kGranule;
  return chunk.base + size_t{at} * kGranule;
}

Arena::Chunk* Arena::AddChunk() {
  const auto index = static_cast<uint32_t>(chunks_.size());
  Chunk* chunk = chunks_.emplace_back(std::make_unique<Chunk>(index)).get();
  chunk_by_base_[reinterpret_cast<uintptr_t>(chunk->base)] = chunk;
  return chunk;
}

void Arena::SetPresent(Chunk& chunk) {
  chunk.present = true;
  free_bytes_ += kHugePage;
  LowerHints(chunk.index);
}

size_t Arena::Ahead() const {
  const size_t bytes = chunks_.size() * kHugePage;
  return bytes < kWaitBelow ? 0 : std::clamp(bytes / kAheadShare, kAheadMin, kAheadMax);
}

void Arena::KeepAhead() {
  if (warming_ != nullptr || free_bytes_ >= Ahead()) return;
  warming_ = AddChunk();
  Ref();
  PageWarmer::Instance().Request(warming_->base, kHugePage, &Arena::Warmed, this);
}

void Arena::Warmed(void* arena) {
  auto* const self = static_cast<Arena*>(arena);
  {
    MutexLock lock(self->mu_);
    self->SetPresent(*self->warming_);
    self->warming_ = nullptr;
    self->KeepAhead();
  }
  self->Unref();
}

void Arena::Free(void* block, size_t bytes) {
  MutexLock lock(mu_);
  FreeLocked(block, RoundUp(bytes));
}

void Arena::FreeGranules(std::span<void* const> granules) {
  MutexLock lock(mu_);
  for (void* granule : granules) FreeLocked(granule, kGranule);
}

// What is freed together lies together, mostly.
Arena::Chunk* Arena::ChunkOf(uintptr_t base) {
  if (freed_in_ != nullptr && reinterpret_cast<uintptr_t>(freed_in_->base) == base)
    return freed_in_;
  const auto it = chunk_by_base_.find(base);
  return it == chunk_by_base_.end() ? nullptr : freed_in_ = it->second;
}

void Arena::FreeLocked(void* block, size_t bytes) {
  const auto address = reinterpret_cast<uintptr_t>(block);
  Chunk* const chunk = ChunkOf(address & ~(kHugePage - 1));
  // Of malloc may be what lies beside a chunk, but never in one.
  if (chunk == nullptr) {
    OMEN_CHECK(small_.erase(block) == 1);
    small_bytes_ -= bytes;
    std::free(block);
    return;
  }
  const auto first = static_cast<uint32_t>((address & (kHugePage - 1)) / kGranule);
  const auto count = static_cast<uint32_t>(bytes / kGranule);
  OMEN_CHECK(first + count <= kGranules && chunk->IsUsed(first));
  chunk->Mark(first, count, false);
  chunk->free_granules += count;
  free_bytes_ += bytes;
  chunk->longest = chunk->free_granules;
  chunk->first_free = std::min(chunk->first_free, first);
  LowerHints(chunk->index);
  UnmapIfEmpty(chunk);
}

// I3, of a chunk in which more is free now.
void Arena::LowerHints(uint32_t index) {
  if (index >= hints_most_) return;
  for (uint32_t& hint : hints_) hint = std::min(hint, index);
  hints_most_ = index;
}

// What is kept ahead stays, and a little for the next index.
void Arena::UnmapIfEmpty(Chunk* chunk) {
  if (chunk->free_granules < kGranules) return;
  if (free_bytes_ - kHugePage < std::max(Ahead(), kKept)) return;
  freed_in_ = nullptr;
  munmap(chunk->base, kHugePage);
  free_bytes_ -= kHugePage;
  chunk_by_base_.erase(reinterpret_cast<uintptr_t>(chunk->base));
  chunks_.erase(chunks_.begin() + chunk->index);
  for (uint32_t i = 0; i < chunks_.size(); ++i) chunks_[i]->index = i;
  LowerHints(0);
}

size_t Arena::MemoryBytes() const {
  MutexLock lock(mu_);
  size_t bytes = small_bytes_;
  for (const auto& chunk : chunks_) bytes += chunk->present ? kHugePage : 0;
  return bytes;
}

}  // namespace omendb::index
