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
    {"transaction_timestamp", "now"},
    {"statement_timestamp", "now"},
    {"current_database", "omendb_current_database"},
    {"current_catalog", "omendb_current_database"},
    {"current_schema", "omendb_current_schema"},
    {"version", "omendb_version"},
    // DuckDB's optimizer takes what is called date_part for its own, which answers integers.
    {"date_part", "omendb_date_part"},
};

std::string_view NameOf(const PgQuery__FuncCall& call) {
  return LastName(call.funcname, call.n_funcname);
}

void SetName(PgQuery__FuncCall& call, std::string_view name, AstBuilder& build) {
  call.n_funcname = 1;
  call.funcname = build.List({build.String(name)});
  call.funcformat = PG_QUERY__COERCION_FORM__COERCE_EXPLICIT_CALL;
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
    SetName(call, "omendb_extract", build);
  } else if (name == "position") {
    SetName(call, "strpos", build);
  } else if (name == "substring" && call.n_args == 3 && IsStringConst(call.args[1])) {
    return state.At(NotSupported("SUBSTRING with SIMILAR"), call.location);
  } else if (name == "timezone" || name == "btrim" || name == "ltrim" || name == "rtrim" ||
             name == "substring" || name == "overlay") {
    SetName(call, name, build);
  } else if (name == "like_escape") {
    return Status::Ok();  // Part of LIKE ... ESCAPE.
  } else if (name == "overlaps" && call.n_args == 4) {
    SetName(call, "omendb_overlaps", build);
  } else if (name == "overlaps" || name == "normalize" || name == "is_normalized" ||
             name == "xmlexists" || name == "pg_collation_for") {
    return state.At(NotSupported(name), call.location);
  }
  return Status::Ok();
}

// json_agg(x ...) is made of the list of its rows: whatever ORDER BY, FILTER or OVER it has stays
// with the list.
bool RewriteJsonAggregate(Node* node, const std::string& name, AstBuilder& build) {
  PgQuery__FuncCall& call = *node->func_call;
  const bool object = name == "json_object_agg" || name == "jsonb_object_agg";
  if (!object && name != "json_agg" && name != "jsonb_agg") return false;
  if (call.n_args != (object ? 2u : 1u)) return false;
  if (object) {
    call.args = build.List({build.Call("row", {call.args[0], call.args[1]})});
    call.n_args = 1;
  }
  SetName(call, "list", build);
  Node* list = build.NullConst();
  *list = *node;
  const std::string json = name.starts_with("jsonb") ? "jsonb" : "json";
  *node = *build.Call("omendb_" + json + (object ? "_object_of_list" : "_array_of_list"), {list});
  return true;
}

// The type that a cast names; empty for other expressions.
std::string_view CastTypeName(const Node* node) {
  if (node->node_case != PG_QUERY__NODE__NODE_TYPE_CAST) return {};
  const PgQuery__TypeName& type = *node->type_cast->type_name;
  return LastName(type.names, type.n_names);
}

// generate_series(date, date, '1 day') counts in timestamptz; literals adapt to what they stand
// beside.
void TypeSeries(PgQuery__FuncCall& call, AstBuilder& build) {
  if (call.n_args != 3) return;
  if (IsStringConst(call.args[2])) call.args[2] = build.Cast(call.args[2], "interval");
  std::string_view type;
  for (size_t i = 0; i < 2 && type.empty(); ++i) type = CastTypeName(call.args[i]);
  if (CastTypeName(call.args[0]) == "date" || CastTypeName(call.args[1]) == "date") {
    for (size_t i = 0; i < 2; ++i) call.args[i] = build.Cast(call.args[i], "timestamptz");
  } else if (type == "timestamp" || type == "timestamptz") {
    for (size_t i = 0; i < 2; ++i) {
      if (IsStringConst(call.args[i])) call.args[i] = build.Cast(call.args[i], type);
    }
  }
}

// RANGE BETWEEN '1 day' PRECEDING: over times, as literals of other types are no strings.
void TypeFrameOffsets(PgQuery__WindowDef& window, AstBuilder& build) {
  constexpr int kRange = 0x0002;
  if ((window.frame_options & kRange) == 0) return;
  for (Node** offset : {&window.start_offset, &window.end_offset}) {
    if (*offset != nullptr && IsStringConst(*offset)) *offset = build.Cast(*offset, "interval");
  }
}

// Functions whose result DuckDB gives another type: integers for ntile, NULL for an undefined
// correlation.
bool RewriteResult(Node* node, const std::string& name, AstBuilder& build) {
  const bool integer = name == "ntile";
  const bool bigint = name == "regr_count";
  const bool defined =
      name == "corr" || name == "regr_slope" || name == "regr_intercept" || name == "regr_r2";
  if (!integer && !bigint && !defined) return false;
  Node* call = build.NullConst();
  *call = *node;
  if (defined) {
    *node = *build.Call("nullif", {call, build.Cast(build.StringConst("NaN"), "float8")});
  } else {
    *node = *build.Cast(call, integer ? "int4" : "int8");
  }
  return true;
}

// make_interval(days => 3): all of its arguments in their order.
Status RewriteMakeInterval(PgQuery__FuncCall& call, RewriteState& state) {
  constexpr std::string_view kNames[] = {"years", "months", "weeks", "days",
                                         "hours", "mins",   "secs"};
  std::vector<Node*> args(std::size(kNames), nullptr);
  if (call.n_args > args.size()) return Status::Ok();
  for (size_t i = 0; i < call.n_args; ++i) {
    Node* arg = call.args[i];
    size_t at = i;
    if (arg->node_case == PG_QUERY__NODE__NODE_NAMED_ARG_EXPR) {
      const std::string_view name = View(arg->named_arg_expr->name);
      at = static_cast<size_t>(std::find(std::begin(kNames), std::end(kNames), name) -
                               std::begin(kNames));
      if (at == args.size()) {
        return state.At(
            Status(sqlstate::kUndefinedFunction,
                   "function make_interval(" + std::string(name) + " => integer) does not exist"),
            call.location);
      }
      arg = arg->named_arg_expr->arg;
    }
    args[at] = arg;
  }
  for (Node*& arg : args) {
    if (arg == nullptr) arg = state.build.IntConst(0);
  }
  call.n_args = args.size();
  call.args = state.build.List(args);
  return Status::Ok();
}

// f(DISTINCT x) sees its values in order.
void OrderDistinct(PgQuery__FuncCall& call, const std::string& name, AstBuilder& build) {
  if (!call.agg_distinct || call.n_agg_order > 0 || call.n_args == 0) return;
  if (name != "string_agg" && name != "array_agg" && !name.ends_with("_agg")) return;
  auto* sort = reinterpret_cast<PgQuery__SortBy*>(build.arena().Allocate(sizeof(PgQuery__SortBy)));
  pg_query__sort_by__init(sort);
  sort->node = build.Clone(call.args[0]);
  sort->sortby_dir = PG_QUERY__SORT_BY_DIR__SORTBY_DEFAULT;
  sort->sortby_nulls = PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_DEFAULT;
  Node* order = build.NullConst();
  order->node_case = PG_QUERY__NODE__NODE_SORT_BY;
  order->sort_by = sort;
  call.n_agg_order = 1;
  call.agg_order = build.List({order});
}

// nextval('name'::regclass): the name itself, so that the sequence is known when it is bound.
void TakeSequenceName(PgQuery__FuncCall& call) {
  if (call.n_args == 0 || call.args[0]->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) return;
  const PgQuery__FuncCall& cast = *call.args[0]->func_call;
  if (NameOf(cast) == "regclassin" && IsStringConst(cast.args[0])) call.args[0] = cast.args[0];
}

}  // namespace

void RenameRegexpMatches(Node* statement, AstBuilder& build) {
  WalkNode(statement, [&](Node* node) {
    if (node->node_case == PG_QUERY__NODE__NODE_FUNC_CALL &&
        NameOf(*node->func_call) == "regexp_matches") {
      SetName(*node->func_call, "omendb_regexp_rows", build);
    }
    return true;
  });
}

Status RefuseFunctions(Node* statement, RewriteState& state) {
  // Of jsonpath, and those that give rows of a table's type.
  constexpr std::string_view kRefused[] = {
      "jsonb_path_exists",      "jsonb_path_match",         "jsonb_path_query",
      "jsonb_path_query_array", "jsonb_path_query_first",   "jsonb_path_exists_tz",
      "jsonb_path_match_tz",    "jsonb_path_query_tz",      "jsonb_path_query_array_tz",
      "json_populate_record",   "json_populate_recordset",  "jsonb_path_query_first_tz",
      "jsonb_populate_record",  "jsonb_populate_recordset",
  };
  Status status;
  WalkNode(statement, [&](Node* node) {
    if (!status.ok()) return false;
    if (node->node_case == PG_QUERY__NODE__NODE_FUNC_CALL) {
      const std::string_view name = NameOf(*node->func_call);
      if (std::find(std::begin(kRefused), std::end(kRefused), name) != std::end(kRefused)) {
        status = state.At(NotSupported("function " + std::string(name)), node->func_call->location);
      }
    } else if (node->node_case == PG_QUERY__NODE__NODE_A_EXPR) {
      const std::string_view op = LastName(node->a_expr->name, node->a_expr->n_name);
      if (op == "@?" || op == "@@") {
        status = state.At(NotSupported("operator " + std::string(op)), node->a_expr->location);
      }
    }
    return status.ok();
  });
  return status;
}

Status RewriteFunctions(Node* node, RewriteState& state) {
  if (node->node_case == PG_QUERY__NODE__NODE_WINDOW_DEF) {
    TypeFrameOffsets(*node->window_def, state.build);
  }
  if (node->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) return Status::Ok();
  if (node->func_call->over != nullptr) TypeFrameOffsets(*node->func_call->over, state.build);
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
    SetName(call, "omendb_substring_regex", state.build);
    return Status::Ok();
  }
  OrderDistinct(call, name, state.build);
  if (name == "make_interval") OMEN_TRY(RewriteMakeInterval(call, state));
  if (name == "generate_series") TypeSeries(call, state.build);
  if (name == "nth_value" && call.n_args == 2) {
    call.args[1] = state.build.Call("omendb_nth_position", {call.args[1]});
  }
  if (name == "width_bucket" && call.n_args == 2) SetName(call, "omendb_bucket_of", state.build);
  if (name == "string_agg" && call.n_args == 2 && IsConst(call.args[1]) &&
      call.args[1]->a_const->isnull) {
    call.args[1] = state.build.StringConst("");
  }
  if (RewriteResult(node, name, state.build)) return Status::Ok();
  if (RewriteJsonAggregate(node, name, state.build)) return Status::Ok();
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
  const auto op = node->sqlvalue_function->op;
  const bool rounded = op == PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME_N ||
                       op == PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP_N ||
                       op == PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME_N ||
                       op == PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP_N;
  const int32_t precision = node->sqlvalue_function->typmod;
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
  if (rounded) {
    Node* value = build.NullConst();
    *value = *node;
    *node = *build.Call("omendb_round_time", {value, build.IntConst(precision)});
  }
  return Status::Ok();
}

}  // namespace omendb::sql
