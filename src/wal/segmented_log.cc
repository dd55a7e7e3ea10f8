#include "wal/segmented_log.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/sqlstate.h"

namespace omendb::wal {
namespace {

// Beyond this the flusher writes without being asked to sync: a bulk load keeps the disk busy, and
// its commit finds little left to do.
constexpr uint64_t kWriteBehindBytes = 1 << 20;

// A log that fills segments faster than this is bandwidth-bound: writing zeros first would halve
// it. A slower one is bound by the latency of syncs, which zeros shorten (measured on ext4: 210
// instead of 290-370 us for a batch that touches new pages).
constexpr std::chrono::seconds kBulkLoadSegmentTime{2};

// Above this the memory of a buffer is given back after use.
constexpr uint64_t kBufferBytesKept = 8 << 20;

}  // namespace

SegmentedLog::SegmentedLog(env::Env& env, const std::string& dir, const LogOptions& options,
                           Lsn end, DurableObserver* observer)
    : env_(env),
      options_(options),
      observer_(observer),
      opened_at_(end),
      store_(env, dir, options.segment_bytes, options.recycled_segments_max),
      files_(env, store_, options.segment_bytes, options.fsync) {
  OMEN_CHECK(options.segment_bytes >= 4096 && options.segment_bytes % 4096 == 0);
}

SegmentedLog::~SegmentedLog() {
  // Whoever needs to know whether the end was synced calls Close.
  (void)Close();
}

Status SegmentedLog::Start() {
  OMEN_TRY(store_.Open());
  OMEN_ASSIGN(const ResumePoint resume, ResumeLog(env_, store_, options_, opened_at_.value()));
  OMEN_TRY(files_.Open(resume.segment.start, resume.segment.end(), resume.position));
  {
    MutexLock lock(mu_);
    buffer_ = std::make_unique<LogBuffer>(resume.segment, resume.position, options_.segment_bytes);
    appended_ = durable_ = opened_at_;
    written_ = resume.position;
    reserved_end_ = resume.segment.end();
    last_prepared_ = Clock::now();
  }
  flusher_ = std::thread([this] { RunFlusher(); });
  preparer_ = std::thread([this] { RunPreparer(); });
  return Status::Ok();
}

// ---- Appending.

Result<Lsn> SegmentedLog::Append(RecordKind kind, std::string_view payload, Durability durability) {
  OMEN_CHECK(kind != 0);
  if (payload.size() > kPayloadBytesMax) {
    return Status(sqlstate::kProgramLimitExceeded,
                  "log record of " + std::to_string(payload.size()) + " bytes is too long");
  }
  const uint32_t payload_crc = Crc32c(payload);
  bool wake_flusher = false;
  bool wake_preparer = false;
  Lsn end;
  {
    MutexLock lock(mu_);
    OMEN_TRY(MakeRoomLocked(payload.size()));
    const uint64_t segment_end = buffer_->segment_end();
    end = appended_ = Lsn(buffer_->Append(kind, payload, payload_crc, durable_.value()));
    ++stats_.records;
    wake_flusher = NoteAppendLocked(durability);
    wake_preparer = buffer_->segment_end() != segment_end;
  }
  if (wake_flusher) flusher_cv_.NotifyOne();
  if (wake_preparer) preparer_cv_.NotifyOne();
  return end;
}

Status SegmentedLog::StateLocked() const {
  if (!failure_.ok()) return failure_;
  if (closing_) return Status(sqlstate::kAdminShutdown, "the log is closed");
  return Status::Ok();
}

Status SegmentedLog::MakeRoomLocked(uint64_t payload_bytes) {
  bool waited = false;
  while (true) {
    OMEN_TRY(StateLocked());
    const uint64_t bound = buffer_->EndBound(payload_bytes);
    const bool reserved = bound <= reserved_end_;
    if (reserved && buffer_->size() <= options_.buffer_bytes_max) return Status::Ok();
    if (!std::exchange(waited, true)) ++stats_.append_waits;
    const uint64_t failures = prepare_failures_;
    if (!reserved) {
      wanted_end_ = std::max(wanted_end_, bound);
      preparer_cv_.NotifyOne();
    }
    room_cv_.Wait(mu_);
    if (!reserved && prepare_failures_ != failures) return prepare_error_;
  }
}

bool SegmentedLog::NoteAppendLocked(Durability durability) {
  if (durability == Durability::kSync) {
    ++pending_requests_;
    if (flusher_state_ == FlusherState::kIdle) return true;
    return flusher_state_ == FlusherState::kGathering && pending_requests_ >= gate_.target();
  }
  bool wake = buffer_->size() >= kWriteBehindBytes;
  if (async_due_ == Clock::time_point::max()) {
    async_due_ = Clock::now() + options_.async_sync_delay;
    wake = true;
  }
  return wake && flusher_state_ == FlusherState::kIdle;
}

void SegmentedLog::RequestSync() {
  MutexLock lock(mu_);
  if (durable_ >= appended_) return;
  sync_requested_ = true;
  flusher_cv_.NotifyOne();
}

Status SegmentedLog::WaitDurable(Lsn lsn) {
  MutexLock lock(mu_);
  OMEN_CHECK(lsn <= appended_);
  while (durable_ < lsn) {
    if (!failure_.ok()) return failure_;
    sync_requested_ = true;
    flusher_cv_.NotifyOne();
    durable_cv_.Wait(mu_);
  }
  return Status::Ok();
}

// ---- The flusher.

void SegmentedLog::RunFlusher() {
  Batch batch;
  while (NextBatch(batch)) {
    Status status = files_.Write(batch.bytes);
    int64_t sync_micros = 0;
    if (status.ok() && batch.sync) {
      const auto begin = Clock::now();
      status = files_.Sync();
      sync_micros =
          std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count();
    }
    if (!status.ok()) {
      Fail(std::move(status));
      return;
    }
    CompleteBatch(batch, sync_micros);
  }
  if (Status status = files_.Close(); !status.ok()) Fail(std::move(status));
}

bool SegmentedLog::SyncDueLocked() const {
  if (closing_) return true;
  if (appended_ <= durable_) return false;
  return pending_requests_ > 0 || sync_requested_ || Clock::now() >= async_due_;
}

bool SegmentedLog::WriteDueLocked() const { return buffer_->size() >= kWriteBehindBytes; }

// Waits for work and takes it; false when the log is closed and all is done.
bool SegmentedLog::NextBatch(Batch& batch) {
  MutexLock lock(mu_);
  flusher_state_ = FlusherState::kIdle;
  while (!SyncDueLocked() && !WriteDueLocked()) {
    if (async_due_ == Clock::time_point::max()) {
      flusher_cv_.Wait(mu_);
    } else {
      (void)flusher_cv_.WaitUntil(mu_, async_due_);  // The loop looks at the clock itself.
    }
  }
  if (pending_requests_ > 0 && !closing_) GatherLocked();
  flusher_state_ = FlusherState::kBusy;
  batch.sync = SyncDueLocked();
  batch.requests = std::exchange(pending_requests_, 0);
  if (batch.bytes.capacity() > kBufferBytesKept) batch.bytes = std::string();
  buffer_->Take(batch.bytes);
  batch.end = buffer_->position();
  if (batch.sync) {
    sync_requested_ = false;
    async_due_ = Clock::time_point::max();
  }
  if (!batch.bytes.empty()) room_cv_.NotifyAll();
  return !(closing_ && batch.bytes.empty() && durable_ >= appended_);
}

// Lets more commits join; see commit_gate.h.
void SegmentedLog::GatherLocked() {
  if (pending_requests_ >= gate_.target()) return;
  flusher_state_ = FlusherState::kGathering;
  const auto deadline = Clock::now() + std::chrono::microseconds(gate_.patience_micros());
  while (pending_requests_ < gate_.target() && !closing_ && !sync_requested_) {
    if (!flusher_cv_.WaitUntil(mu_, deadline)) break;
  }
  gate_.OnWaited(pending_requests_);
}

void SegmentedLog::CompleteBatch(const Batch& batch, int64_t sync_micros) {
  Lsn durable;
  {
    MutexLock lock(mu_);
    written_ = batch.end;
    stats_.bytes += batch.bytes.size();
    ++stats_.writes;
    if (!batch.sync) return;
    ++stats_.syncs;
    stats_.synced_requests += batch.requests;
    stats_.sync_micros += static_cast<uint64_t>(sync_micros);
    gate_.OnSync(batch.requests, pending_requests_, sync_micros);
    // Waiters may have asked for this very sync while it ran.
    if (batch.end >= appended_.value()) sync_requested_ = false;
    if (batch.end <= durable_.value()) return;
    durable = durable_ = Lsn(batch.end);
    durable_cv_.NotifyAll();
  }
  if (observer_ != nullptr) observer_->OnDurable(durable);
}

void SegmentedLog::Fail(Status status) {
  Status sticky = std::move(status).WithRadius(Radius::kDatabase);
  {
    MutexLock lock(mu_);
    failure_ = sticky;
    room_cv_.NotifyAll();
    durable_cv_.NotifyAll();
    preparer_cv_.NotifyAll();
  }
  if (observer_ != nullptr) observer_->OnFailure(sticky);
}

// ---- The preparer.

uint64_t SegmentedLog::PrepareTargetLocked() const {
  const uint64_t spares = static_cast<uint64_t>(options_.spare_segments) * options_.segment_bytes;
  return std::max(wanted_end_, buffer_->segment_end() + spares);
}

void SegmentedLog::RunPreparer() {
  uint64_t start = 0;
  while (NextSegment(&start)) {
    Fill fill = Fill::kZero;
    {
      MutexLock lock(mu_);
      const bool urgent = wanted_end_ > reserved_end_;
      const bool bulk = Clock::now() - last_prepared_ < kBulkLoadSegmentTime;
      if (urgent || bulk) fill = Fill::kReserve;
    }
    CompletePrepare(start, store_.Prepare(start, fill));
  }
}

// After a failed attempt only an Append in need starts another: a full disk is not hammered.
bool SegmentedLog::NextSegment(uint64_t* start) {
  MutexLock lock(mu_);
  while (true) {
    if (closing_ || !failure_.ok()) return false;
    const bool needed = wanted_end_ > reserved_end_;
    if (needed || (prepare_error_.ok() && reserved_end_ < PrepareTargetLocked())) break;
    preparer_cv_.Wait(mu_);
  }
  *start = reserved_end_;
  return true;
}

void SegmentedLog::CompletePrepare(uint64_t start, Status status) {
  MutexLock lock(mu_);
  prepare_error_ = std::move(status);
  if (prepare_error_.ok()) {
    OMEN_CHECK(start == reserved_end_);
    reserved_end_ += options_.segment_bytes;
    last_prepared_ = Clock::now();
  } else {
    ++prepare_failures_;
    wanted_end_ = 0;
  }
  room_cv_.NotifyAll();
}

// ---- Everything else.

Lsn SegmentedLog::appended_lsn() const {
  MutexLock lock(mu_);
  return appended_;
}
Lsn SegmentedLog::durable_lsn() const {
  MutexLock lock(mu_);
  return durable_;
}
Status SegmentedLog::status() const {
  MutexLock lock(mu_);
  return StateLocked();
}

Status SegmentedLog::RemoveBefore(Lsn lsn) {
  return store_.RemoveBefore(std::min(lsn, durable_lsn()).value());
}

Lsn SegmentedLog::oldest_lsn() const {
  const std::vector<uint64_t> starts = store_.Starts();
  return Lsn(starts.empty() ? 0 : starts.front());
}

LogStats SegmentedLog::stats() const {
  LogStats stats;
  {
    MutexLock lock(mu_);
    stats = stats_;
  }
  stats.segments_created = store_.created();
  stats.segments_recycled = store_.recycled();
  return stats;
}

Status SegmentedLog::Close() {
  if (std::exchange(joined_, true)) return Status::Ok();
  {
    MutexLock lock(mu_);
    closing_ = true;
    flusher_cv_.NotifyAll();
    preparer_cv_.NotifyAll();
    room_cv_.NotifyAll();
  }
  if (flusher_.joinable()) flusher_.join();
  if (preparer_.joinable()) preparer_.join();
  MutexLock lock(mu_);
  durable_cv_.NotifyAll();
  return failure_;
}

Result<std::unique_ptr<LogWriter>> OpenLogWriter(env::Env& env, const std::string& dir,
                                                 const LogOptions& options, Lsn end,
                                                 DurableObserver* observer) {
  auto log = std::make_unique<SegmentedLog>(env, dir, options, end, observer);
  OMEN_TRY(log->Start());
  return std::unique_ptr<LogWriter>(std::move(log));
}

}  // namespace omendb::wal
