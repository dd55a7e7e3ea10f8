// instance_impl.h - what all sessions of a process share.
//
// Thread safety  Any thread.
// Ownership      Owns DuckDB and the activity list; borrows the engine.
#pragma once

#include <memory>
#include <string>

#include "sql/activity.h"
#include "sql/session.h"
#include "sql/settings/session_settings.h"
#include "sql/statement_counters.h"
#include "sql/statement_timer.h"

namespace omendb::duck {
class SystemTables;
class SessionFunctions;
class SqlRewriter;
}  // namespace omendb::duck

namespace omendb::sql {

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
  void CollectMetrics(MetricFamilies& out) override;

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
  AnalyticalShare share_;
  std::unique_ptr<duck::SystemTables> system_tables_;
  std::unique_ptr<duck::SessionFunctions> functions_;
  std::unique_ptr<duck::SqlRewriter> rewriter_;
  std::unique_ptr<duck::DuckEngine> duck_;
};

}  // namespace omendb::sql
