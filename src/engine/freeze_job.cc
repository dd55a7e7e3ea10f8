#include "engine/freeze_job.h"

#include <algorithm>

#include "base/sqlstate.h"

namespace omendb::engine {

namespace {

constexpr uint64_t kPassesInAge = 8;
constexpr uint64_t kPassPauseMaxMs = 60'000;
constexpr uint64_t kSamplesInAge = 64;
constexpr uint64_t kRetryFirstMs = 1000;
constexpr uint64_t kRetryMaxMs = 60'000;

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
  std::erase_if(retries_, [&](const auto& retry) { return catalog.table(retry.first) == nullptr; });
  uint64_t moved = FreezeAll(now_ms, catalog, selection, freeze);
  if (pressure && moved == 0) {
    selection.merges_max = 1;
    moved = FreezeAll(now_ms, catalog, selection, freeze);
  }
  if (moved > 0) next_pass_ms_ = now_ms;
}

bool FreezeJob::IsPaused(Oid table, uint64_t now_ms) const {
  const auto retry = retries_.find(table);
  return retry != retries_.end() && now_ms < retry->second.at_ms;
}

void FreezeJob::NoteFailure(Oid table, const Status& failure, uint64_t now_ms) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  if (failure.Is(sqlstate::kLockNotAvailable)) return;  // It has cost nothing.
  Retry& retry = retries_[table];
  retry.pause_ms = std::clamp(2 * retry.pause_ms, kRetryFirstMs, kRetryMaxMs);
  retry.at_ms = now_ms + retry.pause_ms;
}

uint64_t FreezeJob::FreezeAll(uint64_t now_ms, const catalog::CatalogSnapshot& catalog,
                              const FreezeSelection& selection, const FreezeTable& freeze) {
  uint64_t all = 0;
  for (const auto& table : catalog.all_tables()) {
    if (IsPaused(table->oid, now_ms)) continue;
    const Result<uint64_t> moved = freeze(table->oid, selection);
    if (!moved.ok()) {
      NoteFailure(table->oid, moved.status(), now_ms);
      continue;
    }
    retries_.erase(table->oid);
    all += *moved;
  }
  return all;
}

}  // namespace omendb::engine
