// aggregation.h - GROUP BY and aggregates over the few rows of a row plan; internal to exec.
//
// Errors  22003 where a sum leaves its type, as DuckDB's path answers.
#pragma once

#include "exec/row_plan.h"
#include "exec/row_set.h"

namespace omendb::exec {

// The groups of `rows` that pass HAVING: the groups' values, then the aggregates'. Without GROUP BY
// there is one group, of no rows if need be.
Status AggregateRows(const Aggregation& aggregation, EvalContext& context, const RowSet& rows,
                     RowSet& groups);

}  // namespace omendb::exec
