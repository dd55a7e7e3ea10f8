// joins.h - the joined rows of a plan of several tables: an index lookup for each row so far, the
// nested loop of every textbook; internal to exec.
//
// Lookups by a full unique key wait until there are some to make together. Rows pass every table in
// the order in which they came to it, so waiting does not change their order.
#pragma once

#include "exec/access.h"
#include "exec/row_set.h"

namespace omendb::exec {

// In the order in which the first table's index gives them, at most `rows_max`.
Status JoinRows(const RowPlan& plan, EvalContext& context, uint64_t rows_max, RowSet& rows);

}  // namespace omendb::exec
