#include "duck/plan/time_constants.h"

#include "duck/logical_types.h"
#include "duck/session_state.h"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression_iterator.hpp"
#include "duckdb/planner/logical_operator_visitor.hpp"
#include "types/text_io.h"
#include "types/time_words.h"

namespace omendb::duck {

namespace {

using Expression = duckdb::unique_ptr<duckdb::Expression>;

bool IsTime(const types::SqlType& type) {
  return !type.is_array &&
         (type.kind == types::TypeKind::kDate || type.kind == types::TypeKind::kTime ||
          type.kind == types::TypeKind::kTimestamp || type.kind == types::TypeKind::kTimestampTz);
}

class Reader : public duckdb::LogicalOperatorVisitor {
 public:
  explicit Reader(const SessionState& state) : io_(state.io_settings()) {
    io_.now_micros = state.analyzed_micros;
  }

  void VisitExpression(Expression* expression) override { Visit(*expression); }

 private:
  void Visit(Expression& expr) {
    duckdb::ExpressionIterator::EnumerateChildren(*expr,
                                                  [this](Expression& child) { Visit(child); });
    if (expr->GetExpressionClass() != duckdb::ExpressionClass::BOUND_CAST) return;
    const auto& cast = expr->Cast<duckdb::BoundCastExpression>();
    if (cast.child->GetExpressionClass() != duckdb::ExpressionClass::BOUND_CONSTANT) return;
    const duckdb::Value& text = cast.child->Cast<duckdb::BoundConstantExpression>().value;
    if (text.IsNull() || text.type().id() != duckdb::LogicalTypeId::VARCHAR) return;
    const types::SqlType type = ToSqlType(expr->return_type);
    if (!IsTime(type) || !types::MayNameTheTime(text.ToString())) return;
    types::Arena arena;
    const auto value = types::ParseText(type, text.ToString(), arena, io_);
    if (!value.ok()) return;
    const std::string alias = expr->GetAlias();
    expr = duckdb::make_uniq<duckdb::BoundConstantExpression>(ToDuckValue(type, *value));
    expr->SetAlias(alias);
  }

  types::IoSettings io_;
};

}  // namespace

void ReadTimeWords(SessionState& state, duckdb::LogicalOperator& plan) {
  Reader(state).VisitOperator(plan);
}

}  // namespace omendb::duck
