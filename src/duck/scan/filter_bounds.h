// filter_bounds.h - the values that DuckDB's pushed-down filters let through, for zone maps and
// indexes.
//
// Thread safety  Pure functions.
#pragma once

#include <optional>

#include "duckdb.hpp"
#include "duckdb/planner/filter/dynamic_filter.hpp"
#include "duckdb/planner/table_filter.hpp"
#include "engine/relation.h"

namespace omendb::duck {

// What every row passing a filter keeps, in one column.
using ColumnCondition = engine::Relation::ScanOptions::Bound;

// nullopt when the filter says nothing of that kind. Exact where all that the filter demands is
// said, of integers; what it only allows to be left out is told as well. Strings are owned by
// `arena`.
std::optional<ColumnCondition> ConditionOf(const duckdb::TableFilter& filter, ColumnId column,
                                           const types::SqlType& type, types::Arena& arena);

// The part of the filter that lets less through the longer the query runs; null when there is none.
duckdb::DynamicFilterData* MovingPart(const duckdb::TableFilter& filter);
// What that is now; null when nothing is known yet.
duckdb::unique_ptr<duckdb::TableFilter> PartNow(duckdb::DynamicFilterData& moving);

}  // namespace omendb::duck
