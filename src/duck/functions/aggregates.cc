#include "duck/functions/aggregates.h"

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/functions/float_aggregates.h"
#include "duck/functions/numeric_aggregates.h"
#include "duck/functions/pooled_aggregate.h"
#include "duck/functions/run_update.h"
#include "duck/logical_types.h"
#include "duckdb/common/types/hugeint.hpp"
#include "duckdb/function/aggregate_function.hpp"
#include "types/big_math.h"
#include "types/datetime_math.h"

namespace omendb::duck {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using Int128 = __int128;

// DuckDB lays states out on 8 bytes only; an ordinary __int128 would be read as aligned to 16.
struct SumState {
  typedef __int128 Sum __attribute__((aligned(8)));  // NOLINT: `using` cannot lower an alignment.
  Sum sum;
  uint64_t count;
};
static_assert(alignof(SumState) == 8);

// Of numbers of at most 32 bits: a query with a group for each row keeps as many states.
struct NarrowSumState {
  int64_t sum;
  uint64_t count;
};

template <typename INPUT>
using SumStateOf = std::conditional_t<sizeof(INPUT) <= 4, NarrowSumState, SumState>;

struct SumBase {
  template <class STATE>
  static void Initialize(STATE& state) {
    state.sum = 0;
    state.count = 0;
  }
  template <class STATE, class OP>
  static void Combine(const STATE& source, STATE& target, duckdb::AggregateInputData&) {
    target.sum = Plus(target.sum, source.sum);
    target.count += source.count;
  }
  template <class INPUT_TYPE, class STATE, class OP>
  static void Operation(STATE& state, const INPUT_TYPE& input, duckdb::AggregateUnaryInput&) {
    state.sum = Plus(state.sum, Wide(input));
    ++state.count;
  }
  template <class INPUT_TYPE, class STATE, class OP>
  static void ConstantOperation(STATE& state, const INPUT_TYPE& input, duckdb::AggregateUnaryInput&,
                                duckdb::idx_t count) {
    auto product = Wide(input);
    if (__builtin_mul_overflow(product, count, &product)) Overflow();
    state.sum = Plus(state.sum, product);
    state.count += count;
  }
  static bool IgnoreNull() { return true; }

  [[noreturn]] static void Overflow() {
    ThrowStatus(Status(sqlstate::kNumericValueOutOfRange, "value overflows numeric format"));
  }
  static Int128 Plus(Int128 a, Int128 b) {
    if (__builtin_add_overflow(a, b, &a)) Overflow();
    return a;
  }
  static int64_t Plus(int64_t a, int64_t b) {
    if (__builtin_add_overflow(a, b, &a)) Overflow();
    return a;
  }
  // As wide as the sum of such numbers.
  template <typename T>
  static auto Wide(const T& value) {
    if constexpr (sizeof(T) <= 4) {
      return int64_t{value};
    } else {
      return Int128{value};
    }
  }
  static Int128 Wide(const duckdb::hugeint_t& value) {
    return (static_cast<Int128>(value.upper) << 64) | static_cast<Int128>(value.lower);
  }
  static duckdb::hugeint_t Huge(Int128 value) {
    return duckdb::hugeint_t(static_cast<int64_t>(value >> 64), static_cast<uint64_t>(value));
  }
};

struct BigintSum : public SumBase {
  template <class T, class STATE>
  static void Finalize(STATE& state, T& target, duckdb::AggregateFinalizeData& data) {
    if (state.count == 0) return data.ReturnNull();
    target = state.sum;
  }
};

struct NumericSum : public SumBase {
  template <class T, class STATE>
  static void Finalize(STATE& state, T& target, duckdb::AggregateFinalizeData& data) {
    if (state.count == 0) return data.ReturnNull();
    target = Huge(state.sum);
  }
};

// `SCALE` is the scale of the input.
template <int SCALE>
struct NumericAverage : public SumBase {
  template <class T, class STATE>
  static void Finalize(STATE& state, T& target, duckdb::AggregateFinalizeData& data) {
    if (state.count == 0) return data.ReturnNull();
    std::string bytes;
    ThrowIfError(types::AppendQuotient({Int128{state.sum}, SCALE},
                                       {static_cast<Int128>(state.count), 0}, bytes));
    target = duckdb::StringVector::AddStringOrBlob(data.result, bytes);
  }
};

template <typename INPUT, int SCALE>
duckdb::AggregateFunction Average(const LogicalType& input) {
  return RunAggregate<SumStateOf<INPUT>, INPUT, duckdb::string_t, NumericAverage<SCALE>>(
      input, BigNumericType());
}

template <int SCALE>
duckdb::AggregateFunction DecimalAverage(const LogicalType& input) {
  switch (input.InternalType()) {
    case duckdb::PhysicalType::INT16:
      return Average<int16_t, SCALE>(input);
    case duckdb::PhysicalType::INT32:
      return Average<int32_t, SCALE>(input);
    case duckdb::PhysicalType::INT64:
      return Average<int64_t, SCALE>(input);
    default:
      return Average<duckdb::hugeint_t, SCALE>(input);
  }
}

// Scales up to this one have a loop of their own.
constexpr int kFastScaleMax = 20;

template <int... SCALES>
duckdb::AggregateFunction DecimalAverageOf(int scale, const LogicalType& input,
                                           std::integer_sequence<int, SCALES...>) {
  duckdb::AggregateFunction result = DecimalAverage<0>(input);
  ((scale == SCALES ? void(result = DecimalAverage<SCALES>(input)) : void()), ...);
  return result;
}

duckdb::unique_ptr<duckdb::FunctionData> BindDecimalAverage(
    duckdb::ClientContext&, duckdb::AggregateFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  const LogicalType input = arguments[0]->return_type;
  const int scale = duckdb::DecimalType::GetScale(input);
  const std::string name = function.name;
  function =
      scale > kFastScaleMax
          ? NumericAggregateFunction(NumericAggregate::kAverage)
          : DecimalAverageOf(scale, input, std::make_integer_sequence<int, kFastScaleMax + 1>());
  function.name = name;
  return nullptr;
}

// ---- Intervals: each field on its own, as PostgreSQL adds them
// -----------------------------------

struct IntervalState {
  int64_t months;
  int64_t days;
  int64_t micros;
  uint64_t count;
};

struct IntervalBase {
  template <class STATE>
  static void Initialize(STATE& state) {
    state = {0, 0, 0, 0};
  }
  static void Add(IntervalState& state, int64_t months, int64_t days, int64_t micros) {
    state.months += months;
    state.days += days;
    if (__builtin_add_overflow(state.micros, micros, &state.micros)) OutOfRange();
  }
  template <class STATE, class OP>
  static void Combine(const STATE& source, STATE& target, duckdb::AggregateInputData&) {
    Add(target, source.months, source.days, source.micros);
    target.count += source.count;
  }
  template <class INPUT_TYPE, class STATE, class OP>
  static void Operation(STATE& state, const INPUT_TYPE& input, duckdb::AggregateUnaryInput&) {
    Add(state, input.months, input.days, input.micros);
    ++state.count;
  }
  template <class INPUT_TYPE, class STATE, class OP>
  static void ConstantOperation(STATE& state, const INPUT_TYPE& input,
                                duckdb::AggregateUnaryInput& data, duckdb::idx_t count) {
    for (duckdb::idx_t i = 0; i < count; ++i) {
      Operation<INPUT_TYPE, STATE, OP>(state, input, data);
    }
  }
  static bool IgnoreNull() { return true; }
  [[noreturn]] static void OutOfRange() {
    ThrowStatus(Status(sqlstate::kDatetimeFieldOverflow, "interval out of range"));
  }
  static types::Interval Sum(const IntervalState& state) {
    for (const int64_t field : {state.months, state.days}) {
      if (field > INT32_MAX || field < INT32_MIN) OutOfRange();
    }
    return {static_cast<int32_t>(state.months), static_cast<int32_t>(state.days), state.micros};
  }
};

struct IntervalSum : public IntervalBase {
  template <class T, class STATE>
  static void Finalize(STATE& state, T& target, duckdb::AggregateFinalizeData& data) {
    if (state.count == 0) return data.ReturnNull();
    const types::Interval sum = Sum(state);
    target = {sum.months, sum.days, sum.micros};
  }
};

struct IntervalAverage : public IntervalBase {
  template <class T, class STATE>
  static void Finalize(STATE& state, T& target, duckdb::AggregateFinalizeData& data) {
    if (state.count == 0) return data.ReturnNull();
    const types::Interval average =
        ValueOrThrow(types::DivideInterval(Sum(state), static_cast<double>(state.count)));
    target = {average.months, average.days, average.micros};
  }
};

template <class OPERATION>
duckdb::AggregateFunction OfIntervals() {
  return duckdb::AggregateFunction::UnaryAggregate<IntervalState, duckdb::interval_t,
                                                   duckdb::interval_t, OPERATION>(
      LogicalType::INTERVAL, LogicalType::INTERVAL);
}

void RegisterSum(Registry& registry) {
  duckdb::AggregateFunctionSet set("sum");
  set.AddFunction(RunAggregate<NarrowSumState, int16_t, int64_t, BigintSum>(LogicalType::SMALLINT,
                                                                            LogicalType::BIGINT));
  set.AddFunction(RunAggregate<NarrowSumState, int32_t, int64_t, BigintSum>(LogicalType::INTEGER,
                                                                            LogicalType::BIGINT));
  set.AddFunction(RunAggregate<SumState, int64_t, duckdb::hugeint_t, NumericSum>(
      LogicalType::BIGINT, LogicalType::DECIMAL(38, 0)));
  set.AddFunction(FloatSum());
  set.AddFunction(NumericAggregateFunction(NumericAggregate::kSum));
  set.AddFunction(OfIntervals<IntervalSum>());
  for (const auto& existing : registry.ExistingAggregate("sum").functions) {
    if (existing.arguments[0].id() == LogicalTypeId::DECIMAL) set.AddFunction(existing);
  }
  registry.Replace(std::move(set));
}

void RegisterAverage(Registry& registry) {
  duckdb::AggregateFunctionSet set("avg");
  set.AddFunction(Average<int16_t, 0>(LogicalType::SMALLINT));
  set.AddFunction(Average<int32_t, 0>(LogicalType::INTEGER));
  set.AddFunction(Average<int64_t, 0>(LogicalType::BIGINT));
  duckdb::AggregateFunction decimal(
      {LogicalTypeId::DECIMAL}, BigNumericType(), nullptr, nullptr, nullptr, nullptr, nullptr,
      duckdb::FunctionNullHandling::DEFAULT_NULL_HANDLING, nullptr, BindDecimalAverage);
  set.AddFunction(decimal);
  set.AddFunction(NumericAggregateFunction(NumericAggregate::kAverage));
  set.AddFunction(OfIntervals<IntervalAverage>());
  set.AddFunction(FloatAverage());
  registry.Replace(std::move(set));
}

// Deviations of exact numbers are numerics; those of floats stay DuckDB's.
void RegisterDeviation(Registry& registry, const char* name, NumericAggregate kind) {
  duckdb::AggregateFunctionSet set = registry.ExistingAggregate(name);
  set.AddFunction(NumericAggregateFunction(kind));
  for (const LogicalType& input :
       std::vector<LogicalType>{LogicalType::SMALLINT, LogicalType::INTEGER, LogicalType::BIGINT,
                                LogicalType(LogicalTypeId::DECIMAL)}) {
    set.AddFunction(NumericAggregateOver(kind, input));
  }
  registry.Replace(std::move(set));
}

// What DISTINCT ON with ORDER BY becomes.
void PoolFirstByOrder(Registry& registry) {
  for (const char* name : {"arg_min", "arg_min_null", "arg_max_null"}) {
    registry.Replace(PooledWhenBound(registry.ExistingAggregate(name)));
  }
}

}  // namespace

void RegisterAggregates(Registry& registry) {
  RegisterSum(registry);
  RegisterAverage(registry);
  RegisterExtremes(registry);
  PoolFirstByOrder(registry);
  RegisterDeviation(registry, "var_pop", NumericAggregate::kVariancePop);
  RegisterDeviation(registry, "var_samp", NumericAggregate::kVarianceSamp);
  RegisterDeviation(registry, "variance", NumericAggregate::kVarianceSamp);
  RegisterDeviation(registry, "stddev_pop", NumericAggregate::kDeviationPop);
  RegisterDeviation(registry, "stddev_samp", NumericAggregate::kDeviationSamp);
  RegisterDeviation(registry, "stddev", NumericAggregate::kDeviationSamp);
}

}  // namespace omendb::duck
