// table_scan.h - DuckDB's scan of one of our tables at the statement's snapshot: parallel,
// projected, filtered, and without copying a page that the storage can hand out as it lies. Rows
// come in the order in which they lie, or in that of the primary key.
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
  // By the first columns of the primary key, which are among those scanned; see plan/key_order.h.
  engine::Relation::KeyOrder order = engine::Relation::KeyOrder::kNone;
  std::vector<ColumnId> order_columns;

  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<TableScanData>(*this);
  }
  bool Equals(const duckdb::FunctionData& other) const override {
    const auto& data = other.Cast<TableScanData>();
    return &data.table == &table && data.order == order && data.order_columns == order_columns;
  }
};

duckdb::TableFunction TableScanFunction();
duckdb::unique_ptr<duckdb::FunctionData> MakeTableScanData(OmenTableEntry& table);
duckdb::virtual_column_map_t TableVirtualColumns();
// A row id of the hidden column as the engine's reference.
engine::RowRef RowRefOf(duckdb::hugeint_t row_id);

}  // namespace omendb::duck
