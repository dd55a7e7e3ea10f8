#include "server/coroutine.h"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>

#include "base/sqlstate.h"

namespace omendb::server {

Status CoroutineWaiter::Wait(const std::shared_ptr<WaitPoint>& point, SteadyTime deadline,
                             CancelFlag* cancel) {
  if (point->signalled()) return Status::Ok();
  // Shared with the wake-ups, which may arrive after this wait is over.
  auto timer = std::make_shared<boost::asio::steady_timer>(loop_);
  boost::asio::io_context& loop = loop_;
  const auto wake = [timer, &loop] { boost::asio::post(loop, [timer] { timer->cancel(); }); };
  point->OnSignal(wake);
  if (cancel != nullptr) cancel->OnSet(wake);
  Status result;
  while (!point->signalled()) {
    if (cancel != nullptr && cancel->set()) {
      result = cancel->ToStatus();
      break;
    }
    if (deadline != kNoDeadline && std::chrono::steady_clock::now() >= deadline) {
      result = Status(sqlstate::kLockNotAvailable, "canceling statement due to lock timeout");
      break;
    }
    // A wake-up that was posted before this cancels nothing yet: its handler runs only when the
    // coroutine is suspended here.
    timer->expires_at(deadline);
    boost::system::error_code ignored;
    timer->async_wait(yield_[ignored]);
  }
  if (cancel != nullptr) cancel->OnSet(nullptr);
  return result;
}

void Spawn(boost::asio::io_context& loop, std::function<void(Yield)> body) {
  boost::asio::spawn(
      loop, std::allocator_arg, boost::context::protected_fixedsize_stack(kCoroutineStackBytes),
      [body = std::move(body)](Yield yield) {
        // Connections catch what goes wrong in a session; this keeps the loop alive in any case.
        // What unwinds a coroutine of a loop that is destroyed is no std::exception.
        try {
          body(yield);
        } catch (const std::exception& error) {
          spdlog::error("a coroutine ended with an exception: {}", error.what());
        }
      },
      [](const std::exception_ptr& /*unused*/) {});
}

}  // namespace omendb::server
