// waiter.h - how a statement waits: for a row lock, for a commit to become durable.
//
// The engine never blocks an event-loop thread. Whoever must wait registers a WaitPoint with the
// thing waited for and calls Waiter::Wait. On an event-loop thread the session's waiter suspends
// its coroutine; on a pool thread or in the C++ library ThreadWaiter blocks the thread.
//
// Thread safety  WaitPoint::Signal: any thread, any number of times. Waiter::Wait: one caller.
// Errors         Wait returns 57014 when the statement was cancelled or ran out of time, 55P03 when
//                `deadline` (lock_timeout) passed. A signal that came first wins.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>

#include "base/mutex.h"
#include "base/status.h"

namespace omendb {

using SteadyTime = std::chrono::steady_clock::time_point;
inline constexpr SteadyTime kNoDeadline = SteadyTime::max();

// One-shot event. Signal() before Wait() is remembered. Shared by waiter and signaller.
class WaitPoint {
 public:
  void Signal();
  bool signalled() const { return signalled_.load(std::memory_order_acquire); }
  // Calls `wake` once, when signalled (at once if it already is). `wake` must not block.
  void OnSignal(std::function<void()> wake);

 private:
  std::atomic<bool> signalled_{false};  // release in Signal pairs with acquire in signalled().
  Mutex mu_;
  std::function<void()> wake_ OMEN_GUARDED_BY(mu_);
};

// Set by a cancel request or a statement timeout; polled by executors, awaited by waiters.
class CancelFlag {
 public:
  enum class Reason { kNone, kUserRequest, kStatementTimeout, kShutdown };
  void Set(Reason reason);
  void Clear();
  Reason reason() const { return reason_.load(std::memory_order_acquire); }
  bool set() const { return reason() != Reason::kNone; }
  // 57014 "canceling statement due to user request" and its kin. Ok when not set.
  Status ToStatus() const;
  // Called on Set, from the setting thread, until replaced; null removes it.
  void OnSet(std::function<void()> wake);

 private:
  std::atomic<Reason> reason_{Reason::kNone};
  Mutex mu_;
  std::function<void()> wake_ OMEN_GUARDED_BY(mu_);
};

class Waiter {
 public:
  virtual ~Waiter() = default;
  // Returns Ok when `point` is signalled; 55P03 past `deadline`; 57014 when `cancel` is set.
  // `cancel` may be null.
  virtual Status Wait(const std::shared_ptr<WaitPoint>& point, SteadyTime deadline,
                      CancelFlag* cancel) = 0;
};

// Blocks the calling thread. Stateless: one instance serves every thread.
class ThreadWaiter : public Waiter {
 public:
  Status Wait(const std::shared_ptr<WaitPoint>& point, SteadyTime deadline,
              CancelFlag* cancel) override;
};

}  // namespace omendb
