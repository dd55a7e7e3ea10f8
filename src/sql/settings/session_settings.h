// session_settings.h - the values of settings as one session sees them.
//
// A value comes from the instance (config file, command line), then the role and database, then the
// client's startup message, then SET. What SET changes is undone when its transaction, or the
// subtransaction it stands in, rolls back; SET LOCAL is undone at the end in any case.
//
// Thread safety  The session's thread. Functions of a running query read through it from that
//                query's threads while the session waits.
// Errors         42704 unknown, 55P02 cannot be changed (now), 42501, 22023 bad value.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sql/settings/registry.h"
#include "types/text_io.h"

namespace omendb::sql {

class SessionSettings {
 public:
  using Values = std::vector<std::pair<std::string, std::string>>;
  // Called after a reported setting changed.
  using OnReport = std::function<void(std::string_view name, std::string_view value)>;

  SessionSettings();
  void set_on_report(OnReport on_report) { on_report_ = std::move(on_report); }

  // Before the first statement: values that RESET comes back to. `source` for pg_settings:
  // "configuration file", "command line", "client", "database", "user".
  Status SetDefault(std::string_view name, std::string_view value, std::string_view source);
  // A value nobody may SET, as the server knows it (port, max_connections).
  void SetInternal(std::string_view name, std::string_view value);

  enum class Scope { kSession, kLocal };
  Status Set(std::string_view name, std::string_view value, Scope scope, bool superuser);
  Status Reset(std::string_view name, bool superuser);
  void ResetAll();
  Status CheckChangeable(std::string_view name, bool superuser) const;

  // As SHOW prints it. 42704 when there is none.
  Result<std::string> Show(std::string_view name) const;
  // As stored; "" when there is none.
  std::string Get(std::string_view name) const;
  std::string GetReset(std::string_view name) const;
  std::string_view GetSource(std::string_view name) const;
  bool GetBool(std::string_view name) const { return Get(name) == "on"; }
  int64_t GetInteger(std::string_view name) const;

  // Transactions. Depth 1 is the transaction, more are savepoints.
  void BeginTransaction() { undo_.clear(); }
  size_t Mark() const { return undo_.size(); }
  void RollbackTo(size_t mark);
  void CommitTransaction();
  void RollbackTransaction();

  const types::IoSettings& io() const { return io_; }
  types::IoSettings& io() { return io_; }
  const std::vector<std::string>& search_path() const { return search_path_; }
  // Grows with every change that a plan could depend on (search_path, TimeZone, role, ...).
  uint64_t plan_generation() const { return plan_generation_; }
  void InvalidatePlans() { ++plan_generation_; }
  // Those read on every statement, kept parsed.
  uint64_t statement_timeout_ms() const { return statement_timeout_ms_; }
  uint64_t lock_timeout_ms() const { return lock_timeout_ms_; }
  uint64_t idle_in_transaction_timeout_ms() const { return idle_in_transaction_timeout_ms_; }
  bool synchronous_commit() const { return synchronous_commit_; }
  const std::string& default_isolation() const { return default_isolation_; }
  bool default_read_only() const { return default_read_only_; }
  bool default_deferrable() const { return default_deferrable_; }
  bool row_executor() const { return row_executor_; }
  uint64_t progress_notices_ms() const { return progress_notices_ms_; }
  bool read_damaged_tables() const { return read_damaged_tables_; }
  bool standard_conforming_strings() const { return standard_conforming_strings_; }

 private:
  struct Undo {
    std::string name;
    std::string value;
    bool had_value;
    bool local;
  };
  const SettingDef* Known(std::string_view name) const;
  Result<std::string> Check(const SettingDef& setting, std::string_view value);
  void Store(const std::string& name, const std::string* value);
  void Apply(const std::string& name);

  // Only values that differ from boot values, by canonical name.
  std::map<std::string, std::string, std::less<>> defaults_;
  std::map<std::string, std::string, std::less<>> sources_;
  std::map<std::string, std::string, std::less<>> values_;
  std::vector<Undo> undo_;
  OnReport on_report_;

  types::IoSettings io_;
  std::vector<std::string> search_path_;
  uint64_t plan_generation_ = 1;
  uint64_t statement_timeout_ms_ = 0;
  uint64_t lock_timeout_ms_ = 0;
  uint64_t idle_in_transaction_timeout_ms_ = 0;
  bool synchronous_commit_ = true;
  std::string default_isolation_ = "read committed";
  bool default_read_only_ = false;
  bool default_deferrable_ = false;
  bool row_executor_ = true;
  uint64_t progress_notices_ms_ = 0;
  bool read_damaged_tables_ = false;
  bool standard_conforming_strings_ = true;
};

// "a, \"B c\"" as names in lower case unless quoted. 22023 when it is no list.
Result<std::vector<std::string>> SplitIdentifierList(std::string_view text);

}  // namespace omendb::sql
