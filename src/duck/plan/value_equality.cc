#include "duck/plan/value_equality.h"

#include "duck/functions/jsonb_order.h"
#include "duck/functions/numeric_type.h"
#include "duck/functions/wrap.h"
#include "duck/logical_types.h"
#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/scalar_function_catalog_entry.hpp"
#include "duckdb/function/function_binder.hpp"
#include "duckdb/planner/expression/list.hpp"
#include "duckdb/planner/operator/logical_aggregate.hpp"
#include "duckdb/planner/operator/logical_distinct.hpp"
#include "duckdb/planner/operator/logical_projection.hpp"
#include "duckdb/planner/operator/logical_set_operation.hpp"

namespace omendb::duck {

namespace {

using Expression = duckdb::unique_ptr<duckdb::Expression>;

class Visitor {
 public:
  Visitor(duckdb::ClientContext& context, duckdb::Binder& binder)
      : context_(context), binder_(binder) {}

  void Visit(duckdb::LogicalOperator& op) {
    switch (op.type) {
      case duckdb::LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY:
        for (Expression& expr : op.expressions) VisitAggregate(expr);
        break;
      case duckdb::LogicalOperatorType::LOGICAL_DISTINCT:
        for (Expression& target : op.Cast<duckdb::LogicalDistinct>().distinct_targets) {
          if (IsBigNumeric(target->return_type)) WrapInFunction(context_, kNumericKey, target);
        }
        break;
      case duckdb::LogicalOperatorType::LOGICAL_UNION:
        if (op.Cast<duckdb::LogicalSetOperation>().setop_all) break;
        for (auto& child : op.children) TrimColumns(child);
        break;
      case duckdb::LogicalOperatorType::LOGICAL_EXCEPT:
      case duckdb::LogicalOperatorType::LOGICAL_INTERSECT:
        for (auto& child : op.children) TrimColumns(child);
        break;
      default:
        break;
    }
    for (auto& child : op.children) Visit(*child);
  }

 private:
  void VisitAggregate(Expression& expr) {
    if (expr->GetExpressionClass() != duckdb::ExpressionClass::BOUND_AGGREGATE) return;
    auto& aggregate = expr->Cast<duckdb::BoundAggregateExpression>();
    if (!aggregate.IsDistinct()) return;
    for (Expression& child : aggregate.children) Trim(child);
  }

  static bool HasZeros(const duckdb::LogicalType& type) {
    return IsBigNumeric(type) || IsJsonb(type);
  }
  void Trim(Expression& expr) {
    if (IsBigNumeric(expr->return_type)) WrapInFunction(context_, kNumericTrim, expr);
    if (IsJsonb(expr->return_type)) WrapInFunction(context_, kJsonbTrim, expr);
  }

  // A projection above `child` that takes the zeros from numbers.
  void TrimColumns(duckdb::unique_ptr<duckdb::LogicalOperator>& child) {
    child->ResolveOperatorTypes();
    const auto& types = child->types;
    if (std::none_of(types.begin(), types.end(), HasZeros)) return;
    const auto bindings = child->GetColumnBindings();
    duckdb::vector<Expression> columns;
    for (size_t i = 0; i < types.size(); ++i) {
      Expression column =
          duckdb::make_uniq<duckdb::BoundColumnRefExpression>(types[i], bindings[i]);
      Trim(column);
      columns.push_back(std::move(column));
    }
    auto projection = duckdb::make_uniq<duckdb::LogicalProjection>(binder_.GenerateTableIndex(),
                                                                   std::move(columns));
    projection->children.push_back(std::move(child));
    projection->ResolveOperatorTypes();
    child = std::move(projection);
  }

  duckdb::ClientContext& context_;
  duckdb::Binder& binder_;
};

}  // namespace

void CompareByValue(duckdb::ClientContext& context, duckdb::Binder& binder,
                    duckdb::LogicalOperator& plan) {
  Visitor(context, binder).Visit(plan);
}

}  // namespace omendb::duck
