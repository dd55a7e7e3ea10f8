#include "duck/plan/plain_states.h"

#include "duck/functions/pooled_aggregate.h"
#include "duck/functions/text_extremes.h"
#include "duckdb/function/function_binder.hpp"
#include "duckdb/planner/expression/bound_aggregate_expression.hpp"
#include "duckdb/planner/operator/logical_aggregate.hpp"

namespace omendb::duck {

namespace {

bool IsTextExtreme(const duckdb::BoundAggregateExpression& aggregate) {
  const duckdb::AggregateFunction& function = aggregate.function;
  return (function.name == "min" || function.name == "max") && aggregate.children.size() == 1 &&
         aggregate.bind_info == nullptr &&
         function.return_type.InternalType() == duckdb::PhysicalType::VARCHAR &&
         function.return_type == aggregate.children.front()->return_type;
}

void MakePlain(duckdb::ClientContext& context, duckdb::LogicalAggregate& plan,
               duckdb::BoundAggregateExpression& aggregate) {
  // The physical plan would hide the function in one that sorts first, which has a destructor.
  duckdb::FunctionBinder::BindSortedAggregate(context, aggregate, plan.groups, plan.grouping_sets);
  if (aggregate.function.destructor == nullptr) return;
  if (IsTextExtreme(aggregate)) {
    aggregate.function =
        TextExtreme(aggregate.function.return_type, aggregate.function.name == "min");
  } else {
    PoolStates(aggregate);
  }
}

}  // namespace

void MakeStatesPlain(duckdb::ClientContext& context, duckdb::LogicalOperator& plan) {
  for (auto& child : plan.children) MakeStatesPlain(context, *child);
  if (plan.type != duckdb::LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY) return;
  auto& aggregation = plan.Cast<duckdb::LogicalAggregate>();
  for (auto& expression : aggregation.expressions) {
    if (expression->GetExpressionClass() != duckdb::ExpressionClass::BOUND_AGGREGATE) continue;
    MakePlain(context, aggregation, expression->Cast<duckdb::BoundAggregateExpression>());
  }
}

}  // namespace omendb::duck
