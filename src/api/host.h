// host.h - the library's place to run in: everything on the caller's thread.
#pragma once

#include "sql/session.h"

namespace omendb::api {

class InlineHost : public sql::Host {
 public:
  Waiter& waiter() override { return waiter_; }
  Status RunAnalytical(const std::function<void(Waiter&)>& work, CancelFlag& cancel,
                       sql::Ticker* /*ticker*/) override {
    OMEN_TRY(cancel.ToStatus());
    work(waiter_);
    return Status::Ok();
  }

 private:
  ThreadWaiter waiter_;
};

}  // namespace omendb::api
