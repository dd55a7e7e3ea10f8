#include "base/waiter.h"

#include "base/sqlstate.h"

namespace omendb {

void WaitPoint::Signal() {
  std::function<void()> wake;
  {
    MutexLock lock(mu_);
    if (signalled_.exchange(true, std::memory_order_acq_rel)) return;
    wake = std::move(wake_);
    wake_ = nullptr;
  }
  if (wake) wake();
}

void WaitPoint::OnSignal(std::function<void()> wake) {
  {
    MutexLock lock(mu_);
    if (!signalled_.load(std::memory_order_acquire)) {
      wake_ = std::move(wake);
      return;
    }
  }
  wake();
}

void CancelFlag::Set(Reason reason) {
  std::function<void()> wake;
  {
    MutexLock lock(mu_);
    reason_.store(reason, std::memory_order_release);
    wake = wake_;
  }
  if (wake) wake();
}

void CancelFlag::Clear() { reason_.store(Reason::kNone, std::memory_order_release); }

Status CancelFlag::ToStatus() const {
  switch (reason()) {
    case Reason::kNone:
      return Status::Ok();
    case Reason::kUserRequest:
      return Status(sqlstate::kQueryCanceled, "canceling statement due to user request");
    case Reason::kStatementTimeout:
      return Status(sqlstate::kQueryCanceled, "canceling statement due to statement timeout");
    case Reason::kShutdown:
      return Status(sqlstate::kAdminShutdown, "terminating connection due to administrator command")
          .WithRadius(Radius::kConnection);
  }
  return Status::Ok();
}

void CancelFlag::OnSet(std::function<void()> wake) {
  MutexLock lock(mu_);
  wake_ = std::move(wake);
}

Status ThreadWaiter::Wait(const std::shared_ptr<WaitPoint>& point, SteadyTime deadline,
                          CancelFlag* cancel) {
  struct Shared {
    Mutex mu;
    CondVar cv;
  };
  auto shared = std::make_shared<Shared>();
  auto wake = [shared] {
    MutexLock lock(shared->mu);
    shared->cv.NotifyAll();
  };
  point->OnSignal(wake);
  if (cancel != nullptr) cancel->OnSet(wake);
  Status result;
  {
    MutexLock lock(shared->mu);
    while (!point->signalled()) {
      if (cancel != nullptr && cancel->set()) {
        result = cancel->ToStatus();
        break;
      }
      if (deadline == kNoDeadline) {
        shared->cv.Wait(shared->mu);
      } else if (!shared->cv.WaitUntil(shared->mu, deadline) && !point->signalled() &&
                 std::chrono::steady_clock::now() >= deadline) {
        result = Status(sqlstate::kLockNotAvailable, "canceling statement due to lock timeout");
        break;
      }
    }
  }
  if (cancel != nullptr) cancel->OnSet(nullptr);
  return result;
}

}  // namespace omendb
