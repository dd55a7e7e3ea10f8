// session.h - one client's session: text in, results out. The wire server, HTTP and the C++ library
// are its clients.
//
// Thread safety  One call at a time (the session's coroutine or thread); Cancel(): any thread.
// Ownership      Borrows Instance and Host; both outlive it.
// Errors         A Status with everything an ErrorResponse carries. After an error inside a
//                transaction block the block is failed (25P02) until ROLLBACK, as in PostgreSQL.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/waiter.h"
#include "engine/database.h"
#include "types/chunk.h"
#include "types/text_io.h"

namespace omendb::duck {
class DuckEngine;
}

namespace omendb::sql {

class MetricFamilies;

struct Notice {
  std::string severity = "NOTICE";  // NOTICE, WARNING, INFO, ...
  ErrorInfo info;
};

enum class CopyFormat : uint8_t { kText, kCsv, kBinary };

// Where a statement's results go. Implemented by the client. Values and chunks are borrowed for the
// call. A returned error (the client went away) ends the statement.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  // Before the first row of a statement that returns rows (simple protocol; Describe answers it in
  // the extended one).
  virtual Status OnColumns(const std::vector<types::ResultColumn>& columns) = 0;
  virtual Status OnRow(std::span<const types::Value> row) = 0;
  // Default: row by row.
  virtual Status OnChunk(const types::Chunk& chunk);
  // "SELECT 3", "INSERT 0 1", "BEGIN", ...
  virtual Status OnComplete(std::string_view tag) = 0;
  virtual Status OnEmptyQuery() = 0;
  virtual Status OnPortalSuspended() = 0;
  virtual void OnNotice(const Notice& notice) = 0;
  // A reported setting (TimeZone, client_encoding, ...) changed.
  virtual void OnParameterStatus(std::string_view name, std::string_view value) = 0;

  // COPY ... FROM STDIN: announces it, then gives the data as it comes.
  virtual Status OnCopyIn(CopyFormat format, int columns_count) = 0;
  // Next piece of data, valid until the next call; nullopt at CopyDone. CopyFail gives 57014.
  virtual Result<std::optional<std::string_view>> ReadCopyData() = 0;
  // COPY ... TO STDOUT.
  virtual Status OnCopyOut(CopyFormat format, int columns_count) = 0;
  virtual Status OnCopyData(std::string_view data) = 0;  // one row or more, whole rows
  virtual Status OnCopyDone() = 0;

  // Sends what was given so far to the client, where it is kept back.
  virtual Status Flush() { return Status::Ok(); }
};

// What a session does on its own thread while work of its runs elsewhere.
class Ticker {
 public:
  virtual ~Ticker() = default;
  virtual SteadyTime next() const = 0;  // kNoDeadline: never
  virtual void Tick() = 0;              // at that time
};

// What a session needs of the place it runs in.
class Host {
 public:
  virtual ~Host() = default;
  // How the session's own code waits (row locks, commits).
  virtual Waiter& waiter() = 0;
  // Runs `work` where it may take long or block, and returns when it is done. `work` gets the
  // Waiter of that place. 53300/53200 when admission refuses; 57014 when cancelled while queued.
  // `ticker`, unless null, ticks meanwhile if that place is another.
  virtual Status RunAnalytical(const std::function<void(Waiter&)>& work, CancelFlag& cancel,
                               Ticker* ticker) = 0;
};

// Shared by all sessions of a process: plan cache, settings defaults, activity, DuckDB.
class Instance {
 public:
  struct Options {
    uint16_t port = 5433;                                       // for SHOW
    std::vector<std::pair<std::string, std::string>> settings;  // from config file and command line
    int duck_threads = 2;
    double analytical_share = 1;  // of the processors, while transactions run: see base
    std::string temp_directory;
    int max_connections = 100;
  };
  static Result<std::unique_ptr<Instance>> Create(engine::Database& database, Options options);
  virtual ~Instance() = default;
  virtual engine::Database& database() = 0;

  struct SessionOptions {
    std::string user;
    std::string database;
    std::string application_name;
    std::string client_address;
    int32_t backend_pid = 0;
    int32_t cancel_key = 0;
    std::vector<std::pair<std::string, std::string>> settings;  // startup parameters, `options`
  };
  // 3D000 unknown database, 28000 unknown role or no LOGIN, 22023 bad settings, 53300.
  virtual Result<std::unique_ptr<class Session>> NewSession(SessionOptions options, Host& host) = 0;

  // The stored verifier of a role that may log in; nullopt for unknown roles or none stored.
  virtual std::optional<std::string> PasswordVerifier(std::string_view role) = 0;
  // pg_cancel_backend / CancelRequest / pg_terminate_backend; false when the key does not match.
  virtual bool CancelBackend(int32_t pid, int32_t key) = 0;
  // Every running statement ends with 57P01.
  virtual void ShutdownSessions() = 0;
  // Everything the SQL layer counts, added to `out` (metric_families.h).
  virtual void CollectMetrics(MetricFamilies& out) = 0;
};

// How a portal's parameters arrive: as bytes, text or the type's binary form, or as a value.
struct BoundParameter {
  bool is_null = false;
  bool is_binary = false;
  std::string_view bytes;
  // Other than kUnknown: `value` of this type (kInt8, kFloat8 or kBool) in the place of `bytes`. A
  // parameter of another type gets what it reads from the value's text.
  types::TypeKind kind = types::TypeKind::kUnknown;
  types::Value value = types::Value::Null();
};

class Session {
 public:
  virtual ~Session() = default;

  // ---- Simple protocol: any number of statements in one text, in one implicit transaction unless
  // the text says otherwise. Stops at the first error.
  virtual Status ExecuteSimple(std::string_view text, ResultSink& sink) = 0;

  // ---- Extended protocol. Names: "" is the unnamed one. Errors: 42P05, 26000, 34000, 42P03.
  virtual Status Parse(std::string_view name, std::string_view text,
                       std::span<const uint32_t> param_oids) = 0;
  struct Description {
    std::vector<uint32_t> param_oids;
    std::vector<types::ResultColumn> columns;  // empty with has_rows == false: NoData
    bool has_rows = false;
  };
  virtual Result<Description> DescribeStatement(std::string_view name) = 0;
  virtual Status Bind(std::string_view portal, std::string_view statement,
                      std::span<const BoundParameter> params) = 0;
  struct PortalDescription {
    std::span<const types::ResultColumn> columns;  // valid until the session's next call
    bool has_rows = false;
  };
  virtual Result<PortalDescription> DescribePortal(std::string_view portal) = 0;
  // `rows_max` 0 = all. Sink gets rows (OnRow/OnChunk), then OnComplete or OnPortalSuspended; not
  // OnColumns.
  virtual Status Execute(std::string_view portal, uint64_t rows_max, ResultSink& sink) = 0;
  virtual Status CloseStatement(std::string_view name) = 0;
  virtual Status ClosePortal(std::string_view name) = 0;
  // Sync: commits the implicit transaction, or rolls it back after an error. Not ok when that
  // commit fails.
  virtual Status Sync(ResultSink& sink) = 0;
  // An error outside our view (protocol, client gone) that must fail the open transaction.
  virtual void FailTransaction() = 0;

  // 'I', 'T' or 'E' for ReadyForQuery.
  virtual char transaction_status() const = 0;
  virtual const types::IoSettings& io_settings() const = 0;
  // GUC_REPORT settings with their values, for the start of a connection.
  virtual std::vector<std::pair<std::string, std::string>> ReportedSettings() const = 0;
  virtual std::string Setting(std::string_view name) const = 0;  // "" when unknown
  // SQL text of types for clients without text I/O of their own.
  virtual CancelFlag& cancel_flag() = 0;
  // ms; 0 = none. The host ends an idle transaction itself.
  virtual uint64_t idle_in_transaction_timeout_ms() const = 0;
};

}  // namespace omendb::sql
