// value_equality.h - equal numerics of different scale, and jsonb of such, are one value where
// DuckDB compares bytes.
//
// DuckDB asks for a type's collation (functions/numeric_type.h, jsonb_order.h) in comparisons,
// GROUP BY, ORDER BY and windows, but not in UNION, EXCEPT, INTERSECT and aggregates over DISTINCT
// values. There the key stands in, or numbers without the zeros at their end.
//
// Thread safety  The session's thread, on a plan of its own.
#pragma once

#include "duckdb.hpp"
#include "duckdb/planner/binder.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

void CompareByValue(duckdb::ClientContext& context, duckdb::Binder& binder,
                    duckdb::LogicalOperator& plan);

}  // namespace omendb::duck
