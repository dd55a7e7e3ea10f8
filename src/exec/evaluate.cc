#include "base/sqlstate.h"
#include "exec/expression.h"
#include "types/arithmetic.h"
#include "types/casts.h"

namespace omendb::exec {
namespace {

using types::SqlType;
using types::TypeKind;
using types::Value;

const types::IoSettings& Settings(const EvalContext& context) {
  static const types::IoSettings defaults;
  const types::IoSettings* settings = context.statement->io_settings;
  return settings != nullptr ? *settings : defaults;
}

types::ArithmeticOp ArithmeticOpOf(Op op) {
  switch (op) {
    case Op::kAdd:
      return types::ArithmeticOp::kAdd;
    case Op::kSubtract:
      return types::ArithmeticOp::kSubtract;
    case Op::kMultiply:
      return types::ArithmeticOp::kMultiply;
    case Op::kDivide:
      return types::ArithmeticOp::kDivide;
    default:
      return types::ArithmeticOp::kModulo;
  }
}

// Integer addition and subtraction of one width: nearly every UPDATE ... SET n = n + 1.
bool TryFastInteger(const Expression& e, const Value& a, const Value& b, Value& result) {
  const SqlType& left = e.children[0].type;
  if (left.kind != e.children[1].type.kind || left.kind != e.type.kind) return false;
  if (e.op != Op::kAdd && e.op != Op::kSubtract) return false;
  if (left.kind == TypeKind::kInt4) {
    int32_t sum = 0;
    const bool overflow = e.op == Op::kAdd ? __builtin_add_overflow(a.i32, b.i32, &sum)
                                           : __builtin_sub_overflow(a.i32, b.i32, &sum);
    result = Value::Int32(sum);
    return !overflow;
  }
  if (left.kind == TypeKind::kInt8) {
    int64_t sum = 0;
    const bool overflow = e.op == Op::kAdd ? __builtin_add_overflow(a.i64, b.i64, &sum)
                                           : __builtin_sub_overflow(a.i64, b.i64, &sum);
    result = Value::Int64(sum);
    return !overflow;
  }
  return false;
}

Result<Value> EvaluateArithmetic(const Expression& e, EvalContext& context) {
  OMEN_ASSIGN(const Value a, Evaluate(e.children[0], context));
  OMEN_ASSIGN(const Value b, Evaluate(e.children[1], context));
  if (a.is_null || b.is_null) return Value::Null();
  Value fast = Value::Null();
  if (TryFastInteger(e, a, b, fast)) return fast;
  const SqlType& left = e.children[0].type;
  const SqlType& right = e.children[1].type;
  const types::ArithmeticOp op = ArithmeticOpOf(e.op);
  if (e.type.numeric_unconstrained()) {  // So are both operands.
    std::string bytes;
    OMEN_TRY(types::UnconstrainedArithmetic(op, a.str(), b.str(), bytes));
    return Value::String(context.arena->Copy(bytes));
  }
  OMEN_ASSIGN(const SqlType natural, types::ArithmeticType(op, left, right));
  OMEN_ASSIGN(const Value v, types::Arithmetic(op, left, a, right, b, Settings(context)));
  if (natural == e.type) return v;
  return types::CastValue(natural, e.type, v, *context.arena, types::CastContext::kExplicit,
                          Settings(context));
}

Result<Value> EvaluateComparison(const Expression& e, EvalContext& context) {
  OMEN_ASSIGN(const Value a, Evaluate(e.children[0], context));
  OMEN_ASSIGN(const Value b, Evaluate(e.children[1], context));
  const bool distinct_form = e.op == Op::kIsDistinctFrom || e.op == Op::kIsNotDistinctFrom;
  if (a.is_null || b.is_null) {
    if (!distinct_form) return Value::Null();
    return Value::Bool((a.is_null != b.is_null) == (e.op == Op::kIsDistinctFrom));
  }
  const int order = types::Compare(e.children[0].type, a, b);
  switch (e.op) {
    case Op::kEqual:
    case Op::kIsNotDistinctFrom:
      return Value::Bool(order == 0);
    case Op::kNotEqual:
    case Op::kIsDistinctFrom:
      return Value::Bool(order != 0);
    case Op::kLess:
      return Value::Bool(order < 0);
    case Op::kLessEqual:
      return Value::Bool(order <= 0);
    case Op::kGreater:
      return Value::Bool(order > 0);
    default:
      return Value::Bool(order >= 0);
  }
}

// Three-valued AND and OR over any number of children; the deciding value is false for AND.
Result<Value> EvaluateJunction(const Expression& e, EvalContext& context) {
  const bool deciding = e.op == Op::kOr;
  bool unknown = false;
  for (const Expression& child : e.children) {
    OMEN_ASSIGN(const Value v, Evaluate(child, context));
    if (v.is_null) {
      unknown = true;
    } else if (v.boolean == deciding) {
      return Value::Bool(deciding);
    }
  }
  return unknown ? Value::Null() : Value::Bool(!deciding);
}

Result<Value> EvaluateIn(const Expression& e, EvalContext& context) {
  OMEN_ASSIGN(const Value needle, Evaluate(e.children[0], context));
  if (needle.is_null) return Value::Null();
  bool unknown = false;
  for (size_t i = 1; i < e.children.size(); ++i) {
    OMEN_ASSIGN(const Value v, Evaluate(e.children[i], context));
    if (v.is_null) {
      unknown = true;
    } else if (types::Compare(e.children[0].type, needle, v) == 0) {
      return Value::Bool(true);
    }
  }
  return unknown ? Value::Null() : Value::Bool(false);
}

Result<Value> EvaluateCase(const Expression& e, EvalContext& context) {
  size_t i = 0;
  for (; i + 1 < e.children.size(); i += 2) {
    OMEN_ASSIGN(const bool taken, EvaluatePredicate(e.children[i], context));
    if (taken) return Evaluate(e.children[i + 1], context);
  }
  if (i < e.children.size()) return Evaluate(e.children[i], context);
  return Value::Null();
}

Result<Value> EvaluateCoalesce(const Expression& e, EvalContext& context) {
  for (const Expression& child : e.children) {
    OMEN_ASSIGN(const Value v, Evaluate(child, context));
    if (!v.is_null) return v;
  }
  return Value::Null();
}

Result<Value> EvaluateCast(const Expression& e, EvalContext& context) {
  OMEN_ASSIGN(const Value v, Evaluate(e.children[0], context));
  if (v.is_null) return v;
  const auto cast_context =
      e.cast_is_assignment ? types::CastContext::kAssignment : types::CastContext::kExplicit;
  return types::CastValue(e.children[0].type, e.type, v, *context.arena, cast_context,
                          Settings(context));
}

Result<Value> EvaluateConcat(const Expression& e, EvalContext& context) {
  OMEN_ASSIGN(const Value a, Evaluate(e.children[0], context));
  OMEN_ASSIGN(const Value b, Evaluate(e.children[1], context));
  if (a.is_null || b.is_null) return Value::Null();
  const size_t size = a.text.size + b.text.size;
  char* bytes = context.arena->Allocate(size);
  std::memcpy(bytes, a.text.data, a.text.size);
  std::memcpy(bytes + a.text.size, b.text.data, b.text.size);
  return Value::String({bytes, size});
}

Result<Value> EvaluateNow(const Expression& e, EvalContext& context) {
  const SqlType timestamptz{TypeKind::kTimestampTz};
  const Value now = Value::Int64(context.statement->txn->start_micros());
  if (e.type.kind == TypeKind::kTimestampTz) return now;
  return types::CastValue(timestamptz, e.type, now, *context.arena, types::CastContext::kExplicit,
                          Settings(context));
}

Result<Value> EvaluateNextValue(const Expression& e, EvalContext& context) {
  auto sequence = context.statement->catalog->sequence(e.sequence);
  if (sequence == nullptr) {
    return Status(sqlstate::kUndefinedTable, "sequence of a default does not exist");
  }
  auto* observer = context.statement->sequence_observer;
  if (observer != nullptr) {
    OMEN_TRY(observer->CheckUse(*sequence, engine::SequenceObserver::Access::kNext));
  }
  OMEN_ASSIGN(const int64_t value, context.database->NextValue(*sequence));
  if (observer != nullptr) observer->OnNextValue(e.sequence, value);
  if (e.type.kind == TypeKind::kInt8) return Value::Int64(value);
  return types::CastValue({TypeKind::kInt8}, e.type, Value::Int64(value), *context.arena,
                          types::CastContext::kAssignment, Settings(context));
}

}  // namespace

Status EvalContext::TooManyRows() {
  return Status(sqlstate::kFeatureNotSupported, "more rows than the row executor is for");
}

Result<Value> Compute(const Expression& e, EvalContext& context) {
  switch (e.op) {
    case Op::kConstant:
    case Op::kParameter:
    case Op::kColumn:
      return Evaluate(e, context);
    case Op::kExcluded:
      return context.excluded[e.index];
    case Op::kCast:
      return EvaluateCast(e, context);
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kDivide:
    case Op::kModulo:
      return EvaluateArithmetic(e, context);
    case Op::kNegate: {
      OMEN_ASSIGN(const Value v, Evaluate(e.children[0], context));
      if (v.is_null) return v;
      return types::Negate(e.type, v);
    }
    case Op::kConcat:
      return EvaluateConcat(e, context);
    case Op::kEqual:
    case Op::kNotEqual:
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual:
    case Op::kIsDistinctFrom:
    case Op::kIsNotDistinctFrom:
      return EvaluateComparison(e, context);
    case Op::kAnd:
    case Op::kOr:
      return EvaluateJunction(e, context);
    case Op::kNot: {
      OMEN_ASSIGN(const Value v, Evaluate(e.children[0], context));
      return v.is_null ? v : Value::Bool(!v.boolean);
    }
    case Op::kIsNull:
    case Op::kIsNotNull: {
      OMEN_ASSIGN(const Value v, Evaluate(e.children[0], context));
      return Value::Bool(v.is_null == (e.op == Op::kIsNull));
    }
    case Op::kIn:
      return EvaluateIn(e, context);
    case Op::kCoalesce:
      return EvaluateCoalesce(e, context);
    case Op::kCase:
      return EvaluateCase(e, context);
    case Op::kNow:
      return EvaluateNow(e, context);
    case Op::kNextValue:
      return EvaluateNextValue(e, context);
  }
  return Status(sqlstate::kInternalError, "unknown row expression");
}

Result<bool> EvaluatePredicate(const Expression& e, EvalContext& context) {
  OMEN_ASSIGN(const Value v, Evaluate(e, context));
  return !v.is_null && v.boolean;
}

}  // namespace omendb::exec
