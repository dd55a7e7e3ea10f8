// exact_store.h - what is stored in a numeric without precision of an older database, which has ten
// digits behind the point, is stored digit for digit, or not at all.
//
// DuckDB's casts to DECIMAL(38,10) round: digits that were given to be kept would be lost. A
// numeric(38,10) of the same table is as strict.
//
// Thread safety  The session's thread, on a plan of its own.
// Errors         The casts fail with 22003 where a digit would be lost.
#pragma once

#include "duckdb.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

// Makes the casts into such tables of the INSERTs, UPDATEs and MERGEs in `plan` exact.
void StoreExactly(duckdb::LogicalOperator& plan);

}  // namespace omendb::duck
