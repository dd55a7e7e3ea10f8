// session_host.h - the place a session runs in: a coroutine and the analytical pool.
//
// Thread safety  The coroutine that made it.
#pragma once

#include "server/coroutine.h"
#include "server/pool.h"
#include "sql/session.h"

namespace omendb::server {

class SessionHost final : public sql::Host {
 public:
  SessionHost(AnalyticalPool& pool, boost::asio::io_context& loop, Yield yield)
      : pool_(pool), waiter_(loop, yield) {}
  Waiter& waiter() override { return waiter_; }
  Status RunAnalytical(const std::function<void(Waiter&)>& work, CancelFlag& cancel,
                       sql::Ticker* ticker) override;

 private:
  AnalyticalPool& pool_;
  CoroutineWaiter waiter_;
};

}  // namespace omendb::server
