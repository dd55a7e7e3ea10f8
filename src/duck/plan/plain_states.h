// plain_states.h - no aggregate of a plan needs a destructor for its states: see
// functions/pooled_aggregate.h for what happens otherwise when a query runs out of memory.
//
// Thread safety  On the connection's thread.
// Errors         Throws DuckDB exceptions.
#pragma once

#include "duckdb.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

// After DuckDB's optimizer, before the physical plan is made.
void MakeStatesPlain(duckdb::ClientContext& context, duckdb::LogicalOperator& plan);

}  // namespace omendb::duck
