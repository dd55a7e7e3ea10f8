#include "duck/plan/char_padding.h"

#include <algorithm>

#include "duck/functions/char_type.h"
#include "duck/functions/wrap.h"
#include "duck/logical_types.h"
#include "duck/plan/each_expression.h"
#include "duckdb/planner/expression/list.hpp"

namespace omendb::duck {

namespace {

using Expression = duckdb::unique_ptr<duckdb::Expression>;

// As the rewriter and DuckDB's parser call PostgreSQL's operators; their first argument is padded.
constexpr std::string_view kSeesPadding[] = {
    "~~",
    "!~~",
    "~~*",
    "!~~*",
    "like_escape",
    "ilike_escape",
    "not_like_escape",
    "not_ilike_escape",
    "regexp_matches",
    "regexp_full_match",
    "omendb_regex_match",
    "octet_length",
};

bool SeesPadding(const std::string& name) {
  return std::find(std::begin(kSeesPadding), std::end(kSeesPadding), name) !=
         std::end(kSeesPadding);
}

// What MarkExplicitCast calls a cast.
constexpr const char* kExplicitCast = "omen explicit cast";

void PadOperand(duckdb::ClientContext& context, duckdb::Expression& expr) {
  if (expr.GetExpressionClass() != duckdb::ExpressionClass::BOUND_FUNCTION) return;
  auto& function = expr.Cast<duckdb::BoundFunctionExpression>();
  if (!SeesPadding(function.function.name) || function.children.empty()) return;
  Expression& operand = function.children[0];
  if (operand->GetExpressionClass() != duckdb::ExpressionClass::BOUND_CAST) return;
  auto& cast = operand->Cast<duckdb::BoundCastExpression>();
  if (!IsBpchar(cast.child->return_type) || cast.GetAlias() == kExplicitCast) return;
  Expression padded = std::move(cast.child);
  WrapInFunction(context, kCharPad, padded);
  operand = std::move(padded);
}

}  // namespace

void MarkExplicitCast(duckdb::FunctionExpression& function) {
  if (!SeesPadding(function.function_name) || function.children.empty()) return;
  auto& operand = function.children[0];
  if (operand->GetExpressionClass() == duckdb::ExpressionClass::CAST) {
    operand->SetAlias(kExplicitCast);
  }
}

void PadCharOperands(duckdb::ClientContext& context, duckdb::LogicalOperator& plan) {
  EachExpression(plan, [&](Expression& expr) { PadOperand(context, *expr); });
}

}  // namespace omendb::duck
