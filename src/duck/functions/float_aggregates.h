// float_aggregates.h - sum, avg, min and max of double precision. DuckDB's own call a function of
// its library for each comparison.
//
// Thread safety  Registration: one thread. A state belongs to one thread at a time.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

duckdb::AggregateFunction FloatSum();
duckdb::AggregateFunction FloatAverage();
// min and max of all types: double precision is compared here, the rest by DuckDB.
void RegisterExtremes(Registry& registry);

}  // namespace omendb::duck
