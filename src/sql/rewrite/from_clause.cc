#include <algorithm>
#include <iterator>

#include "sql/rewrite/rules.h"

namespace omendb::sql {
namespace {

// Functions that DuckDB knows as tables. Others in FROM are scalar: one row.
constexpr std::string_view kTableFunctions[] = {"generate_series", "unnest", "generate_subscripts"};
// Scalar list functions of DuckDB whose elements are PostgreSQL's rows.
struct RowsOfList {
  std::string_view name;
  std::string_view list;
};
constexpr RowsOfList kRowsOfLists[] = {
    {"generate_series", "generate_series"},
    {"regexp_split_to_table", "regexp_split_to_array"},
    {"string_to_table", "string_to_array"},
    {"json_array_elements", "json_array_elements_list"},
    {"jsonb_array_elements", "json_array_elements_list"},
    {"json_object_keys", "json_keys"},
    {"jsonb_object_keys", "json_keys"},
};

bool IsTableFunction(std::string_view name) {
  return std::find(std::begin(kTableFunctions), std::end(kTableFunctions), name) !=
         std::end(kTableFunctions);
}

bool HasColumnRef(Node* node) {
  bool found = false;
  WalkNode(node, [&](Node* n) {
    found = found || n->node_case == PG_QUERY__NODE__NODE_COLUMN_REF;
    return !found;
  });
  return found;
}

// The one function of FROM f(...); null for ROWS FROM and value functions.
Node* SingleFunction(const PgQuery__RangeFunction& range) {
  if (range.is_rowsfrom || range.n_functions != 1) return nullptr;
  Node* item = range.functions[0];
  if (item->node_case != PG_QUERY__NODE__NODE_LIST || item->list->n_items == 0) return nullptr;
  return item->list->items[0];
}

void AliasColumn(PgQuery__RangeFunction& range, std::string_view function, AstBuilder& build) {
  if (range.alias == nullptr) {
    if (function != "unnest" && function != "generate_series") return;
    range.alias = build.Alias(function);
  }
  if (range.alias->n_colnames > 0) return;
  std::vector<Node*> names{build.String(range.alias->aliasname)};
  if (range.ordinality) names.push_back(build.String("ordinality"));
  range.alias->n_colnames = names.size();
  range.alias->colnames = build.List(names);
}

// FROM f(x) AS a(b) with a scalar function: FROM (SELECT f(x) AS b) AS a.
void ToSubselect(Node* node, Node* function, std::string_view name, AstBuilder& build) {
  PgQuery__RangeFunction& range = *node->range_function;
  types::Arena& arena = build.arena();
  auto* target = reinterpret_cast<PgQuery__ResTarget*>(arena.Allocate(sizeof(PgQuery__ResTarget)));
  pg_query__res_target__init(target);
  target->val = function;
  target->name = build.Copy(range.alias != nullptr && range.alias->n_colnames > 0
                                ? StringOf(range.alias->colnames[0])
                            : range.alias != nullptr ? View(range.alias->aliasname)
                                                     : name);
  Node* target_node = build.NullConst();
  target_node->node_case = PG_QUERY__NODE__NODE_RES_TARGET;
  target_node->res_target = target;
  auto* select =
      reinterpret_cast<PgQuery__SelectStmt*>(arena.Allocate(sizeof(PgQuery__SelectStmt)));
  pg_query__select_stmt__init(select);
  std::vector<Node*> targets{target_node};
  if (range.ordinality) {  // One row: the first.
    auto* number =
        reinterpret_cast<PgQuery__ResTarget*>(arena.Allocate(sizeof(PgQuery__ResTarget)));
    pg_query__res_target__init(number);
    number->val = build.Cast(build.IntConst(1), "int8");
    number->name = build.Copy(range.alias != nullptr && range.alias->n_colnames > 1
                                  ? StringOf(range.alias->colnames[1])
                                  : "ordinality");
    targets.push_back(build.NullConst());
    targets.back()->node_case = PG_QUERY__NODE__NODE_RES_TARGET;
    targets.back()->res_target = number;
  }
  select->n_target_list = targets.size();
  select->target_list = build.List(targets);
  select->op = PG_QUERY__SET_OPERATION__SETOP_NONE;
  select->limit_option = PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_DEFAULT;
  Node* query = build.NullConst();
  query->node_case = PG_QUERY__NODE__NODE_SELECT_STMT;
  query->select_stmt = select;
  auto* sub =
      reinterpret_cast<PgQuery__RangeSubselect*>(arena.Allocate(sizeof(PgQuery__RangeSubselect)));
  pg_query__range_subselect__init(sub);
  sub->subquery = query;
  sub->lateral = range.lateral || HasColumnRef(function);
  sub->alias = build.Alias(range.alias != nullptr ? View(range.alias->aliasname) : name);
  node->node_case = PG_QUERY__NODE__NODE_RANGE_SUBSELECT;
  node->range_subselect = sub;
}

void RewriteRangeFunction(Node* node, AstBuilder& build) {
  PgQuery__RangeFunction& range = *node->range_function;
  Node* function = SingleFunction(range);
  if (function == nullptr) return;
  if (function->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) {
    ToSubselect(node, function, OutputColumnName(function), build);
    return;
  }
  const std::string name(LastName(function->func_call->funcname, function->func_call->n_funcname));
  for (const RowsOfList& rows : kRowsOfLists) {
    // DuckDB's own generate_series takes constants only; over columns its list is unnested.
    if (name != rows.name || (name == "generate_series" && !HasColumnRef(function))) continue;
    function->func_call->n_funcname = 1;
    function->func_call->funcname = build.List({build.String(rows.list)});
    Node* list = build.Clone(function);
    *function = *build.Call("unnest", {list});
    if (range.alias == nullptr) range.alias = build.Alias(name);
    AliasColumn(range, name, build);
    return;
  }
  if (IsTableFunction(name)) {
    AliasColumn(range, name, build);
  } else if (range.n_coldeflist == 0) {
    ToSubselect(node, function, name, build);
  }
}

// VALUES (...) AS v has the columns column1, column2, ...
void NameValues(PgQuery__RangeSubselect& sub, AstBuilder& build) {
  if (sub.subquery == nullptr || sub.subquery->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) {
    return;
  }
  const PgQuery__SelectStmt& select = *sub.subquery->select_stmt;
  if (select.n_values_lists == 0 || sub.alias == nullptr) return;
  std::vector<Node*> names(sub.alias->colnames, sub.alias->colnames + sub.alias->n_colnames);
  const size_t width = select.values_lists[0]->list->n_items;
  while (names.size() < width) {
    names.push_back(build.String("column" + std::to_string(names.size() + 1)));
  }
  sub.alias->n_colnames = names.size();
  sub.alias->colnames = build.List(names);
}

}  // namespace

void UnnestSetFunctions(Node* expression, AstBuilder& build) {
  WalkNode(expression, [&](Node* node) {
    if (node->node_case == PG_QUERY__NODE__NODE_SUB_LINK) return false;
    if (node->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) return true;
    const std::string_view name = LastName(node->func_call->funcname, node->func_call->n_funcname);
    for (const RowsOfList& rows : kRowsOfLists) {
      if (name != rows.name) continue;
      node->func_call->n_funcname = 1;
      node->func_call->funcname = build.List({build.String(rows.list)});
      Node* list = build.NullConst();
      *list = *node;
      *node = *build.Call("unnest", {list});
      return false;
    }
    return true;
  });
}

Status RewriteFromItems(Node* node, RewriteState& state) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_RANGE_FUNCTION:
      RewriteRangeFunction(node, state.build);
      return Status::Ok();
    case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
      NameValues(*node->range_subselect, state.build);
      return Status::Ok();
    case PG_QUERY__NODE__NODE_RANGE_VAR:
      node->range_var->inh = true;  // ONLY: there is no inheritance.
      return Status::Ok();
    default:
      return Status::Ok();
  }
}

}  // namespace omendb::sql
