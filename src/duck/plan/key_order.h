// key_order.h - ORDER BY the primary key of a large table without a sort: the scan gives rows in
// that order (engine/key_scan.h), so that the first go out at once and none is kept.
//
// The order must be that of the first columns of the key, all upward or all downward; what comes
// after the whole key decides nothing. Projections and conditions may lie between, and a limit
// above: DuckDB's first rows of an order (its top N, of a small limit) are left as they are.
//
// Thread safety  On the connection's thread.
// Errors         Throws DuckDB exceptions.
#pragma once

#include "duckdb.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

// After DuckDB's optimizer.
void ScanInKeyOrder(duckdb::ClientContext& context, duckdb::Binder& binder,
                    duckdb::unique_ptr<duckdb::LogicalOperator>& plan);

}  // namespace omendb::duck
