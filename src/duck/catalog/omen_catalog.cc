#include "duck/catalog/omen_catalog.h"

#include "base/sqlstate.h"
#include "duck/catalog/system_table_entry.h"
#include "duck/catalog/table_entry.h"
#include "duck/catalog/transaction_manager.h"
#include "duck/catalog/view_entry.h"
#include "duck/errors.h"
#include "duck/session_state.h"
#include "duckdb/main/attached_database.hpp"
#include "duckdb/parser/parsed_data/attach_info.hpp"
#include "duckdb/parser/parsed_data/create_schema_info.hpp"
#include "duckdb/storage/storage_extension.hpp"

namespace omendb::duck {

namespace {

[[noreturn]] void ThrowNoDdl() { ThrowStatus(NotSupported("this kind of DDL inside a query")); }

constexpr const char* kNamePrefix = "omendb database ";

duckdb::unique_ptr<duckdb::Catalog> Attach(duckdb::optional_ptr<duckdb::StorageExtensionInfo>,
                                           duckdb::ClientContext&, duckdb::AttachedDatabase& db,
                                           const std::string&, duckdb::AttachInfo& info,
                                           duckdb::AttachOptions&) {
  return duckdb::make_uniq<OmenCatalog>(db, Oid(static_cast<uint32_t>(std::stoul(info.path))));
}

duckdb::unique_ptr<duckdb::TransactionManager> MakeTransactionManager(
    duckdb::optional_ptr<duckdb::StorageExtensionInfo>, duckdb::AttachedDatabase& db,
    duckdb::Catalog&) {
  return duckdb::make_uniq<OmenTransactionManager>(db);
}

}  // namespace

std::string AttachedName(Oid database) { return kNamePrefix + std::to_string(database.value()); }

void RegisterStorageExtension(duckdb::DBConfig& config) {
  auto extension = duckdb::make_uniq<duckdb::StorageExtension>();
  extension->attach = Attach;
  extension->create_transaction_manager = MakeTransactionManager;
  config.storage_extensions["omendb"] = std::move(extension);
}

// ---- Schema -----------------------------------------------------------------------------------

duckdb::optional_ptr<duckdb::CatalogEntry> OmenSchema::LookupEntry(
    duckdb::CatalogTransaction transaction, const duckdb::EntryLookupInfo& lookup) {
  if (lookup.GetCatalogType() != duckdb::CatalogType::TABLE_ENTRY &&
      lookup.GetCatalogType() != duckdb::CatalogType::VIEW_ENTRY) {
    return nullptr;
  }
  return catalog.Cast<OmenCatalog>().FindRelation(transaction.GetContext(), *this, schema_,
                                                  lookup.GetEntryName());
}

duckdb::optional_ptr<duckdb::CatalogEntry> OmenSchema::CreateIndex(duckdb::CatalogTransaction,
                                                                   duckdb::CreateIndexInfo&,
                                                                   duckdb::TableCatalogEntry&) {
  ThrowNoDdl();
}
duckdb::optional_ptr<duckdb::CatalogEntry> OmenSchema::CreateFunction(duckdb::CatalogTransaction,
                                                                      duckdb::CreateFunctionInfo&) {
  ThrowNoDdl();
}
duckdb::optional_ptr<duckdb::CatalogEntry> OmenSchema::CreateTable(duckdb::CatalogTransaction,
                                                                   duckdb::BoundCreateTableInfo&) {
  ThrowNoDdl();
}
duckdb::optional_ptr<duckdb::CatalogEntry> OmenSchema::CreateView(duckdb::CatalogTransaction,
                                                                  duckdb::CreateViewInfo&) {
  ThrowNoDdl();
}
duckdb::optional_ptr<duckdb::CatalogEntry> OmenSchema::CreateSequence(duckdb::CatalogTransaction,
                                                                      duckdb::CreateSequenceInfo&) {
  ThrowNoDdl();
}
duckdb::optional_ptr<duckdb::CatalogEntry> OmenSchema::CreateTableFunction(
    duckdb::CatalogTransaction, duckdb::CreateTableFunctionInfo&) {
  ThrowNoDdl();
}
duckdb::optional_ptr<duckdb::CatalogEntry> OmenSchema::CreateCopyFunction(
    duckdb::CatalogTransaction, duckdb::CreateCopyFunctionInfo&) {
  ThrowNoDdl();
}
duckdb::optional_ptr<duckdb::CatalogEntry> OmenSchema::CreatePragmaFunction(
    duckdb::CatalogTransaction, duckdb::CreatePragmaFunctionInfo&) {
  ThrowNoDdl();
}
duckdb::optional_ptr<duckdb::CatalogEntry> OmenSchema::CreateCollation(
    duckdb::CatalogTransaction, duckdb::CreateCollationInfo&) {
  ThrowNoDdl();
}
duckdb::optional_ptr<duckdb::CatalogEntry> OmenSchema::CreateType(duckdb::CatalogTransaction,
                                                                  duckdb::CreateTypeInfo&) {
  ThrowNoDdl();
}
void OmenSchema::DropEntry(duckdb::ClientContext&, duckdb::DropInfo&) { ThrowNoDdl(); }
void OmenSchema::Alter(duckdb::CatalogTransaction, duckdb::AlterInfo&) { ThrowNoDdl(); }

// ---- Catalog ----------------------------------------------------------------------------------

duckdb::optional_idx OmenCatalog::GetCatalogVersion(duckdb::ClientContext& context) {
  SessionState* state = SessionState::TryGet(context);
  if (state == nullptr || state->statement == nullptr) return {};
  return duckdb::optional_idx(state->statement->catalog->version());
}

duckdb::CatalogLookupBehavior OmenCatalog::CatalogTypeLookupRule(duckdb::CatalogType type) const {
  return type == duckdb::CatalogType::TABLE_ENTRY || type == duckdb::CatalogType::VIEW_ENTRY
             ? duckdb::CatalogLookupBehavior::STANDARD
             : duckdb::CatalogLookupBehavior::NEVER_LOOKUP;
}

duckdb::optional_ptr<duckdb::SchemaCatalogEntry> OmenCatalog::LookupSchema(
    duckdb::CatalogTransaction transaction, const duckdb::EntryLookupInfo& lookup,
    duckdb::OnEntryNotFound if_not_found) {
  const std::string& name = lookup.GetEntryName();
  SessionState* state =
      transaction.HasContext() ? SessionState::TryGet(transaction.GetContext()) : nullptr;
  const catalog::SchemaDef* definition = nullptr;
  if (state != nullptr && state->statement != nullptr) {
    definition = state->statement->catalog->FindSchema(database_, name);
  }
  if (definition == nullptr) {
    if (if_not_found == duckdb::OnEntryNotFound::RETURN_NULL) return nullptr;
    ThrowStatus(Status(sqlstate::kInvalidSchemaName, "schema \"" + name + "\" does not exist"));
  }
  const std::string key = std::to_string(definition->oid.value()) + " " + name;
  MutexLock lock(mu_);
  auto& schema = schemas_[key];
  if (schema == nullptr) {
    duckdb::CreateSchemaInfo info;
    info.schema = name;
    schema = std::make_unique<OmenSchema>(*this, info, definition->oid);
  }
  return schema.get();
}

void OmenCatalog::ScanSchemas(duckdb::ClientContext&,
                              std::function<void(duckdb::SchemaCatalogEntry&)>) {}

std::shared_ptr<duckdb::CatalogEntry> OmenCatalog::Cached(Oid oid, const void* definition) {
  MutexLock lock(mu_);
  auto it = entries_.find(oid);
  if (it == entries_.end() || it->second.definition.get() != definition) return nullptr;
  return it->second.entry;
}

void OmenCatalog::Cache(Oid oid, std::shared_ptr<const void> definition,
                        std::shared_ptr<duckdb::CatalogEntry> entry) {
  MutexLock lock(mu_);
  entries_[oid] = {std::move(definition), std::move(entry)};
}

duckdb::optional_ptr<duckdb::CatalogEntry> OmenCatalog::FindSystemTable(SessionState& state,
                                                                        OmenSchema& schema,
                                                                        const std::string& name) {
  if (schema.name != "pg_catalog" && schema.name != "information_schema") return nullptr;
  if (state.system_tables == nullptr) return nullptr;
  const std::string key = schema.name + "." + name;
  MutexLock lock(mu_);
  auto it = system_tables_.find(key);
  if (it != system_tables_.end()) return it->second.get();
  for (const SystemTable& table : state.system_tables->tables()) {
    if (table.schema != schema.name || table.name != name) continue;
    std::shared_ptr<duckdb::CatalogEntry> entry = MakeSystemTableEntry(*this, schema, table);
    system_tables_[key] = entry;
    return entry.get();
  }
  return nullptr;
}

duckdb::optional_ptr<duckdb::CatalogEntry> OmenCatalog::FindRelation(duckdb::ClientContext& context,
                                                                     OmenSchema& schema,
                                                                     Oid schema_oid,
                                                                     const std::string& name) {
  SessionState& state = SessionState::Get(context);
  if (state.statement == nullptr) return nullptr;
  if (auto entry = FindSystemTable(state, schema, name)) return entry;
  const catalog::Relation relation = state.statement->catalog->FindRelation(schema_oid, name);
  if (relation.index != nullptr) return nullptr;
  std::shared_ptr<duckdb::CatalogEntry> entry;
  if (relation.table != nullptr) {
    entry = Cached(relation.table->oid, relation.table.get());
    if (entry == nullptr) {
      entry = MakeTableEntry(*this, schema, state, relation.table);
      Cache(relation.table->oid, relation.table, entry);
    }
  } else if (relation.view != nullptr) {
    entry = Cached(relation.view->oid, relation.view.get());
    if (entry == nullptr) {
      entry = MakeViewEntry(*this, schema, state, *relation.view);
      Cache(relation.view->oid, relation.view, entry);
    }
  } else if (relation.sequence != nullptr) {
    // SELECT ... FROM a_sequence: its state may change with every call, so nothing is cached.
    entry = MakeSequenceEntry(*this, schema, relation.sequence);
  }
  if (entry == nullptr) return nullptr;
  state.Pin(entry);
  return entry.get();
}

duckdb::PhysicalOperator& OmenCatalog::PlanCreateTableAs(duckdb::ClientContext&,
                                                         duckdb::PhysicalPlanGenerator&,
                                                         duckdb::LogicalCreateTable&,
                                                         duckdb::PhysicalOperator&) {
  ThrowNoDdl();
}
duckdb::optional_ptr<duckdb::CatalogEntry> OmenCatalog::CreateSchema(duckdb::CatalogTransaction,
                                                                     duckdb::CreateSchemaInfo&) {
  ThrowNoDdl();
}
void OmenCatalog::DropSchema(duckdb::ClientContext&, duckdb::DropInfo&) { ThrowNoDdl(); }

}  // namespace omendb::duck
