// PREPARE, EXECUTE, DEALLOCATE.
#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/names.h"
#include "sql/statements/dispatch.h"
#include "sql/statements/evaluate.h"
#include "types/casts.h"

namespace omendb::sql {

Status RunPrepare(UtilityCall& call) {
  const PgQuery__PrepareStmt& prepare = *call.node()->prepare_stmt;
  SessionImpl& session = call.session;
  const std::string name(View(prepare.name));
  if (session.prepared().find(name) != session.prepared().end()) {
    return Status(sqlstate::kDuplicatePreparedStatement,
                  fmt::format("prepared statement \"{}\" already exists", name));
  }
  std::vector<types::SqlType> types;
  for (size_t i = 0; i < prepare.n_argtypes; ++i) {
    OMEN_ASSIGN(types::SqlType type, ResolveTypeName(*prepare.argtypes[i]->type_name));
    types.push_back(type);
  }
  Statement inner = call.statement;
  inner.node = prepare.query;
  SessionImpl::Prepared entry;
  entry.plan = session.NewPlan(inner, types);
  entry.text = std::make_shared<const std::string>(std::string(call.statement.text) + ";");
  entry.from_sql = true;
  entry.prepared_micros = session.now_micros();
  OMEN_TRY(session.EnsureBound(*entry.plan));
  session.prepared()[name] = std::move(entry);
  return Status::Ok();
}

Status RunDeallocate(UtilityCall& call) {
  const std::string name(View(call.node()->deallocate_stmt->name));
  SessionImpl& session = call.session;
  if (name.empty()) {
    std::erase_if(session.prepared(), [](const auto& entry) { return !entry.first.empty(); });
    return Status::Ok();
  }
  if (session.prepared().erase(name) > 0) return Status::Ok();
  return Status(sqlstate::kInvalidSqlStatementName,
                fmt::format("prepared statement \"{}\" does not exist", name));
}

Result<std::shared_ptr<Plan>> SessionImpl::ResolveExecute(const PgQuery__ExecuteStmt& execute,
                                                          types::Arena& arena,
                                                          std::vector<types::Value>& params) {
  const std::string name(View(execute.name));
  auto found = prepared_.find(name);
  if (found == prepared_.end() || found->second.plan == nullptr) {
    return Status(sqlstate::kInvalidSqlStatementName,
                  fmt::format("prepared statement \"{}\" does not exist", name));
  }
  std::shared_ptr<Plan> plan = found->second.plan;
  if (plan->statement.kind() == PG_QUERY__NODE__NODE_EXECUTE_STMT) {
    return NotSupported("EXECUTE of a prepared EXECUTE");  // It may be of itself.
  }
  OMEN_TRY(EnsureBound(*plan));
  if (execute.n_params != static_cast<size_t>(plan->parameters)) {
    return Status(sqlstate::kSyntaxError,
                  fmt::format("wrong number of parameters for prepared statement \"{}\"", name))
        .WithDetail(
            fmt::format("Expected {} parameters but got {}.", plan->parameters, execute.n_params));
  }
  for (size_t i = 0; i < execute.n_params; ++i) {
    OMEN_ASSIGN(types::Value value,
                EvaluateExpression(*this, execute.params[i], plan->param_types[i], arena));
    params.push_back(value);
  }
  return plan;
}

// Inside EXPLAIN and the like; by itself EXECUTE is replaced by the statement it names.
Status RunExecute(UtilityCall& call) {
  types::Arena arena;
  std::vector<types::Value> params;
  OMEN_ASSIGN(std::shared_ptr<Plan> plan,
              call.session.ResolveExecute(*call.node()->execute_stmt, arena, params));
  if (!plan->is_query) return call.session.RunUtility(plan->statement, call.result, call.sink);
  return call.session.RunQuery(*plan, params, true, call.sink, call.result.tag);
}

}  // namespace omendb::sql
