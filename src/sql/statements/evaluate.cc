#include "sql/statements/evaluate.h"

#include <fmt/format.h>

#include "base/sqlstate.h"
#include "types/casts.h"

namespace omendb::sql {
namespace {

bool IsUntypedString(const Node* node) {
  return IsConst(node) && !node->a_const->isnull &&
         node->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL;
}

Result<int32_t> CharModifier(const PgQuery__TypeName& type, std::string_view name) {
  const int32_t length = std::atoi(ConstText(type.typmods[0]).c_str());
  constexpr int32_t kLengthMax = 10485760;
  if (length < 1) {
    return Status(sqlstate::kInvalidParameterValue,
                  fmt::format("length for type {} must be at least 1", name));
  }
  if (length > kLengthMax) {
    return Status(sqlstate::kInvalidParameterValue,
                  fmt::format("length for type {} cannot exceed {}", name, kLengthMax));
  }
  return length + 4;
}

Result<int32_t> NumericModifier(const PgQuery__TypeName& type) {
  const int precision = std::atoi(ConstText(type.typmods[0]).c_str());
  const int scale = type.n_typmods > 1 ? std::atoi(ConstText(type.typmods[1]).c_str()) : 0;
  if (precision < 1 || precision > 1000) {
    return Status(sqlstate::kInvalidParameterValue,
                  fmt::format("NUMERIC precision {} must be between 1 and 1000", precision));
  }
  if (precision > types::kNumericPrecisionMax || scale < 0 || scale > precision) {
    return NotSupported("numeric of precision over 38 or a scale outside it");
  }
  return types::NumericType(precision, scale).typmod;
}

Result<int32_t> Modifier(const PgQuery__TypeName& type, const types::SqlType& base) {
  if (type.n_typmods == 0) {
    // char is char(1).
    const bool is_char = base.kind == types::TypeKind::kBpchar;
    const bool bare = type.n_names > 0 && StringOf(type.names[type.n_names - 1]) == "bpchar";
    return is_char && !bare ? 5 : -1;
  }
  const std::string_view name = LastName(type.names, type.n_names);
  switch (base.kind) {
    case types::TypeKind::kVarchar:
      return CharModifier(type, "varchar");
    case types::TypeKind::kBpchar:
      return CharModifier(type, "char");
    case types::TypeKind::kNumeric:
      return NumericModifier(type);
    case types::TypeKind::kTime:
    case types::TypeKind::kTimestamp:
    case types::TypeKind::kTimestampTz:
      return std::min(6, std::atoi(ConstText(type.typmods[0]).c_str()));
    case types::TypeKind::kInterval: {
      const int32_t range = std::atoi(ConstText(type.typmods[0]).c_str());
      const int32_t precision =
          type.n_typmods > 1 ? std::atoi(ConstText(type.typmods[1]).c_str()) : 0xFFFF;
      return (range << 16) | precision;
    }
    default:
      return Status(sqlstate::kSyntaxError,
                    fmt::format("type modifier is not allowed for type \"{}\"", name));
  }
}

}  // namespace

Result<types::SqlType> ResolveTypeName(const PgQuery__TypeName& type) {
  const std::string name(LastName(type.names, type.n_names));
  auto base = types::TypeFromName(name);
  if (!base.ok()) {
    const std::string_view schema = SchemaName(type.names, type.n_names);
    if (!schema.empty() && schema != "pg_catalog" && base.status().sqlstate() == "42704") {
      return Status(sqlstate::kUndefinedObject,
                    fmt::format("type \"{}.{}\" does not exist", schema, name));
    }
    return base.status();
  }
  if (type.n_array_bounds > 0) base->is_array = true;
  OMEN_ASSIGN(base->typmod, Modifier(type, *base));
  return *base;
}

Result<types::Value> EvaluateExpression(SessionImpl& session, const Node* expression,
                                        const types::SqlType& type, types::Arena& arena) {
  if (IsUntypedString(expression)) {
    const std::string_view text = arena.Copy(View(expression->a_const->sval->sval));
    return types::ParseText(type, text, arena, session.settings().io());
  }
  if (IsConst(expression) && expression->a_const->isnull) return types::Value::Null();
  OMEN_ASSIGN(std::string sql, DeparseExpression(expression));
  OMEN_ASSIGN(auto plan, session.ParsePlan("SELECT " + sql));
  types::Value result = types::Value::Null();
  types::SqlType from{types::TypeKind::kText};
  uint64_t affected = 0;
  Status status = session.RunQueryRows(
      *plan, {},
      [&](const types::Chunk* chunk, std::span<const types::Value> row) -> Status {
        from = plan->columns[0].type;
        if (chunk != nullptr && chunk->rows_count == 0) return Status::Ok();
        types::Value value = chunk != nullptr ? chunk->columns[0].Get(0) : row[0];
        result = value.is_null ? value : types::CopyTo(arena, types::PhysicalTypeOf(from), value);
        return Status::Ok();
      },
      &affected);
  // A position is one in the text made here, not in the client's.
  if (!status.ok()) return std::move(status).WithPosition(0);
  return types::CastValue(from, type, result, arena, types::CastContext::kAssignment,
                          session.settings().io());
}

Result<std::optional<std::string>> EvaluateToText(SessionImpl& session, std::string_view sql,
                                                  const types::SqlType& type) {
  OMEN_ASSIGN(auto tree, ParseTree::Parse("SELECT " + std::string(sql)));
  types::Arena arena;
  const Node* expression = tree->statement(0).node->select_stmt->target_list[0]->res_target->val;
  OMEN_ASSIGN(types::Value value, EvaluateExpression(session, expression, type, arena));
  if (value.is_null) return std::optional<std::string>();
  std::string text;
  types::FormatText(type, value, types::IoSettings{}, text);
  return std::optional<std::string>(std::move(text));
}

}  // namespace omendb::sql
