// progress_notices.h - omendb.progress_notices: tells the client of a long statement every so often
// how far it is.
//
// Thread safety  The session's own thread, also while work of the session runs on the pool.
// Ownership      Borrows the progress, which the statement's threads write, and the sink.
#pragma once

#include <chrono>
#include <string>

#include "base/progress.h"
#include "sql/session.h"

namespace omendb::sql {

// "37% of the query done (370000 of 1000000 rows scanned), after 5.0 s"
std::string ProgressText(const StatementProgress& progress, std::chrono::milliseconds elapsed);

class ProgressNotices final : public Ticker {
 public:
  explicit ProgressNotices(const StatementProgress& progress) : progress_(progress) {}

  // A statement begins; null: it has no client.
  void Begin(ResultSink* sink);
  void End() { Begin(nullptr); }
  // Before each long part of it: the setting may have changed. 0 = none.
  void SetInterval(uint64_t ms);

  SteadyTime next() const override { return next_; }
  void Tick() override;
  void TickIfDue() {
    if (next_ != kNoDeadline && std::chrono::steady_clock::now() >= next_) Tick();
  }

 private:
  const StatementProgress& progress_;
  ResultSink* sink_ = nullptr;
  std::chrono::milliseconds interval_{0};
  SteadyTime begun_;
  SteadyTime next_ = kNoDeadline;
};

}  // namespace omendb::sql
