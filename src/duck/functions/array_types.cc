#include "duck/functions/array_types.h"

namespace omendb::duck {

namespace {

using types::SqlType;
using types::TypeKind;

bool Promotes(TypeKind from, TypeKind to) {
  return (from == TypeKind::kDate &&
          (to == TypeKind::kTimestamp || to == TypeKind::kTimestampTz)) ||
         (from == TypeKind::kTimestamp && to == TypeKind::kTimestampTz);
}

std::optional<SqlType> Common(const SqlType& a, const SqlType& b) {
  if (a.kind == b.kind) return a.typmod == b.typmod ? a : SqlType{a.kind};
  if (a.is_string() && b.is_string()) return SqlType{TypeKind::kText};
  const int a_rank = types::NumberRank(a.kind);
  const int b_rank = types::NumberRank(b.kind);
  if (a_rank > 0 && b_rank > 0) {
    const SqlType& wide = a_rank > b_rank ? a : b;
    return wide.kind == TypeKind::kNumeric ? SqlType{TypeKind::kNumeric} : wide;
  }
  if (Promotes(a.kind, b.kind)) return b;
  if (Promotes(b.kind, a.kind)) return a;
  return std::nullopt;
}

}  // namespace

std::optional<SqlType> CommonElement(const std::vector<SqlType>& given) {
  std::optional<SqlType> common;
  for (SqlType type : given) {
    type = type.element();
    if (type.kind == TypeKind::kUnknown) continue;
    common = common ? Common(*common, type) : type;
    if (!common) return std::nullopt;
  }
  return common ? common : SqlType{TypeKind::kText};
}

}  // namespace omendb::duck
