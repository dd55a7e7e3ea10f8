// session_impl.h - what a session is made of. The protocol's entry points are in session_simple.cc
// and session_extended.cc, planning in planner.cc, running in runner.cc; each family of utility
// statements has a file in statements/ and ddl/, found through statements/dispatch.h.
//
// Thread safety  As session.h. While the session waits for the pool, the pool's thread may use
//                everything here (SQL functions, DDL).
// Ownership      Borrows instance and host.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "exec/row_executor.h"
#include "sql/instance_impl.h"
#include "sql/plan.h"
#include "sql/portal_list.h"
#include "sql/progress_notices.h"
#include "sql/session.h"
#include "sql/settings/session_settings.h"
#include "sql/transaction_block.h"

namespace omendb::sql {

class SessionImpl final : public Session,
                          public engine::SequenceObserver,
                          public engine::ColumnExpressions {
 public:
  SessionImpl(InstanceImpl& instance, Instance::SessionOptions options, Host& host, Oid database,
              Oid role);
  ~SessionImpl() override;
  // Applies settings of instance, role and client; makes the DuckDB session.
  Status Start();

  // ---- Session
  Status ExecuteSimple(std::string_view text, ResultSink& sink) override;
  Status Parse(std::string_view name, std::string_view text,
               std::span<const uint32_t> param_oids) override;
  Result<Description> DescribeStatement(std::string_view name) override;
  Status Bind(std::string_view portal, std::string_view statement,
              std::span<const BoundParameter> params) override;
  Result<PortalDescription> DescribePortal(std::string_view portal) override;
  Status Execute(std::string_view portal, uint64_t rows_max, ResultSink& sink) override;
  Status CloseStatement(std::string_view name) override;
  Status ClosePortal(std::string_view name) override;
  Status Sync(ResultSink& sink) override;
  void FailTransaction() override;
  char transaction_status() const override;
  const types::IoSettings& io_settings() const override { return settings_.io(); }
  std::vector<std::pair<std::string, std::string>> ReportedSettings() const override;
  std::string Setting(std::string_view name) const override;
  CancelFlag& cancel_flag() override { return cancel_; }
  uint64_t idle_in_transaction_timeout_ms() const override {
    return settings_.idle_in_transaction_timeout_ms();
  }

  // ---- engine::SequenceObserver
  Status CheckUse(const catalog::SequenceDef& sequence, Access access) override;
  void OnNextValue(Oid sequence, int64_t value) override;

  // ---- engine::ColumnExpressions
  Result<std::unique_ptr<engine::RowExpressions>> Open(const catalog::TableDef& table) override;

  // ---- For statement handlers, functions and system tables
  InstanceImpl& instance() { return instance_; }
  engine::Database& db() const { return instance_.database(); }
  SessionSettings& settings() { return settings_; }
  TransactionBlock& block() { return block_; }
  Host& host() { return host_; }
  duck::DuckSession& duck() { return *duck_; }
  PlanCache& plans() { return plans_; }
  const Instance::SessionOptions& options() const { return options_; }
  Oid database() const { return database_; }
  ActivitySlot& activity() { return *activity_; }
  StatementProgress& progress() { return activity_->progress(); }
  ProgressNotices& progress_notices() { return *progress_notices_; }

  const std::string& session_user() const { return session_user_; }
  const std::string& current_user() const { return role_.empty() ? session_user_ : role_; }
  bool is_superuser() const;
  Oid current_role() const;
  // The catalog that the current transaction (or a new one) sees.
  std::shared_ptr<const catalog::CatalogSnapshot> catalog() const;
  engine::StatementContext MakeContext(Waiter& waiter);
  // The schemas names are looked for in, in order; `implicit` with pg_temp and pg_catalog.
  std::vector<std::string> SearchPath(bool implicit) const;
  std::string temp_schema_name() const;

  void Notify(std::string_view severity, Status status);
  void Notice(std::string message);  // NOTICE 00000
  void Warning(SqlState code, std::string message);
  void Info(std::string message);  // INFO 00000: sent whatever client_min_messages says

  // Database::CheckConstraints, on the pool where that may take long.
  Status CheckConstraints(engine::StatementContext& context, bool at_commit);
  // Runs `work` on the pool, or here when this already is the pool.
  Status OnPool(const std::function<Status(Waiter&)>& work);

  // Planning. A plan of a statement that is not bound yet; `types` are the client's.
  std::shared_ptr<Plan> NewPlan(Statement statement, std::span<const types::SqlType> types);
  // The same of a text of one statement that is not the client's.
  Result<std::shared_ptr<Plan>> ParsePlan(std::string_view text,
                                          std::span<const types::SqlType> types = {});
  // Binds when it is not bound, or was for another catalog or other settings.
  Status EnsureBound(Plan& plan);
  bool IsCurrent(const Plan& plan) const;
  // 42501 when the current role may not do what the bound plan does.
  Status CheckPlanPrivileges(Plan& plan, const catalog::CatalogSnapshot& snapshot);
  // XX001 where a table of the plan is damaged.
  Status CheckReadable(const Plan& plan, const catalog::CatalogSnapshot& snapshot);
  // Describes its result; binds when it is a query.
  Result<Description> Describe(Plan& plan);

  // Runs a query to its end. Columns are announced when asked for. The tag goes to `tag`.
  Status RunQuery(Plan& plan, std::span<const types::Value> params, bool announce_columns,
                  ResultSink& sink, std::string& tag);
  // Runs a query and hands its rows to `each`; for statements built on queries (CTAS, COPY TO).
  // `profile`, unless null: DuckDB's of the run, when it ran there.
  Status RunQueryRows(
      Plan& plan, std::span<const types::Value> params,
      const std::function<Status(const types::Chunk*, std::span<const types::Value>)>& each,
      uint64_t* rows_affected, std::string* profile = nullptr);
  // Runs a query whose rows nobody reads. How many it wrote.
  Result<uint64_t> RunToEnd(Plan& plan, std::span<const types::Value> params = {});
  // Computes or goes on with a portal; rows go to the sink. True when it is at its end.
  Result<bool> RunPortal(PortalState& portal, uint64_t rows_max, ResultSink& sink);
  // Rows of a query's portal into its buffer until so many are there; all of them by default.
  Status BufferPortal(PortalState& portal, uint64_t rows_wanted = UINT64_MAX);
  // Ends a portal's query where it is.
  void AbandonPortal(PortalState& portal);
  // A utility statement (also inside EXPLAIN, PREPARE).
  Status RunUtility(const Statement& statement, UtilityResult& result, ResultSink& sink);

  // A statement's parameters from the client.
  Status DecodeParameters(const Plan& plan, std::span<const BoundParameter> params,
                          PortalState& portal);

  // Prepared statements and portals by name; "" is the unnamed one.
  struct Prepared {
    std::shared_ptr<Plan> plan;
    std::shared_ptr<const std::string> text;
    int64_t prepared_micros = 0;
    bool from_sql = false;
  };
  std::map<std::string, Prepared, std::less<>>& prepared() { return prepared_; }
  PortalList& portals() { return portals_; }
  // EXECUTE name (args): the plan and its parameters.
  Result<std::shared_ptr<Plan>> ResolveExecute(const PgQuery__ExecuteStmt& execute,
                                               types::Arena& arena,
                                               std::vector<types::Value>& params);

  std::unordered_map<Oid, int64_t>& sequence_values() { return sequence_values_; }
  std::optional<Oid>& last_sequence() { return last_sequence_; }
  void set_role(std::string role);
  void set_session_user(std::string user);
  bool has_temp_schema() const { return has_temp_schema_; }
  void set_has_temp_schema(bool value) { has_temp_schema_ = value; }
  void AddOnCommitDrop(Oid table) { on_commit_drop_.push_back(table); }
  void AddOnCommitDelete(Oid table) { on_commit_delete_.push_back(table); }
  // Ends the transaction with everything that hangs on it: cursors, ON COMMIT actions.
  Status CommitTransaction();
  void RollbackTransaction();
  // Closes the portals with a greater number than this one.
  void DropPortalsAfter(uint64_t number);
  // A portal that streams must keep its rows before another statement runs.
  Status SettleStream();
  int64_t now_micros() const { return settings_.io().now_micros; }
  // Whether the statement that runs is one of several in one simple query.
  bool in_multi_statement() const { return in_multi_statement_; }

 private:
  friend class StatementScope;
  // One statement of a simple query. The tag is empty when there is none to send.
  Status RunStatement(const Statement& statement, ResultSink& sink, std::string& tag);
  Status RunCachedText(std::string_view text, ResultSink& sink, bool& done);
  Status RunWholePlan(Plan& plan, std::span<const types::Value> params, ResultSink& sink,
                      std::string& tag);
  Status FinishSimple(Status status, ResultSink& sink, std::string_view tag);
  Status CheckFailedBlock(const Statement& statement) const;
  Status BindPortal(std::string_view statement_name, std::span<const BoundParameter> params,
                    PortalState& portal);
  Status BindPlan(std::string_view statement_name, std::span<const BoundParameter> params,
                  PortalState& portal);
  void DropPortal(PortalState& portal);
  // 34000.
  Result<PortalState*> FindPortal(std::string_view name);
  static void NoteDescribed(Plan& plan);
  Result<PortalDescription> DescribeOpen(PortalState& portal);
  // Runs a utility statement that is not a query. False when its portal ended with it.
  Result<bool> RunPortalUtility(PortalState& portal, ResultSink& sink);
  Status RunOpen(PortalState& portal, uint64_t rows_max, ResultSink& sink);
  Status BindOnPool(Plan& plan, Waiter& waiter);
  Status LockAndBind(Plan& plan, engine::StatementContext& context);
  // False: it is a statement for DuckDB after all, and nothing was done.
  Result<bool> RunRowPlan(Plan& plan, std::span<const types::Value> params,
                          engine::StatementContext& context, exec::RowSink& rows,
                          uint64_t* affected);
  Status OpenStream(Plan& plan, std::span<const types::Value> params, PortalState& portal,
                    uint64_t statement_mark);
  Status NextChunk(PortalState& portal);
  // Sends the rest of the chunk, `rows_max` rows at most, and adds their number to `sent`. Without
  // rows the stream ends. Requires: it streams, no row is buffered.
  Status SendStreamed(PortalState& portal, uint64_t rows_max, ResultSink& sink, uint64_t& sent);
  // Requires: it is ready, with a query.
  Status StartPortal(PortalState& portal);
  Status EndStatement(const Plan& plan, engine::StatementContext& context);
  // Runs what has to run before the statement, and `rest` with what is left of it; all of it again
  // where a later part met another transaction's committed change under READ COMMITTED.
  Status RunInParts(Plan& plan, std::span<const types::Value> params,
                    const std::function<Status(const std::shared_ptr<Plan>&)>& rest);
  // catalog(), kept from statement to statement. The session's own thread only.
  const std::shared_ptr<const catalog::CatalogSnapshot>& KeptCatalog();
  // MakeContext of the session's own thread.
  engine::StatementContext OwnContext() { return ContextWith(host_.waiter(), KeptCatalog()); }
  engine::StatementContext ContextWith(Waiter& waiter,
                                       std::shared_ptr<const catalog::CatalogSnapshot> catalog);
  void DropPortalsOfTransaction(bool committed);
  Status ApplyOnCommit();
  Status CreateTempCleanup();

  InstanceImpl& instance_;
  Host& host_;
  const Instance::SessionOptions options_;
  const Oid database_;
  std::string session_user_;
  std::string role_;  // SET ROLE; empty = session_user_
  SessionSettings settings_;
  TransactionBlock block_;
  PlanCache plans_;
  std::shared_ptr<const catalog::CatalogSnapshot> kept_catalog_;
  std::unique_ptr<duck::DuckSession> duck_;
  uint64_t duck_generation_ = 0;  // settings_.plan_generation() that DuckDB knows
  CancelFlag cancel_;
  ActivitySlot* activity_ = nullptr;
  std::optional<ProgressNotices> progress_notices_;  // of activity_
  ResultSink* sink_ = nullptr;                       // of the running call, for notices
  std::vector<sql::Notice> pending_notices_;
  Waiter* pool_waiter_ = nullptr;  // set while code of ours runs on the pool

  std::map<std::string, Prepared, std::less<>> prepared_;
  PortalList portals_;
  PortalState* streaming_ = nullptr;
  bool conflict_in_part_ = false;  // The statement has to be run again from its first part.
  bool extended_error_ = false;
  bool in_multi_statement_ = false;
  LiftedText lifted_;
  types::Arena literal_arena_;
  std::vector<types::Value> literal_values_;

  std::unordered_map<Oid, int64_t> sequence_values_;
  std::optional<Oid> last_sequence_;
  // Sequences that the current role was found to be allowed to use, in one catalog.
  std::set<std::pair<Oid, Access>> allowed_sequences_;
  uint64_t allowed_in_catalog_ = 0;
  bool has_temp_schema_ = false;
  std::vector<Oid> on_commit_drop_;
  std::vector<Oid> on_commit_delete_;
};

// The sink, the statement timeout and the activity entry of one call from the client.
class StatementScope {
 public:
  StatementScope(SessionImpl& session, ResultSink* sink, std::string_view text);
  // Of a prepared statement, whose text is kept once.
  StatementScope(SessionImpl& session, ResultSink* sink,
                 const std::shared_ptr<const std::string>& text);
  ~StatementScope();

 private:
  void Begin(ResultSink* sink);

  SessionImpl& session_;
  uint64_t timer_ = 0;
};

}  // namespace omendb::sql
