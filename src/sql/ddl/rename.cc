// ALTER ... RENAME, ... OWNER TO, ... SET SCHEMA.
#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/ddl/table_builder.h"
#include "sql/privileges.h"

namespace omendb::sql {
namespace {

using catalog::Relation;

Status MissingNotice(SessionImpl& session, std::string_view name) {
  session.Notify("NOTICE", Status(sqlstate::kUndefinedTable,
                                  fmt::format("relation \"{}\" does not exist, skipping", name)));
  return Status::Ok();
}

Status CheckFree(SessionImpl& session, Oid schema, std::string_view name) {
  if (!session.catalog()->FindRelation(schema, name)) return Status::Ok();
  return Status(sqlstate::kDuplicateTable, fmt::format("relation \"{}\" already exists", name));
}

// A changed default keeps naming a sequence that was renamed.
void RenameInDefaults(SessionImpl& session, catalog::CatalogEdit& edit, Oid sequence,
                      const std::string& old_name, const std::string& new_name) {
  const auto def = edit.view()->sequence(sequence);
  if (def->owned_by_table == Oid{}) return;
  (void)session;
  catalog::TableDef table = *edit.view()->table(def->owned_by_table);
  for (catalog::ColumnDef& column : table.columns) {
    const std::string quoted = QuoteIdentifier(old_name);
    const size_t at = column.default_sql.find(quoted + "'::regclass");
    if (at != std::string::npos) {
      column.default_sql.replace(at, quoted.size(), QuoteIdentifier(new_name));
    }
  }
  (void)edit.Put(table).ok();
}

Status RenameRelation(UtilityCall& call, const PgQuery__RenameStmt& rename) {
  SessionImpl& session = call.session;
  const QualifiedRelation name = NameOf(*rename.relation);
  if (rename.missing_ok && !FindRelation(session, name)) return MissingNotice(session, name.name);
  OMEN_ASSIGN(Relation found, GetRelation(session, name));
  const std::string new_name(View(rename.newname));
  OMEN_TRY(CheckFree(session, RelationSchema(found), new_name));
  catalog::CatalogEdit& edit = session.db().EditCatalog(*session.block().txn());
  if (found.view != nullptr) {
    OMEN_TRY(CheckOwner(session, found.view->owner, "view", found.view->name));
    catalog::ViewDef view = *found.view;
    view.name = new_name;
    return edit.Put(view);
  }
  if (found.sequence != nullptr) {
    OMEN_TRY(CheckOwner(session, found.sequence->owner, "sequence", found.sequence->name));
    catalog::SequenceDef sequence = *found.sequence;
    sequence.name = new_name;
    OMEN_TRY(edit.Put(sequence));
    RenameInDefaults(session, edit, sequence.oid, found.sequence->name, new_name);
    return Status::Ok();
  }
  OMEN_TRY(CheckOwner(session, found.table->owner, KindName(found), RelationName(found)));
  engine::StatementContext context = session.MakeContext(call.waiter);
  OMEN_ASSIGN(auto definition, LockForDdl(session, context, found.table->oid));
  catalog::TableDef table = *definition;
  if (found.index != nullptr) {
    for (catalog::IndexDef& index : table.indexes) {
      if (index.oid == found.index->oid) index.name = new_name;
    }
    for (catalog::ConstraintDef& constraint : table.constraints) {
      if (constraint.index == found.index->oid) constraint.name = new_name;
    }
  } else {
    if (rename.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_VIEW) {
      return Status(sqlstate::kWrongObjectType, fmt::format("\"{}\" is not a view", table.name));
    }
    table.name = new_name;
  }
  return edit.Put(table);
}

bool ViewUsesTable(const SessionImpl& session, Oid table) {
  for (const auto& view : session.catalog()->views(session.database())) {
    for (Oid oid : view->depends_on) {
      if (oid == table) return true;
    }
  }
  return false;
}

// Replaces references to a column in a CHECK condition.
Result<std::string> RenameInExpression(const std::string& sql, std::string_view from,
                                       std::string_view to) {
  OMEN_ASSIGN(auto tree, ParseTree::Parse("SELECT " + sql));
  types::Arena arena;
  AstBuilder build(arena);
  Node* copy = build.Clone(tree->statement(0).node->select_stmt->target_list[0]->res_target->val);
  WalkNode(copy, [&](Node* node) {
    if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF) {
      PgQuery__ColumnRef& column = *node->column_ref;
      if (LastName(column.fields, column.n_fields) == from) {
        column.fields[column.n_fields - 1] = build.String(to);
      }
    }
    return true;
  });
  return DeparseExpression(copy);
}

Status RenameColumn(UtilityCall& call, const PgQuery__RenameStmt& rename) {
  SessionImpl& session = call.session;
  const QualifiedRelation name = NameOf(*rename.relation);
  if (rename.missing_ok && !FindRelation(session, name)) return MissingNotice(session, name.name);
  OMEN_ASSIGN(Relation found, GetRelation(session, name));
  const std::string from(View(rename.subname));
  const std::string to(View(rename.newname));
  catalog::CatalogEdit& edit = session.db().EditCatalog(*session.block().txn());
  auto rename_in = [&](std::vector<catalog::ColumnDef>& columns) -> Status {
    catalog::ColumnDef* target = nullptr;
    for (catalog::ColumnDef& column : columns) {
      if (column.dropped) continue;
      if (column.name == from) target = &column;
      if (column.name == to) {
        return Status(sqlstate::kDuplicateColumn,
                      fmt::format("column \"{}\" of relation \"{}\" already exists", to,
                                  RelationName(found)));
      }
    }
    if (target == nullptr) {
      return Status(sqlstate::kUndefinedColumn, fmt::format("column \"{}\" does not exist", from));
    }
    target->name = to;
    return Status::Ok();
  };
  if (found.view != nullptr) {
    catalog::ViewDef view = *found.view;
    OMEN_TRY(rename_in(view.columns));
    return edit.Put(view);
  }
  if (found.table == nullptr || found.index != nullptr) {
    return Status(sqlstate::kWrongObjectType,
                  fmt::format("cannot rename columns of relation \"{}\"", RelationName(found)));
  }
  OMEN_TRY(CheckOwner(session, found.table->owner, "table", found.table->name));
  engine::StatementContext context = session.MakeContext(call.waiter);
  OMEN_ASSIGN(auto definition, LockForDdl(session, context, found.table->oid));
  if (ViewUsesTable(session, definition->oid)) {
    return NotSupported("renaming a column of a table that a view uses");
  }
  catalog::TableDef table = *definition;
  OMEN_TRY(rename_in(table.columns));
  for (catalog::ColumnDef& column : table.columns) {
    if (column.generated_sql.empty()) continue;
    OMEN_ASSIGN(column.generated_sql, RenameInExpression(column.generated_sql, from, to));
  }
  for (catalog::ConstraintDef& constraint : table.constraints) {
    if (constraint.kind != catalog::ConstraintKind::kCheck) continue;
    OMEN_ASSIGN(constraint.check_sql, RenameInExpression(constraint.check_sql, from, to));
  }
  return edit.Put(table);
}

Status RenameConstraint(UtilityCall& call, const PgQuery__RenameStmt& rename) {
  SessionImpl& session = call.session;
  OMEN_ASSIGN(auto found, GetTable(session, NameOf(*rename.relation)));
  engine::StatementContext context = session.MakeContext(call.waiter);
  OMEN_ASSIGN(auto definition, LockForDdl(session, context, found->oid));
  catalog::TableDef table = *definition;
  const std::string new_name(View(rename.newname));
  for (catalog::ConstraintDef& constraint : table.constraints) {
    if (constraint.name != View(rename.subname)) continue;
    constraint.name = new_name;
    for (catalog::IndexDef& index : table.indexes) {
      if (index.oid != constraint.index) continue;
      OMEN_TRY(CheckFree(session, table.schema, new_name));
      index.name = new_name;
    }
    return session.db().EditCatalog(*context.txn).Put(table);
  }
  return Status(sqlstate::kUndefinedObject,
                fmt::format("constraint \"{}\" for table \"{}\" does not exist",
                            View(rename.subname), table.name));
}

Status RenameNamed(UtilityCall& call, const PgQuery__RenameStmt& rename) {
  SessionImpl& session = call.session;
  catalog::CatalogEdit& edit = session.db().EditCatalog(*session.block().txn());
  const std::string from(View(rename.subname));
  const std::string to(View(rename.newname));
  switch (rename.rename_type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA: {
      OMEN_ASSIGN(const catalog::SchemaDef* schema, GetSchema(session, from));
      for (const auto& view : session.catalog()->views(session.database())) {
        for (Oid oid : view->depends_on) {
          auto table = session.catalog()->table(oid);
          if (table != nullptr && table->schema == schema->oid) {
            return NotSupported("renaming a schema whose tables views use");
          }
        }
      }
      catalog::SchemaDef renamed = *schema;
      renamed.name = to;
      return edit.Put(renamed);
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_ROLE: {
      const catalog::RoleDef* role = session.catalog()->FindRole(from);
      if (role == nullptr) {
        return Status(sqlstate::kUndefinedObject, fmt::format("role \"{}\" does not exist", from));
      }
      if (from == session.session_user()) {
        return Status(sqlstate::kFeatureNotSupported, "session user cannot be renamed");
      }
      catalog::RoleDef renamed = *role;
      renamed.name = to;
      return edit.Put(renamed);
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE: {
      const catalog::DatabaseDef* database = session.catalog()->FindDatabase(from);
      if (database == nullptr) {
        return Status(sqlstate::kInvalidCatalogName,
                      fmt::format("database \"{}\" does not exist", from));
      }
      if (database->oid == session.database()) {
        return Status(sqlstate::kFeatureNotSupported, "current database cannot be renamed");
      }
      catalog::DatabaseDef renamed = *database;
      renamed.name = to;
      return edit.Put(renamed);
    }
    default:
      return NotSupported("this ALTER ... RENAME");
  }
}

}  // namespace

Status RunRename(UtilityCall& call) {
  const PgQuery__RenameStmt& rename = *call.node()->rename_stmt;
  switch (rename.rename_type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
      return RenameRelation(call, rename);
    case PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN:
      return RenameColumn(call, rename);
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT:
      return RenameConstraint(call, rename);
    default:
      return RenameNamed(call, rename);
  }
}

namespace {

// With what the old owner held and granted.
template <typename Definition>
void GiveTo(Oid owner, Definition& definition) {
  if (definition.acl) {
    definition.acl = catalog::WithOwner(*definition.acl, definition.owner, owner);
  }
  definition.owner = owner;
}

}  // namespace

Status SetRelationOwner(SessionImpl& session, const Relation& found, Oid owner) {
  catalog::CatalogEdit& edit = session.db().EditCatalog(*session.block().txn());
  if (found.view != nullptr) {
    OMEN_TRY(CheckOwner(session, found.view->owner, "view", found.view->name));
    catalog::ViewDef view = *found.view;
    GiveTo(owner, view);
    return edit.Put(view);
  }
  if (found.sequence != nullptr) {
    OMEN_TRY(CheckOwner(session, found.sequence->owner, "sequence", found.sequence->name));
    catalog::SequenceDef sequence = *found.sequence;
    GiveTo(owner, sequence);
    return edit.Put(sequence);
  }
  OMEN_TRY(CheckOwner(session, found.table->owner, "table", found.table->name));
  catalog::TableDef table = *found.table;
  GiveTo(owner, table);
  return edit.Put(table);
}

Status RunAlterOwner(UtilityCall& call) {
  const PgQuery__AlterOwnerStmt& alter = *call.node()->alter_owner_stmt;
  SessionImpl& session = call.session;
  OMEN_ASSIGN(const catalog::RoleDef* role, GetRole(session, *alter.newowner));
  const Oid owner = role->oid;
  OMEN_TRY(CheckMember(session, *role));
  catalog::CatalogEdit& edit = session.db().EditCatalog(*session.block().txn());
  if (alter.object_type == PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA) {
    OMEN_ASSIGN(const catalog::SchemaDef* schema, GetSchema(session, StringOf(alter.object)));
    OMEN_TRY(CheckOwner(session, schema->owner, "schema", schema->name));
    catalog::SchemaDef changed = *schema;
    GiveTo(owner, changed);
    return edit.Put(changed);
  }
  if (alter.object_type == PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE) {
    const catalog::DatabaseDef* database = session.catalog()->FindDatabase(StringOf(alter.object));
    if (database == nullptr) {
      return Status(sqlstate::kInvalidCatalogName,
                    fmt::format("database \"{}\" does not exist", StringOf(alter.object)));
    }
    OMEN_TRY(CheckOwner(session, database->owner, "database", database->name));
    catalog::DatabaseDef changed = *database;
    GiveTo(owner, changed);
    return edit.Put(changed);
  }
  return NotSupported("this ALTER ... OWNER TO");
}

Status RunAlterObjectSchema(UtilityCall& call) {
  const PgQuery__AlterObjectSchemaStmt& alter = *call.node()->alter_object_schema_stmt;
  SessionImpl& session = call.session;
  if (alter.relation == nullptr) return NotSupported("this ALTER ... SET SCHEMA");
  const QualifiedRelation name = NameOf(*alter.relation);
  if (alter.missing_ok && !FindRelation(session, name)) return MissingNotice(session, name.name);
  OMEN_ASSIGN(Relation found, GetRelation(session, name));
  OMEN_ASSIGN(const catalog::SchemaDef* schema, GetSchema(session, View(alter.newschema)));
  const Oid target = schema->oid;
  OMEN_TRY(CheckFree(session, target, RelationName(found)));
  catalog::CatalogEdit& edit = session.db().EditCatalog(*session.block().txn());
  if (found.view != nullptr) {
    catalog::ViewDef view = *found.view;
    view.schema = target;
    return edit.Put(view);
  }
  if (found.sequence != nullptr) {
    catalog::SequenceDef sequence = *found.sequence;
    sequence.schema = target;
    return edit.Put(sequence);
  }
  if (found.index != nullptr) {
    return Status(sqlstate::kWrongObjectType,
                  fmt::format("cannot change schema of index \"{}\"", found.index->name));
  }
  if (ViewUsesTable(session, found.table->oid)) {
    return NotSupported("changing the schema of a table that a view uses");
  }
  engine::StatementContext context = session.MakeContext(call.waiter);
  OMEN_ASSIGN(auto definition, LockForDdl(session, context, found.table->oid));
  catalog::TableDef table = *definition;
  table.schema = target;
  OMEN_TRY(edit.Put(table));
  for (const auto& sequence : session.catalog()->sequences(session.database())) {
    if (sequence->owned_by_table != table.oid) continue;
    catalog::SequenceDef moved = *sequence;
    moved.schema = target;
    OMEN_TRY(edit.Put(moved));
    const std::string qualified = QualifiedName(schema->name, sequence->name);
    catalog::TableDef changed = *edit.view()->table(table.oid);
    catalog::ColumnDef& column =
        changed.columns[static_cast<size_t>(sequence->owned_by_column.value() - 1)];
    column.default_sql = "nextval(" + QuoteLiteral(qualified) + "::regclass)";
    OMEN_TRY(edit.Put(changed));
  }
  return Status::Ok();
}

}  // namespace omendb::sql
