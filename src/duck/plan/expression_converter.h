// expression_converter.h - DuckDB's bound expressions as exec::Expression, where both mean the
// same.
//
// Thread safety  One thread. A refusal is remembered: refusal() says what could not be converted.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "duckdb.hpp"
#include "duckdb/planner/expression.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "exec/expression.h"

namespace omendb::duck {

class SessionState;

class ExpressionConverter {
 public:
  // Answers the expression for a column of the plan, or nullopt when it has none.
  using ColumnResolver =
      std::function<std::optional<exec::Expression>(const duckdb::BoundColumnRefExpression&)>;
  // For BoundReferenceExpression (CHECK constraints, ON CONFLICT).
  using ReferenceResolver = std::function<std::optional<exec::Expression>(duckdb::idx_t index)>;

  ExpressionConverter(duckdb::ClientContext& context, SessionState& state, ColumnResolver columns)
      : context_(context), state_(state), columns_(std::move(columns)) {}
  void set_references(ReferenceResolver references) { references_ = std::move(references); }

  std::optional<exec::Expression> Convert(const duckdb::Expression& expr);
  const std::string& refusal() const { return refusal_; }

  // `expression` made to be of exactly `type`, as an assignment to a column is.
  static exec::Expression Assign(exec::Expression expression, const types::SqlType& type);
  static exec::Expression Constant(const types::SqlType& type, const types::Value& value);

 private:
  static void CompareAsChar(std::vector<exec::Expression>& operands);
  std::optional<exec::Expression> Refuse(std::string reason);
  std::optional<exec::Expression> Fold(const duckdb::Expression& expr);
  std::optional<exec::Expression> ConvertCast(const duckdb::Expression& expr);
  std::optional<exec::Expression> ConvertFunction(const duckdb::Expression& expr);
  std::optional<exec::Expression> ConvertOperator(const duckdb::Expression& expr);
  std::optional<exec::Expression> ConvertBetween(const duckdb::Expression& expr);
  std::optional<exec::Expression> ConvertCase(const duckdb::Expression& expr);
  std::optional<exec::Expression> ConvertNextValue(const duckdb::Expression& argument);
  bool AddChild(exec::Expression& parent, const duckdb::Expression& child);

  duckdb::ClientContext& context_;
  SessionState& state_;
  ColumnResolver columns_;
  ReferenceResolver references_;
  std::string refusal_;
};

}  // namespace omendb::duck
