// activity.h - what every session does right now (pg_stat_activity), and cancelling it.
//
// Thread safety  Any thread.
// Ownership      Slots belong to the list; a session has one from start to end.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/mutex.h"
#include "base/progress.h"
#include "base/waiter.h"

namespace omendb::sql {

struct ActivityEntry {
  int32_t pid = 0;
  int32_t cancel_key = 0;
  std::string user;
  std::string database;
  Oid database_oid;
  Oid role_oid;
  std::string application_name;
  std::string client_address;
  std::string state = "idle";
  std::string query;
  int64_t backend_start = 0;  // Unix microseconds
  int64_t query_start = 0;
  int64_t transaction_start = 0;
  int64_t state_change = 0;
  std::optional<QueryProgress::Values> query_progress;  // while a query runs in DuckDB
  std::optional<CommandProgress::Values> command;       // while COPY or the like runs
};

// What changes with each statement is written by the session alone, without a lock: a reader looks
// again when the count of changes tells that it met one half done. A text is replaced under the
// mutex, and stays where the next statement has the same.
class ActivitySlot {
 public:
  enum class State : uint8_t { kIdle, kActive, kIdleInTransaction, kIdleAborted };

  ActivitySlot(ActivityEntry entry, CancelFlag& cancel)
      : pid_(entry.pid),
        cancel_key_(entry.cancel_key),
        cancel_(cancel),
        query_start_(entry.query_start),
        transaction_start_(entry.transaction_start),
        state_change_(entry.state_change),
        entry_(std::move(entry)) {}
  int32_t pid() const { return pid_; }
  int32_t cancel_key() const { return cancel_key_; }
  CancelFlag& cancel() { return cancel_; }

  // ---- The session's thread only
  // A statement begins: the state is "active".
  void SetQuery(std::string_view text);
  void SetQuery(const std::shared_ptr<const std::string>& text);
  // It has ended.
  void SetState(State state, int64_t transaction_start);

  // ---- Any thread
  void SetApplicationName(std::string_view name);
  StatementProgress& progress() { return progress_; }
  ActivityEntry Copy();

 private:
  // Makes a reader look again while it stands. What it covers is stored with release and read with
  // acquire: who reads a new value then finds the count changed.
  class Change {
   public:
    explicit Change(std::atomic<uint64_t>& count) : count_(count) { Add(); }
    ~Change() { Add(); }
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

   private:
    void Add() {
      count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }
    std::atomic<uint64_t>& count_;
  };
  void Activate(std::shared_ptr<const std::string> text);
  // State and times; false when they changed meanwhile.
  bool TryCopyTimes(ActivityEntry& entry) const;

  const int32_t pid_;
  const int32_t cancel_key_;
  CancelFlag& cancel_;
  StatementProgress progress_;
  std::atomic<uint64_t> changes_{0};  // odd while one is made
  std::atomic<State> state_{State::kIdle};
  std::atomic<int64_t> query_start_;
  std::atomic<int64_t> transaction_start_;
  std::atomic<int64_t> state_change_;
  const std::string* text_ = nullptr;  // query_'s, for the session's thread
  Mutex mu_;
  std::shared_ptr<const std::string> query_ OMEN_GUARDED_BY(mu_);
  ActivityEntry entry_ OMEN_GUARDED_BY(mu_);  // but for what stands above
};

class ActivityList {
 public:
  ActivitySlot* Add(ActivityEntry entry, CancelFlag& cancel);
  void Remove(ActivitySlot* slot);
  std::vector<ActivityEntry> Entries();
  // False when there is no such session, or its key is another one (`key` 0: any).
  bool Cancel(int32_t pid, int32_t key, CancelFlag::Reason reason);
  void CancelAll(CancelFlag::Reason reason);
  size_t size();
  size_t CountInDatabase(Oid database);

 private:
  Mutex mu_;
  std::list<std::unique_ptr<ActivitySlot>> slots_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::sql
