#include "duck/plan/time_constants.h"

#include "duck/logical_types.h"
#include "duck/plan/each_expression.h"
#include "duck/session_state.h"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "types/text_io.h"
#include "types/time_words.h"

namespace omendb::duck {

namespace {

using Expression = duckdb::unique_ptr<duckdb::Expression>;

void ReadTimeWord(Expression& expr, const types::IoSettings& io) {
  if (expr->GetExpressionClass() != duckdb::ExpressionClass::BOUND_CAST) return;
  const auto& cast = expr->Cast<duckdb::BoundCastExpression>();
  if (cast.child->GetExpressionClass() != duckdb::ExpressionClass::BOUND_CONSTANT) return;
  const duckdb::Value& text = cast.child->Cast<duckdb::BoundConstantExpression>().value;
  if (text.IsNull() || text.type().id() != duckdb::LogicalTypeId::VARCHAR) return;
  const types::SqlType type = ToSqlType(expr->return_type);
  if (type.is_array || !types::IsDateOrTime(type.kind)) return;
  if (!types::MayNameTheTime(text.ToString())) return;
  types::Arena arena;
  const auto value = types::ParseText(type, text.ToString(), arena, io);
  if (!value.ok()) return;
  const std::string alias = expr->GetAlias();
  expr = duckdb::make_uniq<duckdb::BoundConstantExpression>(ToDuckValue(type, *value));
  expr->SetAlias(alias);
}

}  // namespace

void ReadTimeWords(SessionState& state, duckdb::LogicalOperator& plan) {
  types::IoSettings io = state.io_settings();
  io.now_micros = state.analyzed_micros;
  EachExpression(plan, [&](Expression& expr) { ReadTimeWord(expr, io); });
}

}  // namespace omendb::duck
