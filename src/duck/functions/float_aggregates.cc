#include "duck/functions/float_aggregates.h"

#include <cmath>

#include "duck/functions/run_update.h"
#include "duckdb/function/aggregate/distributive_function_utils.hpp"

namespace omendb::duck {

namespace {

using duckdb::LogicalType;

struct FloatState {
  double value;  // the sum, or the extreme
  uint64_t count;
};

struct FloatBase {
  template <class STATE>
  static void Initialize(STATE& state) {
    state = {0, 0};
  }
  static bool IgnoreNull() { return true; }
};

struct FloatSumBase : public FloatBase {
  template <class STATE, class OP>
  static void Combine(const STATE& source, STATE& target, duckdb::AggregateInputData&) {
    target.value += source.value;
    target.count += source.count;
  }
  template <class INPUT_TYPE, class STATE, class OP>
  static void Operation(STATE& state, const INPUT_TYPE& input, duckdb::AggregateUnaryInput&) {
    state.value += input;
    ++state.count;
  }
  template <class INPUT_TYPE, class STATE, class OP>
  static void ConstantOperation(STATE& state, const INPUT_TYPE& input, duckdb::AggregateUnaryInput&,
                                duckdb::idx_t count) {
    state.value += input * static_cast<double>(count);
    state.count += count;
  }
};

// The sum of negative zeros is one, so it begins with what changes no number that is added.
struct SumOperation : public FloatSumBase {
  template <class STATE>
  static void Initialize(STATE& state) {
    state = {-0.0, 0};
  }
  template <class T, class STATE>
  static void Finalize(STATE& state, T& target, duckdb::AggregateFinalizeData& data) {
    if (state.count == 0) return data.ReturnNull();
    target = state.value;
  }
};

struct AverageOperation : public FloatSumBase {
  template <class T, class STATE>
  static void Finalize(STATE& state, T& target, duckdb::AggregateFinalizeData& data) {
    if (state.count == 0) return data.ReturnNull();
    target = state.value / static_cast<double>(state.count);
  }
};

// NaN is above every number, as PostgreSQL orders it.
bool IsLess(double a, double b) { return a < b || (std::isnan(b) && !std::isnan(a)); }

template <bool LEAST>
struct ExtremeOperation : public FloatBase {
  static void Offer(FloatState& state, double value) {
    const bool better = LEAST ? IsLess(value, state.value) : IsLess(state.value, value);
    if (better || state.count == 0) state.value = value;
    state.count = 1;
  }
  template <class STATE, class OP>
  static void Combine(const STATE& source, STATE& target, duckdb::AggregateInputData&) {
    if (source.count != 0) Offer(target, source.value);
  }
  template <class INPUT_TYPE, class STATE, class OP>
  static void Operation(STATE& state, const INPUT_TYPE& input, duckdb::AggregateUnaryInput&) {
    Offer(state, input);
  }
  template <class INPUT_TYPE, class STATE, class OP>
  static void ConstantOperation(STATE& state, const INPUT_TYPE& input, duckdb::AggregateUnaryInput&,
                                duckdb::idx_t) {
    Offer(state, input);
  }
  template <class T, class STATE>
  static void Finalize(STATE& state, T& target, duckdb::AggregateFinalizeData& data) {
    if (state.count == 0) return data.ReturnNull();
    target = state.value;
  }
};

template <typename OP>
duckdb::AggregateFunction OfDoubles() {
  return RunAggregate<FloatState, double, double, OP>(LogicalType::DOUBLE, LogicalType::DOUBLE);
}

template <bool LEAST>
duckdb::unique_ptr<duckdb::FunctionData> BindExtreme(
    duckdb::ClientContext& context, duckdb::AggregateFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  if (arguments[0]->return_type != LogicalType::DOUBLE) {
    using duckdb::MaxFunction;
    using duckdb::MinFunction;
    const auto all = LEAST ? MinFunction::GetFunction() : MaxFunction::GetFunction();
    return all.bind(context, function, arguments);
  }
  const std::string name = function.name;
  function = OfDoubles<ExtremeOperation<LEAST>>();
  function.name = name;
  function.order_dependent = duckdb::AggregateOrderDependent::NOT_ORDER_DEPENDENT;
  function.distinct_dependent = duckdb::AggregateDistinctDependent::NOT_DISTINCT_DEPENDENT;
  return nullptr;
}

template <bool LEAST>
void RegisterExtreme(Registry& registry) {
  duckdb::AggregateFunctionSet set(LEAST ? "min" : "max");
  for (duckdb::AggregateFunction function : registry.ExistingAggregate(set.name).functions) {
    if (function.arguments.size() == 1) function.bind = BindExtreme<LEAST>;
    set.AddFunction(std::move(function));
  }
  registry.Replace(std::move(set));
}

}  // namespace

duckdb::AggregateFunction FloatSum() { return OfDoubles<SumOperation>(); }

duckdb::AggregateFunction FloatAverage() { return OfDoubles<AverageOperation>(); }

void RegisterExtremes(Registry& registry) {
  RegisterExtreme<true>(registry);
  RegisterExtreme<false>(registry);
}

}  // namespace omendb::duck
