// exact_store.h - what is stored in a numeric without precision is stored digit for digit, or not
// at all.
//
// DuckDB's casts to DECIMAL(38,10) round. In an expression that is one of the limits of numeric;
// in a row it would lose digits that were given to be kept.
//
// Thread safety  The session's thread, on a plan of its own.
// Errors         The casts fail with 22003 where a digit would be lost.
#pragma once

#include "duckdb.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

// Makes the casts into the columns of the INSERTs and UPDATEs in `plan` exact.
void StoreExactly(duckdb::LogicalOperator& plan);

}  // namespace omendb::duck
