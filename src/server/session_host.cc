#include "server/session_host.h"

#include "base/sqlstate.h"

namespace omendb::server {

Status SessionHost::RunAnalytical(const std::function<void(Waiter&)>& work, CancelFlag& cancel,
                                  sql::Ticker* ticker) {
  auto done = std::make_shared<WaitPoint>();
  bool ran = false;
  pool_.Submit(
      [&work, &cancel, &ran](Waiter& waiter) {
        if (cancel.set()) return;  // Cancelled while it was queued.
        ran = true;
        work(waiter);
      },
      done);
  // The work refers to this stack frame: whatever happens, its end is awaited. A cancel reaches it
  // through the flag that it polls.
  const auto next = [ticker] { return ticker != nullptr ? ticker->next() : kNoDeadline; };
  while (waiter_.Wait(done, next(), nullptr).Is(sqlstate::kLockNotAvailable)) ticker->Tick();
  return ran ? Status::Ok() : cancel.ToStatus();
}

}  // namespace omendb::server
