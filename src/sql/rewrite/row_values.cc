// Row values compare field by field with SQL's NULLs; DuckDB's structs know no unknown answer.
#include <algorithm>

#include "sql/rewrite/rules.h"
#include "sql/volatile_functions.h"

namespace omendb::sql {
namespace {

std::vector<Node*> Copies(Fields fields, AstBuilder& build) {
  std::vector<Node*> copies;
  for (const Node* field : fields) copies.push_back(build.Clone(field));
  return copies;
}

// (a, b) < (c, d) is a < c OR (a = c AND b < d): the first fields that differ or are unknown
// decide.
// `strict` is the operator without "=", which all fields but the last are compared with.
Node* OrderedComparison(Fields left, Fields right, const std::string& op, AstBuilder& build) {
  const std::string strict = op.substr(0, 1);
  size_t i = left.size() - 1;
  Node* result = build.Operator(op, left[i], right[i]);
  while (i-- > 0) {
    Node* equal = build.Operator("=", build.Clone(left[i]), build.Clone(right[i]));
    Node* decided = build.Operator(strict, left[i], right[i]);
    result = build.Or({decided, build.And({equal, result})});
  }
  return result;
}

Node* FieldByField(Fields left, Fields right, PgQuery__AExprKind kind, std::string_view op,
                   bool all, AstBuilder& build) {
  std::vector<Node*> parts;
  for (size_t i = 0; i < left.size(); ++i) {
    parts.push_back(build.Operator(op, left[i], right[i]));
    parts.back()->a_expr->kind = kind;
  }
  return all ? build.And(parts) : build.Or(parts);
}

Status CheckSameSize(Fields left, Fields right, int location, const RewriteState& state) {
  if (left.size() == right.size()) return Status::Ok();
  return state.At(Status(sqlstate::kSyntaxError, "unequal number of entries in row expressions"),
                  location);
}

// Of fields that are compared more than once.
Status CheckStable(Fields fields, int location, const RewriteState& state) {
  if (std::none_of(fields.begin(), fields.end(), CallsVolatile)) return Status::Ok();
  return state.At(NotSupported("a volatile function in such a comparison of rows"), location);
}

Status RewriteComparison(Node* node, RewriteState& state) {
  const PgQuery__AExpr& expr = *node->a_expr;
  const auto left = FieldsOf(expr.lexpr);
  const auto right = FieldsOf(expr.rexpr);
  if (!left || !right) return Status::Ok();
  OMEN_TRY(CheckSameSize(*left, *right, expr.location, state));
  const std::string op(LastName(expr.name, expr.n_name));
  if (!IsComparison(op)) return Status::Ok();
  if (op != "=" && op != "<>") {
    OMEN_TRY(CheckStable(left->first(left->size() - 1), expr.location, state));
    OMEN_TRY(CheckStable(right->first(right->size() - 1), expr.location, state));
  }
  *node = *CompareRows(*left, *right, op, state.build);
  return Status::Ok();
}

// (a, b) IS DISTINCT FROM (c, d): one field is.
Status RewriteDistinct(Node* node, bool distinct, RewriteState& state) {
  const PgQuery__AExpr& expr = *node->a_expr;
  const auto left = FieldsOf(expr.lexpr);
  const auto right = FieldsOf(expr.rexpr);
  if (!left || !right) return Status::Ok();
  OMEN_TRY(CheckSameSize(*left, *right, expr.location, state));
  *node = *FieldByField(*left, *right, expr.kind, "=", !distinct, state.build);
  return Status::Ok();
}

// (a, b) BETWEEN (c, d) AND (e, f).
Status RewriteBetween(Node* node, bool negated, RewriteState& state) {
  const PgQuery__AExpr& expr = *node->a_expr;
  const auto row = FieldsOf(expr.lexpr);
  const auto low = FieldsOf(expr.rexpr->list->items[0]);
  const auto high = FieldsOf(expr.rexpr->list->items[1]);
  if (!row || !low || !high) return Status::Ok();
  OMEN_TRY(CheckSameSize(*row, *low, expr.location, state));
  OMEN_TRY(CheckSameSize(*row, *high, expr.location, state));
  for (const Fields& fields : {*row, *low, *high}) {
    OMEN_TRY(CheckStable(fields, expr.location, state));
  }
  const std::vector<Node*> again = Copies(*row, state.build);
  Node* first = CompareRows(*row, *low, negated ? "<" : ">=", state.build);
  Node* second = CompareRows(again, *high, negated ? ">" : "<=", state.build);
  *node = negated ? *state.build.Or({first, second}) : *state.build.And({first, second});
  return Status::Ok();
}

// Where (a, b) is in the list, a is in that of the first fields, which an index or a hash table
// finds. Such a condition is false only where the rows' comparison is: no answer changes.
void AddFieldLists(Fields row, const std::vector<Fields>& items, std::vector<Node*>& conditions,
                   AstBuilder& build) {
  for (size_t i = 0; i < row.size(); ++i) {
    std::vector<Node*> values;
    for (const Fields& item : items) values.push_back(build.Clone(item[i]));
    const auto is_known = [](const Node* value) {
      return IsConst(value) || value->node_case == PG_QUERY__NODE__NODE_PARAM_REF;
    };
    if (!std::all_of(values.begin(), values.end(), is_known)) continue;
    conditions.push_back(build.In(build.Clone(row[i]), values));
  }
}

// (a, b) IN ((c, d), (e, f)).
Status RewriteIn(Node* node, RewriteState& state) {
  const PgQuery__AExpr& expr = *node->a_expr;
  const auto row = FieldsOf(expr.lexpr);
  if (!row) return Status::Ok();
  std::vector<Fields> items;
  for (size_t i = 0; i < expr.rexpr->list->n_items; ++i) {
    const auto item = FieldsOf(expr.rexpr->list->items[i]);
    if (!item) return Status::Ok();
    OMEN_TRY(CheckSameSize(*row, *item, expr.location, state));
    items.push_back(*item);
  }
  if (items.size() > 1) OMEN_TRY(CheckStable(*row, expr.location, state));
  std::vector<Node*> parts;
  for (const Fields& item : items) {
    parts.push_back(CompareRows(Copies(*row, state.build), item, "=", state.build));
  }
  std::vector<Node*> conditions{state.build.Or(parts)};
  const bool negated = LastName(expr.name, expr.n_name) == "<>";
  if (items.size() > 1 && !negated) AddFieldLists(*row, items, conditions, state.build);
  Node* found = state.build.And(conditions);
  *node = negated ? *state.build.Not(found) : *found;
  return Status::Ok();
}

Status RewriteRowOperator(Node* node, RewriteState& state) {
  switch (node->a_expr->kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
      return RewriteComparison(node, state);
    case PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT:
      return RewriteDistinct(node, true, state);
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT:
      return RewriteDistinct(node, false, state);
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
  const auto row = FieldsOf(test.arg);
  if (!row) return;
  std::vector<Node*> parts;
  for (Node* field : *row) {
    Node* part = build.Clone(node);
    part->null_test->arg = field;
    parts.push_back(part);
  }
  *node = *build.And(parts);
}

}  // namespace

std::optional<Fields> FieldsOf(const Node* node) {
  if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_ROW_EXPR) return std::nullopt;
  const PgQuery__RowExpr& row = *node->row_expr;
  if (row.n_args == 0) return std::nullopt;
  return Fields(row.args, row.n_args);
}

bool IsComparison(std::string_view op) {
  return op == "=" || op == "<>" || op == "<" || op == "<=" || op == ">" || op == ">=";
}

Node* CompareRows(Fields left, Fields right, std::string_view op, AstBuilder& build) {
  if (op != "=" && op != "<>") return OrderedComparison(left, right, std::string(op), build);
  return FieldByField(left, right, PG_QUERY__A__EXPR__KIND__AEXPR_OP, op, op == "=", build);
}

Status RewriteRowValues(Node* node, RewriteState& state) {
  if (node->node_case == PG_QUERY__NODE__NODE_A_EXPR) return RewriteRowOperator(node, state);
  if (node->node_case == PG_QUERY__NODE__NODE_NULL_TEST) RewriteNullTest(node, state.build);
  return Status::Ok();
}

}  // namespace omendb::sql
