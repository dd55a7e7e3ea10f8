#include "duck/functions/registry.h"

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/aggregate_function_catalog_entry.hpp"
#include "duckdb/function/cast/cast_function_set.hpp"
#include "duckdb/parser/parsed_data/create_aggregate_function_info.hpp"
#include "duckdb/parser/parsed_data/create_scalar_function_info.hpp"
#include "duckdb/parser/parsed_data/create_table_function_info.hpp"
#include "duckdb/parser/parsed_data/drop_info.hpp"
#include "duckdb/parser/parser.hpp"
#include "duckdb/parser/statement/create_statement.hpp"

namespace omendb::duck {

namespace {

// Functions do not replace macros, which some of DuckDB's functions are.
void DropMacro(duckdb::ClientContext& context, const std::string& name) {
  auto& catalog = duckdb::Catalog::GetSystemCatalog(context);
  const auto entry = catalog.GetEntry(context, duckdb::CatalogType::SCALAR_FUNCTION_ENTRY,
                                      DEFAULT_SCHEMA, name, duckdb::OnEntryNotFound::RETURN_NULL);
  if (!entry || entry->type != duckdb::CatalogType::MACRO_ENTRY) return;
  duckdb::DropInfo drop;
  drop.type = duckdb::CatalogType::MACRO_ENTRY;
  drop.schema = DEFAULT_SCHEMA;
  drop.name = name;
  drop.allow_drop_internal = true;
  catalog.DropEntry(context, drop);
}

void Create(duckdb::ClientContext& context, duckdb::CreateFunctionInfo& info) {
  if (info.type != duckdb::CatalogType::MACRO_ENTRY) DropMacro(context, info.name);
  info.on_conflict = duckdb::OnCreateConflict::REPLACE_ON_CONFLICT;
  info.internal = true;
  info.schema = DEFAULT_SCHEMA;
  duckdb::Catalog::GetSystemCatalog(context).CreateFunction(context, info);
}

}  // namespace

void Registry::Replace(duckdb::ScalarFunctionSet set) {
  duckdb::CreateScalarFunctionInfo info(std::move(set));
  Create(context_, info);
}
void Registry::Replace(duckdb::ScalarFunction function) {
  duckdb::ScalarFunctionSet set(function.name);
  set.AddFunction(std::move(function));
  Replace(std::move(set));
}
void Registry::Replace(duckdb::AggregateFunctionSet set) {
  duckdb::CreateAggregateFunctionInfo info(std::move(set));
  Create(context_, info);
}
void Registry::Replace(duckdb::TableFunctionSet set) {
  duckdb::CreateTableFunctionInfo info(std::move(set));
  info.on_conflict = duckdb::OnCreateConflict::REPLACE_ON_CONFLICT;
  info.internal = true;
  info.schema = DEFAULT_SCHEMA;
  duckdb::Catalog::GetSystemCatalog(context_).CreateTableFunction(context_, info);
}

void Registry::Macro(const std::string& head, const std::string& expression) {
  duckdb::Parser parser;
  parser.ParseQuery("CREATE OR REPLACE MACRO " + head + " AS " + expression);
  auto& create = parser.statements[0]->Cast<duckdb::CreateStatement>();
  auto& info = create.info->Cast<duckdb::CreateFunctionInfo>();
  Create(context_, info);
}

void Registry::Cast(const duckdb::LogicalType& from, const duckdb::LogicalType& to,
                    duckdb::BoundCastInfo cast, int64_t implicit_cost) {
  duckdb::DBConfig::GetConfig(context_).GetCastFunctions().RegisterCastFunction(
      from, to, std::move(cast), implicit_cost);
}
void Registry::CastBind(const duckdb::LogicalType& from, const duckdb::LogicalType& to,
                        duckdb::bind_cast_function_t bind, int64_t implicit_cost) {
  duckdb::DBConfig::GetConfig(context_).GetCastFunctions().RegisterCastFunction(from, to, bind,
                                                                                implicit_cost);
}

duckdb::ScalarFunctionSet Registry::Existing(const std::string& name) {
  auto entry =
      duckdb::Catalog::GetSystemCatalog(context_).GetEntry<duckdb::ScalarFunctionCatalogEntry>(
          context_, DEFAULT_SCHEMA, name, duckdb::OnEntryNotFound::RETURN_NULL);
  return entry ? entry->functions : duckdb::ScalarFunctionSet(name);
}
duckdb::AggregateFunctionSet Registry::ExistingAggregate(const std::string& name) {
  auto entry =
      duckdb::Catalog::GetSystemCatalog(context_).GetEntry<duckdb::AggregateFunctionCatalogEntry>(
          context_, DEFAULT_SCHEMA, name, duckdb::OnEntryNotFound::RETURN_NULL);
  return entry ? entry->functions : duckdb::AggregateFunctionSet(name);
}

}  // namespace omendb::duck
