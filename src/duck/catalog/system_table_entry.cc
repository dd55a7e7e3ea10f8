#include "duck/catalog/system_table_entry.h"

#include "duck/catalog/omen_catalog.h"
#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duck/session_state.h"
#include "duckdb/parser/parsed_data/create_table_info.hpp"
#include "duckdb/storage/statistics/base_statistics.hpp"
#include "duckdb/storage/table_storage_info.hpp"

namespace omendb::duck {

namespace {

struct SystemScanData : public duckdb::TableFunctionData {
  explicit SystemScanData(const SystemTable& system_table) : table(system_table) {}
  const SystemTable& table;
};

struct SystemScanState : public duckdb::GlobalTableFunctionState {
  types::Arena arena;
  std::vector<types::Row> rows;
  std::vector<duckdb::column_t> columns;
  size_t next = 0;
};

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> SystemScanInit(
    duckdb::ClientContext& context, duckdb::TableFunctionInitInput& input) {
  SessionState& state = SessionState::Get(context);
  auto scan = duckdb::make_uniq<SystemScanState>();
  scan->columns.assign(input.column_ids.begin(), input.column_ids.end());
  ThrowIfError(state.system_tables->Rows(input.bind_data->Cast<SystemScanData>().table,
                                         state.RequireStatement(), state.session_data, scan->arena,
                                         scan->rows));
  return scan;
}

void SystemScan(duckdb::ClientContext&, duckdb::TableFunctionInput& input,
                duckdb::DataChunk& output) {
  auto& scan = input.global_state->Cast<SystemScanState>();
  const SystemTable& table = input.bind_data->Cast<SystemScanData>().table;
  const size_t count = std::min<size_t>(STANDARD_VECTOR_SIZE, scan.rows.size() - scan.next);
  for (size_t c = 0; c < scan.columns.size(); ++c) {
    if (scan.columns[c] >= table.columns.size()) continue;
    const types::SqlType& type = table.columns[scan.columns[c]].type;
    for (size_t i = 0; i < count; ++i) {
      StoreVectorCell(output.data[c], i, type, scan.rows[scan.next + i][scan.columns[c]]);
    }
  }
  scan.next += count;
  output.SetCardinality(count);
}

class SystemTableEntry : public duckdb::TableCatalogEntry {
 public:
  SystemTableEntry(duckdb::Catalog& owner, duckdb::SchemaCatalogEntry& owner_schema,
                   duckdb::CreateTableInfo& info, const SystemTable& table)
      : TableCatalogEntry(owner, owner_schema, info), table_(table) {}

  duckdb::unique_ptr<duckdb::BaseStatistics> GetStatistics(duckdb::ClientContext&,
                                                           duckdb::column_t) override {
    return nullptr;
  }
  duckdb::TableFunction GetScanFunction(
      duckdb::ClientContext&, duckdb::unique_ptr<duckdb::FunctionData>& bind_data) override {
    bind_data = duckdb::make_uniq<SystemScanData>(table_);
    duckdb::TableFunction function(kSystemScanName, {}, SystemScan);
    function.init_global = SystemScanInit;
    function.projection_pushdown = true;
    function.verify_serialization = false;
    return function;
  }
  duckdb::TableStorageInfo GetStorageInfo(duckdb::ClientContext&) override { return {}; }
  duckdb::virtual_column_map_t GetVirtualColumns() const override {
    return {
        {duckdb::COLUMN_IDENTIFIER_EMPTY, duckdb::TableColumn("", duckdb::LogicalType::BOOLEAN)}};
  }

 private:
  const SystemTable& table_;
};

}  // namespace

const SystemTable& SystemTableOf(const duckdb::FunctionData& bind_data) {
  return bind_data.Cast<SystemScanData>().table;
}

std::shared_ptr<duckdb::CatalogEntry> MakeSystemTableEntry(duckdb::Catalog& owner,
                                                           OmenSchema& schema,
                                                           const SystemTable& table) {
  duckdb::CreateTableInfo info(schema, table.name);
  for (const catalog::ColumnDef& column : table.columns) {
    info.columns.AddColumn(duckdb::ColumnDefinition(column.name, ToLogicalType(column.type)));
  }
  return std::make_shared<SystemTableEntry>(owner, schema, info, table);
}

}  // namespace omendb::duck
