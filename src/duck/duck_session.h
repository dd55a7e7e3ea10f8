// duck_session.h - duck::DuckSession over one DuckDB connection.
//
// Thread safety  As duck_engine.h: one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "duck/bound_statement.h"
#include "duck/duck_engine.h"
#include "duck/session_state.h"

namespace omendb::duck {

class DuckEngineImpl;
class Instance;

class DuckSessionImpl : public DuckSession {
 public:
  DuckSessionImpl(DuckEngineImpl& engine, Oid database);
  ~DuckSessionImpl() override;

  void set_session_data(void* data) override { session_data_ = data; }
  Status SetSearchPath(const std::vector<std::string>& schemas) override;
  Status SetTimeZone(std::string_view iana_name) override;
  Result<std::unique_ptr<BoundStatement>> Bind(std::string_view duck_sql,
                                               std::span<const types::SqlType> param_types,
                                               engine::StatementContext& context,
                                               const BindOptions& options) override;
  Result<std::unique_ptr<DuckResult>> Execute(BoundStatement& statement,
                                              std::span<const types::Value> params,
                                              engine::StatementContext& context,
                                              const ExecuteOptions& options) override;
  Result<std::unique_ptr<engine::RowExpressions>> OpenExpressions(
      const catalog::TableDef& table, engine::StatementContext& context) override;
  RunAgain run_again() const override;

  Result<std::string> PlanText(BoundStatementImpl& statement, engine::StatementContext& context);

 private:
  // Makes the connection, or a new one when the instance was rebuilt.
  Status Connect();
  Status ApplySettings();
  std::unique_ptr<Binding> TakePlan(BoundStatementImpl& statement,
                                    const std::vector<duckdb::Value>& values,
                                    engine::StatementContext& context);
  // Describes results and parameters, looks for a row plan.
  void Describe(BoundStatementImpl& statement, Binding& binding);
  duckdb::shared_ptr<duckdb::PreparedStatementData> MakePhysical(BoundStatementImpl& statement,
                                                                 Binding& binding);
  // What there is to run, and the catalog entries that it points to.
  struct Runnable {
    duckdb::shared_ptr<duckdb::PreparedStatementData> data;
    std::vector<std::shared_ptr<void>> pinned;
    std::unique_ptr<KeptRun> run;  // null: the plan is not kept
  };
  Runnable Plan(BoundStatementImpl& statement, const std::vector<duckdb::Value>& values,
                engine::StatementContext& context, const ExecuteOptions& options);
  Status NoteError(const std::exception& exception);

  DuckEngineImpl& engine_;
  const Oid database_;
  void* session_data_ = nullptr;
  std::shared_ptr<Instance> instance_;
  std::unique_ptr<duckdb::Connection> connection_;
  duckdb::shared_ptr<SessionState> state_;
  std::vector<std::string> search_path_{"public"};
  std::string time_zone_ = "UTC";
  bool settings_applied_ = false;
  KeptPlans kept_plans_;  // of connection_: gone before it
};

}  // namespace omendb::duck
