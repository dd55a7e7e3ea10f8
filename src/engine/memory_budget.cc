#include "engine/memory_budget.h"

#include <algorithm>

namespace omendb::engine {
namespace {

// Nobody's: what is allocated before it is counted.
constexpr uint64_t kReserveDivisor = 16;
constexpr uint64_t kCacheMinDivisor = 32;
constexpr uint64_t kAnalyticalMinDivisor = 8;
constexpr uint64_t kUncountedMaxDivisor = 4;
constexpr uint64_t kAnalyticalMinBytes = uint64_t{64} << 20;
// Smaller changes of a share are not worth telling.
constexpr uint64_t kStepDivisor = 64;

uint64_t Minus(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }

}  // namespace

MemoryShares DivideMemory(uint64_t total, uint64_t kept, uint64_t analytical) {
  const uint64_t free = Minus(total - total / kReserveDivisor, kept);
  const uint64_t cache_min = total / kCacheMinDivisor;
  const uint64_t analytical_min =
      std::min(total / 2, std::max(total / kAnalyticalMinDivisor, kAnalyticalMinBytes));
  return {std::max(Minus(free, cache_min), analytical_min),
          std::max(Minus(free, analytical), cache_min)};
}

uint64_t KeptMemoryMax(uint64_t total) { return total / 16 * 9; }

void MemoryBudget::Share(AnalyticalMemory* memory) {
  MutexLock lock(mu_);
  analytical_ = memory;
  limit_ = 0;
  DivideLocked();
}

void MemoryBudget::Divide(uint64_t resident) {
  MutexLock lock(mu_);
  NoteUncounted(resident);
  DivideLocked();
}

void MemoryBudget::NoteUncounted(uint64_t resident) {
  const uint64_t counted = kept_.used_with_other() + analytical_used() + cache_.counters().bytes;
  const uint64_t uncounted = Minus(resident, counted);
  uint64_t& newest = leasts_[samples_ / kSamplesOfLeast % leasts_.size()];
  newest = samples_ % kSamplesOfLeast == 0 ? uncounted : std::min(newest, uncounted);
  ++samples_;
  // Nothing is known before the first of them are full.
  uncounted_ =
      std::min(total_ / kUncountedMaxDivisor, *std::min_element(leasts_.begin(), leasts_.end()));
}

void MemoryBudget::DivideLocked() {
  const MemoryShares shares =
      DivideMemory(total_, kept_.used_with_other() + uncounted_, analytical_used());
  cache_.SetBudget(shares.cache);
  if (analytical_ == nullptr) return;
  const uint64_t change = std::max(limit_, shares.analytical) - std::min(limit_, shares.analytical);
  if (change > total_ / kStepDivisor && analytical_->SetLimit(shares.analytical)) {
    limit_ = shares.analytical;
  }
}

}  // namespace omendb::engine
