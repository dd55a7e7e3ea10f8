// filter_bounds.h - the range of values that DuckDB's pushed-down filters let through, for zone
// maps.
//
// Thread safety  Pure functions.
#pragma once

#include <optional>
#include <vector>

#include "duckdb.hpp"
#include "duckdb/planner/table_filter.hpp"
#include "engine/relation.h"

namespace omendb::duck {

// Bounds that every row passing `filter` keeps; nullopt when it says nothing of that kind. Strings
// of the bounds are owned by `arena`.
std::optional<engine::Relation::ScanOptions::Bound> BoundOf(const duckdb::TableFilter& filter,
                                                            ColumnId column,
                                                            const types::SqlType& type,
                                                            types::Arena& arena);

}  // namespace omendb::duck
