#include "duck/functions/numeric_aggregates.h"

#include <algorithm>

#include "duck/errors.h"
#include "duck/logical_types.h"
#include "types/big_math.h"
#include "types/numeric.h"

namespace omendb::duck {

namespace {

using types::BigNumeric;
using types::Int128;

// The sum of the values so far, and of their squares where they are asked for, at the greatest
// scale met. Short values gather in 128 bits first.
class Accumulator {
 public:
  void Add(std::string_view bytes, bool squared) {
    ++count_;
    if (const auto small = types::DecodeSmall(bytes); small && !squared) {
      AddSmall(*small);
      return;
    }
    const BigNumeric value = types::DecodeBig(bytes);
    if (!value.is_finite()) {
      AddSpecial(value);
      return;
    }
    RaiseScale(value.scale);
    const mpz_class units = value.units * types::BigPowerOfTen(scale_ - value.scale);
    sum_ += units;
    if (squared) squares_ += units * units;
  }

  void Merge(const Accumulator& other) {
    count_ += other.count_;
    nan_ = nan_ || other.nan_;
    infinity_ = infinity_ || other.infinity_;
    minus_infinity_ = minus_infinity_ || other.minus_infinity_;
    RaiseScale(other.scale_);
    Flush();
    const mpz_class factor = types::BigPowerOfTen(scale_ - other.scale_);
    sum_ += (other.sum_ + BigNumeric::Of(other.short_sum_).units) * factor;
    squares_ += other.squares_ * factor * factor;
  }

  int64_t count() const { return count_; }
  bool is_finite() const { return !nan_ && !infinity_ && !minus_infinity_; }

  BigNumeric Sum() {
    if (nan_ || (infinity_ && minus_infinity_)) return BigNumeric::NaN();
    if (infinity_ || minus_infinity_) return BigNumeric::Infinity(minus_infinity_);
    Flush();
    BigNumeric sum;
    sum.units = sum_;
    sum.scale = scale_;
    return sum;
  }

  // The variance, or its root; of a sample or of the whole. Requires: count() > (sample ? 1 : 0).
  BigNumeric Deviation(bool sample, bool root) {
    if (!is_finite()) return BigNumeric::NaN();
    Flush();
    // (n * sum of squares - square of the sum) / (n * (n - 1))
    BigNumeric numerator;
    numerator.units = squares_ * count_ - sum_ * sum_;
    numerator.scale = 2 * scale_;
    if (numerator.units <= 0) return BigNumeric();
    BigNumeric divisor = BigNumeric::Of(Int128{count_} * (sample ? count_ - 1 : count_));
    const int scale = types::QuotientScale(numerator, divisor);
    BigNumeric variance = ValueOrThrow(types::QuotientAt(numerator, divisor, scale));
    return root ? types::SqrtAt(variance, scale) : variance;
  }

 private:
  void AddSmall(types::SmallNumeric value) {
    if (value.scale > scale_) RaiseScale(value.scale);
    const auto units = types::UnitsAt(value, scale_);
    Int128 sum = 0;
    if (units && !__builtin_add_overflow(short_sum_, *units, &sum)) {
      short_sum_ = sum;
      return;
    }
    Flush();
    const BigNumeric big = BigNumeric::Of(value.units);
    sum_ += big.units * types::BigPowerOfTen(scale_ - value.scale);
  }

  void AddSpecial(const BigNumeric& value) {
    nan_ = nan_ || value.is_nan();
    infinity_ = infinity_ || value.kind == BigNumeric::Kind::kInfinity;
    minus_infinity_ = minus_infinity_ || value.kind == BigNumeric::Kind::kMinusInfinity;
  }

  void RaiseScale(int scale) {
    if (scale <= scale_) return;
    Flush();
    const mpz_class factor = types::BigPowerOfTen(scale - scale_);
    sum_ *= factor;
    squares_ *= factor * factor;
    scale_ = scale;
  }

  void Flush() {
    if (short_sum_ == 0) return;
    sum_ += BigNumeric::Of(short_sum_).units;
    short_sum_ = 0;
  }

  int64_t count_ = 0;
  int scale_ = 0;
  Int128 short_sum_ = 0;
  mpz_class sum_;
  mpz_class squares_;
  bool nan_ = false;
  bool infinity_ = false;
  bool minus_infinity_ = false;
};

struct State {
  Accumulator* accumulator;
};

BigNumeric Finish(NumericAggregate kind, Accumulator& accumulator) {
  switch (kind) {
    case NumericAggregate::kSum:
      return ValueOrThrow(types::InRange(accumulator.Sum()));
    case NumericAggregate::kAverage:
      return ValueOrThrow(types::DivideBig(accumulator.Sum(), BigNumeric::Of(accumulator.count())));
    case NumericAggregate::kVariancePop:
      return accumulator.Deviation(false, false);
    case NumericAggregate::kVarianceSamp:
      return accumulator.Deviation(true, false);
    case NumericAggregate::kDeviationPop:
      return accumulator.Deviation(false, true);
    case NumericAggregate::kDeviationSamp:
      return accumulator.Deviation(true, true);
  }
  return BigNumeric();
}

struct Operation {
  static duckdb::idx_t Size(const duckdb::AggregateFunction&) { return sizeof(State); }
  static void Initialize(const duckdb::AggregateFunction&, duckdb::data_ptr_t state) {
    reinterpret_cast<State*>(state)->accumulator = nullptr;
  }

  static void AddTo(State& state, std::string_view bytes, bool squared) {
    if (state.accumulator == nullptr) state.accumulator = new Accumulator();
    state.accumulator->Add(bytes, squared);
  }

  template <bool SQUARED>
  static void Update(duckdb::Vector inputs[], duckdb::AggregateInputData&, duckdb::idx_t,
                     duckdb::Vector& states, duckdb::idx_t count) {
    duckdb::UnifiedVectorFormat input;
    duckdb::UnifiedVectorFormat state;
    inputs[0].ToUnifiedFormat(count, input);
    states.ToUnifiedFormat(count, state);
    auto** targets = duckdb::UnifiedVectorFormat::GetDataNoConst<State*>(state);
    for (duckdb::idx_t i = 0; i < count; ++i) {
      const types::Value value = LoadVectorCell(input, types::PhysicalType::kString, i);
      if (!value.is_null) AddTo(*targets[state.sel->get_index(i)], value.str(), SQUARED);
    }
  }

  template <bool SQUARED>
  static void SimpleUpdate(duckdb::Vector inputs[], duckdb::AggregateInputData&, duckdb::idx_t,
                           duckdb::data_ptr_t state, duckdb::idx_t count) {
    duckdb::UnifiedVectorFormat input;
    inputs[0].ToUnifiedFormat(count, input);
    for (duckdb::idx_t i = 0; i < count; ++i) {
      const types::Value value = LoadVectorCell(input, types::PhysicalType::kString, i);
      if (!value.is_null) AddTo(*reinterpret_cast<State*>(state), value.str(), SQUARED);
    }
  }

  static void Combine(duckdb::Vector& sources, duckdb::Vector& targets, duckdb::AggregateInputData&,
                      duckdb::idx_t count) {
    auto** from = duckdb::FlatVector::GetData<State*>(sources);
    auto** to = duckdb::FlatVector::GetData<State*>(targets);
    for (duckdb::idx_t i = 0; i < count; ++i) {
      if (from[i]->accumulator == nullptr) continue;
      if (to[i]->accumulator == nullptr) to[i]->accumulator = new Accumulator();
      to[i]->accumulator->Merge(*from[i]->accumulator);
    }
  }

  template <NumericAggregate KIND>
  static void Finalize(duckdb::Vector& states, duckdb::AggregateInputData&, duckdb::Vector& result,
                       duckdb::idx_t count, duckdb::idx_t offset) {
    duckdb::UnifiedVectorFormat state;
    states.ToUnifiedFormat(count, state);
    auto** from = duckdb::UnifiedVectorFormat::GetDataNoConst<State*>(state);
    const bool constant = states.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR;
    result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
    constexpr bool kSample =
        KIND == NumericAggregate::kVarianceSamp || KIND == NumericAggregate::kDeviationSamp;
    std::string bytes;
    for (duckdb::idx_t i = 0; i < (constant ? 1 : count); ++i) {
      Accumulator* accumulator = from[state.sel->get_index(i)]->accumulator;
      if (accumulator == nullptr || accumulator->count() <= (kSample ? 1 : 0)) {
        duckdb::FlatVector::SetNull(result, offset + i, true);
        continue;
      }
      bytes.clear();
      types::AppendBigBytes(Finish(KIND, *accumulator), bytes);
      duckdb::FlatVector::GetData<duckdb::string_t>(result)[offset + i] =
          duckdb::StringVector::AddStringOrBlob(result, bytes);
    }
    if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  }

  static void Destroy(duckdb::Vector& states, duckdb::AggregateInputData&, duckdb::idx_t count) {
    auto** from = duckdb::FlatVector::GetData<State*>(states);
    for (duckdb::idx_t i = 0; i < count; ++i) {
      delete from[i]->accumulator;
      from[i]->accumulator = nullptr;
    }
  }
};

template <NumericAggregate KIND>
duckdb::AggregateFunction Make() {
  const duckdb::LogicalType numeric = BigNumericType();
  constexpr bool kSquared = KIND != NumericAggregate::kSum && KIND != NumericAggregate::kAverage;
  return duckdb::AggregateFunction({numeric}, numeric, Operation::Size, Operation::Initialize,
                                   Operation::Update<kSquared>, Operation::Combine,
                                   Operation::Finalize<KIND>,
                                   duckdb::FunctionNullHandling::DEFAULT_NULL_HANDLING,
                                   Operation::SimpleUpdate<kSquared>, nullptr, Operation::Destroy);
}

template <NumericAggregate KIND>
duckdb::unique_ptr<duckdb::FunctionData> BindOver(
    duckdb::ClientContext&, duckdb::AggregateFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>&) {
  const std::string name = function.name;
  function = Make<KIND>();
  function.name = name;
  return nullptr;
}

template <NumericAggregate KIND>
duckdb::AggregateFunction Over(const duckdb::LogicalType& input) {
  return duckdb::AggregateFunction({input}, BigNumericType(), nullptr, nullptr, nullptr, nullptr,
                                   nullptr, duckdb::FunctionNullHandling::DEFAULT_NULL_HANDLING,
                                   nullptr, BindOver<KIND>);
}

// Calls `make` with the kind as a template argument.
template <typename Maker>
duckdb::AggregateFunction Dispatch(NumericAggregate kind, Maker make) {
  using enum NumericAggregate;
  switch (kind) {
    case kSum:
      return make.template operator()<kSum>();
    case kAverage:
      return make.template operator()<kAverage>();
    case kVariancePop:
      return make.template operator()<kVariancePop>();
    case kVarianceSamp:
      return make.template operator()<kVarianceSamp>();
    case kDeviationPop:
      return make.template operator()<kDeviationPop>();
    default:
      return make.template operator()<kDeviationSamp>();
  }
}

}  // namespace

duckdb::AggregateFunction NumericAggregateFunction(NumericAggregate kind) {
  return Dispatch(kind, []<NumericAggregate KIND>() { return Make<KIND>(); });
}

duckdb::AggregateFunction NumericAggregateOver(NumericAggregate kind,
                                               const duckdb::LogicalType& input) {
  return Dispatch(kind, [&]<NumericAggregate KIND>() { return Over<KIND>(input); });
}

}  // namespace omendb::duck
