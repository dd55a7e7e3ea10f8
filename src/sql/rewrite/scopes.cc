// What a SELECT's names refer to, where DuckDB would choose otherwise.
#include <algorithm>
#include <set>

#include "sql/rewrite/rules.h"
#include "sql/rewrite/whole_rows.h"

namespace omendb::sql {
namespace {

// Calls `visit` for each item of FROM, those inside joins included.
template <typename Visit>
void ForEachFromItem(Node* item, const Visit& visit) {
  if (item->node_case == PG_QUERY__NODE__NODE_JOIN_EXPR) {
    ForEachFromItem(item->join_expr->larg, visit);
    ForEachFromItem(item->join_expr->rarg, visit);
    return;
  }
  visit(item);
}

// Calls `visit` for each column named in the query itself, not in those below it.
template <typename Visit>
void ForEachOwnColumn(PgQuery__SelectStmt& select, const Visit& visit) {
  WalkMessage(&select.base, [&](Node* node) {
    switch (node->node_case) {
      case PG_QUERY__NODE__NODE_SUB_LINK:
      case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
      case PG_QUERY__NODE__NODE_COMMON_TABLE_EXPR:
      case PG_QUERY__NODE__NODE_SELECT_STMT:
        return false;
      case PG_QUERY__NODE__NODE_COLUMN_REF:
        visit(node);
        return false;
      default:
        return true;
    }
  });
}

std::string_view TargetName(const Node* target) {
  const PgQuery__ResTarget& res = *target->res_target;
  if (!View(res.name).empty()) return View(res.name);
  if (res.val == nullptr || res.val->node_case != PG_QUERY__NODE__NODE_COLUMN_REF) return {};
  const PgQuery__ColumnRef& column = *res.val->column_ref;
  return StringOf(column.fields[column.n_fields - 1]);
}

// Names that stand twice in the select list of FROM (SELECT ...) AS t. DuckDB renames the second.
void CollectTwice(const Node* item, std::vector<std::pair<std::string, std::string>>& twice) {
  if (item->node_case != PG_QUERY__NODE__NODE_RANGE_SUBSELECT) return;
  const PgQuery__RangeSubselect& sub = *item->range_subselect;
  if (sub.subquery->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) return;
  const bool renamed = sub.alias != nullptr && sub.alias->n_colnames > 0;
  const PgQuery__SelectStmt& select = *sub.subquery->select_stmt;
  std::set<std::string_view> seen;
  for (size_t i = 0; i < select.n_target_list && !renamed; ++i) {
    const std::string_view name = TargetName(select.target_list[i]);
    if (name.empty() || seen.insert(name).second) continue;
    twice.emplace_back(sub.alias != nullptr ? View(sub.alias->aliasname) : "", name);
  }
}

Status CheckAmbiguous(PgQuery__SelectStmt& select, RewriteState& state) {
  std::vector<std::pair<std::string, std::string>> twice;
  for (size_t i = 0; i < select.n_from_clause; ++i) {
    ForEachFromItem(select.from_clause[i], [&](Node* item) { CollectTwice(item, twice); });
  }
  if (twice.empty()) return Status::Ok();
  Status status;
  ForEachOwnColumn(select, [&](Node* node) {
    const PgQuery__ColumnRef& column = *node->column_ref;
    const std::string_view name = StringOf(column.fields[column.n_fields - 1]);
    const std::string_view table = SchemaName(column.fields, column.n_fields);
    for (const auto& [alias, ambiguous] : twice) {
      if (name != ambiguous || (!table.empty() && table != alias) || !status.ok()) continue;
      status = state.At(Status(sqlstate::kAmbiguousColumn,
                               "column reference \"" + std::string(name) + "\" is ambiguous"),
                        column.location);
    }
  });
  return status;
}

// The alias of FROM jsonb_array_elements(j) AS e, whose one column is "value".
std::string_view ValueAlias(const Node* item) {
  if (item->node_case != PG_QUERY__NODE__NODE_RANGE_FUNCTION) return {};
  const PgQuery__Alias* alias = item->range_function->alias;
  if (alias == nullptr || alias->n_colnames == 0 || StringOf(alias->colnames[0]) != "value" ||
      View(alias->aliasname) == "value") {
    return {};
  }
  return View(alias->aliasname);
}

// e alone is its value; DuckDB would make a row of it.
void ReferToValues(PgQuery__SelectStmt& select, AstBuilder& build) {
  std::set<std::string, std::less<>> aliases;
  for (size_t i = 0; i < select.n_from_clause; ++i) {
    ForEachFromItem(select.from_clause[i], [&](Node* item) { aliases.emplace(ValueAlias(item)); });
  }
  aliases.erase("");
  if (aliases.empty()) return;
  for (size_t i = 0; i < select.n_target_list; ++i) {
    PgQuery__ResTarget& target = *select.target_list[i]->res_target;
    const std::string_view name = TargetName(select.target_list[i]);
    if (View(target.name).empty() && aliases.contains(name)) target.name = build.Copy(name);
  }
  WalkMessage(&select.base, [&](Node* node) {
    if (node->node_case != PG_QUERY__NODE__NODE_COLUMN_REF) return true;
    PgQuery__ColumnRef& column = *node->column_ref;
    if (column.n_fields != 1 || !aliases.contains(StringOf(column.fields[0]))) return false;
    column.fields = build.List({column.fields[0], build.String("value")});
    column.n_fields = 2;
    return false;
  });
}

bool IsCallOf(const Node* node, std::string_view suffix) {
  if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) return false;
  const std::string_view name = LastName(node->func_call->funcname, node->func_call->n_funcname);
  return (name.starts_with("reg") || name.starts_with("to_reg")) && name.ends_with(suffix) &&
         node->func_call->n_args > 0;
}

// The regclass that an entry of ORDER BY sorts by; null when it is no such thing.
Node* SortedRegclass(const PgQuery__SelectStmt& select, Node* entry) {
  if (IsCallOf(entry, "in")) return entry;
  const Node* target = nullptr;
  if (IsConst(entry) && entry->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL) {
    const int32_t position = entry->a_const->ival->ival;
    if (position < 1 || static_cast<size_t>(position) > select.n_target_list) return nullptr;
    target = select.target_list[position - 1];
  } else if (entry->node_case == PG_QUERY__NODE__NODE_COLUMN_REF &&
             entry->column_ref->n_fields == 1) {
    for (size_t i = 0; i < select.n_target_list && target == nullptr; ++i) {
      const Node* candidate = select.target_list[i];
      if (TargetName(candidate) == StringOf(entry->column_ref->fields[0])) target = candidate;
    }
  }
  if (target == nullptr || !IsCallOf(target->res_target->val, "out")) return nullptr;
  return target->res_target->val->func_call->args[0];
}

// regclass and its kin are shown as names, and sorted as the numbers they are.
void SortByOid(PgQuery__SelectStmt& select, AstBuilder& build) {
  if (select.n_group_clause > 0 || select.n_distinct_clause > 0 ||
      select.op != PG_QUERY__SET_OPERATION__SETOP_NONE) {
    return;
  }
  for (size_t i = 0; i < select.n_sort_clause; ++i) {
    PgQuery__SortBy& sort = *select.sort_clause[i]->sort_by;
    if (Node* sorted = SortedRegclass(select, sort.node)) {
      sort.node = build.Cast(build.Clone(sorted), "uinteger");
    }
  }
}

}  // namespace

Status ResolveScopes(PgQuery__SelectStmt& select, RewriteState& state) {
  OMEN_TRY(CheckAmbiguous(select, state));
  ReferToValues(select, state.build);
  SortByOid(select, state.build);
  RewriteWholeRows(select, state);
  return Status::Ok();
}

}  // namespace omendb::sql
