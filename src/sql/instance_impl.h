// instance_impl.h - what all sessions of a process share.
//
// Thread safety  Any thread.
// Ownership      Owns DuckDB and the activity list; borrows the engine.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>

#include "sql/activity.h"
#include "sql/session.h"
#include "sql/settings/session_settings.h"
#include "sql/statement_timer.h"

namespace omendb::duck {
class SystemTables;
class SessionFunctions;
class SqlRewriter;
}  // namespace omendb::duck

namespace omendb::sql {

// Statements by executor with a histogram of their times, for /metrics.
class StatementCounters {
 public:
  enum class Executor { kRow, kDuck, kUtility };
  void Count(Executor executor, std::chrono::nanoseconds time, bool ok);
  void Append(std::string& out) const;

 private:
  static constexpr std::array<double, 10> kBoundsSeconds = {1e-5, 5e-5, 1e-4, 5e-4, 1e-3,
                                                            1e-2, 1e-1, 1.0,  10.0, 100.0};
  struct Series {
    std::array<std::atomic<uint64_t>, kBoundsSeconds.size() + 1> buckets{};
    std::atomic<uint64_t> nanos{0};
    std::atomic<uint64_t> errors{0};
  };
  std::array<Series, 3> series_;
};

class InstanceImpl final : public Instance {
 public:
  InstanceImpl(engine::Database& database, Options options);
  ~InstanceImpl() override;
  Status Start();

  engine::Database& database() override { return database_; }
  Result<std::unique_ptr<Session>> NewSession(SessionOptions options, Host& host) override;
  std::optional<std::string> PasswordVerifier(std::string_view role) override;
  bool CancelBackend(int32_t pid, int32_t key) override;
  void ShutdownSessions() override;
  void AppendMetrics(std::string& out) override;

  const Options& options() const { return options_; }
  duck::DuckEngine& duck() { return *duck_; }
  ActivityList& activity() { return activity_; }
  StatementTimer& timer() { return timer_; }
  StatementCounters& counters() { return counters_; }

 private:
  Status DropTemporaryObjects();

  engine::Database& database_;
  const Options options_;
  ActivityList activity_;
  StatementTimer timer_;
  StatementCounters counters_;
  std::unique_ptr<duck::SystemTables> system_tables_;
  std::unique_ptr<duck::SessionFunctions> functions_;
  std::unique_ptr<duck::SqlRewriter> rewriter_;
  std::unique_ptr<duck::DuckEngine> duck_;
};

}  // namespace omendb::sql
