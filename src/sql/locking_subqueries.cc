#include "sql/locking_subqueries.h"

#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/parse/ast.h"

namespace omendb::sql {
namespace {

constexpr size_t kRowsMax = 10000;

bool IsLockingSelect(const Node* node) {
  return node->node_case == PG_QUERY__NODE__NODE_SELECT_STMT &&
         node->select_stmt->n_locking_clause > 0;
}

std::string Literal(const types::SqlType& type, const types::Value& value) {
  const std::string type_name = types::FormatType(type);
  if (value.is_null) return "NULL::" + type_name;
  std::string text;
  types::FormatText(type, value, types::IoSettings{}, text);
  return QuoteLiteral(text) + "::" + type_name;
}

// What is bound outside cannot be seen from a statement of its own.
Status Standalone(Status status) {
  if (status.ok()) return status;
  const bool unknown_name =
      status.Is(sqlstate::kUndefinedColumn) || status.Is(sqlstate::kUndefinedTable);
  if (!unknown_name) return std::move(status).WithPosition(0);
  return NotSupported("FOR UPDATE in a sub-select that depends on the statement around it (" +
                      status.error().message + ")");
}

// The rows of one sub-select as a query: VALUES with its column names.
Result<std::string> RowsAsQuery(SessionImpl& session, Node* select, const Plan& outer,
                                std::span<const types::Value> params) {
  OMEN_ASSIGN(const std::string sql, DeparseStatement(select));
  OMEN_ASSIGN(auto tree, ParseTree::Parse(sql));
  auto plan = session.NewPlan(tree->statement(0), outer.param_types);
  OMEN_TRY(Standalone(session.EnsureBound(*plan)));
  std::string rows;
  size_t count = 0;
  auto append = [&](auto value_of) -> Status {
    if (++count > kRowsMax) {
      return NotSupported(fmt::format("FOR UPDATE in a sub-select of more than {} rows", kRowsMax));
    }
    rows += rows.empty() ? "(" : ", (";
    for (size_t c = 0; c < plan->columns.size(); ++c) {
      rows += (c > 0 ? ", " : "") + Literal(plan->columns[c].type, value_of(c));
    }
    rows += ")";
    return Status::Ok();
  };
  uint64_t affected = 0;
  const Status ran = session.RunQueryRows(
      *plan, params,
      [&](const types::Chunk* chunk, std::span<const types::Value> row) -> Status {
        if (chunk == nullptr) return append([&](size_t c) { return row[c]; });
        for (uint32_t r = 0; r < chunk->rows_count; ++r) {
          OMEN_TRY(append([&](size_t c) { return chunk->columns[c].Get(r); }));
        }
        return Status::Ok();
      },
      &affected);
  OMEN_TRY(ran);
  std::string names;
  std::string nulls;
  for (const types::ResultColumn& column : plan->columns) {
    names += (names.empty() ? "" : ", ") + QuoteIdentifier(column.name);
    nulls += (nulls.empty() ? "" : ", ") + Literal(column.type, types::Value::Null());
  }
  if (rows.empty()) {
    return fmt::format("SELECT * FROM (VALUES ({})) AS locked({}) WHERE false", nulls, names);
  }
  return fmt::format("SELECT * FROM (VALUES {}) AS locked({})", rows, names);
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
    auto query = RowsAsQuery(session, node, plan, params);
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
  OMEN_ASSIGN(auto tree, ParseTree::Parse(sql));
  return session.NewPlan(tree->statement(0), plan.param_types);
}

}  // namespace omendb::sql
