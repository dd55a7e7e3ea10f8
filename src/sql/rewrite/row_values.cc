// Row values compare field by field with SQL's NULLs; DuckDB's structs know no unknown answer.
#include <algorithm>

#include "sql/rewrite/rules.h"

namespace omendb::sql {
namespace {

const PgQuery__RowExpr* AsRow(const Node* node) {
  return node != nullptr && node->node_case == PG_QUERY__NODE__NODE_ROW_EXPR ? node->row_expr
                                                                             : nullptr;
}

Node* BoolExpression(PgQuery__BoolExprType type, const std::vector<Node*>& args,
                     AstBuilder& build) {
  if (args.size() == 1) return args[0];
  Node* node = build.Not(args[0]);
  node->bool_expr->boolop = type;
  node->bool_expr->n_args = args.size();
  node->bool_expr->args = build.List(args);
  return node;
}

// (a, b) < (c, d) is a < c OR (a = c AND b < d): the first fields that differ or are unknown
// decide.
// `strict` is the operator without "=", which all fields but the last are compared with.
Node* OrderedComparison(const PgQuery__RowExpr& left, const PgQuery__RowExpr& right,
                        const std::string& op, AstBuilder& build) {
  const std::string strict = op.substr(0, 1);
  size_t i = left.n_args - 1;
  Node* result = build.Operator(op, left.args[i], right.args[i]);
  while (i-- > 0) {
    Node* equal = build.Operator("=", build.Clone(left.args[i]), build.Clone(right.args[i]));
    Node* tied = BoolExpression(PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR, {equal, result}, build);
    Node* decided = build.Operator(strict, left.args[i], right.args[i]);
    result = BoolExpression(PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR, {decided, tied}, build);
  }
  return result;
}

// (a, b) = (c, d): all are equal; (a, b) <> (c, d): one is not.
Node* EqualityComparison(const PgQuery__RowExpr& left, const PgQuery__RowExpr& right,
                         const std::string& op, AstBuilder& build) {
  std::vector<Node*> parts;
  for (size_t i = 0; i < left.n_args; ++i) {
    parts.push_back(build.Operator(op, left.args[i], right.args[i]));
  }
  return BoolExpression(
      op == "=" ? PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR : PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR, parts,
      build);
}

Status CheckSameSize(const PgQuery__RowExpr& left, const PgQuery__RowExpr& right, int location,
                     const RewriteState& state) {
  if (left.n_args == right.n_args) return Status::Ok();
  return state.At(Status(sqlstate::kSyntaxError, "unequal number of entries in row expressions"),
                  location);
}

Status RewriteComparison(Node* node, RewriteState& state) {
  const PgQuery__AExpr& expr = *node->a_expr;
  const PgQuery__RowExpr* left = AsRow(expr.lexpr);
  const PgQuery__RowExpr* right = AsRow(expr.rexpr);
  if (left == nullptr || right == nullptr) return Status::Ok();
  OMEN_TRY(CheckSameSize(*left, *right, expr.location, state));
  if (left->n_args == 0) return Status::Ok();
  const std::string op(LastName(expr.name, expr.n_name));
  if (op == "=" || op == "<>") {
    *node = *EqualityComparison(*left, *right, op, state.build);
  } else if (op == "<" || op == "<=" || op == ">" || op == ">=") {
    *node = *OrderedComparison(*left, *right, op, state.build);
  }
  return Status::Ok();
}

// (a, b) BETWEEN (c, d) AND (e, f).
Status RewriteBetween(Node* node, bool negated, RewriteState& state) {
  const PgQuery__AExpr& expr = *node->a_expr;
  const PgQuery__RowExpr* row = AsRow(expr.lexpr);
  const PgQuery__RowExpr* low = AsRow(expr.rexpr->list->items[0]);
  const PgQuery__RowExpr* high = AsRow(expr.rexpr->list->items[1]);
  if (row == nullptr || low == nullptr || high == nullptr) return Status::Ok();
  OMEN_TRY(CheckSameSize(*row, *low, expr.location, state));
  OMEN_TRY(CheckSameSize(*row, *high, expr.location, state));
  if (row->n_args == 0) return Status::Ok();
  const Node* again = state.build.Clone(expr.lexpr);
  Node* first = OrderedComparison(*row, *low, negated ? "<" : ">=", state.build);
  Node* second = OrderedComparison(*AsRow(again), *high, negated ? ">" : "<=", state.build);
  *node = *BoolExpression(
      negated ? PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR : PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR,
      {first, second}, state.build);
  return Status::Ok();
}

// Longer lists are DuckDB's, which looks rows up in a hash table.
constexpr size_t kListedRowsMax = 8;

bool HasNullConst(const Node* item) {
  const PgQuery__RowExpr& row = *AsRow(item);
  return std::any_of(row.args, row.args + row.n_args,
                     [](const Node* field) { return IsConst(field) && field->a_const->isnull; });
}

// (a, b) IN ((c, d), (e, f)).
Status RewriteIn(Node* node, RewriteState& state) {
  const PgQuery__AExpr& expr = *node->a_expr;
  const PgQuery__RowExpr* row = AsRow(expr.lexpr);
  if (row == nullptr || row->n_args == 0) return Status::Ok();
  const std::span<Node*> items(expr.rexpr->list->items, expr.rexpr->list->n_items);
  if (std::any_of(items.begin(), items.end(), [](Node* item) { return AsRow(item) == nullptr; })) {
    return Status::Ok();
  }
  if (items.size() > kListedRowsMax && std::none_of(items.begin(), items.end(), HasNullConst)) {
    return Status::Ok();
  }
  const std::string op(LastName(expr.name, expr.n_name));
  std::vector<Node*> parts;
  for (Node* item : items) {
    OMEN_TRY(CheckSameSize(*row, *AsRow(item), expr.location, state));
    const Node* again = state.build.Clone(expr.lexpr);
    parts.push_back(EqualityComparison(*AsRow(again), *AsRow(item), op, state.build));
  }
  *node = *BoolExpression(
      op == "=" ? PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR : PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR, parts,
      state.build);
  return Status::Ok();
}

Status RewriteRowOperator(Node* node, RewriteState& state) {
  switch (node->a_expr->kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
      return RewriteComparison(node, state);
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
      return RewriteBetween(node, false, state);
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN:
      return RewriteBetween(node, true, state);
    case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
      return RewriteIn(node, state);
    default:
      return Status::Ok();
  }
}

// ROW(a, b) IS NULL: every field is; IS NOT NULL: none is.
void RewriteNullTest(Node* node, AstBuilder& build) {
  const PgQuery__NullTest test = *node->null_test;
  const PgQuery__RowExpr* row = AsRow(test.arg);
  if (row == nullptr || row->n_args == 0) return;
  std::vector<Node*> parts;
  for (size_t i = 0; i < row->n_args; ++i) {
    Node* part = build.Clone(node);
    part->null_test->arg = row->args[i];
    parts.push_back(part);
  }
  *node = *BoolExpression(PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR, parts, build);
}

}  // namespace

Status RewriteRowValues(Node* node, RewriteState& state) {
  if (node->node_case == PG_QUERY__NODE__NODE_A_EXPR) return RewriteRowOperator(node, state);
  if (node->node_case == PG_QUERY__NODE__NODE_NULL_TEST) RewriteNullTest(node, state.build);
  return Status::Ok();
}

}  // namespace omendb::sql
