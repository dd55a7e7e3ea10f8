// time_constants.h - 'now' and the like, where the binder makes a date or time of them.
//
// PostgreSQL reads a constant when it analyses the statement, which a prepared one is once. DuckDB
// casts its text whenever it runs.
//
// Thread safety  The session's thread, on a plan of its own.
#pragma once

#include "duckdb.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

class SessionState;

// As of `state.analyzed_micros`. A text that is no value of its type is left: it fails where it is
// cast.
void ReadTimeWords(SessionState& state, duckdb::LogicalOperator& plan);

}  // namespace omendb::duck
