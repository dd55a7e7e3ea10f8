#include "sql/statement_timer.h"

#include <algorithm>

namespace omendb::sql {

StatementTimer::~StatementTimer() {
  std::thread thread;
  {
    MutexLock lock(mu_);
    stop_ = true;
    changed_.NotifyAll();
    thread = std::move(thread_);
  }
  if (thread.joinable()) thread.join();
}

uint64_t StatementTimer::Arm(uint64_t ms, CancelFlag& cancel) {
  MutexLock lock(mu_);
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  const SteadyTime deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  entries_[next_id_] = {deadline, &cancel};
  if (deadline < wakes_at_) {
    wakes_at_ = deadline;
    changed_.NotifyAll();
  }
  return next_id_++;
}

void StatementTimer::Disarm(uint64_t id) {
  MutexLock lock(mu_);
  entries_.erase(id);
}

void StatementTimer::Run() {
  MutexLock lock(mu_);
  while (!stop_) {
    SteadyTime earliest = kNoDeadline;
    const SteadyTime now = std::chrono::steady_clock::now();
    for (auto entry = entries_.begin(); entry != entries_.end();) {
      if (entry->second.deadline <= now) {
        entry->second.cancel->Set(CancelFlag::Reason::kStatementTimeout);
        entry = entries_.erase(entry);
      } else {
        earliest = std::min(earliest, entry->second.deadline);
        ++entry;
      }
    }
    wakes_at_ = earliest;
    if (earliest == kNoDeadline) {
      changed_.Wait(mu_);
    } else {
      changed_.WaitUntil(mu_, earliest);
    }
  }
}

}  // namespace omendb::sql
