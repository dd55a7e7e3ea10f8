#include "duck/plan/repeatable.h"

#include "duck/scan/table_scan.h"
#include "duckdb/common/type_visitor.hpp"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/logical_operator_visitor.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "types/time_words.h"

namespace omendb::duck {
namespace {

using duckdb::LogicalOperatorType;

// A constant tells, anything else may say 'now'.
bool IsTimeOfText(const duckdb::Expression& expression) {
  if (expression.GetExpressionClass() != duckdb::ExpressionClass::BOUND_CAST) return false;
  const auto& cast = expression.Cast<duckdb::BoundCastExpression>();
  const auto is_text = [](const duckdb::LogicalType& type) {
    return type.id() == duckdb::LogicalTypeId::VARCHAR;
  };
  const auto is_time = [](const duckdb::LogicalType& type) { return type.IsTemporal(); };
  if (!duckdb::TypeVisitor::Contains(cast.child->return_type, is_text) ||
      !duckdb::TypeVisitor::Contains(cast.return_type, is_time)) {
    return false;
  }
  if (cast.child->GetExpressionClass() != duckdb::ExpressionClass::BOUND_CONSTANT) return true;
  return types::MayNameTheTime(
      cast.child->Cast<duckdb::BoundConstantExpression>().value.ToString());
}

class Checker : public duckdb::LogicalOperatorVisitor {
 public:
  bool repeatable() const { return repeatable_ && reads_table_; }

  void VisitOperator(duckdb::LogicalOperator& op) override {
    if (!IsKnown(op)) repeatable_ = false;
    if (op.type == LogicalOperatorType::LOGICAL_GET) reads_table_ = true;
    duckdb::LogicalOperatorVisitor::VisitOperator(op);
  }
  void VisitExpression(duckdb::unique_ptr<duckdb::Expression>* expression) override {
    Look(**expression);
  }

 private:
  // Those that SELECTs over tables are made of.
  static bool IsKnown(const duckdb::LogicalOperator& op) {
    switch (op.type) {
      case LogicalOperatorType::LOGICAL_GET:
        return op.Cast<duckdb::LogicalGet>().function.name == TableScanFunction().name;
      case LogicalOperatorType::LOGICAL_PROJECTION:
      case LogicalOperatorType::LOGICAL_FILTER:
      case LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY:
      case LogicalOperatorType::LOGICAL_LIMIT:
      case LogicalOperatorType::LOGICAL_ORDER_BY:
      case LogicalOperatorType::LOGICAL_TOP_N:
      case LogicalOperatorType::LOGICAL_DISTINCT:
      case LogicalOperatorType::LOGICAL_WINDOW:
      case LogicalOperatorType::LOGICAL_COMPARISON_JOIN:
      case LogicalOperatorType::LOGICAL_ANY_JOIN:
      case LogicalOperatorType::LOGICAL_CROSS_PRODUCT:
      case LogicalOperatorType::LOGICAL_DELIM_JOIN:
      case LogicalOperatorType::LOGICAL_DELIM_GET:
      case LogicalOperatorType::LOGICAL_DEPENDENT_JOIN:
      case LogicalOperatorType::LOGICAL_DUMMY_SCAN:
      case LogicalOperatorType::LOGICAL_EXPRESSION_GET:
      case LogicalOperatorType::LOGICAL_UNION:
      case LogicalOperatorType::LOGICAL_EXCEPT:
      case LogicalOperatorType::LOGICAL_INTERSECT:
        return true;
      default:
        return false;
    }
  }

  void Look(const duckdb::Expression& expression) {
    if (expression.GetExpressionClass() == duckdb::ExpressionClass::BOUND_FUNCTION &&
        expression.Cast<duckdb::BoundFunctionExpression>().function.stability !=
            duckdb::FunctionStability::CONSISTENT) {
      repeatable_ = false;
    }
    if (expression.IsVolatile() || IsTimeOfText(expression)) repeatable_ = false;
    duckdb::ExpressionIterator::EnumerateChildren(
        expression, [this](const duckdb::Expression& child) { Look(child); });
  }

  bool repeatable_ = true;
  bool reads_table_ = false;
};

}  // namespace

bool MayReadTheTime(const duckdb::Expression& expression) {
  bool found = IsTimeOfText(expression);
  duckdb::ExpressionIterator::EnumerateChildren(
      expression, [&](const duckdb::Expression& child) { found = found || MayReadTheTime(child); });
  return found;
}

bool IsRepeatable(duckdb::LogicalOperator& plan, const std::string& sql) {
  if (types::MayNameTheTime(sql)) return false;
  Checker checker;
  checker.VisitOperator(plan);
  return checker.repeatable();
}

}  // namespace omendb::duck
