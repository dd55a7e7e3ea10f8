#include <algorithm>

#include "sql/rewrite/rules.h"

namespace omendb::sql {
namespace {

struct Renaming {
  std::string_view from;
  std::string_view to;
};

// Same arguments, same meaning, another name in DuckDB.
constexpr Renaming kRenamings[] = {
    {"btrim", "trim"},
    {"every", "bool_and"},
    {"array_upper", "array_length"},
    {"transaction_timestamp", "now"},
    {"statement_timestamp", "now"},
    {"current_database", "omendb_current_database"},
    {"current_catalog", "omendb_current_database"},
    {"current_schema", "omendb_current_schema"},
    {"version", "omendb_version"},
};

std::string_view NameOf(const PgQuery__FuncCall& call) {
  return LastName(call.funcname, call.n_funcname);
}

void SetName(PgQuery__FuncCall& call, std::string_view name, AstBuilder& build) {
  call.n_funcname = 1;
  call.funcname = build.List({build.String(name)});
  call.funcformat = PG_QUERY__COERCION_FORM__COERCE_EXPLICIT_CALL;
}

// EXTRACT answers numeric: whole numbers, but seconds and the epoch with microseconds.
Node* Extract(Node* field, Node* source, AstBuilder& build) {
  std::string name = ConstText(field);
  std::transform(name.begin(), name.end(), name.begin(), ::tolower);
  if (name == "second" || name == "seconds" || name == "sec" || name == "secs") {
    Node* micros = build.Call("date_part", {build.StringConst("microseconds"), source});
    Node* seconds = build.Operator("/", build.Cast(micros, "float8"), build.FloatConst("1e6"));
    Node* cast = build.Cast(seconds, "numeric");
    cast->type_cast->type_name->n_typmods = 2;
    cast->type_cast->type_name->typmods = build.List({build.IntConst(20), build.IntConst(6)});
    return cast;
  }
  Node* part = build.Call("date_part", {build.StringConst(name), source});
  Node* cast = build.Cast(part, "numeric");
  const bool has_fraction = name == "epoch" || name == "milliseconds" || name == "julian";
  cast->type_cast->type_name->n_typmods = 2;
  cast->type_cast->type_name->typmods =
      build.List({build.IntConst(20), build.IntConst(!has_fraction     ? 0
                                                     : name == "epoch" ? 6
                                                                       : 3)});
  return cast;
}

// OVERLAY(s PLACING new FROM from FOR count)
Node* Overlay(const PgQuery__FuncCall& call, AstBuilder& build) {
  Node* text = call.args[0];
  Node* replacement = call.args[1];
  Node* from = call.args[2];
  Node* count = call.n_args > 3 ? call.args[3] : build.Call("length", {build.Clone(replacement)});
  Node* head = build.Call("substring",
                          {text, build.IntConst(1), build.Operator("-", from, build.IntConst(1))});
  Node* tail =
      build.Call("substring", {build.Clone(text), build.Operator("+", build.Clone(from), count)});
  return build.Operator("||", build.Operator("||", head, replacement), tail);
}

// SUBSTRING(text FROM 'regex'): the first group, or the whole match. No match is NULL.
Node* SubstringRegex(const PgQuery__FuncCall& call, AstBuilder& build) {
  const std::string pattern = ConstText(call.args[1]);
  bool has_group = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '(' && (i + 1 == pattern.size() || pattern[i + 1] != '?')) {
      has_group = true;
    }
  }
  Node* extract =
      build.Call("regexp_extract", {call.args[0], call.args[1], build.IntConst(has_group ? 1 : 0)});
  Node* matches =
      build.Call("regexp_matches", {build.Clone(call.args[0]), build.Clone(call.args[1])});
  return build.Call("if", {matches, extract, build.NullConst()});
}

bool IsStringConst(const Node* node) {
  return IsConst(node) && !node->a_const->isnull &&
         node->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL;
}

Status RewriteSqlSyntax(Node* node, RewriteState& state) {
  PgQuery__FuncCall& call = *node->func_call;
  AstBuilder& build = state.build;
  const std::string name(NameOf(call));
  if (name == "extract") {
    *node = *Extract(call.args[0], call.args[1], build);
  } else if (name == "overlay" && call.n_args >= 3) {
    *node = *Overlay(call, build);
  } else if (name == "position") {
    SetName(call, "strpos", build);
  } else if (name == "substring" && call.n_args == 2 && IsStringConst(call.args[1])) {
    *node = *SubstringRegex(call, build);
  } else if (name == "timezone" || name == "btrim" || name == "ltrim" || name == "rtrim" ||
             name == "substring") {
    SetName(call, name, build);
  } else if (name == "like_escape") {
    return Status::Ok();  // Part of LIKE ... ESCAPE.
  } else if (name == "overlaps" || name == "normalize" || name == "is_normalized" ||
             name == "xmlexists" || name == "pg_collation_for") {
    return state.At(NotSupported(name), call.location);
  }
  return Status::Ok();
}

// nextval('name'::regclass): the name itself, so that the sequence is known when it is bound.
void TakeSequenceName(PgQuery__FuncCall& call) {
  if (call.n_args == 0 || call.args[0]->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) return;
  const PgQuery__FuncCall& cast = *call.args[0]->func_call;
  if (NameOf(cast) == "regclassin" && IsStringConst(cast.args[0])) call.args[0] = cast.args[0];
}

}  // namespace

Status RewriteFunctions(Node* node, RewriteState& state) {
  if (node->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) return Status::Ok();
  if (node->func_call->func_variadic) {
    return state.At(NotSupported("VARIADIC in a call"), node->func_call->location);
  }
  if (node->func_call->funcformat == PG_QUERY__COERCION_FORM__COERCE_SQL_SYNTAX) {
    OMEN_TRY(RewriteSqlSyntax(node, state));
    if (node->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) return Status::Ok();
  }
  PgQuery__FuncCall& call = *node->func_call;
  const std::string name(NameOf(call));
  const std::string_view schema = SchemaName(call.funcname, call.n_funcname);
  if (name == "like_escape") return Status::Ok();
  if (schema == "pg_catalog" || schema == "information_schema") SetName(call, name, state.build);
  if (name == "substring" && call.n_args == 2 && IsStringConst(call.args[1])) {
    *node = *SubstringRegex(call, state.build);
    return Status::Ok();
  }
  if ((name == "quote_literal" || name == "quote_nullable") && call.n_args == 1) {
    call.args[0] = state.build.Cast(call.args[0], "varchar");  // They take any type.
  }
  if (name == "nextval" || name == "setval" || name == "currval") TakeSequenceName(call);
  for (const Renaming& renaming : kRenamings) {
    if (name == renaming.from) SetName(call, renaming.to, state.build);
  }
  return Status::Ok();
}

Status RewriteValueFunctions(Node* node, RewriteState& state) {
  if (node->node_case != PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION) return Status::Ok();
  AstBuilder& build = state.build;
  switch (node->sqlvalue_function->op) {
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_DATE:
      *node = *build.Cast(build.Call("now", {}), "date");
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME_N:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME_N:
      *node = *build.Cast(build.Cast(build.Call("now", {}), "timestamp"), "time");
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP_N:
      *node = *build.Call("now", {});
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP_N:
      *node = *build.Cast(build.Call("now", {}), "timestamp");
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_ROLE:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_USER:
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_USER:
      *node = *build.Call("omendb_current_user", {});
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_SESSION_USER:
      *node = *build.Call("omendb_session_user", {});
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_CATALOG:
      *node = *build.Call("omendb_current_database", {});
      break;
    case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_SCHEMA:
      *node = *build.Call("omendb_current_schema", {});
      break;
    default:
      break;
  }
  return Status::Ok();
}

}  // namespace omendb::sql
