#include "duck/plan/expression_converter.h"

#include <algorithm>

#include "duck/functions/numeric_type.h"
#include "duck/functions/sequence_name.h"
#include "duck/logical_types.h"
#include "duck/plan/repeatable.h"
#include "duck/plan/statement_rewrite.h"
#include "duck/session_state.h"
#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/planner/expression/list.hpp"

namespace omendb::duck {

namespace {

using exec::Expression;
using exec::Op;
using types::TypeKind;

std::optional<Op> ComparisonOp(duckdb::ExpressionType type) {
  switch (type) {
    case duckdb::ExpressionType::COMPARE_EQUAL:
      return Op::kEqual;
    case duckdb::ExpressionType::COMPARE_NOTEQUAL:
      return Op::kNotEqual;
    case duckdb::ExpressionType::COMPARE_LESSTHAN:
      return Op::kLess;
    case duckdb::ExpressionType::COMPARE_LESSTHANOREQUALTO:
      return Op::kLessEqual;
    case duckdb::ExpressionType::COMPARE_GREATERTHAN:
      return Op::kGreater;
    case duckdb::ExpressionType::COMPARE_GREATERTHANOREQUALTO:
      return Op::kGreaterEqual;
    case duckdb::ExpressionType::COMPARE_DISTINCT_FROM:
      return Op::kIsDistinctFrom;
    case duckdb::ExpressionType::COMPARE_NOT_DISTINCT_FROM:
      return Op::kIsNotDistinctFrom;
    default:
      return std::nullopt;
  }
}

std::optional<Op> ArithmeticFunction(const std::string& name) {
  if (name == "+" || name == "add") return Op::kAdd;
  if (name == "-" || name == "subtract") return Op::kSubtract;
  if (name == "*" || name == "multiply") return Op::kMultiply;
  if (name == "/" || name == "divide") return Op::kDivide;
  if (name == "%" || name == "mod") return Op::kModulo;
  return std::nullopt;
}

bool IsInteger(const types::SqlType& type) {
  return !type.is_array && (type.kind == TypeKind::kInt2 || type.kind == TypeKind::kInt4 ||
                            type.kind == TypeKind::kInt8);
}
bool IsFloat(const types::SqlType& type) {
  return !type.is_array && (type.kind == TypeKind::kFloat4 || type.kind == TypeKind::kFloat8);
}

// Numerics without precision among themselves; with one, where the result has all decimal places.
bool SameNumericArithmetic(const Expression& expression) {
  if (expression.children.size() != 2) return false;
  const types::SqlType& left = expression.children[0].type;
  const types::SqlType& right = expression.children[1].type;
  if (left.kind != TypeKind::kNumeric || right.kind != TypeKind::kNumeric) return false;
  if (left.is_array || right.is_array || left.numeric_legacy() || right.numeric_legacy()) {
    return false;
  }
  if (expression.type.numeric_unconstrained()) {
    return left.numeric_unconstrained() && right.numeric_unconstrained();
  }
  if (left.numeric_unconstrained() || right.numeric_unconstrained()) return false;
  const int scale = expression.type.numeric_scale();
  switch (expression.op) {
    case Op::kAdd:
    case Op::kSubtract:
      return scale == std::max(left.numeric_scale(), right.numeric_scale());
    case Op::kMultiply:
      return scale == left.numeric_scale() + right.numeric_scale();
    default:
      return false;
  }
}

// Arithmetic that both executors do alike: integers and floats of one type, whose result has it
// too; numerics.
bool SameArithmetic(const Expression& expression) {
  const types::SqlType& type = expression.type;
  if (type.kind == TypeKind::kNumeric && !type.is_array) return SameNumericArithmetic(expression);
  if (!IsInteger(type) && !IsFloat(type)) return false;
  for (const Expression& child : expression.children) {
    if (child.type.kind != type.kind || child.type.is_array) return false;
  }
  return !(IsFloat(type) && expression.op == Op::kModulo);
}

bool IsNumeric(const types::SqlType& type) {
  return IsInteger(type) || IsFloat(type) || (type.kind == TypeKind::kNumeric && !type.is_array);
}

// Casts between which DuckDB's answer and types/casts' are one: widening and narrowing of integers,
// numbers to wider ones, dates to timestamps, and the text types among themselves.
bool SameCast(const types::SqlType& from, const types::SqlType& to) {
  if (from.is_array || to.is_array) return from == to;
  if (from.kind == to.kind && from.kind != TypeKind::kNumeric) return true;
  if (IsInteger(from) && IsNumeric(to)) return true;
  if (from.kind == TypeKind::kNumeric && to.kind == TypeKind::kNumeric) return true;
  if (from.kind == TypeKind::kFloat4 && to.kind == TypeKind::kFloat8) return true;
  if (from.is_string() && to.is_string()) return true;
  if (from.kind == TypeKind::kDate && to.kind == TypeKind::kTimestamp) return true;
  return false;
}

bool IsStringLike(const types::SqlType& type) {
  return !type.is_array && (type.is_string() || type.kind == TypeKind::kBpchar);
}

bool Comparable(const types::SqlType& left, const types::SqlType& right) {
  if (left.is_array || right.is_array) return false;
  if (left.kind == TypeKind::kJson || left.kind == TypeKind::kJsonb) return false;
  if (left.kind == TypeKind::kBpchar || right.kind == TypeKind::kBpchar) {
    return left.kind == right.kind;
  }
  if (IsStringLike(left) && IsStringLike(right)) return true;
  if (left.kind != right.kind) return false;
  if (left.kind == TypeKind::kNumeric) {
    return left.numeric_scale() == right.numeric_scale() &&
           types::PhysicalTypeOf(left) == types::PhysicalTypeOf(right);
  }
  return true;
}

// CASE and COALESCE over char(n): DuckDB pads all branches to one length, here each has its own.
bool SameCharType(const Expression& expression) {
  if (expression.type.kind != TypeKind::kBpchar) return true;
  const size_t step = expression.op == Op::kCase ? 2 : 1;
  for (size_t i = step - 1; i < expression.children.size(); i += step) {
    if (expression.children[i].type != expression.type) return false;
  }
  return expression.children.back().type == expression.type;
}

}  // namespace

// char(n) compares without its blanks on both sides.
void ExpressionConverter::CompareAsChar(std::vector<Expression>& operands) {
  const auto is_char = [](const Expression& e) { return e.type.kind == TypeKind::kBpchar; };
  if (std::none_of(operands.begin(), operands.end(), is_char)) return;
  if (!std::all_of(operands.begin(), operands.end(),
                   [](const Expression& e) { return IsStringLike(e.type); })) {
    return;
  }
  for (Expression& operand : operands) {
    if (!is_char(operand)) operand = Assign(std::move(operand), {TypeKind::kBpchar});
  }
}

std::optional<Expression> ExpressionConverter::Refuse(std::string reason) {
  if (refusal_.empty()) refusal_ = std::move(reason);
  return std::nullopt;
}

Expression ExpressionConverter::Constant(const types::SqlType& type, const types::Value& value) {
  Expression result;
  result.op = Op::kConstant;
  result.type = type;
  result.constant = value;
  if (!value.is_null && types::PhysicalTypeOf(type) == types::PhysicalType::kString) {
    result.constant_bytes = std::make_shared<const std::string>(value.str());
    result.constant = types::Value::String(*result.constant_bytes);
  }
  return result;
}

Expression ExpressionConverter::Assign(Expression expression, const types::SqlType& type) {
  if (expression.type == type) return expression;
  if (expression.op == Op::kConstant && expression.constant.is_null) {
    return Constant(type, types::Value::Null());
  }
  Expression cast;
  cast.op = Op::kCast;
  cast.type = type;
  cast.cast_is_assignment = true;
  cast.children.push_back(std::move(expression));
  return cast;
}

bool ExpressionConverter::AddChild(Expression& parent, const duckdb::Expression& child) {
  auto converted = Convert(child);
  if (!converted) return false;
  parent.children.push_back(std::move(*converted));
  return true;
}

std::optional<Expression> ExpressionConverter::Fold(const duckdb::Expression& expr) {
  duckdb::Value value;
  if (!duckdb::ExpressionExecutor::TryEvaluateScalar(context_, expr, value)) {
    return Refuse("a constant expression that fails");
  }
  types::SqlType type = ToSqlType(expr.return_type);
  if (expr.return_type.id() == duckdb::LogicalTypeId::SQLNULL) type = {TypeKind::kText};
  if (ToLogicalType(type) != expr.return_type && !value.IsNull()) {
    return Refuse("a constant of type " + expr.return_type.ToString());
  }
  types::Arena arena;
  const types::Value folded = FromDuckValue(value, type, arena);
  // A length that DuckDB's type names is not yet checked.
  if (type.kind == TypeKind::kBpchar) type.typmod = -1;
  return Constant(type, folded);
}

std::optional<Expression> ExpressionConverter::Convert(const duckdb::Expression& expr) {
  if (expr.GetExpressionClass() == duckdb::ExpressionClass::BOUND_FUNCTION) {
    // Numbers are compared by value here: DuckDB's key of one is the number itself.
    const auto& function = expr.Cast<duckdb::BoundFunctionExpression>();
    if (function.function.name == kNumericKey) return Convert(*function.children[0]);
  }
  if (expr.GetExpressionClass() != duckdb::ExpressionClass::BOUND_PARAMETER && expr.IsFoldable() &&
      !MayReadTheTime(expr) && expr.IsConsistent() && !expr.HasParameter()) {
    return Fold(expr);
  }
  switch (expr.GetExpressionClass()) {
    case duckdb::ExpressionClass::BOUND_COLUMN_REF: {
      auto column = columns_(expr.Cast<duckdb::BoundColumnRefExpression>());
      if (!column) return Refuse("a column from elsewhere");
      return column;
    }
    case duckdb::ExpressionClass::BOUND_REF: {
      if (!references_) return Refuse("a reference");
      auto column = references_(expr.Cast<duckdb::BoundReferenceExpression>().index);
      if (!column) return Refuse("a column from elsewhere");
      return column;
    }
    case duckdb::ExpressionClass::BOUND_PARAMETER: {
      Expression result;
      result.op = Op::kParameter;
      result.type = ToSqlType(expr.return_type);
      if (result.type.kind == TypeKind::kBpchar) result.type.typmod = -1;
      const size_t number =
          ParameterNumber(expr.Cast<duckdb::BoundParameterExpression>().identifier);
      if (number == 0) return Refuse("a named parameter");
      result.index = static_cast<uint32_t>(number - 1);
      return result;
    }
    case duckdb::ExpressionClass::BOUND_COMPARISON: {
      const auto& comparison = expr.Cast<duckdb::BoundComparisonExpression>();
      const auto op = ComparisonOp(expr.GetExpressionType());
      if (!op) return Refuse("a comparison");
      Expression result;
      result.op = *op;
      result.type = {TypeKind::kBool};
      if (!AddChild(result, *comparison.left) || !AddChild(result, *comparison.right)) {
        return std::nullopt;
      }
      CompareAsChar(result.children);
      if (!Comparable(result.children[0].type, result.children[1].type)) {
        return Refuse("a comparison of unlike types");
      }
      return result;
    }
    case duckdb::ExpressionClass::BOUND_CONJUNCTION: {
      Expression result;
      result.op =
          expr.GetExpressionType() == duckdb::ExpressionType::CONJUNCTION_AND ? Op::kAnd : Op::kOr;
      result.type = {TypeKind::kBool};
      for (const auto& child : expr.Cast<duckdb::BoundConjunctionExpression>().children) {
        if (!AddChild(result, *child)) return std::nullopt;
      }
      return result;
    }
    case duckdb::ExpressionClass::BOUND_OPERATOR:
      return ConvertOperator(expr);
    case duckdb::ExpressionClass::BOUND_BETWEEN:
      return ConvertBetween(expr);
    case duckdb::ExpressionClass::BOUND_CASE:
      return ConvertCase(expr);
    case duckdb::ExpressionClass::BOUND_CAST:
      return ConvertCast(expr);
    case duckdb::ExpressionClass::BOUND_FUNCTION:
      return ConvertFunction(expr);
    default:
      return Refuse("an expression: " + expr.GetName());
  }
}

std::optional<Expression> ExpressionConverter::ConvertCast(const duckdb::Expression& expr) {
  const auto& cast = expr.Cast<duckdb::BoundCastExpression>();
  if (cast.try_cast) return Refuse("TRY_CAST");
  Expression result;
  result.op = Op::kCast;
  result.type = ToSqlType(expr.return_type);
  if (!AddChild(result, *cast.child)) return std::nullopt;
  // The start of the transaction is made in the type that is asked for.
  if (result.children[0].op == Op::kNow &&
      (result.type.kind == TypeKind::kTimestamp || result.type.kind == TypeKind::kDate)) {
    result.children[0].type = result.type;
    return std::move(result.children[0]);
  }
  const types::SqlType& from = result.children[0].type;
  if (from.kind == TypeKind::kBpchar && result.type.kind == TypeKind::kText) return result;
  if (!SameCast(from, result.type)) {
    return Refuse("a cast from " + types::FormatType(from) + " to " +
                  types::FormatType(result.type));
  }
  if (from.is_string() && result.type.is_string()) {
    Expression child = std::move(result.children[0]);
    return child;
  }
  return result;
}

std::optional<Expression> ExpressionConverter::ConvertOperator(const duckdb::Expression& expr) {
  const auto& children = expr.Cast<duckdb::BoundOperatorExpression>().children;
  Expression result;
  result.type = ToSqlType(expr.return_type);
  switch (expr.GetExpressionType()) {
    case duckdb::ExpressionType::OPERATOR_NOT:
      result.op = Op::kNot;
      break;
    case duckdb::ExpressionType::OPERATOR_IS_NULL:
      result.op = Op::kIsNull;
      break;
    case duckdb::ExpressionType::OPERATOR_IS_NOT_NULL:
      result.op = Op::kIsNotNull;
      break;
    case duckdb::ExpressionType::OPERATOR_COALESCE:
      result.op = Op::kCoalesce;
      break;
    case duckdb::ExpressionType::COMPARE_IN:
    case duckdb::ExpressionType::COMPARE_NOT_IN:
      result.op = Op::kIn;
      break;
    default:
      return Refuse("operator " + expr.GetName());
  }
  for (const auto& child : children) {
    if (!AddChild(result, *child)) return std::nullopt;
  }
  if (!SameCharType(result)) return Refuse("char(n) beside another type");
  if (result.op == Op::kIn) {
    CompareAsChar(result.children);
    for (size_t i = 1; i < result.children.size(); ++i) {
      if (!Comparable(result.children[0].type, result.children[i].type)) {
        return Refuse("IN over unlike types");
      }
    }
  }
  if (expr.GetExpressionType() == duckdb::ExpressionType::COMPARE_NOT_IN) {
    Expression negated;
    negated.op = Op::kNot;
    negated.type = {TypeKind::kBool};
    negated.children.push_back(std::move(result));
    return negated;
  }
  return result;
}

std::optional<Expression> ExpressionConverter::ConvertBetween(const duckdb::Expression& expr) {
  const auto& between = expr.Cast<duckdb::BoundBetweenExpression>();
  Expression result;
  result.op = Op::kAnd;
  result.type = {TypeKind::kBool};
  const struct {
    const duckdb::Expression& bound;
    Op op;
  } sides[] = {
      {*between.lower, between.lower_inclusive ? Op::kGreaterEqual : Op::kGreater},
      {*between.upper, between.upper_inclusive ? Op::kLessEqual : Op::kLess},
  };
  for (const auto& side : sides) {
    Expression comparison;
    comparison.op = side.op;
    comparison.type = {TypeKind::kBool};
    if (!AddChild(comparison, *between.input) || !AddChild(comparison, side.bound)) {
      return std::nullopt;
    }
    CompareAsChar(comparison.children);
    if (!Comparable(comparison.children[0].type, comparison.children[1].type)) {
      return Refuse("BETWEEN over unlike types");
    }
    result.children.push_back(std::move(comparison));
  }
  return result;
}

std::optional<Expression> ExpressionConverter::ConvertCase(const duckdb::Expression& expr) {
  const auto& bound = expr.Cast<duckdb::BoundCaseExpression>();
  Expression result;
  result.op = Op::kCase;
  result.type = ToSqlType(expr.return_type);
  for (const auto& check : bound.case_checks) {
    if (!AddChild(result, *check.when_expr) || !AddChild(result, *check.then_expr)) {
      return std::nullopt;
    }
  }
  if (!AddChild(result, *bound.else_expr)) return std::nullopt;
  if (!SameCharType(result)) return Refuse("char(n) beside another type");
  return result;
}

std::optional<Expression> ExpressionConverter::ConvertNextValue(
    const duckdb::Expression& argument) {
  auto name = Convert(argument);
  if (!name || name->op != Op::kConstant || name->constant.is_null) {
    return Refuse("nextval of no constant");
  }
  auto sequence = FindSequence(state_, name->type, name->constant);
  if (!sequence.ok()) return Refuse("nextval of an unknown sequence");
  Expression result;
  result.op = Op::kNextValue;
  result.type = {TypeKind::kInt8};
  result.sequence = (*sequence)->oid;
  return result;
}

std::optional<Expression> ExpressionConverter::ConvertFunction(const duckdb::Expression& expr) {
  const auto& function = expr.Cast<duckdb::BoundFunctionExpression>();
  const std::string& name = function.function.name;
  if (name == "nextval" && function.children.size() == 1) {
    return ConvertNextValue(*function.children[0]);
  }
  Expression result;
  result.type = ToSqlType(expr.return_type);
  if (name == "now" || name == "transaction_timestamp" || name == "get_current_timestamp" ||
      name == "current_localtimestamp") {
    if (!function.children.empty()) return Refuse("function " + name);
    result.op = Op::kNow;
    return result;
  }
  if (name == "||" && expr.return_type.id() == duckdb::LogicalTypeId::VARCHAR &&
      function.children.size() == 2) {
    result.op = Op::kConcat;
    for (const auto& child : function.children) {
      if (!AddChild(result, *child)) return std::nullopt;
      if (!result.children.back().type.is_string() || result.children.back().type.is_array) {
        return Refuse("|| of other than text");
      }
    }
    return result;
  }
  const auto op = ArithmeticFunction(name);
  if (!op) return Refuse("function " + name);
  result.op = *op;
  if (function.children.size() == 1 && *op == Op::kSubtract) result.op = Op::kNegate;
  for (const auto& child : function.children) {
    if (!AddChild(result, *child)) return std::nullopt;
  }
  if ((function.children.size() == 1 && result.op != Op::kNegate) || !SameArithmetic(result)) {
    return Refuse("arithmetic on these types");
  }
  return result;
}

}  // namespace omendb::duck
