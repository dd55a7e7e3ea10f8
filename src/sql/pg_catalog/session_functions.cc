// Who, where and with what settings.
#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/names.h"
#include "sql/pg_catalog/functions.h"
#include "sql/statements/dispatch.h"
#include "types/array.h"

namespace omendb::sql {
namespace {

using types::SqlType;
using types::TypeKind;
using types::Value;

constexpr std::string_view kVersion =
    "PostgreSQL 15.0 (OmenDB 0.1.0) on x86_64-pc-linux-gnu, compiled by gcc, 64-bit";

Result<Value> CurrentUser(FunctionCall& call) { return call.Text(call.session.current_user()); }
Result<Value> SessionUser(FunctionCall& call) { return call.Text(call.session.session_user()); }

Result<Value> CurrentDatabase(FunctionCall& call) {
  const catalog::DatabaseDef* database = call.catalog().database(call.context.database);
  return call.Text(database != nullptr ? database->name : call.session.options().database);
}

Result<Value> CurrentSchema(FunctionCall& call) {
  const auto path = call.session.SearchPath(false);
  return path.empty() ? Value::Null() : call.Text(path.front());
}

Result<Value> CurrentSchemas(FunctionCall& call) {
  types::ArrayBuilder builder(SqlType{TypeKind::kName});
  for (const std::string& name : call.session.SearchPath(call.args[0].boolean)) {
    builder.Append(Value::String(name));
  }
  return builder.Finish(call.arena);
}

Result<Value> Version(FunctionCall& call) { return call.Text(kVersion); }
Result<Value> BackendPid(FunctionCall& call) {
  return Value::Int32(call.session.options().backend_pid);
}

Result<Value> CurrentSetting(FunctionCall& call) {
  const bool missing_ok = call.count() > 1 && !call.args[1].is_null && call.args[1].boolean;
  auto value = ShowSetting(call.session, call.text(0));
  if (!value.ok()) {
    if (missing_ok) return Value::Null();
    return value.status();
  }
  return call.Text(*value);
}

Result<Value> SetConfig(FunctionCall& call) {
  if (call.args[0].is_null) {
    return Status(sqlstate::kNullValueNotAllowed, "SET requires parameter name");
  }
  const bool local = !call.args[2].is_null && call.args[2].boolean;
  const std::string value(call.args[1].is_null ? "" : call.text(1));
  OMEN_TRY(call.session.settings().Set(
      call.text(0), value,
      local ? SessionSettings::Scope::kLocal : SessionSettings::Scope::kSession,
      call.session.is_superuser()));
  OMEN_ASSIGN(std::string shown, ShowSetting(call.session, call.text(0)));
  return call.Text(shown);
}

Result<Value> ClientEncoding(FunctionCall& call) { return call.Text("UTF8"); }
Result<Value> EncodingToChar(FunctionCall& call) {
  switch (call.args[0].i32) {
    case 6:
      return call.Text("UTF8");
    case 0:
      return call.Text("SQL_ASCII");
    case 8:
      return call.Text("LATIN1");
    default:
      return call.Text("");
  }
}
Result<Value> CharToEncoding(FunctionCall& call) {
  const std::string_view name = call.text(0);
  return Value::Int32(name == "UTF8" || name == "utf8" ? 6 : name == "SQL_ASCII" ? 0 : -1);
}

Result<Value> False(FunctionCall&) { return Value::Bool(false); }
Result<Value> Null(FunctionCall&) { return Value::Null(); }
Result<Value> Zero4(FunctionCall&) { return Value::Int32(0); }

Result<Value> CancelBackend(FunctionCall& call) {
  const int32_t pid = call.args[0].i32;
  const bool found = call.instance.activity().Cancel(pid, 0, CancelFlag::Reason::kUserRequest);
  if (!found) {
    call.session.Warning(sqlstate::kWarning,
                         fmt::format("PID {} is not a PostgreSQL backend process", pid));
  }
  return Value::Bool(found);
}

Result<Value> TerminateBackend(FunctionCall& call) {
  const int32_t pid = call.args[0].i32;
  const bool found = call.instance.activity().Cancel(pid, 0, CancelFlag::Reason::kShutdown);
  if (!found) {
    call.session.Warning(sqlstate::kWarning,
                         fmt::format("PID {} is not a PostgreSQL backend process", pid));
  }
  return Value::Bool(found);
}

Result<Value> TransactionId(FunctionCall& call) {
  return Value::Int64(static_cast<int64_t>(call.context.txn->id().value()));
}

Result<Value> TransactionIdIfAssigned(FunctionCall& call) {
  if (!call.context.txn->has_writes()) return Value::Null();
  return TransactionId(call);
}

Result<Value> Sleep(FunctionCall& call) {
  const auto deadline = std::chrono::steady_clock::now() +
                        std::chrono::microseconds(static_cast<int64_t>(call.args[0].f64 * 1e6));
  Status status =
      call.context.waiter->Wait(std::make_shared<WaitPoint>(), deadline, call.context.cancel);
  if (!status.ok() && !status.Is(sqlstate::kLockNotAvailable)) return status;
  return call.Text("");
}

Result<Value> CurrentQuery(FunctionCall& call) {
  return call.Text(call.session.activity().Copy().query);
}

Result<Value> StartTime(FunctionCall& call) {
  return Value::Int64(call.context.txn->start_micros());
}

Result<Value> TempSchema(FunctionCall& call) {
  const catalog::SchemaDef* schema =
      call.catalog().FindSchema(call.context.database, call.session.temp_schema_name());
  return FunctionCall::OidValue(schema != nullptr ? schema->oid.value() : 0);
}

Result<Value> Notify(FunctionCall&) { return NotSupported("pg_notify"); }
Result<Value> ExportSnapshot(FunctionCall&) { return NotSupported("pg_export_snapshot"); }

}  // namespace

std::vector<FunctionEntry> SessionInfoFunctions() {
  const SqlType text{TypeKind::kText}, name{TypeKind::kName}, boolean{TypeKind::kBool},
      int4{TypeKind::kInt4}, int8{TypeKind::kInt8}, oid{TypeKind::kOid},
      timestamptz{TypeKind::kTimestampTz}, names{TypeKind::kName, true}, none{TypeKind::kVoid};
  return {
      {"omendb_current_user", {}, name, CurrentUser},
      {"omendb_session_user", {}, name, SessionUser},
      {"omendb_current_database", {}, name, CurrentDatabase},
      {"omendb_current_schema", {}, name, CurrentSchema},
      {"omendb_version", {}, text, Version},
      {"current_schemas", {TypeKind::kBool}, names, CurrentSchemas},
      {"pg_backend_pid", {}, int4, BackendPid},
      {"current_setting", {TypeKind::kText, TypeKind::kBool}, text, CurrentSetting, 1},
      {"set_config",
       {TypeKind::kText, TypeKind::kText, TypeKind::kBool},
       text,
       SetConfig,
       0,
       false,
       false},
      {"pg_client_encoding", {}, name, ClientEncoding},
      {"getdatabaseencoding", {}, name, ClientEncoding},
      {"pg_encoding_to_char", {TypeKind::kInt4}, name, EncodingToChar},
      {"pg_char_to_encoding", {TypeKind::kText}, int4, CharToEncoding},
      {"pg_is_in_recovery", {}, boolean, False},
      {"pg_is_in_backup", {}, boolean, False},
      {"pg_is_wal_replay_paused", {}, boolean, False},
      {"row_security_active", {TypeKind::kOid}, boolean, False},
      {"pg_is_other_temp_schema", {TypeKind::kOid}, boolean, False},
      {"pg_my_temp_schema", {}, oid, TempSchema},
      {"pg_trigger_depth", {}, int4, Zero4},
      {"inet_client_addr", {}, text, Null},
      {"inet_client_port", {}, int4, Null},
      {"inet_server_addr", {}, text, Null},
      {"inet_server_port", {}, int4, Null},
      {"pg_cancel_backend", {TypeKind::kInt4}, boolean, CancelBackend, 0, true, false},
      {"pg_terminate_backend",
       {TypeKind::kInt4, TypeKind::kInt8},
       boolean,
       TerminateBackend,
       1,
       true,
       false},
      {"txid_current", {}, int8, TransactionId},
      {"pg_current_xact_id", {}, int8, TransactionId},
      {"txid_current_if_assigned", {}, int8, TransactionIdIfAssigned},
      {"pg_current_xact_id_if_assigned", {}, int8, TransactionIdIfAssigned},
      {"pg_sleep", {TypeKind::kFloat8}, none, Sleep, 0, true, false},
      {"current_query", {}, text, CurrentQuery},
      {"pg_postmaster_start_time", {}, timestamptz, StartTime},
      {"pg_conf_load_time", {}, timestamptz, StartTime},
      {"pg_notify", {TypeKind::kText, TypeKind::kText}, none, Notify, 0, true, false},
      {"pg_export_snapshot", {}, text, ExportSnapshot, 0, true, false},
  };
}

}  // namespace omendb::sql
