#include "server/pool.h"

#include <algorithm>

#include "base/thread_priority.h"

namespace omendb::server {

AnalyticalPool::~AnalyticalPool() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(mu_);
    stopping_ = true;
    threads.swap(threads_);
    work_.NotifyAll();
  }
  for (std::thread& thread : threads) thread.join();
}

void AnalyticalPool::Submit(Task task, std::shared_ptr<WaitPoint> done) {
  MutexLock lock(mu_);
  queue_.push_back({std::move(task), std::move(done)});
  WakeOrAddThread();
}

// A thread that has just ended a task counts as free before it looks at the queue again.
void AnalyticalPool::WakeOrAddThread() {
  if (queue_.empty() || active_ >= active_max_) return;
  const size_t startable = std::min(queue_.size(), static_cast<size_t>(active_max_ - active_));
  if (threads_.size() - occupied_ >= startable) {
    work_.NotifyOne();
  } else {
    threads_.emplace_back([this] { Loop(); });
  }
}

void AnalyticalPool::Loop() {
  SetThreadNice(nice_);
  PlaceYieldingWaiter waiter(*this);
  mu_.Lock();
  while (true) {
    while (!stopping_ && (queue_.empty() || active_ >= active_max_)) work_.Wait(mu_);
    if (stopping_) break;
    Entry entry = std::move(queue_.front());
    queue_.pop_front();
    ++active_;
    ++occupied_;
    mu_.Unlock();
    entry.task(waiter);
    entry.task = nullptr;
    mu_.Lock();
    --active_;
    --occupied_;
    WakeOrAddThread();
    mu_.Unlock();
    entry.done->Signal();
    mu_.Lock();
  }
  mu_.Unlock();
}

Status AnalyticalPool::PlaceYieldingWaiter::Wait(const std::shared_ptr<WaitPoint>& point,
                                                 SteadyTime deadline, CancelFlag* cancel) {
  if (point->signalled()) return Status::Ok();
  {
    MutexLock lock(pool_.mu_);
    --pool_.active_;
    pool_.WakeOrAddThread();
  }
  Status result = waiter_.Wait(point, deadline, cancel);
  // The place is taken back without queueing: for a moment there may be one task too many.
  MutexLock lock(pool_.mu_);
  ++pool_.active_;
  return result;
}

int AnalyticalPool::active() const {
  MutexLock lock(mu_);
  return active_;
}

size_t AnalyticalPool::queued() const {
  MutexLock lock(mu_);
  return queue_.size();
}

size_t AnalyticalPool::threads() const {
  MutexLock lock(mu_);
  return threads_.size();
}

}  // namespace omendb::server
