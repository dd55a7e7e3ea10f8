// expression.h - the expressions the row executor evaluates itself. A bound plan with anything else
// in it is left to DuckDB, so this set can stay small and must agree with DuckDB's to the letter.
//
// Thread safety  Immutable once built; Evaluate may run on any number of threads.
// Errors         Those of PostgreSQL: 22003, 22012, 22P02, ... from types/casts and arithmetic.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "engine/database.h"
#include "types/value.h"

namespace omendb::exec {

enum class Op : uint8_t {
  kConstant,   // `constant`
  kParameter,  // params[index], already of `type`
  kColumn,     // row[index]: index into the plan's list of columns read
  kExcluded,   // excluded[index]: the row proposed by INSERT ... ON CONFLICT DO UPDATE
  kCast,       // children[0] to `type` (explicit or assignment as `cast_is_assignment` says)
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kNegate,
  kConcat,  // text || text
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kIsDistinctFrom,
  kIsNotDistinctFrom,
  kAnd,
  kOr,
  kNot,
  kIsNull,
  kIsNotNull,
  kIn,  // children[0] = any of the others
  kCoalesce,
  kCase,       // when, then, when, then, ..., else
  kNow,        // start of the transaction: timestamptz, or what `type` says
  kNextValue,  // `sequence`
};

struct Expression {
  Op op = Op::kConstant;
  types::SqlType type;
  types::Value constant = types::Value::Null();
  std::shared_ptr<const std::string> constant_bytes;  // owns `constant` when it is a string
  uint32_t index = 0;
  bool cast_is_assignment = false;
  Oid sequence;
  std::vector<Expression> children;
};

struct EvalContext {
  engine::StatementContext* statement = nullptr;
  engine::Database* database = nullptr;
  std::span<const types::Value> params;
  std::span<const types::Value> row;
  std::span<const types::Value> excluded;
  types::Arena* arena = nullptr;  // owns new strings
  // How many rows may still be visited: beyond, the statement is DuckDB's business after all.
  int64_t visits_left = INT64_MAX;

  Status CountVisit() { return --visits_left >= 0 ? Status::Ok() : TooManyRows(); }
  bool gave_up() const { return visits_left < 0; }

 private:
  static Status TooManyRows();
};

// Of an expression that has to be computed: no constant, parameter or column.
Result<types::Value> Compute(const Expression& expression, EvalContext& context);

// Most expressions of short statements are nothing but a parameter or a column: no call for them.
inline Result<types::Value> Evaluate(const Expression& expression, EvalContext& context) {
  switch (expression.op) {
    case Op::kConstant:
      return expression.constant;
    case Op::kParameter:
      return context.params[expression.index];
    case Op::kColumn:
      return context.row[expression.index];
    default:
      return Compute(expression, context);
  }
}
// True only for boolean true; NULL is false.
Result<bool> EvaluatePredicate(const Expression& expression, EvalContext& context);

}  // namespace omendb::exec
