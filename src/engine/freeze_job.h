// freeze_job.h - the background work that moves cold rows to segments.
//
// Cold is what has not changed for `freeze_after` and is not expected to change within as long
// again (change_rates.h). Timestamps are not times: once a second the job remembers which timestamp
// was the newest, and so knows what was settled some time ago. When rows and indexes take
// more than three quarters of the memory they may take, everything that is settled is cold.
//
// Of segments that are worth it some are merged with each pass, and the next pass comes at once,
// until none are left. While memory is short that waits until no table has anything to freeze.
//
// A table whose cold rows are fewer than kRowsMin is left as it is: they would make a small segment
// for each pass.
//
// Thread safety  One thread calls Run. counters(): any thread.
// Errors         Counted. A table that is locked is tried again in the next pass; one that cannot
//                be frozen (a full disk) after a second, then after twice as long each time, a
//                minute at most, whatever becomes of other tables.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>

#include "catalog/snapshot.h"
#include "engine/freezer.h"
#include "rowstore/memory_account.h"

namespace omendb::engine {

class FreezeJob {
 public:
  static constexpr uint32_t kRowsMin = 1U << 15;
  static constexpr uint32_t kRowsMinUnderPressure = 1U << 13;
  static constexpr size_t kOverlappingMin = 8;

  // Freezes what is cold of one table; returns how many rows moved.
  using FreezeTable = std::function<Result<uint64_t>(Oid table, const FreezeSelection& selection)>;

  // `freeze_after_ms` 0: Run does nothing.
  FreezeJob(uint64_t freeze_after_ms, const rowstore::MemoryAccount& memory)
      : freeze_after_ms_(freeze_after_ms), memory_(memory) {}

  // Once a second. `newest_visible`: the newest timestamp that new snapshots see.
  void Run(uint64_t now_ms, uint64_t newest_visible, const catalog::CatalogSnapshot& catalog,
           const FreezeTable& freeze);
  // When rows and indexes take more than three quarters of the memory they may take. Any thread.
  bool UnderPressure() const { return memory_.used_with_other() > memory_.limit() / 4 * 3; }
  uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }

 private:
  struct Sample {
    uint64_t at_ms;
    uint64_t newest_visible;
  };
  // What was committed `freeze_after` ago; 0 when the job does not run for so long.
  uint64_t SettledBy(uint64_t now_ms);
  // Of a table that could not be frozen.
  struct Retry {
    uint64_t at_ms = 0;
    uint64_t pause_ms = 0;  // before it
  };
  // How many rows moved.
  uint64_t FreezeAll(uint64_t now_ms, const catalog::CatalogSnapshot& catalog,
                     const FreezeSelection& selection, const FreezeTable& freeze);
  bool IsPaused(Oid table, uint64_t now_ms) const;
  void NoteFailure(Oid table, const Status& failure, uint64_t now_ms);

  const uint64_t freeze_after_ms_;
  const rowstore::MemoryAccount& memory_;
  std::deque<Sample> samples_;  // a sample for each 1/64 of freeze_after
  uint64_t next_pass_ms_ = 0;
  std::map<Oid, Retry> retries_;
  std::atomic<uint64_t> failures_{0};
};

}  // namespace omendb::engine
