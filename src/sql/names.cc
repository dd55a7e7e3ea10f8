#include "sql/names.h"

#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/privileges.h"

namespace omendb::sql {

using catalog::ObjectKind;
using catalog::Relation;

QualifiedRelation NameOf(const PgQuery__RangeVar& range) {
  return {std::string(View(range.schemaname)), std::string(View(range.relname)), range.location};
}

QualifiedRelation NameOf(Node* const* names, size_t count) {
  return {std::string(SchemaName(names, count)), std::string(LastName(names, count)), -1};
}

QualifiedRelation NameOfList(const Node* list) {
  if (list->node_case == PG_QUERY__NODE__NODE_LIST) {
    return NameOf(list->list->items, list->list->n_items);
  }
  return {"", std::string(StringOf(list)), -1};
}

Result<QualifiedRelation> ParseQualifiedName(std::string_view text) {
  std::vector<std::string> parts;
  size_t i = 0;
  const Status bad(sqlstate::kInvalidName, "invalid name syntax");
  while (true) {
    std::string part;
    if (i < text.size() && text[i] == '"') {
      for (++i;; ++i) {
        if (i >= text.size()) return bad;
        if (text[i] == '"') {
          if (i + 1 >= text.size() || text[i + 1] != '"') break;
          ++i;
        }
        part += text[i];
      }
      ++i;
    } else {
      while (i < text.size() && text[i] != '.') {
        const char c = text[i++];
        if (c == ' ') continue;
        part += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      }
    }
    if (part.empty()) return bad;
    parts.push_back(std::move(part));
    if (i == text.size()) break;
    if (text[i++] != '.') return bad;
  }
  if (parts.size() > 2) parts.erase(parts.begin(), parts.end() - 2);
  return QualifiedRelation{parts.size() > 1 ? parts[0] : "", parts.back(), -1};
}

Relation FindRelation(const SessionImpl& session, const catalog::CatalogSnapshot& snapshot,
                      const QualifiedRelation& name) {
  if (!name.schema.empty()) {
    const std::string schema_name =
        name.schema == "pg_temp" ? session.temp_schema_name() : name.schema;
    const catalog::SchemaDef* schema = snapshot.FindSchema(session.database(), schema_name);
    return schema != nullptr ? snapshot.FindRelation(schema->oid, name.name) : Relation{};
  }
  for (const std::string& schema_name : session.SearchPath(true)) {
    const catalog::SchemaDef* schema = snapshot.FindSchema(session.database(), schema_name);
    if (schema == nullptr) continue;
    if (Relation found = snapshot.FindRelation(schema->oid, name.name)) return found;
  }
  return {};
}

Relation FindRelation(const SessionImpl& session, const QualifiedRelation& name) {
  return FindRelation(session, *session.catalog(), name);
}

Relation FindRelation(const catalog::CatalogSnapshot& snapshot, Oid oid) {
  Relation relation;
  relation.table = snapshot.table(oid);
  if (relation.table == nullptr) relation.view = snapshot.view(oid);
  if (!relation) relation.sequence = snapshot.sequence(oid);
  return relation;
}

Result<Relation> GetRelation(const SessionImpl& session, const QualifiedRelation& name) {
  Relation found = FindRelation(session, name);
  if (found) return found;
  const std::string full = name.schema.empty() ? name.name : name.schema + "." + name.name;
  Status status(sqlstate::kUndefinedTable, fmt::format("relation \"{}\" does not exist", full));
  return status;
}

Result<std::shared_ptr<const catalog::TableDef>> GetTable(const SessionImpl& session,
                                                          const QualifiedRelation& name) {
  OMEN_ASSIGN(Relation found, GetRelation(session, name));
  if (found.table == nullptr || found.index != nullptr) {
    return Status(sqlstate::kWrongObjectType, fmt::format("\"{}\" is not a table", name.name));
  }
  return found.table;
}

Result<std::shared_ptr<const catalog::SequenceDef>> GetSequence(const SessionImpl& session,
                                                                const QualifiedRelation& name) {
  OMEN_ASSIGN(Relation found, GetRelation(session, name));
  if (found.sequence == nullptr) {
    return Status(sqlstate::kWrongObjectType, fmt::format("\"{}\" is not a sequence", name.name));
  }
  return found.sequence;
}

Result<std::shared_ptr<const catalog::ViewDef>> GetView(const SessionImpl& session,
                                                        const QualifiedRelation& name) {
  OMEN_ASSIGN(Relation found, GetRelation(session, name));
  if (found.view == nullptr) {
    return Status(sqlstate::kWrongObjectType, fmt::format("\"{}\" is not a view", name.name));
  }
  return found.view;
}

Result<const catalog::SchemaDef*> GetSchema(const SessionImpl& session, std::string_view name) {
  const std::string real = name == "pg_temp" ? session.temp_schema_name() : std::string(name);
  const catalog::SchemaDef* schema = session.catalog()->FindSchema(session.database(), real);
  if (schema != nullptr) return schema;
  return Status(sqlstate::kInvalidSchemaName, fmt::format("schema \"{}\" does not exist", name));
}

namespace {

Result<const catalog::SchemaDef*> TempSchema(SessionImpl& session) {
  const std::string name = session.temp_schema_name();
  if (const auto* found = session.catalog()->FindSchema(session.database(), name)) {
    session.set_has_temp_schema(true);
    return found;
  }
  OMEN_TRY(CheckDatabase(session, catalog::privilege::kTemporary));
  catalog::SchemaDef schema;
  schema.oid = session.db().NewOid();
  schema.database = session.database();
  schema.name = name;
  schema.owner = catalog::kBootstrapRole;
  OMEN_TRY(session.db().EditCatalog(*session.block().txn()).Put(schema));
  session.set_has_temp_schema(true);
  return session.catalog()->FindSchema(session.database(), name);
}

}  // namespace

namespace {

Result<const catalog::SchemaDef*> CreatableSchema(const SessionImpl& session,
                                                  std::string_view name) {
  OMEN_ASSIGN(const catalog::SchemaDef* schema, GetSchema(session, name));
  OMEN_TRY(CheckSchema(session, *schema, catalog::privilege::kCreate));
  return schema;
}

}  // namespace

Result<const catalog::SchemaDef*> CreationSchema(SessionImpl& session,
                                                 const PgQuery__RangeVar& range) {
  const std::string_view schema = View(range.schemaname);
  if (View(range.relpersistence) == "t" || schema == "pg_temp") {
    if (!schema.empty() && schema != "pg_temp") {
      return Status(sqlstate::kInvalidTableDefinition,
                    "cannot create temporary relation in non-temporary schema");
    }
    return TempSchema(session);
  }
  if (!schema.empty()) {
    if (schema == "pg_catalog" || schema == "information_schema") {
      return Status(
                 sqlstate::kInsufficientPrivilege,
                 fmt::format("permission denied to create \"{}.{}\"", schema, View(range.relname)))
          .WithDetail("System catalog modifications are currently disallowed.");
    }
    return CreatableSchema(session, schema);
  }
  for (const std::string& name : session.SearchPath(false)) {
    if (name == "pg_catalog" || name == "information_schema") continue;
    return CreatableSchema(session, name);
  }
  return Status(sqlstate::kInvalidSchemaName, "no schema has been selected to create in");
}

Result<const catalog::RoleDef*> GetRole(const SessionImpl& session, const PgQuery__RoleSpec& spec) {
  std::string name(View(spec.rolename));
  if (spec.roletype == PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CURRENT_USER ||
      spec.roletype == PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_CURRENT_ROLE) {
    name = session.current_user();
  } else if (spec.roletype == PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_SESSION_USER) {
    name = session.session_user();
  }
  if (const catalog::RoleDef* role = session.catalog()->FindRole(name)) return role;
  return Status(sqlstate::kUndefinedObject, fmt::format("role \"{}\" does not exist", name));
}

std::string_view KindName(const Relation& relation) {
  if (relation.index != nullptr) return "index";
  if (relation.view != nullptr) return "view";
  if (relation.sequence != nullptr) return "sequence";
  return "table";
}

Oid RelationOid(const Relation& relation) {
  if (relation.index != nullptr) return relation.index->oid;
  if (relation.view != nullptr) return relation.view->oid;
  if (relation.sequence != nullptr) return relation.sequence->oid;
  return relation.table != nullptr ? relation.table->oid : Oid{};
}

Oid RelationSchema(const Relation& relation) {
  if (relation.view != nullptr) return relation.view->schema;
  if (relation.sequence != nullptr) return relation.sequence->schema;
  return relation.table != nullptr ? relation.table->schema : Oid{};
}

const std::string& RelationName(const Relation& relation) {
  if (relation.index != nullptr) return relation.index->name;
  if (relation.view != nullptr) return relation.view->name;
  if (relation.sequence != nullptr) return relation.sequence->name;
  return relation.table->name;
}

Status CheckOwner(const SessionImpl& session, Oid owner, std::string_view kind,
                  std::string_view name) {
  if (session.is_superuser() ||
      catalog::HasPrivilegesOf(*session.catalog(), session.current_role(), owner)) {
    return Status::Ok();
  }
  return Status(sqlstate::kInsufficientPrivilege,
                fmt::format("must be owner of {} {}", kind, name));
}

Status CheckWritable(SessionImpl& session, std::string_view tag) {
  if (session.db().is_damaged()) return session.db().health();
  txn::Transaction* txn = session.block().txn();
  if (txn == nullptr || !txn->options().read_only) return Status::Ok();
  return Status(sqlstate::kReadOnlySqlTransaction,
                fmt::format("cannot execute {} in a read-only transaction", tag));
}

Result<std::shared_ptr<const catalog::TableDef>> LockForDdl(SessionImpl& session,
                                                            engine::StatementContext& context,
                                                            Oid table, txn::TableLockMode mode) {
  OMEN_TRY(context.txn->LockTable(table, mode, txn::LockWait::kWait, *context.waiter,
                                  context.cancel, context.lock_timeout_ms));
  context.catalog = session.catalog();
  auto definition = context.catalog->table(table);
  if (definition == nullptr) {
    return Status(sqlstate::kUndefinedTable,
                  fmt::format("could not open relation with OID {}", table.value()));
  }
  return definition;
}

Status DropTableObject(catalog::CatalogEdit& edit, Oid table) {
  auto view = edit.view();
  for (const auto& sequence : view->sequences(view->table(table)->database)) {
    if (sequence->owned_by_table == table) {
      OMEN_TRY(edit.Drop(ObjectKind::kSequence, sequence->oid));
    }
  }
  for (const catalog::CommentDef& comment : view->comments()) {
    if (comment.object != table) continue;
    catalog::CommentDef none = comment;
    none.text.clear();
    edit.SetComment(std::move(none));
  }
  return edit.Drop(ObjectKind::kTable, table);
}

Status DropSchemaContents(catalog::CatalogEdit& edit, Oid database, Oid schema) {
  auto view = edit.view();
  for (const auto& object : view->views(database)) {
    if (object->schema == schema) OMEN_TRY(edit.Drop(ObjectKind::kView, object->oid));
  }
  for (const auto& table : view->tables(database)) {
    if (table->schema == schema) OMEN_TRY(DropTableObject(edit, table->oid));
  }
  for (const auto& sequence : edit.view()->sequences(database)) {
    if (sequence->schema == schema) OMEN_TRY(edit.Drop(ObjectKind::kSequence, sequence->oid));
  }
  return Status::Ok();
}

void RenewStorage(engine::Database& database, catalog::TableDef& table) {
  table.storage = database.NewOid();
  for (catalog::IndexDef& index : table.indexes) index.storage = database.NewOid();
}

Status TruncateTable(SessionImpl& session, engine::StatementContext& context, Oid oid) {
  OMEN_ASSIGN(auto definition, LockForDdl(session, context, oid));
  catalog::TableDef table = *definition;
  RenewStorage(session.db(), table);
  catalog::CatalogEdit& edit = session.db().EditCatalog(*context.txn);
  OMEN_TRY(edit.Put(table));
  context.catalog = edit.view();
  return session.db().CreateStorage(context, *context.catalog->table(oid));
}

}  // namespace omendb::sql
