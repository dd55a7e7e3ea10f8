// activity.h - what every session does right now (pg_stat_activity), and cancelling it.
//
// Thread safety  Any thread.
// Ownership      Slots belong to the list; a session has one from start to end.
#pragma once

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

class ActivitySlot {
 public:
  ActivitySlot(ActivityEntry entry, CancelFlag& cancel)
      : pid_(entry.pid), cancel_key_(entry.cancel_key), cancel_(cancel), entry_(std::move(entry)) {}
  int32_t pid() const { return pid_; }
  int32_t cancel_key() const { return cancel_key_; }
  CancelFlag& cancel() { return cancel_; }
  void SetQuery(std::string_view text);
  void SetState(std::string_view state, int64_t transaction_start);
  void SetApplicationName(std::string_view name);
  StatementProgress& progress() { return progress_; }
  ActivityEntry Copy();

 private:
  const int32_t pid_;
  const int32_t cancel_key_;
  CancelFlag& cancel_;
  StatementProgress progress_;
  Mutex mu_;
  ActivityEntry entry_ OMEN_GUARDED_BY(mu_);
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
