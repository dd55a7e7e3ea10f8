#include "catalog/definitions.h"

namespace omendb::catalog {

const ColumnDef* TableDef::FindColumn(std::string_view column_name) const {
  for (const ColumnDef& column : columns) {
    if (!column.dropped && column.name == column_name) return &column;
  }
  return nullptr;
}

const IndexDef* TableDef::FindIndex(Oid index) const {
  for (const IndexDef& candidate : indexes) {
    if (candidate.oid == index) return &candidate;
  }
  return nullptr;
}

const IndexDef* TableDef::primary_key() const {
  for (const IndexDef& index : indexes) {
    if (index.primary) return &index;
  }
  return nullptr;
}

std::vector<ColumnId> TableDef::live_columns() const {
  std::vector<ColumnId> live;
  for (const ColumnDef& column : columns) {
    if (!column.dropped) live.push_back(column.id);
  }
  return live;
}

}  // namespace omendb::catalog
