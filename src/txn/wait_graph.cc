#include "txn/wait_graph.h"

#include <algorithm>

#include "base/sqlstate.h"

namespace omendb::txn {
namespace {

uint64_t Number(LockOwner owner) { return owner & ~kSessionOwner; }

}  // namespace

// Depth first; `path` becomes from ... to. The graph has no cycle, so this ends.
bool WaitGraph::FindPath(LockOwner from, LockOwner to, std::vector<LockOwner>& path) const {
  path.push_back(from);
  if (from == to) return true;
  const auto wait = waits_.find(from);
  if (wait != waits_.end()) {
    for (const LockOwner next : wait->second.blockers) {
      if (std::find(path.begin(), path.end(), next) == path.end() && FindPath(next, to, path)) {
        return true;
      }
    }
  }
  path.pop_back();
  return false;
}

Status WaitGraph::Add(LockOwner waiter, std::vector<LockOwner> blockers, std::string what) {
  MutexLock lock(mu_);
  for (const LockOwner blocker : blockers) {
    std::vector<LockOwner> path;
    if (blocker == waiter || !FindPath(blocker, waiter, path)) continue;
    ++deadlocks_;
    std::string detail = "Process " + std::to_string(Number(waiter)) + " waits for " + what +
                         "; blocked by process " + std::to_string(Number(blocker)) + ".";
    for (size_t i = 0; i + 1 < path.size(); ++i) {
      detail += "\nProcess " + std::to_string(Number(path[i])) + " waits for " +
                waits_.at(path[i]).what + "; blocked by process " +
                std::to_string(Number(path[i + 1])) + ".";
    }
    return Status(sqlstate::kDeadlockDetected, "deadlock detected")
        .WithDetail(std::move(detail))
        .WithHint("See server log for query details.");
  }
  waits_[waiter] = Wait{std::move(blockers), std::move(what)};
  return Status::Ok();
}

void WaitGraph::Update(LockOwner waiter, std::vector<LockOwner> blockers) {
  MutexLock lock(mu_);
  const auto wait = waits_.find(waiter);
  if (wait != waits_.end()) wait->second.blockers = std::move(blockers);
}

void WaitGraph::Remove(LockOwner waiter) {
  MutexLock lock(mu_);
  waits_.erase(waiter);
}

size_t WaitGraph::size() const {
  MutexLock lock(mu_);
  return waits_.size();
}

uint64_t WaitGraph::deadlocks() const {
  MutexLock lock(mu_);
  return deadlocks_;
}

}  // namespace omendb::txn
