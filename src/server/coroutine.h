// coroutine.h - sessions as stackful coroutines: code that is written as if it blocked, on threads
// that never do.
//
// A session runs on the event loop that accepted it, for its whole life. While it waits (client,
// row lock, commit, analytical work) it is suspended and the loop serves others.
//
// Thread safety  A CoroutineWaiter belongs to its coroutine. The things waited for may be signalled
//                from any thread: the wake-up is posted to the loop.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "base/waiter.h"

namespace omendb::server {

using Yield = boost::asio::yield_context;

// Bytes of a session's stack: parsing and planning recurse with the depth of a statement. Only
// touched pages take memory; a guard page ends the stack.
inline constexpr size_t kCoroutineStackBytes = 16 << 20;

class CoroutineWaiter : public Waiter {
 public:
  CoroutineWaiter(boost::asio::io_context& loop, Yield yield) : loop_(loop), yield_(yield) {}
  Status Wait(const std::shared_ptr<WaitPoint>& point, SteadyTime deadline,
              CancelFlag* cancel) override;

 private:
  boost::asio::io_context& loop_;
  Yield yield_;
};

// Runs `body(yield)` as a coroutine on the loop. Any thread.
void Spawn(boost::asio::io_context& loop, std::function<void(Yield)> body);

}  // namespace omendb::server
