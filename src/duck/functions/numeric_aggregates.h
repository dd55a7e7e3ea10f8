// numeric_aggregates.h - sums, averages and deviations whose result is a numeric without precision.
//
// Thread safety  Registration: one thread. A state belongs to one thread at a time.
// Errors         22003 "value overflows numeric format".
#pragma once

#include "duckdb.hpp"
#include "duckdb/function/aggregate_function.hpp"

namespace omendb::duck {

enum class NumericAggregate : uint8_t {
  kSum,
  kAverage,
  kVariancePop,
  kVarianceSamp,
  kDeviationPop,
  kDeviationSamp,
};

// Over one numeric without precision.
duckdb::AggregateFunction NumericAggregateFunction(NumericAggregate kind);
// The same over `input`, an exact number of another type, which is cast.
duckdb::AggregateFunction NumericAggregateOver(NumericAggregate kind,
                                               const duckdb::LogicalType& input);

}  // namespace omendb::duck
