// known_aggregates.h - min and max of whole tables that need no scan: segments know theirs, and
// rows of pages are few; with them count(*). (What DuckDB's optimizer turns into count(*) later, as
// count of a column without NULLs, it asks scan/table_scan.cc for itself.)
//
// What is found is true for the statement's snapshot: the plan serves no other.
//
// Thread safety  On the connection's thread.
// Errors         Throws DuckDB exceptions.
#pragma once

#include "duckdb.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

// Before DuckDB's optimizer.
void ReplaceKnownAggregates(duckdb::ClientContext& context,
                            duckdb::unique_ptr<duckdb::LogicalOperator>& plan);

}  // namespace omendb::duck
