// column_ids.h - lists of a table's columns: whether a column is one of a list, and whether two
// lists have one in common.
//
// Thread safety  Pure functions.
#pragma once

#include <algorithm>
#include <span>

#include "base/ids.h"

namespace omendb::catalog {

inline bool Contains(std::span<const ColumnId> columns, ColumnId column) {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

inline bool HaveCommon(std::span<const ColumnId> some, std::span<const ColumnId> others) {
  return std::any_of(some.begin(), some.end(),
                     [&](ColumnId column) { return Contains(others, column); });
}

}  // namespace omendb::catalog
