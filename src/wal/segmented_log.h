// segmented_log.h - LogWriter over segment files. Use OpenLogWriter (log_writer.h).
//
// Two threads: the flusher writes and syncs what was appended; the preparer makes segments ahead of
// need. Append lays records out in memory under mu_ and wakes them.
//
// Lock order     mu_ is a leaf: nothing is called under it but pure code. Files and the observer
//                are touched with no lock held.
// States         running -> failed (sticky) -> closed; running -> closing -> closed.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "wal/commit_gate.h"
#include "wal/log_buffer.h"
#include "wal/log_files.h"
#include "wal/log_writer.h"
#include "wal/segment_store.h"

namespace omendb::wal {

class SegmentedLog : public LogWriter {
 public:
  SegmentedLog(env::Env& env, const std::string& dir, const LogOptions& options, Lsn end,
               DurableObserver* observer);
  ~SegmentedLog() override;
  // Makes the files ready and starts the threads. Call once, first.
  Status Start();

  Result<Lsn> Append(RecordKind kind, std::string_view payload, Durability durability) override;
  void RequestSync() override;
  Status WaitDurable(Lsn lsn) override;
  Lsn appended_lsn() const override;
  Lsn durable_lsn() const override;
  Status status() const override;
  Status RemoveBefore(Lsn lsn) override;
  Lsn oldest_lsn() const override;
  LogStats stats() const override;
  Status Close() override;

 private:
  using Clock = std::chrono::steady_clock;
  enum class FlusherState { kIdle, kGathering, kBusy };

  // What the flusher does in one go.
  struct Batch {
    std::string bytes;
    uint64_t end = 0;
    bool sync = false;
    uint64_t requests = 0;  // kSync appends in it.
  };

  Status MakeRoomLocked(uint64_t payload_bytes) OMEN_REQUIRES(mu_);
  // True if the flusher must be woken.
  bool NoteAppendLocked(Durability durability) OMEN_REQUIRES(mu_);
  Status StateLocked() const OMEN_REQUIRES(mu_);
  uint64_t PrepareTargetLocked() const OMEN_REQUIRES(mu_);

  void RunFlusher();
  bool NextBatch(Batch& batch);
  bool SyncDueLocked() const OMEN_REQUIRES(mu_);
  bool WriteDueLocked() const OMEN_REQUIRES(mu_);
  void GatherLocked() OMEN_REQUIRES(mu_);
  void CompleteBatch(const Batch& batch, int64_t sync_micros);
  void Fail(Status status);

  void RunPreparer();
  bool NextSegment(uint64_t* start);
  void CompletePrepare(uint64_t start, Status status);

  env::Env& env_;  // borrowed
  const LogOptions options_;
  DurableObserver* const observer_;  // borrowed, may be null
  const Lsn opened_at_;
  SegmentStore store_;
  LogFiles files_;  // Of the flusher, and of Start before it runs.

  mutable Mutex mu_;
  CondVar flusher_cv_;   // Work for the flusher.
  CondVar preparer_cv_;  // Work for the preparer.
  CondVar room_cv_;      // Buffer or segments have room again, or an attempt failed.
  CondVar durable_cv_;   // durable_ has grown, or the log has failed.

  std::unique_ptr<LogBuffer> buffer_ OMEN_GUARDED_BY(mu_);
  Lsn appended_ OMEN_GUARDED_BY(mu_);
  Lsn durable_ OMEN_GUARDED_BY(mu_);
  uint64_t written_ OMEN_GUARDED_BY(mu_) = 0;
  Status failure_ OMEN_GUARDED_BY(mu_);
  bool closing_ OMEN_GUARDED_BY(mu_) = false;

  FlusherState flusher_state_ OMEN_GUARDED_BY(mu_) = FlusherState::kIdle;
  uint64_t pending_requests_ OMEN_GUARDED_BY(mu_) = 0;
  bool sync_requested_ OMEN_GUARDED_BY(mu_) = false;
  Clock::time_point async_due_ OMEN_GUARDED_BY(mu_) = Clock::time_point::max();
  CommitGate gate_ OMEN_GUARDED_BY(mu_);

  uint64_t reserved_end_ OMEN_GUARDED_BY(mu_) = 0;  // Segments are ready up to here.
  uint64_t wanted_end_ OMEN_GUARDED_BY(mu_) = 0;    // A waiting Append needs them up to here.
  Status prepare_error_ OMEN_GUARDED_BY(mu_);       // Of the last attempt.
  uint64_t prepare_failures_ OMEN_GUARDED_BY(mu_) = 0;
  Clock::time_point last_prepared_ OMEN_GUARDED_BY(mu_);

  LogStats stats_ OMEN_GUARDED_BY(mu_);
  bool joined_ = false;  // Of Close and the destructor.
  std::thread flusher_;
  std::thread preparer_;
};

}  // namespace omendb::wal
