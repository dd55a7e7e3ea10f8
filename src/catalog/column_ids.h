// column_ids.h - lists of a table's columns: those of an index, whether a column is one of a list,
// and whether two lists have one in common.
//
// Thread safety  Pure functions.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "catalog/definitions.h"

namespace omendb::catalog {

inline std::vector<ColumnId> KeyColumns(const IndexDef& index) {
  std::vector<ColumnId> columns;
  for (const IndexKey& key : index.keys) columns.push_back(key.column);
  return columns;
}

// Those of the keys, and the included ones behind.
inline std::vector<ColumnId> ColumnsOf(const IndexDef& index) {
  std::vector<ColumnId> columns = KeyColumns(index);
  columns.insert(columns.end(), index.included.begin(), index.included.end());
  return columns;
}

inline bool Contains(std::span<const ColumnId> columns, ColumnId column) {
  return std::find(columns.begin(), columns.end(), column) != columns.end();
}

inline bool HaveCommon(std::span<const ColumnId> some, std::span<const ColumnId> others) {
  return std::any_of(some.begin(), some.end(),
                     [&](ColumnId column) { return Contains(others, column); });
}

}  // namespace omendb::catalog
