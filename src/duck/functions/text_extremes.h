// text_extremes.h - min and max of text and bytea whose state's bytes are in the hash table's
// arena: no destructor (pooled_aggregate.h says why that matters), and no allocation of their own.
//
// Thread safety  As DuckDB's aggregates.
#pragma once

#include "duckdb.hpp"
#include "duckdb/function/aggregate_function.hpp"

namespace omendb::duck {

// Requires: `type` is stored as VARCHAR; it is compared byte by byte.
duckdb::AggregateFunction TextExtreme(const duckdb::LogicalType& type, bool least);

}  // namespace omendb::duck
