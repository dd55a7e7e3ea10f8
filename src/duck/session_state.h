// session_state.h - what our code inside DuckDB knows of the session and statement it runs for.
// Kept by DuckDB's ClientContext as one of its registered states, found from any callback.
//
// Thread safety  Set between statements by the session's thread; read by all threads of a
//                statement.
// Ownership      Borrows everything; `pinned` owns catalog entries that the current bind uses.
#pragma once

#include <memory>
#include <vector>

#include "base/mutex.h"
#include "duck/duck_engine.h"
#include "duck/scan_list.h"
#include "duckdb.hpp"
#include "duckdb/main/client_context_state.hpp"
#include "types/text_io.h"

namespace omendb::duck {

struct ConflictClause;  // dml/conflict_clause.h

class SessionState : public duckdb::ClientContextState {
 public:
  static constexpr const char* kKey = "omendb";
  static SessionState& Get(duckdb::ClientContext& context);
  // Null outside our sessions.
  static SessionState* TryGet(duckdb::ClientContext& context);

  engine::Database* database = nullptr;
  SystemTables* system_tables = nullptr;
  SessionFunctions* functions = nullptr;
  SqlRewriter* rewriter = nullptr;
  void* session_data = nullptr;
  std::vector<std::string> search_path;

  // The current statement; null between statements.
  engine::StatementContext* statement = nullptr;
  // The ON CONFLICT clause of the INSERT being planned.
  std::shared_ptr<ConflictClause> conflict;
  // SELECT ... FOR UPDATE: rows of base tables read by this statement are locked.
  std::optional<txn::RowLockMode> row_lock;
  txn::LockWait row_lock_wait = txn::LockWait::kWait;
  // See BindOptions; of the statement that is bound.
  int64_t analyzed_micros = 0;
  // See ExecuteOptions.
  bool one_thread = false;
  // Of the processors, that threads of the statement keep to; may be null.
  AnalyticalShare* share = nullptr;
  // Told with the error.
  std::atomic<RunAgain> run_again{RunAgain::kNo};
  std::atomic<uint64_t> rows_affected{0};
  // How far the statement is.
  const std::shared_ptr<ScanList> scans = std::make_shared<ScanList>();
  std::atomic<uint64_t> rows_written{0};
  std::atomic<uint64_t> rows_to_write{0};  // once they are known

  // Keeps catalog entries alive while plans point to them.
  void Pin(std::shared_ptr<void> entry) {
    MutexLock lock(mu_);
    pinned_.push_back(std::move(entry));
  }
  std::vector<std::shared_ptr<void>> TakePinned() {
    MutexLock lock(mu_);
    return std::exchange(pinned_, {});
  }

  // The statement's text settings, or PostgreSQL's defaults.
  const types::IoSettings& io_settings() const;
  // XX000 without a statement.
  engine::StatementContext& RequireStatement();
  // 57014 when the statement was cancelled.
  void ThrowIfCancelled();

 private:
  Mutex mu_;
  std::vector<std::shared_ptr<void>> pinned_ OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::duck
