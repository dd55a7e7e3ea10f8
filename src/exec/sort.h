// sort.h - ORDER BY over the few rows of a row plan; internal to exec.
#pragma once

#include <vector>

#include "exec/row_plan.h"
#include "exec/row_set.h"

namespace omendb::exec {

// The order of `rows` by `keys`, as indexes into them. Equal rows stay as they are.
Result<std::vector<uint32_t>> SortRows(const std::vector<SortKey>& keys, EvalContext& context,
                                       const RowSet& rows);

}  // namespace omendb::exec
