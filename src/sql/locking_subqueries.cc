#include "sql/locking_subqueries.h"

#include "base/sqlstate.h"
#include "sql/parse/clauses.h"
#include "sql/statement_parts.h"

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

// A plan with the types and the place in the statement that `outer` has.
Result<std::shared_ptr<Plan>> PlanWithin(SessionImpl& session, const Node* tree,
                                         const Plan& outer) {
  OMEN_ASSIGN(auto plan, PlanTree(session, tree, outer.param_types));
  plan->continues_statement = outer.continues_statement;
  plan->is_part = outer.is_part;
  return plan;
}

Result<Node*> LockedRows(SessionImpl& session, const Node* select, const Plan& outer,
                         std::span<const types::Value> params, AstBuilder& build) {
  OMEN_ASSIGN(auto plan, PlanWithin(session, select, outer));
  OMEN_TRY(Standalone(session.EnsureBound(*plan)));
  return RowsAsQuery(session, *plan, params, "FOR UPDATE in a sub-select", build);
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
    const auto rows = LockedRows(session, node, plan, params, build);
    if (rows.ok()) *node = **rows;
    status = rows.status();
  });
  OMEN_TRY(std::move(status));
  return PlanWithin(session, copy, plan);
}

}  // namespace omendb::sql
