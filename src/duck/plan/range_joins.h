// range_joins.h - joins by ranges of values, which DuckDB sorts.
//
// What they have sorted they lose when it is spilled: then DuckDB tells of an internal error (1.4,
// "Attempting to dereference an optional pointer"), where others tell that memory ran out.
//
// Thread safety  Pure functions.
#pragma once

#include "duckdb.hpp"

namespace omendb::duck {

// Whether the plan has one.
bool HasRangeJoin(const duckdb::PhysicalOperator& plan);

}  // namespace omendb::duck
