// range_joins.h - joins by ranges of values, which DuckDB sorts.
//
// What they have sorted they lose when it is spilled: then DuckDB tells of an internal error (1.4:
// an optional pointer is not set), where others tell that memory ran out. Internal errors of other
// words are no matter of memory.
//
// Thread safety  Pure functions.
#pragma once

#include "duckdb.hpp"

namespace omendb::duck {

// Whether the plan has one.
bool HasRangeJoin(const duckdb::PhysicalOperator& plan);
// Whether the error is what such a join tells when it has lost its rows.
bool TellsOfLostRows(const duckdb::ErrorData& error);

}  // namespace omendb::duck
