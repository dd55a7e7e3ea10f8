// table_entry.h - one table as DuckDB's binder and planner see it.
//
// DuckDB numbers the columns that are not dropped 0, 1, ...; column_ids() gives ours. CHECK
// constraints and defaults are bound from the catalog's SQL text; NOT NULL, keys and foreign keys
// are the engine's business.
//
// Thread safety  Immutable.
#pragma once

#include <memory>
#include <vector>

#include "catalog/definitions.h"
#include "duckdb.hpp"
#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"
#include "duckdb/parser/parsed_data/create_table_info.hpp"

namespace omendb::duck {

class OmenSchema;
class SessionState;

class OmenTableEntry : public duckdb::TableCatalogEntry {
 public:
  OmenTableEntry(duckdb::Catalog& owner, duckdb::SchemaCatalogEntry& owner_schema,
                 duckdb::CreateTableInfo& info,
                 std::shared_ptr<const omendb::catalog::TableDef> definition,
                 std::vector<std::string> check_names)
      : TableCatalogEntry(owner, owner_schema, info),
        definition_(std::move(definition)),
        column_ids_(definition_->live_columns()),
        check_names_(std::move(check_names)) {}

  const std::shared_ptr<const omendb::catalog::TableDef>& definition() const { return definition_; }
  const std::vector<ColumnId>& column_ids() const { return column_ids_; }
  // The name of the i-th CHECK constraint among GetConstraints().
  const std::vector<std::string>& check_names() const { return check_names_; }

  duckdb::unique_ptr<duckdb::BaseStatistics> GetStatistics(duckdb::ClientContext& context,
                                                           duckdb::column_t column) override;
  duckdb::TableFunction GetScanFunction(
      duckdb::ClientContext& context, duckdb::unique_ptr<duckdb::FunctionData>& bind_data) override;
  duckdb::TableStorageInfo GetStorageInfo(duckdb::ClientContext& context) override;
  // The write operators read the other columns themselves.
  void BindUpdateConstraints(duckdb::Binder&, duckdb::LogicalGet&, duckdb::LogicalProjection&,
                             duckdb::LogicalUpdate&, duckdb::ClientContext&) override {}
  duckdb::virtual_column_map_t GetVirtualColumns() const override;
  duckdb::vector<duckdb::column_t> GetRowIdColumns() const override;

 private:
  const std::shared_ptr<const omendb::catalog::TableDef> definition_;
  const std::vector<ColumnId> column_ids_;
  const std::vector<std::string> check_names_;
};

std::shared_ptr<duckdb::CatalogEntry> MakeTableEntry(
    duckdb::Catalog& owner, OmenSchema& schema, SessionState& state,
    const std::shared_ptr<const catalog::TableDef>& definition);

}  // namespace omendb::duck
