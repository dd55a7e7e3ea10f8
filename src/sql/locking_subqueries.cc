#include "sql/locking_subqueries.h"

#include "base/sqlstate.h"
#include "sql/parse/clauses.h"
#include "sql/rows_as_query.h"

namespace omendb::sql {
namespace {

// What is bound outside cannot be seen from a statement of its own.
Status Standalone(Status status) {
  if (status.ok()) return status;
  const bool unknown_name =
      status.Is(sqlstate::kUndefinedColumn) || status.Is(sqlstate::kUndefinedTable);
  if (!unknown_name) return std::move(status).WithPosition(0);
  return NotSupported("FOR UPDATE in a sub-select that depends on the statement around it (" +
                      status.error().message + ")");
}

Result<std::string> LockedRows(SessionImpl& session, Node* select, const Plan& outer,
                               std::span<const types::Value> params) {
  OMEN_ASSIGN(const std::string sql, DeparseStatement(select));
  OMEN_ASSIGN(auto plan, session.ParsePlan(sql, outer.param_types));
  plan->continues_statement = outer.continues_statement;
  plan->is_part = outer.is_part;
  OMEN_TRY(Standalone(session.EnsureBound(*plan)));
  return RowsAsQuery(session, *plan, params, "FOR UPDATE in a sub-select");
}

}  // namespace

bool HasLockingSubquery(const Node* statement) {
  bool found = false;
  WalkNode(const_cast<Node*>(statement), [&](Node* node) {
    found = found || (node != statement && IsLockingSelect(node));
    return !found;
  });
  return found;
}

Result<std::shared_ptr<Plan>> RunLockingSubqueries(SessionImpl& session, const Plan& plan,
                                                   std::span<const types::Value> params) {
  types::Arena arena;
  AstBuilder build(arena);
  Node* copy = build.Clone(plan.statement.node);
  Status status;
  WalkNodePostorder(copy, [&](Node* node) {
    if (!status.ok() || node == copy || !IsLockingSelect(node)) return;
    auto query = LockedRows(session, node, plan, params);
    if (!query.ok()) {
      status = query.status();
      return;
    }
    auto tree = ParseTree::Parse(*query);
    if (!tree.ok()) {
      status = tree.status();
      return;
    }
    *node = *build.Clone((*tree)->statement(0).node);
  });
  OMEN_TRY(std::move(status));
  OMEN_ASSIGN(const std::string sql, DeparseStatement(copy));
  OMEN_ASSIGN(auto resolved, session.ParsePlan(sql, plan.param_types));
  resolved->continues_statement = plan.continues_statement;
  resolved->is_part = plan.is_part;
  return resolved;
}

}  // namespace omendb::sql
