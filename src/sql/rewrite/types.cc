#include "duck/type_names.h"
#include "sql/rewrite/rules.h"
#include "types/type.h"

namespace omendb::sql {
namespace {

constexpr int kIntervalFullRange = 0x7FFF;

void SetName(PgQuery__TypeName& type, std::string_view name, AstBuilder& build) {
  const PgQuery__TypeName* named = build.Type(name);
  type.n_names = named->n_names;
  type.names = named->names;
}

void ClearModifiers(PgQuery__TypeName& type) {
  type.n_typmods = 0;
  type.typmods = nullptr;
}

void RewriteNumeric(PgQuery__TypeName& type, AstBuilder& build) {
  if (type.n_typmods == 0) {
    SetName(type, duck::kBigNumericTypeName, build);
  } else if (type.n_typmods == 1) {
    type.n_typmods = 2;
    type.typmods = build.List({type.typmods[0], build.IntConst(0)});
  }
}

Status CheckNumericModifiers(const PgQuery__TypeName& type, RewriteState& state) {
  if (type.n_typmods == 0 || !IsConst(type.typmods[0])) return Status::Ok();
  const int precision = std::atoi(ConstText(type.typmods[0]).c_str());
  const int scale = type.n_typmods > 1 ? std::atoi(ConstText(type.typmods[1]).c_str()) : 0;
  if (precision < 1 || precision > 1000) {
    return state.At(Status(SqlState("22023"), "NUMERIC precision " + std::to_string(precision) +
                                                  " must be between 1 and 1000"),
                    type.location);
  }
  if (precision > types::kNumericPrecisionMax || scale < 0 || scale > precision) {
    return state.At(NotSupported("numeric of precision over 38 or a scale outside it"),
                    type.location);
  }
  return Status::Ok();
}

Status RewriteType(PgQuery__TypeName& type, RewriteState& state) {
  const std::string name(LastName(type.names, type.n_names));
  if (name == "numeric" || name == "decimal") {
    OMEN_TRY(CheckNumericModifiers(type, state));
    SetName(type, "numeric", state.build);
    RewriteNumeric(type, state.build);
    return Status::Ok();
  }
  auto known = types::TypeFromName(name);
  if (!known.ok()) return state.At(known.status(), type.location);
  // One level of array is all there is; int[][] is int[] in PostgreSQL too.
  if (type.n_array_bounds > 1) type.n_array_bounds = 1;
  if (type.n_array_bounds == 1) {
    type.array_bounds = state.build.List({state.build.IntConst(-1)});
    type.array_bounds[0]->node_case = PG_QUERY__NODE__NODE_INTEGER;
    auto* integer =
        reinterpret_cast<PgQuery__Integer*>(state.build.arena().Allocate(sizeof(PgQuery__Integer)));
    pg_query__integer__init(integer);
    integer->ival = -1;
    type.array_bounds[0]->integer = integer;
  }
  if (known->is_array) {  // _int4
    SetName(type, types::TypeName(known->element()), state.build);
    type.n_array_bounds = 1;
    type.array_bounds = state.build.List({state.build.IntConst(-1)});
    return RewriteType(type, state);
  }
  ClearModifiers(type);
  switch (known->kind) {
    case types::TypeKind::kBpchar:
    case types::TypeKind::kVarchar:
    case types::TypeKind::kText:
    case types::TypeKind::kName:
    case types::TypeKind::kChar:
    case types::TypeKind::kUnknown:
      SetName(type, "varchar", state.build);
      break;
    case types::TypeKind::kBytea:
      SetName(type, "bytea", state.build);
      break;
    case types::TypeKind::kOid:
      SetName(type, "uinteger", state.build);  // DuckDB's oid is a bigint.
      break;
    default:
      SetName(type, types::TypeName(*known), state.build);
      break;
  }
  return Status::Ok();
}

}  // namespace

Status RewriteTypes(Node* node, RewriteState& state) {
  PgQuery__TypeName* type = nullptr;
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_TYPE_CAST:
      type = node->type_cast->type_name;
      break;
    case PG_QUERY__NODE__NODE_TYPE_NAME:
      type = node->type_name;
      break;
    case PG_QUERY__NODE__NODE_COLUMN_DEF:
      type = node->column_def->type_name;
      break;
    default:
      return Status::Ok();
  }
  return type == nullptr ? Status::Ok() : RewriteType(*type, state);
}

}  // namespace omendb::sql
