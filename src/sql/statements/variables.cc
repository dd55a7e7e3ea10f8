// SET, RESET, SHOW and DISCARD.
#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/privileges.h"
#include "sql/statements/dispatch.h"
#include "sql/statements/transaction_options.h"

namespace omendb::sql {
namespace {

using Scope = SessionSettings::Scope;

// SET name TO a, b: "a, b" as flatten_set_variable_args writes it.
Result<std::string> FlattenArguments(std::string_view name, size_t count, Node** args) {
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    const Node* arg = args[i];
    if (arg->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) {
      // SET TIME ZONE INTERVAL '+02:00' HOUR TO MINUTE.
      text += ConstText(arg->type_cast->arg);
      continue;
    }
    const std::string value = ConstText(arg);
    const bool is_list = name == "search_path" || name == "temp_tablespaces" ||
                         name == "session_preload_libraries" || name == "local_preload_libraries";
    text += is_list ? QuoteIdentifier(value) : value;
  }
  return text;
}

Status SetRole(SessionImpl& session, const std::string& name) {
  if (name == "none") {
    session.set_role("");
    return Status::Ok();
  }
  const catalog::RoleDef* role = session.catalog()->FindRole(name);
  if (role == nullptr) {
    return Status(sqlstate::kInvalidParameterValue,
                  fmt::format("role \"{}\" does not exist", name));
  }
  const catalog::RoleDef* login = session.catalog()->FindRole(session.session_user());
  const bool may =
      login != nullptr &&
      (login->superuser || catalog::IsMember(*session.catalog(), login->oid, role->oid));
  if (!may) {
    return Status(sqlstate::kInsufficientPrivilege,
                  fmt::format("permission denied to set role \"{}\"", name));
  }
  session.set_role(name);
  return Status::Ok();
}

Status SetSessionUser(SessionImpl& session, const std::string& name) {
  const catalog::RoleDef* login = session.catalog()->FindRole(session.options().user);
  if (session.catalog()->FindRole(name) == nullptr) {
    return Status(sqlstate::kUndefinedObject, fmt::format("role \"{}\" does not exist", name));
  }
  if (name != session.options().user && (login == nullptr || !login->superuser)) {
    return Status(sqlstate::kInsufficientPrivilege,
                  "permission denied to set session authorization");
  }
  session.set_session_user(name);
  session.set_role("");
  return Status::Ok();
}

// SET TRANSACTION and SET SESSION CHARACTERISTICS AS TRANSACTION.
Status SetModes(UtilityCall& call, const PgQuery__VariableSetStmt& set) {
  SessionImpl& session = call.session;
  if (View(set.name) == "SESSION CHARACTERISTICS") {
    txn::TransactionOptions options = session.block().NewOptions();
    OMEN_TRY(ApplyTransactionModes(set.n_args, set.args, options));
    SessionSettings& settings = session.settings();
    OMEN_TRY(settings.Set("default_transaction_isolation", IsolationName(options.isolation),
                          Scope::kSession, true));
    OMEN_TRY(settings.Set("default_transaction_read_only", options.read_only ? "on" : "off",
                          Scope::kSession, true));
    return settings.Set("default_transaction_deferrable", options.deferrable ? "on" : "off",
                        Scope::kSession, true);
  }
  if (View(set.name) != "TRANSACTION") return NotSupported("SET TRANSACTION SNAPSHOT");
  if (!session.block().in_block() && !session.in_multi_statement()) {
    session.Warning(sqlstate::kNoActiveSqlTransaction,
                    "SET TRANSACTION can only be used in transaction blocks");
  }
  txn::TransactionOptions options = session.block().txn()->options();
  OMEN_TRY(ApplyTransactionModes(set.n_args, set.args, options));
  return session.block().txn()->SetOptions(options);
}

Status SetTransactionVariable(SessionImpl& session, std::string_view name,
                              const std::string& value) {
  txn::TransactionOptions options = session.block().txn()->options();
  if (name == "transaction_isolation") {
    options.isolation = IsolationFromName(value);
  } else {
    const bool on = value == "on" || value == "true" || value == "1";
    (name == "transaction_read_only" ? options.read_only : options.deferrable) = on;
  }
  return session.block().txn()->SetOptions(options);
}

}  // namespace

Status RunVariableSet(UtilityCall& call) {
  const PgQuery__VariableSetStmt& set = *call.node()->variable_set_stmt;
  SessionImpl& session = call.session;
  SessionSettings& settings = session.settings();
  const std::string name(View(set.name));
  const bool superuser = session.is_superuser();
  if (set.is_local && !session.block().in_block() && !session.in_multi_statement()) {
    session.Warning(sqlstate::kNoActiveSqlTransaction,
                    "SET LOCAL can only be used in transaction blocks");
  }
  switch (set.kind) {
    case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_VALUE: {
      OMEN_ASSIGN(std::string value, FlattenArguments(name, set.n_args, set.args));
      if (name == "role") OMEN_TRY(SetRole(session, value));
      if (name == "session_authorization") OMEN_TRY(SetSessionUser(session, value));
      if (name == "transaction_isolation" || name == "transaction_read_only" ||
          name == "transaction_deferrable") {
        return SetTransactionVariable(session, name, value);
      }
      if (name == "default_transaction_isolation" && !txn::kSerializableSupported &&
          IsolationFromName(value) == txn::IsolationLevel::kSerializable) {
        return NotSupported("isolation level SERIALIZABLE");
      }
      return settings.Set(name, value, set.is_local ? Scope::kLocal : Scope::kSession, superuser);
    }
    case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_DEFAULT:
    case PG_QUERY__VARIABLE_SET_KIND__VAR_RESET:
      if (name == "role") session.set_role("");
      if (name == "session_authorization") {
        session.set_session_user(session.options().user);
        session.set_role("");
      }
      return settings.Reset(name, superuser);
    case PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL:
      settings.ResetAll();
      return Status::Ok();
    case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_MULTI:
      return SetModes(call, set);
    default:
      return NotSupported("SET ... FROM CURRENT");
  }
}

// The settings that are the transaction's.
std::optional<std::string> TransactionVariable(SessionImpl& session, std::string_view name) {
  const txn::TransactionOptions options = session.block().txn() != nullptr
                                              ? session.block().txn()->options()
                                              : session.block().NewOptions();
  if (name == "transaction_isolation") return std::string(IsolationName(options.isolation));
  if (name == "transaction_read_only") return options.read_only ? "on" : "off";
  if (name == "transaction_deferrable") return options.deferrable ? "on" : "off";
  if (name == "is_superuser") return session.is_superuser() ? "on" : "off";
  if (name == "session_authorization") return session.session_user();
  return std::nullopt;
}

Result<std::string> ShowSetting(SessionImpl& session, std::string_view name) {
  if (auto value = TransactionVariable(session, name)) return *value;
  return session.settings().Show(name);
}

Status RunVariableShow(UtilityCall& call) {
  const std::string name(View(call.node()->variable_show_stmt->name));
  OMEN_ASSIGN(call.result.buffer.columns, UtilityColumns(call.session, call.statement));
  if (name != "all") {
    OMEN_ASSIGN(std::string value, ShowSetting(call.session, name));
    call.result.buffer.AppendText({value});
    return Status::Ok();
  }
  for (const SettingDef& def : AllSettings()) {
    OMEN_ASSIGN(std::string value, ShowSetting(call.session, def.name));
    call.result.buffer.AppendText({def.name, value, def.category});
  }
  return Status::Ok();
}

Status RunSetConstraints(UtilityCall& call) {
  const PgQuery__ConstraintsSetStmt& set = *call.node()->constraints_set_stmt;
  SessionImpl& session = call.session;
  std::vector<Oid> constraints;
  for (size_t i = 0; i < set.n_constraints; ++i) {
    const QualifiedRelation name = NameOf(*set.constraints[i]->range_var);
    bool found = false;
    for (const auto& table : session.catalog()->tables(session.database())) {
      for (const catalog::ConstraintDef& constraint : table->constraints) {
        if (constraint.name != name.name) continue;
        if (!constraint.deferrable) {
          return Status(sqlstate::kWrongObjectType,
                        fmt::format("constraint \"{}\" is not deferrable", name.name));
        }
        constraints.push_back(constraint.oid);
        found = true;
      }
    }
    if (!found) {
      return Status(sqlstate::kUndefinedObject,
                    fmt::format("constraint \"{}\" does not exist", name.name));
    }
  }
  if (!session.block().in_block() && !session.in_multi_statement()) {
    session.Warning(sqlstate::kNoActiveSqlTransaction,
                    "SET CONSTRAINTS can only be used in transaction blocks");
  }
  engine::StatementContext context = session.MakeContext(call.waiter);
  return session.db().SetConstraints(context, constraints, set.deferred);
}

Status RunDiscard(UtilityCall& call) {
  SessionImpl& session = call.session;
  const auto target = call.node()->discard_stmt->target;
  const bool all = target == PG_QUERY__DISCARD_MODE__DISCARD_ALL;
  if (all && session.block().in_block()) {
    return Status(sqlstate::kActiveSqlTransaction,
                  "DISCARD ALL cannot run inside a transaction block");
  }
  if (all || target == PG_QUERY__DISCARD_MODE__DISCARD_PLANS) session.plans().Clear();
  if (all || target == PG_QUERY__DISCARD_MODE__DISCARD_SEQUENCES) {
    session.sequence_values().clear();
    session.last_sequence().reset();
  }
  if (all || target == PG_QUERY__DISCARD_MODE__DISCARD_TEMP) {
    const auto* schema =
        session.catalog()->FindSchema(session.database(), session.temp_schema_name());
    if (schema != nullptr) {
      OMEN_TRY(DropSchemaContents(session.db().EditCatalog(*session.block().txn()),
                                  session.database(), schema->oid));
    }
  }
  if (!all) return Status::Ok();
  session.settings().ResetAll();
  session.set_session_user(session.options().user);
  session.set_role("");
  std::erase_if(session.prepared(), [](const auto& entry) { return !entry.first.empty(); });
  session.portals().CloseIf([](const PortalState& portal) { return portal.is_cursor; });
  return Status::Ok();
}

// Settings of a role or database that new sessions start with have no place in the catalog yet.
Status RunAlterRoleSet(UtilityCall&) { return NotSupported("ALTER ROLE ... SET"); }
Status RunAlterDatabase(UtilityCall&) { return NotSupported("ALTER DATABASE ... SET"); }

}  // namespace omendb::sql
