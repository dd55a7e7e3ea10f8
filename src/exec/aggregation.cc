#include "exec/aggregation.h"

#include <map>

#include "base/sqlstate.h"
#include "types/big_math.h"
#include "types/numeric.h"

namespace omendb::exec {
namespace {

using types::Int128;
using types::PhysicalType;
using types::Value;

// Orders rows of one list of types; NULLs are equal and last.
struct RowLess {
  const std::vector<Expression>* columns;
  bool operator()(const types::Row& a, const types::Row& b) const {
    for (size_t i = 0; i < a.size(); ++i) {
      if (a[i].is_null && b[i].is_null) continue;
      if (a[i].is_null != b[i].is_null) return b[i].is_null;
      const int order = types::Compare((*columns)[i].type, a[i], b[i]);
      if (order != 0) return order < 0;
    }
    return false;
  }
};

// One aggregate of one group.
struct State {
  int64_t count = 0;
  Int128 sum = 0;
  Value extreme = Value::Null();
};

Status Add(const Aggregate& aggregate, EvalContext& context, State& state) {
  if (aggregate.filter.has_value()) {
    OMEN_ASSIGN(const bool counted, EvaluatePredicate(*aggregate.filter, context));
    if (!counted) return Status::Ok();
  }
  if (aggregate.kind == AggregateKind::kCountAll) {
    ++state.count;
    return Status::Ok();
  }
  OMEN_ASSIGN(const Value value, Evaluate(*aggregate.value, context));
  if (value.is_null) return Status::Ok();
  const types::SqlType& type = aggregate.value->type;
  ++state.count;
  switch (aggregate.kind) {
    case AggregateKind::kSum:
    case AggregateKind::kAverage:
      if (__builtin_add_overflow(state.sum, types::NumericUnits(type, value), &state.sum)) {
        return Status(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
      }
      return Status::Ok();
    case AggregateKind::kMin:
    case AggregateKind::kMax: {
      const bool want_less = aggregate.kind == AggregateKind::kMin;
      if (state.count == 1 || (types::Compare(type, value, state.extreme) < 0) == want_less) {
        state.extreme = value;
      }
      return Status::Ok();
    }
    default:
      return Status::Ok();
  }
}

Result<Value> Finish(const Aggregate& aggregate, EvalContext& context, const State& state) {
  switch (aggregate.kind) {
    case AggregateKind::kCountAll:
    case AggregateKind::kCount:
      return Value::Int64(state.count);
    case AggregateKind::kMin:
    case AggregateKind::kMax:
      return state.extreme;
    default:
      break;
  }
  if (state.count == 0) return Value::Null();
  if (aggregate.kind == AggregateKind::kAverage) {
    const types::SqlType& type = aggregate.value->type;
    const int scale = type.kind == types::TypeKind::kNumeric ? type.numeric_scale() : 0;
    std::string average;
    OMEN_TRY(types::AppendQuotient({state.sum, scale}, {state.count, 0}, average));
    return Value::String(context.arena->Copy(average));
  }
  if (types::PhysicalTypeOf(aggregate.type) == PhysicalType::kInt128) {
    return Value::I128(state.sum);
  }
  if (state.sum > INT64_MAX || state.sum < INT64_MIN) {
    return Status(sqlstate::kNumericValueOutOfRange, "bigint out of range");
  }
  return Value::Int64(static_cast<int64_t>(state.sum));
}

class Groups {
 public:
  Groups(const Aggregation& aggregation, EvalContext& context)
      : aggregation_(aggregation), context_(context), groups_(RowLess{&aggregation.groups}) {}

  Status Add(std::span<const Value> row) {
    context_.row = row;
    types::Row key(aggregation_.groups.size());
    for (size_t i = 0; i < key.size(); ++i) {
      OMEN_ASSIGN(key[i], Evaluate(aggregation_.groups[i], context_));
    }
    std::vector<State>& states = At(std::move(key));
    for (size_t i = 0; i < states.size(); ++i) {
      OMEN_TRY(exec::Add(aggregation_.aggregates[i], context_, states[i]));
    }
    return Status::Ok();
  }

  // Those that pass HAVING.
  Status Finish(RowSet& rows) {
    if (aggregation_.groups.empty()) At({});
    for (const auto& [key, states] : groups_) {
      types::Row row = key;
      for (size_t i = 0; i < states.size(); ++i) {
        OMEN_ASSIGN(const Value value,
                    exec::Finish(aggregation_.aggregates[i], context_, states[i]));
        row.push_back(value);
      }
      context_.row = row;
      if (aggregation_.having.has_value()) {
        OMEN_ASSIGN(const bool passes, EvaluatePredicate(*aggregation_.having, context_));
        if (!passes) continue;
      }
      rows.Append(row);
    }
    return Status::Ok();
  }

 private:
  std::vector<State>& At(types::Row key) {
    std::vector<State>& states = groups_[std::move(key)];
    states.resize(aggregation_.aggregates.size());
    return states;
  }

  const Aggregation& aggregation_;
  EvalContext& context_;
  std::map<types::Row, std::vector<State>, RowLess> groups_;
};

}  // namespace

Status AggregateRows(const Aggregation& aggregation, EvalContext& context, const RowSet& rows,
                     RowSet& groups) {
  Groups collected(aggregation, context);
  for (size_t i = 0; i < rows.size(); ++i) OMEN_TRY(collected.Add(rows.row(i)));
  return collected.Finish(groups);
}

}  // namespace omendb::exec
