// filter_bounds.h - the values that DuckDB's pushed-down filters let through, for zone maps and
// indexes.
//
// Thread safety  Pure functions.
#pragma once

#include <optional>
#include <vector>

#include "duckdb.hpp"
#include "duckdb/planner/table_filter.hpp"
#include "engine/relation.h"

namespace omendb::duck {

// What every row passing a filter keeps, in one column.
struct ColumnCondition {
  engine::Relation::ScanOptions::Bound bound;
  std::vector<types::Value> any_of;  // different values; empty = not known to be one of a list
};

// nullopt when the filter says nothing of that kind. The bound is exact where the filter says
// nothing else, of integers. Strings are owned by `arena`.
std::optional<ColumnCondition> ConditionOf(const duckdb::TableFilter& filter, ColumnId column,
                                           const types::SqlType& type, types::Arena& arena);

// Whether what the filter lets through becomes less while the query runs.
bool IsMoving(const duckdb::TableFilter& filter);

}  // namespace omendb::duck
