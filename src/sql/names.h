// names.h - from names in a statement to objects of the catalog, by search_path, with PostgreSQL's
// errors; and dropping what is found.
//
// Thread safety  The session's thread (or the pool's while the session waits for it).
// Errors         3F000, 42P01, 42704, 42809, 42501 as PostgreSQL words them.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "catalog/snapshot.h"
#include "sql/parse/ast.h"
#include "sql/session_impl.h"

namespace omendb::sql {

struct QualifiedRelation {
  std::string schema;  // empty: by search_path
  std::string name;
  int location = -1;
};
QualifiedRelation NameOf(const PgQuery__RangeVar& range);
// a.b as a list of String nodes.
QualifiedRelation NameOf(Node* const* names, size_t count);
QualifiedRelation NameOfList(const Node* list);
// 'schema."Name"' as text, as regclass reads it.
Result<QualifiedRelation> ParseQualifiedName(std::string_view text);

// Empty when there is none (a missing schema too).
catalog::Relation FindRelation(const SessionImpl& session, const QualifiedRelation& name);
catalog::Relation FindRelation(const SessionImpl& session, const catalog::CatalogSnapshot& snapshot,
                               const QualifiedRelation& name);
// The table, view or sequence of this Oid.
catalog::Relation FindRelation(const catalog::CatalogSnapshot& snapshot, Oid oid);
// 42P01 "relation \"x\" does not exist".
Result<catalog::Relation> GetRelation(const SessionImpl& session, const QualifiedRelation& name);
// The table; 42809 for other relations.
Result<std::shared_ptr<const catalog::TableDef>> GetTable(const SessionImpl& session,
                                                          const QualifiedRelation& name);
Result<std::shared_ptr<const catalog::SequenceDef>> GetSequence(const SessionImpl& session,
                                                                const QualifiedRelation& name);
Result<std::shared_ptr<const catalog::ViewDef>> GetView(const SessionImpl& session,
                                                        const QualifiedRelation& name);
// 3F000 'schema "x" does not exist'.
Result<const catalog::SchemaDef*> GetSchema(const SessionImpl& session, std::string_view name);
// Where an object of this name is created: the schema named, the temporary one, or the first of
// search_path. 3F000 "no schema has been selected to create in".
Result<const catalog::SchemaDef*> CreationSchema(SessionImpl& session,
                                                 const PgQuery__RangeVar& range);
Result<const catalog::RoleDef*> GetRole(const SessionImpl& session, const PgQuery__RoleSpec& spec);

std::string_view KindName(const catalog::Relation& relation);  // "table", "view", ...
Oid RelationOid(const catalog::Relation& relation);
Oid RelationSchema(const catalog::Relation& relation);
const std::string& RelationName(const catalog::Relation& relation);

// 42501 unless superuser or owner: 'must be owner of table x'.
Status CheckOwner(const SessionImpl& session, Oid owner, std::string_view kind,
                  std::string_view name);
// 25006 in a read-only transaction, XX001 where segments are damaged.
Status CheckWritable(SessionImpl& session, std::string_view tag);

// Takes the table's lock for DDL, and re-reads its definition behind it.
Result<std::shared_ptr<const catalog::TableDef>> LockForDdl(
    SessionImpl& session, engine::StatementContext& context, Oid table,
    txn::TableLockMode mode = txn::TableLockMode::kAccessExclusive);

// Drops the table with its sequences and comments; dependants are the caller's business.
Status DropTableObject(catalog::CatalogEdit& edit, Oid table);
Status DropSchemaContents(catalog::CatalogEdit& edit, Oid database, Oid schema);
// New storage for the table and its indexes: it is empty afterwards.
Status TruncateTable(SessionImpl& session, engine::StatementContext& context, Oid table);
// Gives new storage Oids to a definition.
void RenewStorage(engine::Database& database, catalog::TableDef& table);

}  // namespace omendb::sql
