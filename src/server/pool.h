// pool.h - the threads that run analytical work, with admission control.
//
// At most `active_max` tasks run at once; further ones queue in order. A task that waits for a row
// lock gives its place up while it waits, so that waiting tasks can never keep the one they wait
// for from running.
//
// Thread safety  Any thread. Ownership: owns its threads; the destructor ends and joins them.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/waiter.h"

namespace omendb::server {

class AnalyticalPool {
 public:
  using Task = std::function<void(Waiter&)>;

  // `nice`: of its threads, see base/thread_priority.h.
  explicit AnalyticalPool(int active_max, int nice = 0) : active_max_(active_max), nice_(nice) {}
  // Requires: no task is queued or running.
  ~AnalyticalPool();

  // Runs `task` on a thread of the pool; `done` is signalled when it has returned.
  void Submit(Task task, std::shared_ptr<WaitPoint> done);

  int active() const;
  size_t queued() const;
  // Threads there are: as many as tasks ran or waited at the same time at most.
  size_t threads() const;

 private:
  struct Entry {
    Task task;
    std::shared_ptr<WaitPoint> done;
  };
  // The pool's Waiter: blocks the thread, outside the count of active tasks.
  class PlaceYieldingWaiter : public Waiter {
   public:
    explicit PlaceYieldingWaiter(AnalyticalPool& pool) : pool_(pool) {}
    Status Wait(const std::shared_ptr<WaitPoint>& point, SteadyTime deadline,
                CancelFlag* cancel) override;

   private:
    AnalyticalPool& pool_;
    ThreadWaiter waiter_;
  };

  void Loop();
  void WakeOrAddThread() OMEN_REQUIRES(mu_);

  const int active_max_;
  const int nice_;
  mutable Mutex mu_;
  CondVar work_;
  std::deque<Entry> queue_ OMEN_GUARDED_BY(mu_);
  std::vector<std::thread> threads_ OMEN_GUARDED_BY(mu_);
  // Threads that have a task, of which `active_` have a place.
  size_t occupied_ OMEN_GUARDED_BY(mu_) = 0;
  int active_ OMEN_GUARDED_BY(mu_) = 0;
  bool stopping_ OMEN_GUARDED_BY(mu_) = false;
};

}  // namespace omendb::server
