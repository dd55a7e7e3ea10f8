#include "duck/plan/exact_store.h"

#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/operator/logical_expression_get.hpp"
#include "types/casts.h"

namespace omendb::duck {

namespace {

using types::SqlType;
using types::TypeKind;

struct ExactCastData : public duckdb::BoundCastData {
  explicit ExactCastData(SqlType type) : from(type) {}
  SqlType from;
  duckdb::unique_ptr<duckdb::BoundCastData> Copy() const override {
    return duckdb::make_uniq<ExactCastData>(from);
  }
};

bool CastExactly(duckdb::Vector& source, duckdb::Vector& result, duckdb::idx_t count,
                 duckdb::CastParameters& parameters) {
  const SqlType& from = parameters.cast_data->Cast<ExactCastData>().from;
  const SqlType to{TypeKind::kNumeric};
  const bool constant = source.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR;
  duckdb::UnifiedVectorFormat format;
  source.ToUnifiedFormat(count, format);
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  types::Arena arena;
  for (duckdb::idx_t i = 0; i < (constant ? 1 : count); ++i) {
    const types::Value value = LoadVectorCell(format, types::PhysicalTypeOf(from), i);
    StoreVectorCell(
        result, i, to,
        ValueOrThrow(types::CastValue(from, to, value, arena, types::CastContext::kExplicit, {})));
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  return true;
}

// A numeric of more digits behind the point, or a text.
bool MayLoseDigits(const duckdb::LogicalType& from) {
  if (from.id() == duckdb::LogicalTypeId::VARCHAR) return !from.HasAlias();
  return from.id() == duckdb::LogicalTypeId::DECIMAL &&
         duckdb::DecimalType::GetScale(from) > types::kUnconstrainedNumericScale;
}

void Visit(duckdb::unique_ptr<duckdb::Expression>& expr) {
  if (expr->GetExpressionClass() != duckdb::ExpressionClass::BOUND_CAST) return;
  auto& cast = expr->Cast<duckdb::BoundCastExpression>();
  Visit(cast.child);
  const duckdb::LogicalType& from = cast.child->return_type;
  if (cast.return_type != ToLogicalType({TypeKind::kNumeric}) || !MayLoseDigits(from)) return;
  cast.bound_cast =
      duckdb::BoundCastInfo(CastExactly, duckdb::make_uniq<ExactCastData>(ToSqlType(from)));
}

// The rows that are to be written: projections over the query, or lists of values.
void VisitSource(duckdb::LogicalOperator& op) {
  switch (op.type) {
    case duckdb::LogicalOperatorType::LOGICAL_PROJECTION:
      for (auto& expr : op.expressions) Visit(expr);
      break;
    case duckdb::LogicalOperatorType::LOGICAL_EXPRESSION_GET:
      for (auto& row : op.Cast<duckdb::LogicalExpressionGet>().expressions) {
        for (auto& expr : row) Visit(expr);
      }
      return;
    default:
      return;
  }
  for (auto& child : op.children) VisitSource(*child);
}

}  // namespace

void StoreExactly(duckdb::LogicalOperator& plan) {
  if (plan.type == duckdb::LogicalOperatorType::LOGICAL_INSERT ||
      plan.type == duckdb::LogicalOperatorType::LOGICAL_UPDATE) {
    for (auto& child : plan.children) VisitSource(*child);
  }
  for (auto& child : plan.children) StoreExactly(*child);
}

}  // namespace omendb::duck
