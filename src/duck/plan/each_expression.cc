#include "duck/plan/each_expression.h"

#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/logical_operator_visitor.hpp"

namespace omendb::duck {

using Expression = duckdb::unique_ptr<duckdb::Expression>;

void EachExpression(Expression& root, const ExpressionVisit& visit) {
  duckdb::ExpressionIterator::EnumerateChildren(
      *root, [&](Expression& child) { EachExpression(child, visit); });
  visit(root);
}

void EachExpression(duckdb::LogicalOperator& plan, const ExpressionVisit& visit) {
  for (auto& child : plan.children) EachExpression(*child, visit);
  duckdb::LogicalOperatorVisitor::EnumerateExpressions(
      plan, [&](Expression* root) { EachExpression(*root, visit); });
}

}  // namespace omendb::duck
