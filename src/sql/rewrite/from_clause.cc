#include <algorithm>
#include <iterator>

#include "duck/type_names.h"
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
    {"_pg_expandarray", "omendb_expand_array"},
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

// 1.5 among the arguments, or a cast to numeric.
bool HasFraction(Node* node) {
  bool found = false;
  WalkNode(node, [&](Node* n) {
    if (IsConst(n) && n->a_const->val_case == PG_QUERY__A__CONST__VAL_FVAL) {
      found = found || View(n->a_const->fval->fval).find('.') != std::string_view::npos;
    } else if (n->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) {
      const PgQuery__TypeName& type = *n->type_cast->type_name;
      const std::string_view name = LastName(type.names, type.n_names);
      found = found || name == "numeric" || name == duck::kBigNumericTypeName;
    }
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

// FROM json_to_record(j) AS r(a int, b text): a field of the object for each column, read as a text
// of its type. Of json_to_recordset, the same over the elements of an array.
Status RewriteRecord(Node* node, Node* function, const std::string& name, RewriteState& state,
                     bool* done) {
  PgQuery__RangeFunction& range = *node->range_function;
  const bool is_jsonb = name.starts_with("jsonb_");
  const bool is_set = name.ends_with("_to_recordset");
  *done = (is_set || name.ends_with("_to_record")) && name.starts_with("json") &&
          range.n_coldeflist > 0 && function->func_call->n_args == 1;
  if (!*done) return Status::Ok();
  AstBuilder& build = state.build;
  constexpr std::string_view kElements = "omendb elements";
  Node* json = function->func_call->args[0];
  std::vector<Node*> targets;
  for (size_t i = 0; i < range.n_coldeflist; ++i) {
    const PgQuery__ColumnDef& column = *range.coldeflist[i]->column_def;
    const std::string_view type = LastName(column.type_name->names, column.type_name->n_names);
    if (column.type_name->n_array_bounds > 0) {
      return state.At(NotSupported("an array in " + name), column.location);
    }
    const bool whole = type == "json" || type == "jsonb";
    Node* object = is_set ? build.Column({kElements})
                          : build.Cast(build.Clone(json), is_jsonb ? "jsonb" : "json");
    Node* field = build.Call(whole ? "omendb_json_get" : "omendb_json_get_text",
                             {object, build.StringConst(std::string(View(column.colname)))});
    Node* cast = build.Cast(field, type);
    cast->type_cast->type_name = column.type_name;
    targets.push_back(build.Target(cast, View(column.colname)));
  }
  const std::string alias(range.alias != nullptr ? View(range.alias->aliasname) : name);
  const bool lateral = range.lateral || HasColumnRef(json);
  ReplaceBySelect(node, targets, lateral, alias, build);
  if (!is_set) return Status::Ok();
  Node* elements = build.Call(is_jsonb ? "omendb_jsonb_elements" : "omendb_json_elements", {json});
  Node* from = build.NullConst();
  ReplaceBySelect(from, {build.Target(build.Call("unnest", {elements}), kElements)}, lateral,
                  "omendb array", build);
  PgQuery__SelectStmt& select = *node->range_subselect->subquery->select_stmt;
  select.n_from_clause = 1;
  select.from_clause = build.List({from});
  return Status::Ok();
}

Status RewriteRangeFunction(Node* node, RewriteState& state) {
  AstBuilder& build = state.build;
  PgQuery__RangeFunction& range = *node->range_function;
  Node* function = SingleFunction(range);
  if (function == nullptr) return Status::Ok();
  if (function->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) {
    ToSubselect(node, function, OutputColumnName(function), build);
    return Status::Ok();
  }
  const std::string name(LastName(function->func_call->funcname, function->func_call->n_funcname));
  bool done = false;
  OMEN_TRY(RewriteRecord(node, function, name, state, &done));
  if (done || RewritePairs(node, function, name, build) ||
      RewriteUnnestOfSeveral(node, function, name, build)) {
    return Status::Ok();
  }
  for (const RowsOfList& rows : kRowsOfLists) {
    // DuckDB's own generate_series takes constant integers and times only; over anything else its
    // list is unnested.
    if (name != rows.name) continue;
    if (name == "generate_series" && !HasColumnRef(function) && !HasFraction(function)) continue;
    function->func_call->n_funcname = 1;
    function->func_call->funcname = build.List({build.String(rows.list)});
    Node* list = build.Clone(function);
    *function = *build.Call("unnest", {list});
    if (range.alias == nullptr) range.alias = build.Alias(name);
    if (name.find("_array_elements") != std::string::npos && range.alias->n_colnames == 0) {
      NameValueColumn(range, build);
    }
    AliasColumn(range, name, build);
    return Status::Ok();
  }
  if (IsTableFunction(name)) {
    AliasColumn(range, name, build);
  } else if (range.n_coldeflist == 0) {
    ToSubselect(node, function, name, build);
  }
  return Status::Ok();
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
      return RewriteRangeFunction(node, state);
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
