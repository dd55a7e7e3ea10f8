// table_scan.h - DuckDB's scan of one of our tables at the statement's snapshot: parallel,
// projected, filtered, and without copying a page that the storage can hand out as it lies.
//
// Thread safety  As DuckDB's table functions: one global state, one local state a thread.
// Cost           A chunk costs a pointer per column; arrays and char(n) are rebuilt.
#pragma once

#include "duckdb.hpp"
#include "duckdb/function/table_function.hpp"
#include "engine/relation.h"

namespace omendb::duck {

class OmenTableEntry;

struct TableScanData : public duckdb::TableFunctionData {
  explicit TableScanData(OmenTableEntry& scanned) : table(scanned) {}
  OmenTableEntry& table;
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<TableScanData>(table);
  }
  bool Equals(const duckdb::FunctionData& other) const override {
    return &other.Cast<TableScanData>().table == &table;
  }
};

duckdb::TableFunction TableScanFunction();
duckdb::unique_ptr<duckdb::FunctionData> MakeTableScanData(OmenTableEntry& table);
duckdb::virtual_column_map_t TableVirtualColumns();
// A row id of the hidden column as the engine's reference.
engine::RowRef RowRefOf(duckdb::hugeint_t row_id);

}  // namespace omendb::duck
