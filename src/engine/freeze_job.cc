#include "engine/freeze_job.h"

#include <algorithm>

namespace omendb::engine {

namespace {

constexpr uint64_t kPassesInAge = 8;
constexpr uint64_t kPassPauseMaxMs = 60'000;
constexpr uint64_t kSamplesInAge = 64;

}  // namespace

uint64_t FreezeJob::SettledBy(uint64_t now_ms) {
  // The newest sample that is old enough stays the first.
  while (samples_.size() > 1 && samples_[1].at_ms + freeze_after_ms_ <= now_ms) {
    samples_.pop_front();
  }
  const bool old_enough = !samples_.empty() && samples_[0].at_ms + freeze_after_ms_ <= now_ms;
  return old_enough ? samples_[0].newest_visible : 0;
}

void FreezeJob::Run(uint64_t now_ms, uint64_t newest_visible,
                    const catalog::CatalogSnapshot& catalog, const FreezeTable& freeze) {
  if (freeze_after_ms_ == 0) return;
  if (samples_.empty() || samples_.back().at_ms + freeze_after_ms_ / kSamplesInAge <= now_ms) {
    samples_.push_back({now_ms, newest_visible});
  }
  const bool pressure = UnderPressure();
  if (!pressure && now_ms < next_pass_ms_) return;
  next_pass_ms_ = now_ms + std::min(freeze_after_ms_ / kPassesInAge, kPassPauseMaxMs);
  FreezeSelection selection;
  selection.rows_min = pressure ? kRowsMinUnderPressure : kRowsMin;
  if (!pressure) {
    selection.settled_by = SettledBy(now_ms);
    if (selection.settled_by == 0) return;
    selection.now_ms = now_ms;
    selection.calm_for_ms = freeze_after_ms_;
    selection.overlapping_min = kOverlappingMin;
    selection.pause = [this] { return UnderPressure(); };
  }
  selection.merges_max = pressure ? 0 : 1;
  uint64_t moved = FreezeAll(catalog, selection, freeze);
  if (pressure && moved == 0) {
    selection.merges_max = 1;
    moved = FreezeAll(catalog, selection, freeze);
  }
  if (moved > 0) next_pass_ms_ = now_ms;
}

uint64_t FreezeJob::FreezeAll(const catalog::CatalogSnapshot& catalog,
                              const FreezeSelection& selection, const FreezeTable& freeze) {
  uint64_t all = 0;
  for (const auto& table : catalog.all_tables()) {
    const Result<uint64_t> moved = freeze(table->oid, selection);
    if (moved.ok()) {
      all += *moved;
    } else {
      failures_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  return all;
}

}  // namespace omendb::engine
