// wait_graph.h - who waits for whom: finds deadlocks when a wait begins, not after a timeout.
//
// Whoever closes a cycle is told at once (40P01) and never starts to wait; so there is no cycle
// among registered waits, whatever order they came in. Blockers may be added to a wait later (a
// lock granted past it); the added blocker runs at that moment, and checks when it comes to wait
// itself.
//
// Thread safety  Any thread. Leaf lock: nothing is taken while it is held.
// See            PostgreSQL 15, src/backend/storage/lmgr/README "Deadlock Detection"; we look at
//                every wait because ours are rare and cheap to follow.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"

namespace omendb::txn {

// A transaction (TxnId) or a session that holds advisory locks (kSessionOwner | its number).
using LockOwner = uint64_t;
inline constexpr LockOwner kSessionOwner = 1ULL << 62;

class WaitGraph {
 public:
  // `what` reads "ShareLock on transaction 12". 40P01 with PostgreSQL's detail when the wait would
  // never end; it is not registered then.
  Status Add(LockOwner waiter, std::vector<LockOwner> blockers, std::string what);
  // Replaces the blockers of a registered wait.
  void Update(LockOwner waiter, std::vector<LockOwner> blockers);
  void Remove(LockOwner waiter);
  // Waits registered now.
  size_t size() const;
  // Waits that closed a cycle, since the start.
  uint64_t deadlocks() const;

 private:
  struct Wait {
    std::vector<LockOwner> blockers;
    std::string what;
  };
  bool FindPath(LockOwner from, LockOwner to, std::vector<LockOwner>& path) const
      OMEN_REQUIRES(mu_);

  mutable Mutex mu_;
  std::unordered_map<LockOwner, Wait> waits_ OMEN_GUARDED_BY(mu_);
  uint64_t deadlocks_ OMEN_GUARDED_BY(mu_) = 0;
};

}  // namespace omendb::txn
