#include "catalog/definitions.h"

namespace omendb::catalog {

const ColumnDef* TableDef::FindColumn(std::string_view column_name) const {
  for (const ColumnDef& column : columns) {
    if (!column.dropped && column.name == column_name) return &column;
  }
  return nullptr;
}

std::vector<ColumnId> IndexDef::key_columns() const {
  std::vector<ColumnId> columns;
  for (const IndexKey& key : keys) columns.push_back(key.column);
  return columns;
}

std::vector<ColumnId> IndexDef::columns() const {
  std::vector<ColumnId> columns = key_columns();
  columns.insert(columns.end(), included.begin(), included.end());
  return columns;
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
