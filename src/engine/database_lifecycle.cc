// Opening, recovering, checkpointing and closing a Database, and its background threads.
#include <algorithm>
#include <chrono>
#include <random>

#include "base/bytes.h"
#include "base/check.h"
#include "base/process_memory.h"
#include "base/sqlstate.h"
#include "base/thread_priority.h"
#include "engine/checkpoint.h"
#include "engine/database_impl.h"
#include "wal/read_only_log.h"

namespace omendb::engine {
namespace {

constexpr uint64_t kMaintenancePauseMs = 20;
constexpr uint64_t kEmptyPagesPasses = 10;
constexpr uint64_t kMemoryPauseMs = 20;
constexpr uint64_t kCheckpointPauseMs = 500;
constexpr uint64_t kFreezePauseMs = 1000;
constexpr uint64_t kKeyPauseMs = 500;
constexpr uint64_t kQuietPasses = 10;
constexpr uint64_t kMergePauseMs = 500;
constexpr uint64_t kMergeStartPasses = 20;
constexpr uint64_t kMergePauseMaxMs = 60'000;
constexpr int kMergeNice = 5;
constexpr char kCheckpointPrefix[] = "checkpoint-";

// Of no file that is there. One of the same moment may be in use, and nobody knows whether it is
// when its manifest could not be made durable: such a file is neither overwritten nor removed.
Result<std::string> UnusedCheckpointName(env::Env& env, const std::string& data_dir, Timestamp ts) {
  const std::string digits = std::to_string(ts.value());
  const std::string first =
      kCheckpointPrefix + std::string(20 - digits.size(), '0') + digits + ".ckpt";
  std::string name = first;
  for (int again = 1;; ++again) {
    OMEN_ASSIGN(const bool exists, env.Exists(env::JoinPath(data_dir, name)));
    if (!exists) return name;
    name = first + "." + std::to_string(again);
  }
}

uint64_t SteadyMillis() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

uint64_t NewSystemId() {
  std::random_device device;
  const uint64_t id = static_cast<uint64_t>(device()) << 32 | device();
  return id != 0 ? id : 1;
}

// A log without a manifest must be that of a first start which did not finish, and so be empty.
// Otherwise the manifest was lost, and starting anew would throw the data away.
Status CheckLogUnused(env::Env& env, const std::string& data_dir, const std::string& log_dir) {
  const auto lost = [&] {
    return env::DamagedFile(env::JoinPath(data_dir, "manifest"), 0,
                            "the file is missing, but the folder holds a log");
  };
  auto reader = wal::OpenLogReader(env, log_dir, wal::FirstLsn(), {});
  if (!reader.ok()) return lost();
  wal::Record record;
  OMEN_ASSIGN(const bool used, (*reader)->Next(&record));
  return used ? lost() : Status::Ok();
}

}  // namespace

Status DatabaseImpl::Start() {
  OMEN_TRY(Recover());
  maintenance_ = std::thread([this] { MaintenanceLoop(); });
  checkpointer_ = std::thread([this] { CheckpointLoop(); });
  if (options_.freeze_after_ms != 0) freezing_ = std::thread([this] { FreezeLoop(); });
  keys_ = std::thread([this] { KeyLoop(); });
  run_merges_ = std::thread([this] { MergeLoop(); });
  memory_loop_ = std::thread([this] { MemoryLoop(); });
  return Status::Ok();
}

Status DatabaseImpl::Recover() {
  OMEN_ASSIGN(const bool folder_exists, env_.Exists(options_.data_dir));
  if (!folder_exists) {
    OMEN_TRY(env_.CreateDir(options_.data_dir));
    OMEN_TRY(env_.SyncDir(env::DirName(options_.data_dir)));
  }
  OMEN_ASSIGN(lock_file_, env_.LockFile(env::JoinPath(options_.data_dir, "lock")));
  OMEN_ASSIGN(std::optional<Manifest> found, ReadManifest(env_, options_.data_dir));
  Recovery recovery(storages_, counters_, segments_, key_budget_);
  Manifest manifest;
  Lsn end = wal::FirstLsn();
  const std::string log_dir = env::JoinPath(options_.data_dir, "wal");
  if (found) {
    manifest = *found;
    segments_.Start(manifest.system_id);
    OMEN_TRY(recovery.LoadCheckpoint(
        env_, env::JoinPath(options_.data_dir, manifest.checkpoint_file), manifest));
    OMEN_TRY(recovery.ReplayLog(env_, log_dir, manifest, &end));
  } else {
    OMEN_ASSIGN(const std::vector<std::string> names, env_.List(options_.data_dir));
    for (const std::string& name : names) {
      if (name == "lock" || name == "manifest.new" || name == "wal") continue;
      if (name.starts_with(kCheckpointPrefix)) continue;  // A first start that did not finish.
      return Status(sqlstate::kDataCorrupted, "data directory \"" + options_.data_dir +
                                                  "\" is not empty, but has no manifest")
          .WithHint("The file \"manifest\" is missing, or this is not an OmenDB data directory.");
    }
    manifest.system_id = NewSystemId();
    segments_.Start(manifest.system_id);
    // A log without a manifest is that of a first start which did not finish: it holds nothing that
    // was acknowledged.
    OMEN_ASSIGN(const bool has_log, env_.Exists(log_dir));
    if (has_log) {
      OMEN_TRY(CheckLogUnused(env_, options_.data_dir, log_dir));
      OMEN_ASSIGN(const std::vector<std::string> segments, env_.List(log_dir));
      for (const std::string& name : segments) {
        OMEN_TRY(env_.Remove(env::JoinPath(log_dir, name)));
      }
    }
  }
  OMEN_TRY(recovery.Finish());
  {
    MutexLock lock(catalog_mu_);
    SetCatalog(recovery.catalog());
    logged_catalog_ = catalog_;
  }
  {
    MutexLock lock(checkpoint_mu_);
    manifest_ = manifest;
  }
  if (!recovery.damages().empty()) {
    StartReadOnly(recovery, end);
    return Status::Ok();
  }
  segments_.RemoveUnused(
      [&] {
        SegmentFiles::Used used = FilesInUse();
        used.segments = recovery.segment_files();
        return used;
      },
      /*at_start=*/true);
  OMEN_TRY(OpenLog(end));
  manager_.Start(log_.get(), recovery.last_commit());
  if (found) {
    auto restart = log_->Append(txn::kRestartRecord, "restart", wal::Durability::kAsync);
    if (!restart.ok()) return std::move(restart).status();
    checkpoint_end_.store(manifest.redo_start.value());
    return Status::Ok();
  }
  return Checkpoint();
}

void DatabaseImpl::StartReadOnly(const Recovery& recovery, Lsn end) {
  damages_ = recovery.damages();
  const Status& first = damages_.begin()->second.status;
  const Status reason =
      Status(sqlstate::kDataCorrupted, "nothing can be written: " + first.error().message)
          .WithHint("Other tables can be read. Put the file back from a copy and start again.");
  log_ = wal::NewReadOnlyLog(reason, end);
  manager_.Start(log_.get(), recovery.last_commit());
  manager_.OnFailure(reason);
}

Status DatabaseImpl::OpenLog(Lsn end) {
  wal::LogOptions log_options;
  {
    MutexLock lock(checkpoint_mu_);
    log_options.system_id = manifest_.system_id;
  }
  log_options.fsync = options_.fsync;
  log_options.segment_bytes = options_.wal_segment_bytes;
  OMEN_ASSIGN(log_, wal::OpenLogWriter(env_, env::JoinPath(options_.data_dir, "wal"), log_options,
                                       end, &manager_));
  return Status::Ok();
}

Status DatabaseImpl::Checkpoint() {
  MutexLock lock(checkpoint_mu_);
  return CheckpointLocked();
}

Status DatabaseImpl::CheckpointLocked() OMEN_NO_THREAD_SAFETY_ANALYSIS {
  OMEN_TRY(manager_.health());
  CheckpointSource source;
  auto pin = manager_.Begin({}, 0);
  const auto moment = manager_.TakeMoment([&](Timestamp ts) {
    // Pinned before anything later can be published: what is visible at it stays.
    manager_.txns().PinAt(pin->id(), mvcc::TxnTable::kSnapshotPin, ts);
    source.catalog = logged_catalog_;
    for (const auto& def : source.catalog->all_tables()) {
      auto table = storages_.Find(def->storage);
      if (table == nullptr) continue;
      const auto runs = table->frozen().runs();
      source.tables.emplace(def->storage, CheckpointSource::Stored{std::move(table), runs});
    }
  });
  source.ts = moment.ts;
  source.sequences = counters_.Snapshot();
  Manifest next = manifest_;
  OMEN_ASSIGN(next.checkpoint_file, UnusedCheckpointName(env_, options_.data_dir, moment.ts));
  next.checkpoint_ts = moment.ts;
  next.redo_start = moment.redo_start;
  next.must_reach = moment.end;
  const std::string path = env::JoinPath(options_.data_dir, next.checkpoint_file);
  const Status written = WriteCheckpoint(env_, path, manifest_.system_id, source, manager_.txns(),
                                         [this] { return closed_.load(); });
  manager_.Abort(*pin);
  if (!written.ok()) {
    (void)env_.Remove(path);
    return written;
  }
  // The rows of the checkpoint must not be newer than what is durable.
  OMEN_TRY(log_->WaitDurable(moment.end));
  OMEN_TRY(WriteManifest(env_, options_.data_dir, next));
  manifest_ = next;
  checkpoints_.fetch_add(1, std::memory_order_relaxed);
  checkpoint_end_.store(moment.end.value());
  RemoveOldCheckpoints(next.checkpoint_file);
  const auto in_use = [&] {
    std::set<uint64_t> used;
    std::set<uint64_t> empty;
    for (const auto& [storage, stored] : source.tables) {
      for (const Run& run : stored.runs->runs) {
        // The log may ask for what was being loaded at the checkpoint, even if it is empty by now.
        const uint64_t begin = run.segment->begin().load(std::memory_order_acquire);
        const bool later = begin != mvcc::kInfinity && begin > source.ts.value();
        (run.live_rows() > 0 || later ? used : empty).insert(run.segment->file_id());
      }
    }
    SegmentFiles::Used all = FilesInUse();
    all.segments.merge(used);
    // What was empty at the checkpoint, recovery will not ask for. Who reads it has it open.
    for (const uint64_t file_id : empty) all.segments.erase(file_id);
    return all;
  };
  segments_.RemoveUnused(in_use, /*at_start=*/false);
  return log_->RemoveBefore(moment.redo_start);
}

SegmentFiles::Used DatabaseImpl::FilesInUse() const {
  SegmentFiles::Used used;
  for (const std::shared_ptr<Table>& table : storages_.All()) {
    const std::shared_ptr<const RunSet> set = table->frozen().runs();
    for (const Run& run : set->runs) used.segments.insert(run.segment->file_id());
    for (const auto indexes = table->indexes(); const auto& index : *indexes)
      used.runs.merge(index->runs().files());
  }
  return used;
}

void DatabaseImpl::RemoveOldCheckpoints(const std::string& keep) {
  const auto names = env_.List(options_.data_dir);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    if (name.starts_with(kCheckpointPrefix) && name != keep) {
      (void)env_.Remove(env::JoinPath(options_.data_dir, name));
    }
  }
}

Status DatabaseImpl::Close() {
  StopThreads();
  Status result;
  if (manager_.health().ok()) result = Checkpoint();
  closed_.store(true);
  const Status closed = log_->Close();
  if (result.ok()) result = closed;
  lock_file_.reset();
  return result;
}

void DatabaseImpl::StopThreads() {
  {
    MutexLock lock(stop_mu_);
    stopping_ = true;
  }
  stop_cv_.NotifyAll();
  if (maintenance_.joinable()) maintenance_.join();
  if (checkpointer_.joinable()) checkpointer_.join();
  if (freezing_.joinable()) freezing_.join();
  if (keys_.joinable()) keys_.join();
  if (run_merges_.joinable()) run_merges_.join();
  if (memory_loop_.joinable()) memory_loop_.join();
}

bool DatabaseImpl::Pause(uint64_t milliseconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  MutexLock lock(stop_mu_);
  while (!stopping_) {
    if (!stop_cv_.WaitUntil(stop_mu_, deadline)) break;
  }
  return !stopping_;
}

void DatabaseImpl::MaintenanceLoop() {
  for (uint64_t passes = 1; Pause(kMaintenancePauseMs); ++passes) {
    garbage_.Run(manager_.txns(), manager_.last_visible(), SteadyMillis());
    if (passes % kEmptyPagesPasses == 0) {
      for (const auto& table : storages_.All()) {
        (void)freezer_.DropEmptyPages(*table).ok();
        freezer_.HollowSegments(*table);
      }
    }
    freezer_.FreePages();
  }
}

// What the query engine spills to stay within its share is written here.
void DatabaseImpl::MemoryLoop() {
  for (uint64_t passes = 1; Pause(kMemoryPauseMs); ++passes) {
    memory_budget_.Divide(AnonymousResidentBytes());
    if (passes % 64 != 0) continue;
    uint64_t other_bytes = 0;
    for (const std::shared_ptr<Table>& table : storages_.All()) {
      for (const auto indexes = table->indexes(); const auto& index : *indexes)
        other_bytes += index->memory_bytes();
      other_bytes += table->frozen().memory_bytes() + table->store().row_map_bytes();
    }
    memory_.SetOther(other_bytes);
  }
}

void DatabaseImpl::FreezeLoop() {
  while (Pause(kFreezePauseMs)) {
    if (!manager_.health().ok()) continue;
    freeze_job_.Run(
        SteadyMillis(), manager_.last_visible().load(), *catalog(),
        [this](Oid table, FreezeSelection selection) -> Result<uint64_t> {
          selection.stop = [this, table] {
            return stopping() || manager_.locks().IsAwaited({txn::LockKind::kTable, table.value()});
          };
          OMEN_ASSIGN(const FreezeResult result, FreezeTable(table, {}, selection));
          return result.rows_moved;
        });
  }
}

void DatabaseImpl::KeyLoop() {
  bool more = false;
  for (uint64_t quiet = 0;
       Pause(more || KeyBudget::share_for_tests != nullptr ? 1 : kKeyPauseMs);) {
    more = MoveKeys(/*wait=*/true) > 0;
    quiet = more ? 0 : quiet + 1;
    keys_rest_.store(quiet > kQuietPasses, std::memory_order_relaxed);
    if (quiet > kQuietPasses) WriteMissingRun();
  }
}

// When no keys have moved for a while, one at a time, with a pause behind each: there is time until
// the next start. What has failed is tried again.
void DatabaseImpl::WriteMissingRun() {
  if (!manager_.health().ok()) return;
  MutexLock lock(key_budget_mu_);
  const std::vector<std::shared_ptr<Table>> tables = storages_.All();
  (void)key_budget_.WriteMissingRun(tables);
}

uint64_t DatabaseImpl::MoveKeys(bool wait) {
  if (wait) {
    key_budget_mu_.Lock();
  } else if (!key_budget_mu_.TryLock()) {
    return 0;
  }
  const std::vector<std::shared_ptr<Table>> tables = storages_.All();
  const uint64_t segments = key_budget_.Enforce(tables, [this] { return stopping(); });
  key_budget_mu_.Unlock();
  return segments;
}

// After a start the first ones wait, as entries may be coming back. What has failed, as on a full
// disk, waits longer each time.
void DatabaseImpl::MergeLoop() {
  SetThreadNice(kMergeNice);
  uint64_t pause = kMergePauseMs;
  uint64_t passes_to_wait = kMergeStartPasses;
  while (Pause(KeyBudget::share_for_tests != nullptr ? 1 : pause)) {
    const bool waits = KeyBudget::share_for_tests == nullptr && passes_to_wait > 0;
    if (waits) --passes_to_wait;
    if (waits || !manager_.health().ok()) continue;
    const std::vector<std::shared_ptr<Table>> tables = storages_.All();
    const auto outcome = run_merger_.Step(tables, keys_rest_.load(std::memory_order_relaxed),
                                          [this] { return stopping(); });
    if (outcome == RunMerger::Outcome::kDone) {
      pause = 1;
    } else {
      const bool failed = outcome == RunMerger::Outcome::kFailed;
      pause =
          failed ? std::min(2 * std::max(pause, kMergePauseMs), kMergePauseMaxMs) : kMergePauseMs;
    }
  }
}

void DatabaseImpl::CheckpointLoop() {
  auto last = std::chrono::steady_clock::now();
  const auto interval = std::chrono::milliseconds(options_.checkpoint_interval_ms);
  while (Pause(kCheckpointPauseMs)) {
    const uint64_t grown = log_->appended_lsn().value() - checkpoint_end_.load();
    const auto now = std::chrono::steady_clock::now();
    const bool due =
        grown >= options_.checkpoint_wal_bytes || (now - last >= interval && grown > 4096);
    if (!due || !manager_.health().ok()) continue;
    last = now;
    // A full disk: the log goes on as long as it can, and the next attempt may find space.
    (void)Checkpoint();
  }
}

}  // namespace omendb::engine
