// known_aggregates.h - aggregates of whole tables that need no scan: min, max, count, sum and avg
// of a column, which segments know of theirs, and rows of pages are few; with them count(*). (What
// DuckDB's optimizer turns into count(*) later, as count of a column without NULLs, it asks
// scan/table_scan.cc for itself.)
//
// What is found is true for the statement's snapshot: the plan serves no other.
//
// Thread safety  On the connection's thread.
// Errors         Throws DuckDB exceptions.
#pragma once

#include "duckdb.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

// Before DuckDB's optimizer, and after it for what it took apart: the sum of x + 1, say.
void ReplaceKnownAggregates(duckdb::ClientContext& context,
                            duckdb::unique_ptr<duckdb::LogicalOperator>& plan);

}  // namespace omendb::duck
