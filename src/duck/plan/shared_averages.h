// shared_averages.h - avg(x) beside sum(x) of the same rows: the sum divided by the number of its
// values, so that each row is added once. (PostgreSQL shares the state of such aggregates; DuckDB
// keeps one for each.) The count is often that of the rows, which the query has, too.
//
// Exact numbers only, where the quotient is the same digit for digit.
//
// Thread safety  On the connection's thread.
// Errors         Throws DuckDB exceptions.
#pragma once

#include "duckdb.hpp"
#include "duckdb/planner/binder.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

// Before DuckDB's optimizer, which makes one of aggregates that are there twice.
void ShareAverages(duckdb::ClientContext& context, duckdb::Binder& binder,
                   duckdb::unique_ptr<duckdb::LogicalOperator>& plan);

}  // namespace omendb::duck
