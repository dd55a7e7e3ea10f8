#include "duck/plan/exact_store.h"

#include "duck/catalog/table_entry.h"
#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/operator/logical_expression_get.hpp"
#include "duckdb/planner/operator/logical_insert.hpp"
#include "duckdb/planner/operator/logical_merge_into.hpp"
#include "duckdb/planner/operator/logical_update.hpp"
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
  const SqlType to{TypeKind::kNumeric, false, types::kLegacyNumericTypmod};
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
  if (IsBigNumeric(from)) return true;
  if (from.id() == duckdb::LogicalTypeId::VARCHAR) return !from.HasAlias();
  return from.id() == duckdb::LogicalTypeId::DECIMAL &&
         duckdb::DecimalType::GetScale(from) > types::kLegacyNumericScale;
}

bool HasLegacyNumeric(const duckdb::TableCatalogEntry& entry) {
  const auto& table = entry.Cast<OmenTableEntry>();
  for (const ColumnId id : table.column_ids()) {
    if (table.definition()->column(id).type.numeric_legacy()) return true;
  }
  return false;
}

void Visit(duckdb::unique_ptr<duckdb::Expression>& expr) {
  if (expr->GetExpressionClass() != duckdb::ExpressionClass::BOUND_CAST) return;
  auto& cast = expr->Cast<duckdb::BoundCastExpression>();
  Visit(cast.child);
  const duckdb::LogicalType& from = cast.child->return_type;
  const SqlType legacy{TypeKind::kNumeric, false, types::kLegacyNumericTypmod};
  if (cast.return_type != ToLogicalType(legacy) || !MayLoseDigits(from)) return;
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

void VisitActions(duckdb::LogicalMergeInto& merge) {
  for (auto& [condition, actions] : merge.actions) {
    (void)condition;
    for (auto& action : actions) {
      for (auto& expr : action->expressions) Visit(expr);
    }
  }
}

}  // namespace

void StoreExactly(duckdb::LogicalOperator& plan) {
  const bool insert = plan.type == duckdb::LogicalOperatorType::LOGICAL_INSERT &&
                      HasLegacyNumeric(plan.Cast<duckdb::LogicalInsert>().table);
  const bool update = plan.type == duckdb::LogicalOperatorType::LOGICAL_UPDATE &&
                      HasLegacyNumeric(plan.Cast<duckdb::LogicalUpdate>().table);
  const bool merge = plan.type == duckdb::LogicalOperatorType::LOGICAL_MERGE_INTO &&
                     HasLegacyNumeric(plan.Cast<duckdb::LogicalMergeInto>().table);
  if (merge) VisitActions(plan.Cast<duckdb::LogicalMergeInto>());
  if (insert || update || merge) {
    for (auto& child : plan.children) VisitSource(*child);
  }
  for (auto& child : plan.children) StoreExactly(*child);
}

}  // namespace omendb::duck
