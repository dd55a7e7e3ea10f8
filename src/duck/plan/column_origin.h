// column_origin.h - which table column a result column is read from, unchanged: its exact type
// (with varchar's and char's modifiers) and the table's Oid go into the row description.
//
// Thread safety  Pure functions.
#pragma once

#include <optional>
#include <vector>

#include "duckdb.hpp"
#include "duckdb/planner/logical_operator.hpp"
#include "types/chunk.h"

namespace omendb::duck {

struct ColumnOrigin {
  Oid table;
  ColumnId column;
  types::SqlType type;
};

// One for each column that `plan` answers; nullopt for computed ones.
std::vector<std::optional<ColumnOrigin>> TraceColumns(duckdb::LogicalOperator& plan);

// int2vector and oidvector, which are lists to DuckDB, become text as PostgreSQL writes them ("1
// 2") where the statement casts a system table's column.
void FormatVectorCasts(duckdb::LogicalOperator& plan);

}  // namespace omendb::duck
