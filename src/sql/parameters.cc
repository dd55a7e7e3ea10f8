// A portal's parameters: from the client's text, binary form or value to values of their types.
#include <fmt/format.h>

#include <optional>

#include "sql/session_impl.h"
#include "types/binary_io.h"

namespace omendb::sql {
namespace {

using types::SqlType;
using types::TypeKind;
using types::Value;

bool IsValue(const BoundParameter& param) { return param.kind != TypeKind::kUnknown; }

// The value as one of `type`; nullopt: its text has to be read.
std::optional<Value> DirectValue(const BoundParameter& param, const SqlType& type) {
  if (type.is_array) return std::nullopt;
  const bool is_integer = param.kind == TypeKind::kInt8;
  const int64_t number = param.value.i64;
  switch (type.kind) {
    case TypeKind::kInt4:
      if (!is_integer || number != static_cast<int32_t>(number)) return std::nullopt;
      return Value::Int32(static_cast<int32_t>(number));
    case TypeKind::kInt2:
      if (!is_integer || number != static_cast<int16_t>(number)) return std::nullopt;
      return Value::Int16(static_cast<int16_t>(number));
    case TypeKind::kInt8:
    case TypeKind::kFloat8:
    case TypeKind::kBool:
      if (param.kind != type.kind) return std::nullopt;
      return param.value;
    default:
      return std::nullopt;
  }
}

std::string_view BytesOf(const BoundParameter& param, types::Arena& arena) {
  if (!IsValue(param)) return arena.Copy(param.bytes);
  std::string text;
  types::FormatText({param.kind}, param.value, types::IoSettings(), text);
  return arena.Copy(text);
}

Result<Value> Decode(const BoundParameter& param, const SqlType& type, types::Arena& arena,
                     const types::IoSettings& settings) {
  if (IsValue(param)) {
    if (const std::optional<Value> direct = DirectValue(param, type)) return *direct;
  }
  const std::string_view bytes = BytesOf(param, arena);
  return param.is_binary ? types::ReceiveBinary(type, bytes, arena)
                         : types::ParseText(type, bytes, arena, settings);
}

}  // namespace

Status SessionImpl::DecodeParameters(const Plan& plan, std::span<const BoundParameter> params,
                                     PortalState& portal) {
  for (size_t i = 0; i < params.size(); ++i) {
    const BoundParameter& param = params[i];
    if (param.is_null) {
      portal.params.push_back(Value::Null());
      continue;
    }
    const SqlType type =
        i < plan.param_types.size() ? plan.param_types[i] : SqlType{TypeKind::kText};
    const auto value = Decode(param, type, portal.arena, settings_.io());
    if (!value.ok()) {
      const std::string what = fmt::format("unnamed portal parameter ${}", i + 1);
      const std::string_view bytes = BytesOf(param, portal.arena);
      return Status(value.status())
          .WithContext(param.is_binary ? what : fmt::format("{} = '{}'", what, bytes));
    }
    portal.params.push_back(*value);
  }
  return Status::Ok();
}

}  // namespace omendb::sql
