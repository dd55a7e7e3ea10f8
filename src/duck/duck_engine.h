// duck_engine.h - DuckDB behind our own types: binds every statement over our catalog, runs the
// analytical ones on our storage at the statement's snapshot. The only folder with DuckDB headers.
//
// Thread safety  DuckEngine: any thread. DuckSession and what it makes: one thread at a time, not
//                the event loop's (binding and running may take long or wait).
// Ownership      DuckEngine borrows engine::Database and SystemTables.
// Errors         DuckDB exceptions end here: they become a Status with PostgreSQL's SQLSTATE and,
//                as far as it can be said, PostgreSQL's words. After an INTERNAL or FATAL error
//                DuckDB's instance is rebuilt; it holds no state of ours.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/analytical_share.h"
#include "engine/database.h"
#include "exec/row_plan.h"
#include "types/chunk.h"

namespace omendb::duck {

// pg_catalog and information_schema relations, produced above us (src/sql/pg_catalog/).
struct SystemTable {
  std::string schema;  // "pg_catalog" or "information_schema"
  std::string name;
  std::vector<catalog::ColumnDef> columns;
};
class SystemTables {
 public:
  virtual ~SystemTables() = default;
  virtual const std::vector<SystemTable>& tables() const = 0;
  // All rows of the table as `session_data` (DuckSession::set_session_data) sees it. String bytes
  // are owned by `arena`.
  virtual Status Rows(const SystemTable& table, engine::StatementContext& context,
                      void* session_data, types::Arena& arena, std::vector<types::Row>& rows) = 0;
};

// Session state that SQL functions read and change: current_setting, set_config, pg_backend_pid,
// current_user, currval, pg_cancel_backend, ... Implemented by sql; called on the executing thread.
class SessionFunctions {
 public:
  virtual ~SessionFunctions() = default;
  // A scalar function by PostgreSQL's name, one row at a time; NULL arguments are passed on. The
  // names, types and volatility are declared by functions().
  struct Declaration {
    std::string name;
    std::vector<types::SqlType> arguments;
    types::SqlType result;
    bool stable = true;          // may be folded within a statement; false = volatile
    bool strict = true;          // NULL in, NULL out without a call
    int optional_arguments = 0;  // how many of the last arguments may be left out
  };
  virtual const std::vector<Declaration>& functions() const = 0;
  virtual Result<types::Value> Call(size_t function, std::span<const types::Value> arguments,
                                    engine::StatementContext& context, void* session_data,
                                    types::Arena& arena) = 0;
};

// PostgreSQL text that the catalog holds, turned into DuckDB's dialect. Implemented by sql; without
// one the text is taken as it is.
class SqlRewriter {
 public:
  virtual ~SqlRewriter() = default;
  // A SELECT (view definitions), for the statement that uses it.
  virtual Result<std::string> RewriteQuery(std::string_view postgres_sql,
                                           const engine::StatementContext& context) = 0;
  // An expression (column defaults, CHECK conditions).
  virtual Result<std::string> RewriteExpression(std::string_view postgres_sql) = 0;
};

struct DuckOptions {
  uint64_t memory_bytes = 1ULL << 30;  // until SetLimit
  int threads = 2;
  std::string temp_directory;
  SqlRewriter* rewriter = nullptr;   // Borrowed; may be null.
  AnalyticalShare* share = nullptr;  // The same; what reads much keeps to it.
};

// Hidden columns of every table, in DuckDB's SQL. The first names a version of a row, for who locks
// or changes it: a HUGEINT of row id (low word) and version (high word). The second is the row id,
// a BIGINT, which scans of one statement find the row by again even if it is frozen meanwhile.
inline constexpr const char* kRowRefColumn = "\x01rowref";
inline constexpr const char* kRowIdColumn = "\x01rowid";

// The last columns of SELECT ... FOR UPDATE as DuckDB runs it: for LockingResult, not the client.
struct HiddenColumns {
  bool has_limit = false;
  bool has_offset = false;
  std::vector<Oid> tables;  // whose row ids follow

  size_t count() const { return (has_limit ? 1 : 0) + (has_offset ? 1 : 0) + tables.size(); }
};

// What the SQL layer knows of a statement beyond its text.
struct BindOptions {
  // SELECT ... FOR UPDATE/SHARE: the clause itself is not in the text.
  std::optional<txn::RowLockMode> lock;
  txn::LockWait lock_wait = txn::LockWait::kWait;
  // Such a statement as DuckDB can run it. Without them it must be a row plan to run at all.
  std::optional<HiddenColumns> hidden;
  // What 'now' means as a constant of a date or time type, however often the statement runs.
  int64_t analyzed_micros = 0;
  // Off: the statement always runs in DuckDB (EXPLAIN of both executors, tests).
  bool want_row_plan = true;
};

enum class StatementClass : uint8_t { kSelect, kInsert, kUpdate, kDelete, kMerge, kOther };

struct ExecuteOptions {
  bool with_profile = false;
  // Tables are read by one thread, so that each operator keeps its rows once: slower, in less
  // memory.
  bool one_thread = false;
};

// How a statement that failed may succeed when it is run again.
enum class RunAgain : uint8_t {
  kNo,
  kOnNewSnapshot,  // 40001: another transaction's committed change, under READ COMMITTED
  kOnOneThread,    // 53200: DuckDB's share of the memory was too small for several
};

// A statement bound over one catalog version.
class BoundStatement {
 public:
  virtual ~BoundStatement() = default;
  virtual StatementClass statement_class() const = 0;
  virtual const std::vector<types::ResultColumn>& columns() const = 0;  // result or RETURNING
  virtual const std::vector<types::SqlType>& param_types() const = 0;
  virtual uint64_t catalog_version() const = 0;
  // The same statement for the row executor, when it has the shape for it.
  virtual std::shared_ptr<const exec::RowPlan> row_plan() const = 0;
  // Why it has not (for EXPLAIN): "join", "no index on the filtered columns", ...
  virtual const std::string& row_plan_refusal() const = 0;
  // DuckDB's optimized plan as text (EXPLAIN).
  virtual Result<std::string> PlanText(engine::StatementContext& context) = 0;
};

// A running query. Dropping it cancels it.
class DuckResult {
 public:
  virtual ~DuckResult() = default;
  // The next chunk, valid until the next call; nullptr at the end. Cancel gives 57014.
  virtual Result<const types::Chunk*> Next() = 0;
  // Whether Next() is known to answer nullptr, without waiting or working for it.
  virtual bool at_end() const { return false; }
  virtual uint64_t rows_affected() const = 0;  // after the end, for DML
  // The profile of a finished run as text (EXPLAIN ANALYZE); empty when it was not asked for.
  virtual std::string profile() const = 0;
};

class DuckSession {
 public:
  virtual ~DuckSession() = default;
  virtual void set_session_data(void* data) = 0;
  // search_path as schema names, TimeZone, and so on: applied before the next bind.
  virtual Status SetSearchPath(const std::vector<std::string>& schemas) = 0;
  virtual Status SetTimeZone(std::string_view iana_name) = 0;

  // `duck_sql` is one statement in DuckDB's dialect (sql rewrites it), parameters as $1...
  // `param_types` may be shorter than the parameters and hold kUnknown: DuckDB infers.
  virtual Result<std::unique_ptr<BoundStatement>> Bind(std::string_view duck_sql,
                                                       std::span<const types::SqlType> param_types,
                                                       engine::StatementContext& context,
                                                       const BindOptions& options = {}) = 0;
  // Runs it at context.txn's snapshot; context.progress hears of it.
  virtual Result<std::unique_ptr<DuckResult>> Execute(BoundStatement& statement,
                                                      std::span<const types::Value> params,
                                                      engine::StatementContext& context,
                                                      const ExecuteOptions& options = {}) = 0;
  // What the columns of a table that is in the context's catalog say. Dropped before the session.
  virtual Result<std::unique_ptr<engine::RowExpressions>> OpenExpressions(
      const catalog::TableDef& table, engine::StatementContext& context) = 0;
  // After an error: what the caller may do once he has undone the statement.
  virtual RunAgain run_again() const = 0;
};

class DuckEngine : public engine::AnalyticalMemory {
 public:
  static Result<std::unique_ptr<DuckEngine>> Create(DuckOptions options, engine::Database& database,
                                                    SystemTables& system_tables,
                                                    SessionFunctions& functions);
  virtual Result<std::unique_ptr<DuckSession>> NewSession(Oid database) = 0;
};

}  // namespace omendb::duck
