// statement_timer.h - ends statements that run longer than statement_timeout.
//
// One thread sleeps until the earliest deadline, or one that was the earliest: statements that end
// in time wake nobody. It exists only once a timeout was asked for.
// Thread safety  Any thread.
#pragma once

#include <chrono>
#include <map>
#include <thread>

#include "base/mutex.h"
#include "base/waiter.h"

namespace omendb::sql {

class StatementTimer {
 public:
  StatementTimer() = default;
  ~StatementTimer();
  // Sets `cancel` after `ms` unless Disarm(id) comes first. `cancel` must live until then.
  uint64_t Arm(uint64_t ms, CancelFlag& cancel);
  // After it returns the flag is not touched any more.
  void Disarm(uint64_t id);

 private:
  struct Entry {
    SteadyTime deadline;
    CancelFlag* cancel;
  };
  void Run();

  Mutex mu_;
  CondVar changed_;
  std::map<uint64_t, Entry> entries_ OMEN_GUARDED_BY(mu_);
  uint64_t next_id_ OMEN_GUARDED_BY(mu_) = 1;
  SteadyTime wakes_at_ OMEN_GUARDED_BY(mu_) = kNoDeadline;  // the thread, at the latest
  bool stop_ OMEN_GUARDED_BY(mu_) = false;
  std::thread thread_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::sql
