#include <algorithm>
#include <iterator>

#include "sql/rewrite/rules.h"

namespace omendb::sql {
namespace {

// Functions that DuckDB knows as tables. Others in FROM are scalar: one row.
constexpr std::string_view kTableFunctions[] = {"generate_series", "unnest"};
// Scalar list functions of DuckDB whose elements are PostgreSQL's rows.
struct RowsOfList {
  std::string_view name;
  std::string_view list;
};
constexpr RowsOfList kRowsOfLists[] = {
    {"generate_series", "generate_series"},
    {"regexp_split_to_table", "regexp_split_to_array"},
    {"string_to_table", "string_to_array"},
    {"json_array_elements", "omendb_json_elements"},
    {"jsonb_array_elements", "omendb_jsonb_elements"},
    {"json_array_elements_text", "omendb_json_elements_text"},
    {"jsonb_array_elements_text", "omendb_jsonb_elements_text"},
    {"json_object_keys", "omendb_json_keys"},
    {"jsonb_object_keys", "omendb_jsonb_keys"},
    {"omendb_regexp_rows", "omendb_regexp_matches"},
    {"generate_subscripts", "omendb_subscripts"},
};
// Rows of two columns, key and value: two lists unnested side by side.
constexpr std::string_view kRowsOfPairs[] = {"json_each", "jsonb_each", "json_each_text",
                                             "jsonb_each_text"};

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

// The column of json_array_elements has a name of its own, whatever the alias.
void NameValueColumn(PgQuery__RangeFunction& range, AstBuilder& build) {
  std::vector<Node*> names{build.String("value")};
  if (range.ordinality) names.push_back(build.String("ordinality"));
  range.alias->n_colnames = names.size();
  range.alias->colnames = build.List(names);
}

// The name a column of FROM f() AS a(b, c) has: that of the alias, or `fallback`.
std::string ColumnAlias(const PgQuery__RangeFunction& range, size_t column,
                        std::string_view fallback) {
  const bool named = range.alias != nullptr && range.alias->n_colnames > column;
  return std::string(named ? StringOf(range.alias->colnames[column]) : fallback);
}

// FROM f(x) AS a becomes FROM (SELECT targets) AS a.
void ReplaceBySelect(Node* node, const std::vector<Node*>& targets, bool lateral,
                     std::string_view alias, AstBuilder& build) {
  types::Arena& arena = build.arena();
  auto* select =
      reinterpret_cast<PgQuery__SelectStmt*>(arena.Allocate(sizeof(PgQuery__SelectStmt)));
  pg_query__select_stmt__init(select);
  select->n_target_list = targets.size();
  select->target_list = build.List(targets);
  select->op = PG_QUERY__SET_OPERATION__SETOP_NONE;
  select->limit_option = PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_DEFAULT;
  *node = *build.Subselect(select, alias);
  node->range_subselect->lateral = lateral;
}

// FROM f(x) AS a(b) with a scalar function: FROM (SELECT f(x) AS b) AS a.
void ToSubselect(Node* node, Node* function, std::string_view name, AstBuilder& build) {
  PgQuery__RangeFunction& range = *node->range_function;
  const std::string alias(range.alias != nullptr ? View(range.alias->aliasname) : name);
  std::vector<Node*> targets{build.Target(function, ColumnAlias(range, 0, alias))};
  if (range.ordinality) {  // One row: the first.
    targets.push_back(
        build.Target(build.Cast(build.IntConst(1), "int8"), ColumnAlias(range, 1, "ordinality")));
  }
  ReplaceBySelect(node, targets, range.lateral || HasColumnRef(function), alias, build);
}

// FROM f(x) with several lists to unnest side by side, one a column.
void UnnestLists(Node* node, Node* const* lists, size_t count,
                 const std::vector<std::string_view>& names, std::string_view name,
                 AstBuilder& build) {
  PgQuery__RangeFunction& range = *node->range_function;
  const std::string alias(range.alias != nullptr ? View(range.alias->aliasname) : name);
  std::vector<Node*> targets;
  bool lateral = range.lateral;
  for (size_t i = 0; i < count; ++i) {
    lateral = lateral || HasColumnRef(lists[i]);
    targets.push_back(
        build.Target(build.Call("unnest", {lists[i]}), ColumnAlias(range, i, names[i])));
  }
  if (range.ordinality) {
    Node* subscripts = build.Call("omendb_subscripts", {build.Clone(lists[0]), build.IntConst(1)});
    targets.push_back(build.Target(build.Cast(build.Call("unnest", {subscripts}), "int8"),
                                   ColumnAlias(range, count, "ordinality")));
  }
  ReplaceBySelect(node, targets, lateral, alias, build);
}

// json_each(j): its keys and its values.
bool RewritePairs(Node* node, Node* function, std::string_view name, AstBuilder& build) {
  if (std::find(std::begin(kRowsOfPairs), std::end(kRowsOfPairs), name) == std::end(kRowsOfPairs) ||
      function->func_call->n_args != 1) {
    return false;
  }
  const std::string prefix = "omendb_" + std::string(name);
  Node* const lists[] = {
      build.Call(prefix + "_keys", {function->func_call->args[0]}),
      build.Call(prefix + "_values", {build.Clone(function->func_call->args[0])})};
  UnnestLists(node, lists, 2, {"key", "value"}, name, build);
  return true;
}

// unnest(a, b): arrays side by side.
bool RewriteUnnestOfSeveral(Node* node, Node* function, std::string_view name, AstBuilder& build) {
  const PgQuery__FuncCall& call = *function->func_call;
  if (name != "unnest" || call.n_args < 2) return false;
  const std::vector<std::string_view> names(call.n_args, "unnest");
  UnnestLists(node, call.args, call.n_args, names, name, build);
  return true;
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
  if (RewritePairs(node, function, name, build) ||
      RewriteUnnestOfSeveral(node, function, name, build)) {
    return;
  }
  for (const RowsOfList& rows : kRowsOfLists) {
    // DuckDB's own generate_series takes constants only; over columns its list is unnested.
    if (name != rows.name || (name == "generate_series" && !HasColumnRef(function))) continue;
    function->func_call->n_funcname = 1;
    function->func_call->funcname = build.List({build.String(rows.list)});
    Node* list = build.Clone(function);
    *function = *build.Call("unnest", {list});
    if (range.alias == nullptr) range.alias = build.Alias(name);
    if (name.find("_array_elements") != std::string::npos && range.alias->n_colnames == 0) {
      NameValueColumn(range, build);
    }
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
