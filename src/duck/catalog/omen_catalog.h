// omen_catalog.h - OmenDB's catalog as DuckDB sees it: one attached database for each of ours.
//
// Nothing is stored here. A lookup asks the CatalogSnapshot of the statement that runs on the
// connection, so every statement sees its own transaction's catalog. Entries built from a
// definition are cached as long as the definition stays the same object. Names match exactly: the
// SQL layer hands unquoted names on in lower case.
//
// Thread safety  Any thread. Lock order: mu_ is a leaf.
// Errors         Throws DuckDB exceptions, as DuckDB's interfaces ask. DDL never comes this way.
#pragma once

#include <memory>
#include <unordered_map>

#include "base/mutex.h"
#include "catalog/snapshot.h"
#include "duckdb.hpp"
#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/schema_catalog_entry.hpp"
#include "duckdb/catalog/catalog_entry/table_catalog_entry.hpp"
#include "duckdb/storage/database_size.hpp"

namespace omendb::duck {

class OmenCatalog;
class SessionState;

class OmenSchema : public duckdb::SchemaCatalogEntry {
 public:
  OmenSchema(duckdb::Catalog& owner, duckdb::CreateSchemaInfo& info, Oid schema)
      : SchemaCatalogEntry(owner, info), schema_(schema) {}

  duckdb::optional_ptr<duckdb::CatalogEntry> LookupEntry(
      duckdb::CatalogTransaction transaction, const duckdb::EntryLookupInfo& lookup) override;
  duckdb::SimilarCatalogEntry GetSimilarEntry(duckdb::CatalogTransaction,
                                              const duckdb::EntryLookupInfo&) override {
    return {};
  }
  void Scan(duckdb::ClientContext&, duckdb::CatalogType,
            const std::function<void(duckdb::CatalogEntry&)>&) override {}
  void Scan(duckdb::CatalogType, const std::function<void(duckdb::CatalogEntry&)>&) override {}

  duckdb::optional_ptr<duckdb::CatalogEntry> CreateIndex(duckdb::CatalogTransaction,
                                                         duckdb::CreateIndexInfo&,
                                                         duckdb::TableCatalogEntry&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateFunction(duckdb::CatalogTransaction,
                                                            duckdb::CreateFunctionInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateTable(duckdb::CatalogTransaction,
                                                         duckdb::BoundCreateTableInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateView(duckdb::CatalogTransaction,
                                                        duckdb::CreateViewInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateSequence(duckdb::CatalogTransaction,
                                                            duckdb::CreateSequenceInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateTableFunction(
      duckdb::CatalogTransaction, duckdb::CreateTableFunctionInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateCopyFunction(
      duckdb::CatalogTransaction, duckdb::CreateCopyFunctionInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreatePragmaFunction(
      duckdb::CatalogTransaction, duckdb::CreatePragmaFunctionInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateCollation(duckdb::CatalogTransaction,
                                                             duckdb::CreateCollationInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateType(duckdb::CatalogTransaction,
                                                        duckdb::CreateTypeInfo&) override;
  void DropEntry(duckdb::ClientContext&, duckdb::DropInfo&) override;
  void Alter(duckdb::CatalogTransaction, duckdb::AlterInfo&) override;

 private:
  const Oid schema_;
};

class OmenCatalog : public duckdb::Catalog {
 public:
  OmenCatalog(duckdb::AttachedDatabase& attached, Oid database)
      : Catalog(attached), database_(database) {}

  void Initialize(bool) override {}
  std::string GetCatalogType() override { return "omendb"; }
  std::string GetDefaultSchema() const override { return "public"; }
  duckdb::optional_idx GetCatalogVersion(duckdb::ClientContext& context) override;
  duckdb::CatalogLookupBehavior CatalogTypeLookupRule(duckdb::CatalogType type) const override;

  duckdb::optional_ptr<duckdb::SchemaCatalogEntry> LookupSchema(
      duckdb::CatalogTransaction transaction, const duckdb::EntryLookupInfo& lookup,
      duckdb::OnEntryNotFound if_not_found) override;
  void ScanSchemas(duckdb::ClientContext& context,
                   std::function<void(duckdb::SchemaCatalogEntry&)> callback) override;

  duckdb::PhysicalOperator& PlanInsert(
      duckdb::ClientContext& context, duckdb::PhysicalPlanGenerator& planner,
      duckdb::LogicalInsert& op, duckdb::optional_ptr<duckdb::PhysicalOperator> plan) override;
  duckdb::PhysicalOperator& PlanDelete(duckdb::ClientContext& context,
                                       duckdb::PhysicalPlanGenerator& planner,
                                       duckdb::LogicalDelete& op,
                                       duckdb::PhysicalOperator& plan) override;
  duckdb::PhysicalOperator& PlanUpdate(duckdb::ClientContext& context,
                                       duckdb::PhysicalPlanGenerator& planner,
                                       duckdb::LogicalUpdate& op,
                                       duckdb::PhysicalOperator& plan) override;
  duckdb::PhysicalOperator& PlanMergeInto(duckdb::ClientContext& context,
                                          duckdb::PhysicalPlanGenerator& planner,
                                          duckdb::LogicalMergeInto& op,
                                          duckdb::PhysicalOperator& plan) override;
  duckdb::PhysicalOperator& PlanCreateTableAs(duckdb::ClientContext&,
                                              duckdb::PhysicalPlanGenerator&,
                                              duckdb::LogicalCreateTable&,
                                              duckdb::PhysicalOperator&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateSchema(duckdb::CatalogTransaction,
                                                          duckdb::CreateSchemaInfo&) override;
  duckdb::DatabaseSize GetDatabaseSize(duckdb::ClientContext&) override { return {}; }
  bool InMemory() override { return true; }
  std::string GetDBPath() override { return ""; }

  Oid database() const { return database_; }
  // The entry of a relation as `state`'s statement sees it, pinned to it; null when there is none.
  duckdb::optional_ptr<duckdb::CatalogEntry> FindRelation(duckdb::ClientContext& context,
                                                          OmenSchema& schema, Oid schema_oid,
                                                          const std::string& name);

 private:
  struct CachedEntry {
    std::shared_ptr<const void> definition;
    std::shared_ptr<duckdb::CatalogEntry> entry;
  };

  void DropSchema(duckdb::ClientContext&, duckdb::DropInfo&) override;
  std::shared_ptr<duckdb::CatalogEntry> Cached(Oid oid, const void* definition);
  void Cache(Oid oid, std::shared_ptr<const void> definition,
             std::shared_ptr<duckdb::CatalogEntry> entry);
  duckdb::optional_ptr<duckdb::CatalogEntry> FindSystemTable(SessionState& state,
                                                             OmenSchema& schema,
                                                             const std::string& name);

  const Oid database_;
  Mutex mu_;
  // Kept as long as the catalog: entries refer to them.
  std::unordered_map<std::string, std::unique_ptr<OmenSchema>> schemas_ OMEN_GUARDED_BY(mu_);
  std::unordered_map<Oid, CachedEntry> entries_ OMEN_GUARDED_BY(mu_);
  std::unordered_map<std::string, std::shared_ptr<duckdb::CatalogEntry>> system_tables_
      OMEN_GUARDED_BY(mu_);
};

// The name of our database in DuckDB: no SQL text collides with it.
std::string AttachedName(Oid database);
// Registers the storage extension "omendb" with the configuration of a new instance.
void RegisterStorageExtension(duckdb::DBConfig& config);

}  // namespace omendb::duck
