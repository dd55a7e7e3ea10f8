// Row values compare field by field with SQL's NULLs; DuckDB's structs know no unknown answer.
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

// (a, b) = (c, d) and (a, b) <> (c, d).
Status RewriteComparison(Node* node, RewriteState& state) {
  const PgQuery__AExpr& expr = *node->a_expr;
  const PgQuery__RowExpr* left = AsRow(expr.lexpr);
  const PgQuery__RowExpr* right = AsRow(expr.rexpr);
  if (expr.kind != PG_QUERY__A__EXPR__KIND__AEXPR_OP || left == nullptr || right == nullptr) {
    return Status::Ok();
  }
  const std::string op(LastName(expr.name, expr.n_name));
  if (left->n_args != right->n_args) {
    return state.At(Status(sqlstate::kSyntaxError, "unequal number of entries in row expressions"),
                    expr.location);
  }
  if ((op != "=" && op != "<>") || left->n_args == 0) return Status::Ok();
  std::vector<Node*> parts;
  for (size_t i = 0; i < left->n_args; ++i) {
    parts.push_back(state.build.Operator(op, left->args[i], right->args[i]));
  }
  *node = *BoolExpression(
      op == "=" ? PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR : PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR, parts,
      state.build);
  return Status::Ok();
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
  if (node->node_case == PG_QUERY__NODE__NODE_A_EXPR) return RewriteComparison(node, state);
  if (node->node_case == PG_QUERY__NODE__NODE_NULL_TEST) RewriteNullTest(node, state.build);
  return Status::Ok();
}

}  // namespace omendb::sql
