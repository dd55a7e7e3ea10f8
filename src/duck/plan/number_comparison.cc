#include "duck/plan/number_comparison.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/functions/numeric_type.h"
#include "duck/logical_types.h"
#include "duck/plan/each_expression.h"
#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/parser/expression/between_expression.hpp"
#include "duckdb/parser/expression/comparison_expression.hpp"
#include "duckdb/parser/expression/operator_expression.hpp"
#include "duckdb/parser/expression/subquery_expression.hpp"
#include "duckdb/planner/constraints/bound_check_constraint.hpp"
#include "duckdb/planner/expression/list.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/logical_operator_visitor.hpp"
#include "duckdb/planner/operator/logical_comparison_join.hpp"
#include "duckdb/planner/operator/logical_insert.hpp"
#include "duckdb/planner/operator/logical_merge_into.hpp"
#include "duckdb/planner/operator/logical_update.hpp"

namespace omendb::duck {

namespace {

using duckdb::ExpressionClass;
using duckdb::ExpressionType;
using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using Expression = duckdb::unique_ptr<duckdb::Expression>;

constexpr const char* kExplicitCast = "omen compared cast";

void Mark(duckdb::unique_ptr<duckdb::ParsedExpression>& operand) {
  if (operand != nullptr && operand->GetExpressionClass() == ExpressionClass::CAST) {
    operand->SetAlias(kExplicitCast);
  }
}

bool IsFloat(const LogicalType& type) {
  return type.id() == LogicalTypeId::FLOAT || type.id() == LogicalTypeId::DOUBLE;
}

bool IsNumber(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::INTEGER:
    case LogicalTypeId::BIGINT:
    case LogicalTypeId::UINTEGER:
    case LogicalTypeId::UBIGINT:
    case LogicalTypeId::HUGEINT:
    case LogicalTypeId::DECIMAL:
      return true;
    default:
      return IsFloat(type) || IsBigNumeric(type);
  }
}

// The operand as the statement has it: without the casts that the binder added.
Expression& Given(Expression& operand) {
  Expression* given = &operand;
  if (operand->GetExpressionClass() == ExpressionClass::BOUND_FUNCTION) {
    auto& function = operand->Cast<duckdb::BoundFunctionExpression>();
    if (function.function.name == kNumericKey) given = &function.children[0];
  }
  if ((*given)->GetExpressionClass() != ExpressionClass::BOUND_CAST) return *given;
  auto& cast = (*given)->Cast<duckdb::BoundCastExpression>();
  const bool implicit = !cast.try_cast && cast.GetAlias() != kExplicitCast &&
                        IsNumber(cast.return_type) && IsNumber(cast.child->return_type);
  return implicit ? cast.child : *given;
}

bool NamesColumns(const duckdb::Expression& expr) {
  bool found = expr.GetExpressionClass() == ExpressionClass::BOUND_COLUMN_REF ||
               expr.GetExpressionClass() == ExpressionClass::BOUND_REF;
  duckdb::ExpressionIterator::EnumerateChildren(
      expr, [&](const duckdb::Expression& child) { found = found || NamesColumns(child); });
  return found;
}

class Comparer {
 public:
  explicit Comparer(duckdb::ClientContext& context) : context_(context) {}

  void Visit(Expression& root) {
    EachExpression(root, [this](Expression& expr) { Look(expr); });
  }

  void Look(Expression& expr) {
    switch (expr->GetExpressionClass()) {
      case ExpressionClass::BOUND_COMPARISON: {
        auto& comparison = expr->Cast<duckdb::BoundComparisonExpression>();
        Compare(comparison.left, comparison.right, expr->GetExpressionType());
        break;
      }
      case ExpressionClass::BOUND_BETWEEN: {
        auto& between = expr->Cast<duckdb::BoundBetweenExpression>();
        if (!NeedDoubles(between.input, between.lower) &&
            !NeedDoubles(between.input, between.upper)) {
          break;
        }
        for (Expression* operand : {&between.input, &between.lower, &between.upper}) {
          Make(LogicalType::DOUBLE, *operand);
        }
        break;
      }
      case ExpressionClass::BOUND_OPERATOR:
        if (expr->GetExpressionType() == ExpressionType::COMPARE_IN ||
            expr->GetExpressionType() == ExpressionType::COMPARE_NOT_IN) {
          CompareList(expr);
        }
        break;
      default:
        break;
    }
  }

  void Compare(Expression& left, Expression& right, ExpressionType op) {
    if (!NeedDoubles(left, right)) return;
    if (CompareWithConstant(left, right, op) ||
        CompareWithConstant(right, left, duckdb::FlipComparisonExpression(op))) {
      return;
    }
    Make(LogicalType::DOUBLE, left);
    Make(LogicalType::DOUBLE, right);
  }

 private:
  // Whether PostgreSQL compares the two as doubles, and DuckDB as something else.
  static bool NeedDoubles(Expression& left, Expression& right) {
    const LogicalType& a = Given(left)->return_type;
    const LogicalType& b = Given(right)->return_type;
    if (!IsNumber(a) || !IsNumber(b) || left->return_type.id() == LogicalTypeId::DOUBLE) {
      return false;
    }
    const bool as_reals = left->return_type.id() == LogicalTypeId::FLOAT;
    if (!as_reals && !IsFloat(a) && !IsFloat(b)) return false;
    return a.id() != LogicalTypeId::FLOAT || b.id() != LogicalTypeId::FLOAT;
  }

  void Make(const LogicalType& type, Expression& operand) {
    Expression given = std::move(Given(operand));
    operand = duckdb::BoundCastExpression::AddCastToType(context_, std::move(given), type);
    // Rounded to reals, constants of a list may become doubles.
    if (type.id() == LogicalTypeId::FLOAT) operand->SetAlias(kExplicitCast);
  }

  // `real op constant` stays a comparison of reals, which indexes and zones know, with a constant
  // that answers alike.
  bool CompareWithConstant(Expression& real, Expression& constant, ExpressionType op) {
    Expression& given = Given(real);
    if (given->return_type.id() != LogicalTypeId::FLOAT) return false;
    const auto number = ConstantDouble(*Given(constant));
    if (!number) return false;
    const auto equivalent = RealInPlaceOf(*number, op);
    if (!equivalent) return false;
    Expression column = std::move(given);
    real = std::move(column);
    constant =
        duckdb::make_uniq<duckdb::BoundConstantExpression>(duckdb::Value::FLOAT(*equivalent));
    return true;
  }

  std::optional<double> ConstantDouble(const duckdb::Expression& expr) {
    if (!expr.IsFoldable() || expr.HasParameter() || !expr.IsConsistent()) return std::nullopt;
    Expression wide =
        duckdb::BoundCastExpression::AddCastToType(context_, expr.Copy(), LogicalType::DOUBLE);
    duckdb::Value value;
    if (!duckdb::ExpressionExecutor::TryEvaluateScalar(context_, *wide, value) || value.IsNull()) {
      return std::nullopt;
    }
    return value.GetValue<double>();
  }

  static std::optional<float> RealInPlaceOf(double number, ExpressionType op) {
    const auto nearest = static_cast<float>(number);
    if (static_cast<double>(nearest) == number) return nearest;
    if (!std::isfinite(nearest)) return std::nullopt;
    const bool above = static_cast<double>(nearest) > number;
    switch (op) {
      case ExpressionType::COMPARE_LESSTHAN:
      case ExpressionType::COMPARE_GREATERTHANOREQUALTO:
        return above ? nearest : std::nextafter(nearest, HUGE_VALF);
      case ExpressionType::COMPARE_GREATERTHAN:
      case ExpressionType::COMPARE_LESSTHANOREQUALTO:
        return above ? std::nextafter(nearest, -HUGE_VALF) : nearest;
      default:
        return std::nullopt;
    }
  }

  // Items without columns, if they are several, have one type, of which an array is made; each
  // other item is compared alone.
  void CompareList(Expression& in) {
    auto& operands = in->Cast<duckdb::BoundOperatorExpression>().children;
    Expression& left = operands[0];
    if (std::none_of(operands.begin() + 1, operands.end(),
                     [&](Expression& item) { return NeedDoubles(left, item); })) {
      return;
    }
    std::vector<Expression*> constants;
    std::vector<Expression*> others;
    for (size_t i = 1; i < operands.size(); ++i) {
      (NamesColumns(*operands[i]) ? others : constants).push_back(&operands[i]);
    }
    if (constants.size() < 2) others.insert(others.end(), constants.begin(), constants.end());
    if (constants.size() < 2) constants.clear();
    const LogicalTypeId list = ListType(left, constants);
    const bool all_reals = !constants.empty() && list == LogicalTypeId::FLOAT && IsReal(left);
    for (Expression* other : others) {
      const bool alike =
          all_reals ? IsReal(*other)
                    : IsFloat(Given(left)->return_type) || IsFloat(Given(*other)->return_type);
      if (!alike || (list == LogicalTypeId::INVALID && !constants.empty())) {
        ThrowStatus(NotSupported("a list of constants and columns of several types beside a real"));
      }
    }
    if (list == LogicalTypeId::FLOAT) {
      for (Expression* constant : constants) Make(LogicalType::FLOAT, *constant);
    }
    for (Expression& operand : operands)
      Make(all_reals ? LogicalType::FLOAT : LogicalType::DOUBLE, operand);
  }

  static bool IsReal(Expression& operand) {
    return Given(operand)->return_type.id() == LogicalTypeId::FLOAT;
  }

  // The float type that the constants get; INVALID where none of them nor `left` is a float.
  static LogicalTypeId ListType(Expression& left, const std::vector<Expression*>& constants) {
    LogicalTypeId type = LogicalTypeId::INVALID;
    const auto add = [&](Expression& operand) {
      const LogicalType& given = Given(operand)->return_type;
      if (IsFloat(given) && HasOwnType(operand) && type != LogicalTypeId::DOUBLE) type = given.id();
    };
    add(left);
    for (Expression* constant : constants) add(*constant);
    return type;
  }

  // Not so NULL and literals in quotes, which become what the others are.
  static bool HasOwnType(const Expression& operand) {
    if (operand->GetExpressionClass() != ExpressionClass::BOUND_CAST) return true;
    const auto& cast = operand->Cast<duckdb::BoundCastExpression>();
    const LogicalTypeId from = cast.child->return_type.id();
    return cast.GetAlias() == kExplicitCast ||
           (from != LogicalTypeId::VARCHAR && from != LogicalTypeId::SQLNULL);
  }

  duckdb::ClientContext& context_;
};

void CompareInConstraints(Comparer& comparer, BoundConstraints& constraints) {
  for (auto& constraint : constraints) {
    if (constraint->type != duckdb::ConstraintType::CHECK) continue;
    comparer.Visit(constraint->Cast<duckdb::BoundCheckConstraint>().expression);
  }
}

// An INSERT, UPDATE or MERGE.
template <typename Write>
void CompareInWrite(Comparer& comparer, Write& write) {
  CompareInConstraints(comparer, write.bound_constraints);
  for (Expression& value : write.bound_defaults) {
    if (value != nullptr) comparer.Visit(value);
  }
}

void CompareIn(Comparer& comparer, duckdb::LogicalOperator& op) {
  switch (op.type) {
    case duckdb::LogicalOperatorType::LOGICAL_COMPARISON_JOIN:
    case duckdb::LogicalOperatorType::LOGICAL_DELIM_JOIN:
    case duckdb::LogicalOperatorType::LOGICAL_ASOF_JOIN:
      for (auto& condition : op.Cast<duckdb::LogicalComparisonJoin>().conditions) {
        comparer.Compare(condition.left, condition.right, condition.comparison);
      }
      break;
    case duckdb::LogicalOperatorType::LOGICAL_INSERT:
      CompareInWrite(comparer, op.Cast<duckdb::LogicalInsert>());
      break;
    case duckdb::LogicalOperatorType::LOGICAL_UPDATE:
      CompareInWrite(comparer, op.Cast<duckdb::LogicalUpdate>());
      break;
    case duckdb::LogicalOperatorType::LOGICAL_MERGE_INTO:
      CompareInWrite(comparer, op.Cast<duckdb::LogicalMergeInto>());
      break;
    default:
      break;
  }
  duckdb::LogicalOperatorVisitor::EnumerateExpressions(
      op, [&](Expression* expr) { comparer.Visit(*expr); });
  for (auto& child : op.children) CompareIn(comparer, *child);
}

}  // namespace

void MarkComparedCasts(duckdb::ParsedExpression& comparison) {
  switch (comparison.GetExpressionClass()) {
    case ExpressionClass::COMPARISON: {
      auto& compared = comparison.Cast<duckdb::ComparisonExpression>();
      Mark(compared.left);
      Mark(compared.right);
      break;
    }
    case ExpressionClass::BETWEEN: {
      auto& between = comparison.Cast<duckdb::BetweenExpression>();
      for (auto* operand : {&between.input, &between.lower, &between.upper}) Mark(*operand);
      break;
    }
    case ExpressionClass::OPERATOR:
      for (auto& child : comparison.Cast<duckdb::OperatorExpression>().children) Mark(child);
      break;
    case ExpressionClass::SUBQUERY:
      Mark(comparison.Cast<duckdb::SubqueryExpression>().child);
      break;
    default:
      break;
  }
}

void CompareNumbers(duckdb::ClientContext& context, Expression& expr) {
  Comparer(context).Visit(expr);
}

void CompareNumbers(duckdb::ClientContext& context, BoundConstraints& constraints) {
  Comparer comparer(context);
  CompareInConstraints(comparer, constraints);
}

void CompareNumbers(duckdb::ClientContext& context, duckdb::LogicalOperator& plan) {
  Comparer comparer(context);
  CompareIn(comparer, plan);
}

}  // namespace omendb::duck
