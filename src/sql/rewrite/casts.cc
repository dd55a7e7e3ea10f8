#include <algorithm>

#include "base/sqlstate.h"
#include "duck/type_names.h"
#include "sql/rewrite/rules.h"

namespace omendb::sql {
namespace {

using types::TypeKind;

bool IsStringConst(const Node* node) {
  return IsConst(node) && !node->a_const->isnull &&
         node->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL;
}

int32_t FirstModifier(const PgQuery__TypeName& type) {
  return type.n_typmods > 0 && IsConst(type.typmods[0])
             ? std::atoi(ConstText(type.typmods[0]).c_str())
             : -1;
}

// A modifier that ParseText understands; -1 where the type has none here.
int32_t Typmod(TypeKind kind, const PgQuery__TypeName& type) {
  const int32_t first = FirstModifier(type);
  if (first < 0) return -1;
  switch (kind) {
    case TypeKind::kNumeric: {
      const int scale = type.n_typmods > 1 ? std::atoi(ConstText(type.typmods[1]).c_str()) : 0;
      return first <= types::kNumericPrecisionMax ? types::NumericType(first, scale).typmod : -1;
    }
    case TypeKind::kInterval: {
      const int precision =
          type.n_typmods > 1 ? std::atoi(ConstText(type.typmods[1]).c_str()) : 0xFFFF;
      return (first << 16) | precision;
    }
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      return first;
    default:
      return -1;
  }
}

// Types whose constants are read here, by PostgreSQL's own input functions.
bool IsReadHere(TypeKind kind) {
  switch (kind) {
    case TypeKind::kBool:
    case TypeKind::kBytea:
    case TypeKind::kInt2:
    case TypeKind::kInt4:
    case TypeKind::kInt8:
    case TypeKind::kFloat4:
    case TypeKind::kFloat8:
    case TypeKind::kNumeric:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
    case TypeKind::kInterval:
    case TypeKind::kUuid:
    case TypeKind::kJson:
    case TypeKind::kJsonb:
      return true;
    default:
      return false;
  }
}

std::string IntervalText(const types::Interval& interval) {
  return std::to_string(interval.months) + " months " + std::to_string(interval.days) + " days " +
         std::to_string(interval.micros) + " microseconds";
}

// DuckDB writes every byte as \xAB.
std::string BlobText(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += "\\x";
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

// The value as text that DuckDB reads alike, whatever the session's settings.
std::string PortableText(const types::SqlType& type, const types::Value& value) {
  if (type.kind == TypeKind::kInterval) return IntervalText(value.interval);
  if (type.kind == TypeKind::kBytea) return BlobText(value.str());
  types::IoSettings iso;
  std::string text;
  types::FormatText(type, value, iso, text);
  return text;
}

Status ReadConstant(PgQuery__TypeCast& cast, types::SqlType type, RewriteState& state) {
  static const types::IoSettings kDefaults;
  const types::IoSettings& io = state.context.io != nullptr ? *state.context.io : kDefaults;
  types::Arena arena;
  auto value = types::ParseText(type, View(cast.arg->a_const->sval->sval), arena, io);
  if (!value.ok()) return state.At(value.status(), cast.arg->a_const->location);
  cast.arg = state.build.StringConst(PortableText(type, *value));
  return Status::Ok();
}

Status ReadArrayConstant(PgQuery__TypeCast& cast, RewriteState& state) {
  const std::string_view text = View(cast.arg->a_const->sval->sval);
  std::vector<std::optional<std::string>> elements;
  if (!SplitArrayLiteral(text, elements)) {
    return state.At(Status(sqlstate::kInvalidTextRepresentation,
                           "malformed array literal: \"" + std::string(text) + "\""),
                    cast.arg->a_const->location);
  }
  std::vector<Node*> nodes;
  for (const auto& element : elements) {
    nodes.push_back(element ? state.build.StringConst(*element) : state.build.NullConst());
  }
  auto* array = reinterpret_cast<PgQuery__AArrayExpr*>(
      state.build.arena().Allocate(sizeof(PgQuery__AArrayExpr)));
  pg_query__a__array_expr__init(array);
  array->n_elements = nodes.size();
  array->elements = state.build.List(nodes);
  cast.arg = state.build.NullConst();
  cast.arg->node_case = PG_QUERY__NODE__NODE_A_ARRAY_EXPR;
  cast.arg->a_array_expr = array;
  return Status::Ok();
}

// varchar(3) and char(3) cut.
Node* CutToLength(Node* arg, TypeKind kind, int32_t length, AstBuilder& build) {
  const char* function = kind == TypeKind::kVarchar ? "left" : duck::kCharFunction;
  return build.Call(function, {build.Cast(arg, "varchar"), build.IntConst(length)});
}

// A numeric literal of over 38 digits, which DuckDB would read as a double.
bool IsLongNumber(const Node* node) {
  if (!IsConst(node) || node->a_const->isnull ||
      node->a_const->val_case != PG_QUERY__A__CONST__VAL_FVAL) {
    return false;
  }
  const std::string_view text = View(node->a_const->fval->fval);
  const auto digits =
      std::count_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits > types::kNumericPrecisionMax;
}

const char* RegFunction(std::string_view name) {
  if (name == "regclass") return "regclassin";
  if (name == "regtype") return "regtypein";
  if (name == "regproc") return "regprocin";
  if (name == "regprocedure") return "regprocin";
  if (name == "regnamespace") return "regnamespacein";
  if (name == "regrole") return "regrolein";
  return nullptr;
}

bool IsRegCall(const Node* node) {
  if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) return false;
  const std::string_view name = LastName(node->func_call->funcname, node->func_call->n_funcname);
  return (name.starts_with("reg") && name.ends_with("in")) || name == "to_regclass" ||
         name == "to_regtype" || name == "to_regnamespace";
}

// x::regclass::text and the like: the name.
Node* RegOut(Node* call, AstBuilder& build) {
  std::string name(LastName(call->func_call->funcname, call->func_call->n_funcname));
  if (name.starts_with("to_")) {
    name = name.substr(3) + "out";
  } else {
    name.replace(name.size() - 2, 2, "out");
  }
  return build.Call(name, {call});
}

}  // namespace

Status RewriteCasts(Node* node, RewriteState& state) {
  if (IsLongNumber(node)) {
    *node = *state.build.Cast(state.build.StringConst(std::string(View(node->a_const->fval->fval))),
                              "numeric");
    // RewriteTypes, which comes behind, finds the type.
    return Status::Ok();
  }
  if (node->node_case == PG_QUERY__NODE__NODE_RES_TARGET && IsRegCall(node->res_target->val)) {
    node->res_target->val = RegOut(node->res_target->val, state.build);
    return Status::Ok();
  }
  if (node->node_case != PG_QUERY__NODE__NODE_TYPE_CAST) return Status::Ok();
  PgQuery__TypeCast& cast = *node->type_cast;
  const PgQuery__TypeName& type_name = *cast.type_name;
  const std::string_view name = LastName(type_name.names, type_name.n_names);
  const bool is_array = type_name.n_array_bounds > 0 || name.starts_with("_");
  if (!is_array) {
    if (const char* function = RegFunction(name)) {
      *node = *state.build.Call(function, {cast.arg});
      return Status::Ok();
    }
  }
  auto type = types::TypeFromName(name);
  if (!type.ok()) return Status::Ok();  // Said with the type's own position by RewriteTypes.
  if (is_array) {
    return IsStringConst(cast.arg) ? ReadArrayConstant(cast, state) : Status::Ok();
  }
  if (IsRegCall(cast.arg) && type->is_string()) {
    cast.arg = RegOut(cast.arg, state.build);
    return Status::Ok();
  }
  const int32_t length = FirstModifier(type_name);
  if ((type->kind == TypeKind::kVarchar || type->kind == TypeKind::kBpchar) && length > 0) {
    *node = *CutToLength(cast.arg, type->kind, length, state.build);
    return Status::Ok();
  }
  if ((type->kind == TypeKind::kTime || type->kind == TypeKind::kTimestamp ||
       type->kind == TypeKind::kTimestampTz) &&
      length >= 0 && !IsStringConst(cast.arg)) {
    Node* whole = state.build.Cast(cast.arg, types::TypeName(*type));
    *node = *state.build.Call("omendb_round_time", {whole, state.build.IntConst(length)});
    return Status::Ok();
  }
  if (IsReadHere(type->kind) && IsStringConst(cast.arg)) {
    type->typmod = Typmod(type->kind, type_name);
    return ReadConstant(cast, *type, state);
  }
  return Status::Ok();
}

}  // namespace omendb::sql
