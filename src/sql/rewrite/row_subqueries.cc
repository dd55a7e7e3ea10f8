// Rows compared with those of a sub-select: (a, b) IN (SELECT ...), (a, b) < ALL (SELECT ...),
// (a, b) = (SELECT ...). DuckDB knows no unknown answer of several columns. So the sub-select goes
// to FROM of one that compares field by field:
//
//   (a, b) = ANY (q)   some row of q is equal: true; none, but one may be: unknown; else false
//   (a, b) op ALL (q)  NOT ((a, b) not-op ANY (q))
//   (a, b) op (q)      (SELECT (a, b) op (x, y) FROM (q) AS r (x, y))
//
// The fields of the left side move into a sub-select with it. No name of theirs is taken for one
// there, as the rows' own names are these:
#include <algorithm>

#include "sql/rewrite/rules.h"
#include "sql/volatile_functions.h"

namespace omendb::sql {
namespace {

constexpr std::string_view kRows = "omendb_rows";
constexpr std::string_view kColumn = "omendb_row_column";

// t.* of a row as well: (t).*.
bool IsAnyStar(const Node* value) {
  if (value->node_case != PG_QUERY__NODE__NODE_A_INDIRECTION) return IsStar(value);
  const PgQuery__AIndirection& of = *value->a_indirection;
  return of.n_indirection > 0 &&
         of.indirection[of.n_indirection - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR;
}

// How many columns the query answers; nullopt where a star hides it.
std::optional<size_t> WidthOf(const PgQuery__SelectStmt& select) {
  if (select.larg != nullptr) return WidthOf(*select.larg);
  if (select.n_values_lists > 0) return select.values_lists[0]->list->n_items;
  for (size_t i = 0; i < select.n_target_list; ++i) {
    if (IsAnyStar(select.target_list[i]->res_target->val)) return std::nullopt;
  }
  return select.n_target_list;
}

Status CheckWidth(const PgQuery__SelectStmt& select, size_t wanted, int location,
                  const RewriteState& state) {
  const auto width = WidthOf(select);
  if (!width || *width == wanted) return Status::Ok();
  return state.At(Status(sqlstate::kSyntaxError, *width > wanted ? "subquery has too many columns"
                                                                 : "subquery has too few columns"),
                  location);
}

// `select` UNION ALL no row of `width` columns: the binder compares the numbers of columns.
PgQuery__SelectStmt* WithWidth(PgQuery__SelectStmt* select, size_t width, AstBuilder& build) {
  PgQuery__SelectStmt* none = build.Select(build.NullConst(), nullptr, build.BoolConst(false));
  const std::vector<Node*> nulls(width, none->target_list[0]);
  none->n_target_list = width;
  none->target_list = build.List(nulls);
  Node* from = build.Subselect(select, kRows);
  PgQuery__SelectStmt* both = build.Select(build.NullConst(), nullptr, nullptr);
  both->n_target_list = 0;
  both->op = PG_QUERY__SET_OPERATION__SETOP_UNION;
  both->all = true;
  both->larg = build.Select(build.Star(), from, nullptr);
  both->rarg = none;
  return both;
}

// Of the query around the sub-select; inside it would be the sub-select's.
bool HasAggregate(Fields fields) {
  return std::any_of(fields.begin(), fields.end(),
                     [](Node* field) { return HasAggregateCall(field) || HasWindowCall(field); });
}

std::string_view Negated(std::string_view op) {
  constexpr std::pair<std::string_view, std::string_view> kOperators[] = {
      {"=", "<>"}, {"<>", "="}, {"<", ">="}, {">=", "<"}, {">", "<="}, {"<=", ">"}};
  for (const auto& [of, negated] : kOperators) {
    if (of == op) return negated;
  }
  return op;
}

// The rows of a sub-select, and the row that they are compared with.
class RowComparison {
 public:
  RowComparison(Fields row, PgQuery__SelectStmt* select, std::string_view op, AstBuilder& build)
      : row_(row), select_(select), op_(op), build_(build) {
    if (!WidthOf(*select)) select_ = WithWidth(select, row.size(), build);
  }

  // (SELECT row op r FROM ...).
  Node* Scalar() { return build_.Scalar(build_.Select(Comparison(), Rows(), nullptr)); }

  // (SELECT r.column FROM ...).
  Node* ColumnOf(size_t i) { return build_.Scalar(build_.Select(Column(i), Rows(), nullptr)); }

  // row op ANY (...), where an unknown answer means that.
  Node* Any(Unknown unknown) {
    Node* found = Exists(Comparison());
    if (unknown == Unknown::kIsFalse) return found;
    Node* maybe = MaybeFound();
    if (unknown == Unknown::kIsTrue) return build_.Or({found, maybe});
    return build_.Case({{found, build_.BoolConst(true)}, {maybe, Null()}}, build_.BoolConst(false));
  }

 private:
  Node* Null() { return build_.Cast(build_.NullConst(), "bool"); }

  Node* Column(size_t i) {
    return build_.Column({kRows, std::string(kColumn) + std::to_string(i + 1)});
  }

  Node* Rows() {
    Node* rows = build_.Subselect(select_, kRows);
    Node* from = build_.Clone(rows);
    std::vector<Node*> names;
    for (size_t i = 0; i < row_.size(); ++i) {
      names.push_back(build_.String(std::string(kColumn) + std::to_string(i + 1)));
    }
    from->range_subselect->alias->n_colnames = names.size();
    from->range_subselect->alias->colnames = build_.List(names);
    return from;
  }

  Node* Comparison() {
    std::vector<Node*> left;
    std::vector<Node*> right;
    for (size_t i = 0; i < row_.size(); ++i) {
      left.push_back(build_.Clone(row_[i]));
      right.push_back(Column(i));
    }
    return CompareRows(left, right, op_, build_);
  }

  Node* Exists(Node* condition) {
    return build_.Exists(build_.Select(build_.IntConst(1), Rows(), condition));
  }

  // Some comparison is true or unknown. Of "=" in two parts, as only rows and fields with a NULL
  // make it unknown: the other rows need not be compared one by one.
  Node* MaybeFound() {
    if (op_ != "=") return Exists(NotFalse(Comparison()));
    std::vector<Node*> null_columns;
    std::vector<Node*> null_fields;
    for (size_t i = 0; i < row_.size(); ++i) {
      null_columns.push_back(build_.IsNull(Column(i)));
      null_fields.push_back(build_.IsNull(build_.Clone(row_[i])));
    }
    return build_.Or({Exists(build_.And({build_.Or(null_columns), MaybeEqual()})),
                      Exists(build_.And({build_.Or(null_fields), MaybeEqual()}))});
  }

  Node* MaybeEqual() {
    std::vector<Node*> parts;
    for (size_t i = 0; i < row_.size(); ++i) {
      parts.push_back(NotFalse(build_.Operator("=", build_.Clone(row_[i]), Column(i))));
    }
    return build_.And(parts);
  }

  Node* NotFalse(Node* condition) {
    return build_.Case({{build_.Not(condition), build_.BoolConst(false)}}, build_.BoolConst(true));
  }

  Fields row_;
  PgQuery__SelectStmt* select_;
  std::string_view op_;
  AstBuilder& build_;
};

// The fields are compared with many rows, some of them more than once.
Status CheckFields(Fields fields, int location, const RewriteState& state) {
  const char* what = nullptr;
  if (HasAggregate(fields)) what = "an aggregate";
  if (std::any_of(fields.begin(), fields.end(), CallsVolatile)) what = "a volatile function";
  if (what == nullptr) return Status::Ok();
  return state.At(
      NotSupported(std::string(what) + " in a row that is compared with those of a sub-select"),
      location);
}

// The fields of the left side: those of a row, or one value that is better compared as a row is.
Fields LeftFields(PgQuery__SubLink& link, const RewriteState& state) {
  if (const auto row = FieldsOf(link.testexpr)) return *row;
  if (link.testexpr == nullptr || !MayBeBigNumeric(link.testexpr, state)) return {};
  return {&link.testexpr, 1};
}

// IN, ANY, ALL.
Status RewriteQuantified(Node* node, RewriteState& state) {
  PgQuery__SubLink& link = *node->sub_link;
  const bool all = link.sub_link_type == PG_QUERY__SUB_LINK_TYPE__ALL_SUBLINK;
  const Fields fields = LeftFields(link, state);
  if (fields.empty() || (!all && link.sub_link_type != PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK)) {
    return Status::Ok();
  }
  std::string_view op = link.n_oper_name == 0 ? "=" : LastName(link.oper_name, link.n_oper_name);
  if (!IsComparison(op)) return Status::Ok();
  PgQuery__SelectStmt* select = link.subselect->select_stmt;
  OMEN_TRY(CheckWidth(*select, fields.size(), link.location, state));
  const auto found = state.conditions.find(node);
  Unknown unknown = found == state.conditions.end() ? Unknown::kMatters : found->second;
  // What DuckDB finds equal is.
  if (HasAggregate(fields) && !all && op == "=" && unknown == Unknown::kIsFalse) {
    return Status::Ok();
  }
  OMEN_TRY(CheckFields(fields, link.location, state));
  if (CallsVolatile(link.subselect)) {  // It would be evaluated several times.
    return state.At(NotSupported("a volatile function in a sub-select that a row is compared with"),
                    link.location);
  }
  RowComparison comparison(fields, select, all ? Negated(op) : op, state.build);
  if (!all) {
    *node = *comparison.Any(unknown);
    return Status::Ok();
  }
  if (unknown != Unknown::kMatters) {
    unknown = unknown == Unknown::kIsTrue ? Unknown::kIsFalse : Unknown::kIsTrue;
  }
  *node = *state.build.Not(comparison.Any(unknown));
  return Status::Ok();
}

// (a, b) op (SELECT ...).
Status RewriteScalar(Node* node, RewriteState& state) {
  const PgQuery__AExpr& expr = *node->a_expr;
  const auto fields = FieldsOf(expr.lexpr);
  const std::string_view op = LastName(expr.name, expr.n_name);
  if (!fields || expr.kind != PG_QUERY__A__EXPR__KIND__AEXPR_OP || !IsComparison(op) ||
      expr.rexpr->node_case != PG_QUERY__NODE__NODE_SUB_LINK ||
      expr.rexpr->sub_link->sub_link_type != PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK) {
    return Status::Ok();
  }
  const PgQuery__SubLink& link = *expr.rexpr->sub_link;
  PgQuery__SelectStmt* select = link.subselect->select_stmt;
  OMEN_TRY(CheckWidth(*select, fields->size(), expr.location, state));
  OMEN_TRY(CheckFields(*fields, link.location, state));
  *node = *RowComparison(*fields, select, op, state.build).Scalar();
  return Status::Ok();
}

void NoteCondition(const Node* node, Unknown unknown, RewriteState& state) {
  if (node == nullptr) return;
  if (node->node_case == PG_QUERY__NODE__NODE_SUB_LINK) {
    state.conditions.emplace(node, unknown);
    return;
  }
  if (node->node_case != PG_QUERY__NODE__NODE_BOOL_EXPR) return;
  const PgQuery__BoolExpr& expr = *node->bool_expr;
  if (expr.boolop == PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR) {
    unknown = unknown == Unknown::kIsTrue ? Unknown::kIsFalse : Unknown::kIsTrue;
  }
  for (size_t i = 0; i < expr.n_args; ++i) NoteCondition(expr.args[i], unknown, state);
}

// The conditions of a SELECT, UPDATE, DELETE or join.
void NoteConditionsOf(ProtobufCMessage* message, RewriteState& state) {
  const auto note = [&](const Node* node) { NoteCondition(node, Unknown::kIsFalse, state); };
  if (message->descriptor == &pg_query__select_stmt__descriptor) {
    const auto& select = *reinterpret_cast<PgQuery__SelectStmt*>(message);
    note(select.where_clause);
    note(select.having_clause);
  } else if (message->descriptor == &pg_query__join_expr__descriptor) {
    note(reinterpret_cast<PgQuery__JoinExpr*>(message)->quals);
  } else if (message->descriptor == &pg_query__update_stmt__descriptor) {
    note(reinterpret_cast<PgQuery__UpdateStmt*>(message)->where_clause);
  } else if (message->descriptor == &pg_query__delete_stmt__descriptor) {
    note(reinterpret_cast<PgQuery__DeleteStmt*>(message)->where_clause);
  }
}

// Column `index` of SELECT a, b, which has one row; null of a query with anything else to it.
Node* SingleRowColumn(const PgQuery__SelectStmt& select, size_t index) {
  if (select.n_target_list <= index || select.op != PG_QUERY__SET_OPERATION__SETOP_NONE ||
      select.n_from_clause > 0 || select.where_clause != nullptr || select.n_group_clause > 0 ||
      select.having_clause != nullptr || select.limit_count != nullptr ||
      select.limit_offset != nullptr || select.with_clause != nullptr) {
    return nullptr;
  }
  Node* value = select.target_list[index]->res_target->val;
  return HasAggregate({&value, 1}) || IsAnyStar(value) ? nullptr : value;
}

}  // namespace

void NoteConditions(Node* statement, RewriteState& state) {
  WalkAllMessages(&statement->base, [&](ProtobufCMessage* message) {
    NoteConditionsOf(message, state);
    return true;
  });
}

Result<Node*> SubqueryColumn(const PgQuery__SubLink& link, size_t index, size_t width,
                             RewriteState& state) {
  PgQuery__SelectStmt* select = link.subselect->select_stmt;
  const auto given = WidthOf(*select);
  if (given && *given != width) {
    return state.At(
        Status(sqlstate::kSyntaxError, "number of columns does not match number of values"),
        link.location);
  }
  if (CallsVolatile(link.subselect)) {
    // Each column has a sub-select of its own.
    Node* const value = SingleRowColumn(*select, index);
    if (value != nullptr) return value;
    return state.At(NotSupported("a volatile function in a sub-select that several columns are "
                                 "set to"),
                    link.location);
  }
  const std::vector<Node*> columns(width, nullptr);  // Only their number is asked for.
  return RowComparison(columns, select, "=", state.build).ColumnOf(index);
}

Status RewriteRowSubqueries(Node* node, RewriteState& state) {
  if (node->node_case == PG_QUERY__NODE__NODE_SUB_LINK) return RewriteQuantified(node, state);
  if (node->node_case == PG_QUERY__NODE__NODE_A_EXPR) return RewriteScalar(node, state);
  return Status::Ok();
}

}  // namespace omendb::sql
