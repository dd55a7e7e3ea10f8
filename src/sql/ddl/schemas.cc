// CREATE SCHEMA, CREATE/DROP DATABASE.
#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "base/sqlstate.h"
#include "sql/ddl/table_builder.h"
#include "sql/privileges.h"

namespace omendb::sql {

Status RunCreateSchema(UtilityCall& call) {
  const PgQuery__CreateSchemaStmt& create = *call.node()->create_schema_stmt;
  SessionImpl& session = call.session;
  OMEN_TRY(CheckDatabase(session, catalog::privilege::kCreate));
  catalog::SchemaDef schema;
  schema.owner = session.current_role();
  schema.name = View(create.schemaname);
  if (create.authrole != nullptr) {
    OMEN_ASSIGN(const catalog::RoleDef* role, GetRole(session, *create.authrole));
    OMEN_TRY(CheckMember(session, *role));
    schema.owner = role->oid;
    if (schema.name.empty()) schema.name = role->name;
  }
  if (schema.name.starts_with("pg_")) {
    return Status(sqlstate::kReservedName,
                  fmt::format("unacceptable schema name \"{}\"", schema.name))
        .WithDetail("The prefix \"pg_\" is reserved for system schemas.");
  }
  if (session.catalog()->FindSchema(session.database(), schema.name) != nullptr) {
    const Status exists(sqlstate::kDuplicateSchema,
                        fmt::format("schema \"{}\" already exists{}", schema.name,
                                    create.if_not_exists ? ", skipping" : ""));
    if (!create.if_not_exists) return exists;
    session.Notify("NOTICE", exists);
    return Status::Ok();
  }
  if (create.n_schema_elts > 0) return NotSupported("CREATE SCHEMA with elements");
  schema.oid = session.db().NewOid();
  schema.database = session.database();
  return session.db().EditCatalog(*session.block().txn()).Put(schema);
}

Status RunCreateDatabase(UtilityCall& call) {
  const PgQuery__CreatedbStmt& create = *call.node()->createdb_stmt;
  SessionImpl& session = call.session;
  catalog::DatabaseDef database;
  database.name = View(create.dbname);
  database.owner = session.current_role();
  const catalog::RoleDef* role = session.catalog()->role(session.current_role());
  if (!session.is_superuser() && (role == nullptr || !role->create_db)) {
    return Status(sqlstate::kInsufficientPrivilege, "permission denied to create database");
  }
  for (size_t i = 0; i < create.n_options; ++i) {
    const PgQuery__DefElem& option = *create.options[i]->def_elem;
    const std::string_view name = View(option.defname);
    const std::string value = ConstText(option.arg);
    if (name == "owner") {
      const catalog::RoleDef* owner = session.catalog()->FindRole(value);
      if (owner == nullptr) {
        return Status(sqlstate::kUndefinedObject, fmt::format("role \"{}\" does not exist", value));
      }
      OMEN_TRY(CheckMember(session, *owner));
      database.owner = owner->oid;
    } else if (name == "template") {
      if (value != "template0" && value != "template1") {
        return NotSupported("a template other than template0 and template1");
      }
    } else if (name == "encoding") {
      if (value != "UTF8" && value != "utf8" && value != "UTF-8" && value != "6") {
        return NotSupported("encoding \"" + value + "\"");
      }
    }
  }
  if (session.catalog()->FindDatabase(database.name) != nullptr) {
    return Status(sqlstate::kDuplicateDatabase,
                  fmt::format("database \"{}\" already exists", database.name));
  }
  database.oid = session.db().NewOid();
  catalog::CatalogEdit& edit = session.db().EditCatalog(*session.block().txn());
  OMEN_TRY(edit.Put(database));
  for (const char* name : {"pg_catalog", "information_schema", "public"}) {
    catalog::SchemaDef schema;
    schema.oid = session.db().NewOid();
    schema.database = database.oid;
    schema.name = name;
    schema.owner = schema.name == "public" ? database.owner : catalog::kBootstrapRole;
    schema.acl = catalog::InitialSchemaAcl(schema.name, schema.owner);
    OMEN_TRY(edit.Put(schema));
  }
  return Status::Ok();
}

namespace {

// Who has just gone may still be on the list: as in PostgreSQL they get five seconds.
Result<size_t> OtherSessions(SessionImpl& session, Oid database) {
  constexpr int kTries = 50;
  constexpr auto kPause = std::chrono::milliseconds(100);
  for (int i = 0;; ++i) {
    const size_t others = session.instance().activity().CountInDatabase(database);
    if (others == 0 || i == kTries) return others;
    const Status waited = session.host().waiter().Wait(std::make_shared<WaitPoint>(),
                                                       std::chrono::steady_clock::now() + kPause,
                                                       &session.cancel_flag());
    if (!waited.Is(sqlstate::kLockNotAvailable)) return waited;
  }
}

}  // namespace

Status RunDropDatabase(UtilityCall& call) {
  const PgQuery__DropdbStmt& drop = *call.node()->dropdb_stmt;
  SessionImpl& session = call.session;
  const std::string name(View(drop.dbname));
  const catalog::DatabaseDef* database = session.catalog()->FindDatabase(name);
  if (database == nullptr) {
    const Status missing(
        sqlstate::kInvalidCatalogName,
        fmt::format("database \"{}\" does not exist{}", name, drop.missing_ok ? ", skipping" : ""));
    if (!drop.missing_ok) return missing;
    session.Notify("NOTICE", missing);
    return Status::Ok();
  }
  OMEN_TRY(CheckOwner(session, database->owner, "database", name));
  const Oid oid = database->oid;
  if (oid == session.database()) {
    return Status(sqlstate::kObjectInUse, "cannot drop the currently open database");
  }
  OMEN_ASSIGN(const size_t others, OtherSessions(session, oid));
  if (others > 0) {
    return Status(sqlstate::kObjectInUse,
                  fmt::format("database \"{}\" is being accessed by other users", name))
        .WithDetail(others == 1
                        ? std::string("There is 1 other session using the database.")
                        : fmt::format("There are {} other sessions using the database.", others));
  }
  catalog::CatalogEdit& edit = session.db().EditCatalog(*session.block().txn());
  std::vector<Oid> schemas;
  for (const catalog::SchemaDef* schema : edit.view()->schemas(oid)) schemas.push_back(schema->oid);
  for (Oid schema : schemas) {
    OMEN_TRY(DropSchemaContents(edit, oid, schema));
    OMEN_TRY(edit.Drop(catalog::ObjectKind::kSchema, schema));
  }
  return edit.Drop(catalog::ObjectKind::kDatabase, oid);
}

}  // namespace omendb::sql
