// pooled_aggregate.h - an aggregate whose states need a destructor, turned into one whose states do
// not: pointers into a StatePool.
//
// DuckDB 1.4 calls destructors for the rows of a hash table that it destroys. When a query ran out
// of memory, some of those rows are not initialized and others have to be read back from disk,
// which fails in a destructor: either ends the process. States without destructors are left alone.
//
// Not for windows: they begin states for every row and the pool keeps them all until the end.
//
// Thread safety  As DuckDB's aggregates: a state belongs to one thread at a time.
#pragma once

#include "duckdb.hpp"
#include "duckdb/function/function_set.hpp"
#include "duckdb/planner/expression/bound_aggregate_expression.hpp"

namespace omendb::duck {

// Requires: the function has a destructor, and sorts by itself if it has an ORDER BY.
void PoolStates(duckdb::BoundAggregateExpression& aggregate);

// The set with functions that become pooled when they are bound: for those that DuckDB binds while
// it makes a physical plan.
duckdb::AggregateFunctionSet PooledWhenBound(duckdb::AggregateFunctionSet set);

}  // namespace omendb::duck
