// PostgreSQL names unnamed output columns after what they compute; so do we, everywhere a name can
// be seen from outside (also in sub-selects).
#include "sql/parse/clauses.h"
#include "sql/rewrite/rules.h"

namespace omendb::sql {
namespace {

// How good a name is: 0 none, 1 of a type or CASE, 2 of a column or function.
struct Name {
  std::string text;
  int strength = 0;
};

Name FigureName(const Node* node);

Name FigureFunctionName(const PgQuery__FuncCall& call) {
  return {std::string(LastName(call.funcname, call.n_funcname)), 2};
}

Name FigureColumnName(const PgQuery__ColumnRef& column) {
  for (size_t i = column.n_fields; i > 0; --i) {
    if (column.fields[i - 1]->node_case == PG_QUERY__NODE__NODE_STRING) {
      return {std::string(StringOf(column.fields[i - 1])), 2};
    }
  }
  return {};
}

Name FigureIndirectionName(const PgQuery__AIndirection& indirection) {
  for (size_t i = indirection.n_indirection; i > 0; --i) {
    if (indirection.indirection[i - 1]->node_case == PG_QUERY__NODE__NODE_STRING) {
      return {std::string(StringOf(indirection.indirection[i - 1])), 2};
    }
  }
  return FigureName(indirection.arg);
}

Name FigureSubLinkName(const PgQuery__SubLink& sublink) {
  switch (sublink.sub_link_type) {
    case PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK:
      return {"exists", 2};
    case PG_QUERY__SUB_LINK_TYPE__ARRAY_SUBLINK:
      return {"array", 2};
    case PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK: {
      const Node* query = sublink.subselect;
      if (query->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) return {};
      const PgQuery__SelectStmt* select = query->select_stmt;
      while (select->larg != nullptr) select = select->larg;
      if (select->n_target_list == 0) return {};
      const PgQuery__ResTarget& target = *select->target_list[0]->res_target;
      if (!View(target.name).empty()) return {target.name, 2};
      return FigureName(target.val);
    }
    default:
      return {};
  }
}

std::string_view ValueFunctionName(PgQuery__SQLValueFunctionOp op) {
  switch (op) {
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_DATE:
      return "current_date";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME_N:
      return "current_time";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP_N:
      return "current_timestamp";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME_N:
      return "localtime";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP_N:
      return "localtimestamp";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_ROLE:
      return "current_role";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_USER:
      return "current_user";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_USER:
      return "user";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_SESSION_USER:
      return "session_user";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_CATALOG:
      return "current_catalog";
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_SCHEMA:
      return "current_schema";
    default:
      return "";
  }
}

Name FigureName(const Node* node) {
  if (node == nullptr) return {};
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_COLUMN_REF:
      return FigureColumnName(*node->column_ref);
    case PG_QUERY__NODE__NODE_A_INDIRECTION:
      return FigureIndirectionName(*node->a_indirection);
    case PG_QUERY__NODE__NODE_FUNC_CALL:
      return FigureFunctionName(*node->func_call);
    case PG_QUERY__NODE__NODE_A_EXPR:
      if (node->a_expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF) return {"nullif", 2};
      return {};
    case PG_QUERY__NODE__NODE_TYPE_CAST: {
      Name name = FigureName(node->type_cast->arg);
      if (name.strength > 1) return name;
      const PgQuery__TypeName& type = *node->type_cast->type_name;
      if (type.n_names > 0) return {std::string(LastName(type.names, type.n_names)), 1};
      return name;
    }
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
      return FigureName(node->collate_clause->arg);
    case PG_QUERY__NODE__NODE_GROUPING_FUNC:
      return {"grouping", 2};
    case PG_QUERY__NODE__NODE_SUB_LINK:
      return FigureSubLinkName(*node->sub_link);
    case PG_QUERY__NODE__NODE_CASE_EXPR: {
      Name name = FigureName(node->case_expr->defresult);
      return name.strength > 1 ? name : Name{"case", 1};
    }
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
      return {"array", 2};
    case PG_QUERY__NODE__NODE_ROW_EXPR:
      return {"row", 2};
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
      return {"coalesce", 2};
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
      return {node->min_max_expr->op == PG_QUERY__MIN_MAX_OP__IS_GREATEST ? "greatest" : "least",
              2};
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
      return {std::string(ValueFunctionName(node->sqlvalue_function->op)), 2};
    default:
      return {};
  }
}

void NameTargets(std::span<Node* const> targets, AstBuilder& build) {
  for (Node* node : targets) {
    PgQuery__ResTarget& target = *node->res_target;
    if (target.val == nullptr || !View(target.name).empty() || IsStar(target.val)) continue;
    if (target.val->node_case == PG_QUERY__NODE__NODE_COLUMN_REF) continue;
    target.name = build.Copy(OutputColumnName(target.val));
  }
}

// FROM f(x) is a table named f, whatever f is called in DuckDB.
void NameFunctionTable(PgQuery__RangeFunction& range, AstBuilder& build) {
  if (range.alias != nullptr || range.is_rowsfrom || range.n_functions != 1) return;
  const Node* item = range.functions[0];
  if (item->node_case != PG_QUERY__NODE__NODE_LIST || item->list->n_items == 0) return;
  range.alias = build.Alias(OutputColumnName(item->list->items[0]));
}

void NameColumnsOf(ProtobufCMessage* message, AstBuilder& build) {
  if (message->descriptor == &pg_query__range_function__descriptor) {
    NameFunctionTable(*reinterpret_cast<PgQuery__RangeFunction*>(message), build);
  }
  if (message->descriptor == &pg_query__select_stmt__descriptor) {
    auto* select = reinterpret_cast<PgQuery__SelectStmt*>(message);
    NameTargets({select->target_list, select->n_target_list}, build);
  } else if (message->descriptor == &pg_query__node__descriptor) {
    NameTargets(DmlClausesOf(reinterpret_cast<Node*>(message)).returning, build);
  }
}

}  // namespace

std::string OutputColumnName(const Node* expression) {
  Name name = FigureName(expression);
  return name.strength == 0 ? "?column?" : name.text;
}

void NameOutputColumns(Node* statement, AstBuilder& build) {
  WalkAllMessages(&statement->base, [&](ProtobufCMessage* message) {
    NameColumnsOf(message, build);
    return true;
  });
}

}  // namespace omendb::sql
