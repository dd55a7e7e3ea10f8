// merge_actions.h - what MERGE's actions compute is computed by the action that is taken.
//
// DuckDB binds the values of all actions as columns of the join, so that a division by zero in an
// action fails, and a sequence moves on, for rows that take another.
//
// Thread safety  The session's thread, on a plan of its own.
#pragma once

#include "duckdb.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

// Moves the values of UPDATE and INSERT from below a MERGE into its actions. Sub-selects stay.
void ComputeInActions(duckdb::LogicalOperator& plan);

}  // namespace omendb::duck
