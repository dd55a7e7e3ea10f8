#include "duck/plan/merge_actions.h"

#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/operator/logical_merge_into.hpp"
#include "duckdb/planner/operator/logical_projection.hpp"

namespace omendb::duck {
namespace {

using Expr = duckdb::unique_ptr<duckdb::Expression>;
using duckdb::BoundColumnRefExpression;

class Mover {
 public:
  explicit Mover(duckdb::LogicalProjection& below) : below_(below) {}

  // `value` is a column of what lies below, or a default.
  void Move(Expr& value) {
    if (value->GetExpressionClass() != duckdb::ExpressionClass::BOUND_COLUMN_REF) return;
    const auto& binding = value->Cast<BoundColumnRefExpression>().binding;
    if (binding.table_index != below_.table_index) return;
    Expr& column = below_.expressions[binding.column_index];
    if (column->GetExpressionClass() == duckdb::ExpressionClass::BOUND_COLUMN_REF) return;
    Expr moved = std::move(column);
    column = duckdb::make_uniq<duckdb::BoundConstantExpression>(duckdb::Value(moved->return_type));
    PassThrough(moved);
    value = std::move(moved);
  }

 private:
  void PassThrough(Expr& expr) {
    if (expr->GetExpressionClass() != duckdb::ExpressionClass::BOUND_COLUMN_REF) {
      duckdb::ExpressionIterator::EnumerateChildren(*expr,
                                                    [this](Expr& child) { PassThrough(child); });
      return;
    }
    const duckdb::ColumnBinding to(below_.table_index, below_.expressions.size());
    const duckdb::LogicalType type = expr->return_type;
    below_.expressions.push_back(std::move(expr));
    expr = duckdb::make_uniq<BoundColumnRefExpression>(type, to);
  }

  duckdb::LogicalProjection& below_;
};

}  // namespace

void ComputeInActions(duckdb::LogicalOperator& plan) {
  if (plan.type != duckdb::LogicalOperatorType::LOGICAL_MERGE_INTO) return;
  auto& merge = plan.Cast<duckdb::LogicalMergeInto>();
  Mover mover(merge.children[0]->Cast<duckdb::LogicalProjection>());
  for (auto& [condition, actions] : merge.actions) {
    (void)condition;
    for (auto& action : actions) {
      for (Expr& value : action->expressions) mover.Move(value);
    }
  }
}

}  // namespace omendb::duck
