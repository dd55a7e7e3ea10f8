#include "duck/functions/text_extremes.h"

#include <algorithm>
#include <cstring>

#include "duckdb/common/operator/comparison_operators.hpp"

namespace omendb::duck {

namespace {

using duckdb::string_t;

struct TextState {
  string_t value;
  uint32_t capacity;  // of what `value` points to
  bool is_set;
};

template <bool LEAST>
struct TextExtremeOperation {
  template <class STATE>
  static void Initialize(STATE& state) {
    state.capacity = 0;
    state.is_set = false;
  }
  static bool IgnoreNull() { return true; }

  static bool IsBetter(const string_t& input, const string_t& known) {
    return LEAST ? duckdb::LessThan::Operation(input, known)
                 : duckdb::GreaterThan::Operation(input, known);
  }

  // A longer value takes at least twice the room: the arena frees nothing.
  static void Store(TextState& state, const string_t& input, duckdb::ArenaAllocator& arena) {
    state.is_set = true;
    if (input.IsInlined()) {
      state.value = input;
      state.capacity = 0;
      return;
    }
    const auto size = static_cast<uint32_t>(input.GetSize());
    char* bytes = state.capacity >= size ? state.value.GetDataWriteable() : nullptr;
    if (bytes == nullptr) {
      const uint64_t wanted = std::max<uint64_t>(size, uint64_t{2} * state.capacity);
      state.capacity = static_cast<uint32_t>(std::min<uint64_t>(wanted, UINT32_MAX));
      bytes = reinterpret_cast<char*>(arena.Allocate(state.capacity));
    }
    std::memcpy(bytes, input.GetData(), size);
    state.value = string_t(bytes, size);
  }

  static void Add(TextState& state, const string_t& input, duckdb::ArenaAllocator& arena) {
    if (!state.is_set || IsBetter(input, state.value)) Store(state, input, arena);
  }

  template <class INPUT_TYPE, class STATE, class OP>
  static void Operation(STATE& state, const INPUT_TYPE& input, duckdb::AggregateUnaryInput& data) {
    Add(state, input, data.input.allocator);
  }
  template <class INPUT_TYPE, class STATE, class OP>
  static void ConstantOperation(STATE& state, const INPUT_TYPE& input,
                                duckdb::AggregateUnaryInput& data, duckdb::idx_t) {
    Add(state, input, data.input.allocator);
  }
  template <class STATE, class OP>
  static void Combine(const STATE& source, STATE& target, duckdb::AggregateInputData& data) {
    if (source.is_set) Add(target, source.value, data.allocator);
  }
  template <class T, class STATE>
  static void Finalize(STATE& state, T& target, duckdb::AggregateFinalizeData& data) {
    if (!state.is_set) return data.ReturnNull();
    target = duckdb::StringVector::AddStringOrBlob(data.result, state.value);
  }
};

template <bool LEAST>
duckdb::AggregateFunction Make(const duckdb::LogicalType& type) {
  auto function =
      duckdb::AggregateFunction::UnaryAggregate<TextState, string_t, string_t,
                                                TextExtremeOperation<LEAST>>(type, type);
  function.name = LEAST ? "min" : "max";
  function.order_dependent = duckdb::AggregateOrderDependent::NOT_ORDER_DEPENDENT;
  function.distinct_dependent = duckdb::AggregateDistinctDependent::NOT_DISTINCT_DEPENDENT;
  return function;
}

}  // namespace

duckdb::AggregateFunction TextExtreme(const duckdb::LogicalType& type, bool least) {
  return least ? Make<true>(type) : Make<false>(type);
}

}  // namespace omendb::duck
