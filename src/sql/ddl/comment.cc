#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/names.h"
#include "sql/statements/dispatch.h"

namespace omendb::sql {
namespace {

constexpr uint32_t kPgClass = 1259, kPgNamespace = 2615, kPgDatabase = 1262, kPgConstraint = 2606,
                   kPgAuthid = 1260;

Status FindColumn(SessionImpl& session, const PgQuery__List& names, catalog::CommentDef& comment) {
  OMEN_ASSIGN(catalog::Relation found,
              GetRelation(session, NameOf(names.items, names.n_items - 1)));
  const std::string column(StringOf(names.items[names.n_items - 1]));
  comment.class_oid = kPgClass;
  comment.object = RelationOid(found);
  if (found.table != nullptr && found.table->FindColumn(column) != nullptr) {
    comment.sub_object = found.table->FindColumn(column)->id.value();
    return Status::Ok();
  }
  if (found.view != nullptr) {
    for (const catalog::ColumnDef& def : found.view->columns) {
      if (def.name == column) comment.sub_object = def.id.value();
    }
    if (comment.sub_object != 0) return Status::Ok();
  }
  return Status(
      sqlstate::kUndefinedColumn,
      fmt::format("column \"{}\" of relation \"{}\" does not exist", column, RelationName(found)));
}

Status FindConstraint(SessionImpl& session, const PgQuery__List& names,
                      catalog::CommentDef& comment) {
  OMEN_ASSIGN(auto table, GetTable(session, NameOf(names.items, names.n_items - 1)));
  const std::string name(StringOf(names.items[names.n_items - 1]));
  for (const catalog::ConstraintDef& constraint : table->constraints) {
    if (constraint.name != name) continue;
    comment.class_oid = kPgConstraint;
    comment.object = constraint.oid;
    return Status::Ok();
  }
  return Status(
      sqlstate::kUndefinedObject,
      fmt::format("constraint \"{}\" for table \"{}\" does not exist", name, table->name));
}

Status FindRelationOf(SessionImpl& session, const Node* object, std::string_view kind,
                      catalog::CommentDef& comment) {
  const QualifiedRelation name = NameOfList(object);
  OMEN_ASSIGN(catalog::Relation found, GetRelation(session, name));
  if (KindName(found) != kind) {
    return Status(sqlstate::kWrongObjectType, fmt::format("\"{}\" is not {} {}", name.name,
                                                          kind == "index" ? "an" : "a", kind));
  }
  comment.class_oid = kPgClass;
  comment.object = RelationOid(found);
  return Status::Ok();
}

Status FindObject(SessionImpl& session, const PgQuery__CommentStmt& statement,
                  catalog::CommentDef& comment) {
  const Node* object = statement.object;
  switch (statement.objtype) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
      return FindRelationOf(session, object, "table", comment);
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
      return FindRelationOf(session, object, "view", comment);
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
      return FindRelationOf(session, object, "index", comment);
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
      return FindRelationOf(session, object, "sequence", comment);
    case PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN:
      return FindColumn(session, *object->list, comment);
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT:
      return FindConstraint(session, *object->list, comment);
    case PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA: {
      OMEN_ASSIGN(const catalog::SchemaDef* schema, GetSchema(session, StringOf(object)));
      comment.class_oid = kPgNamespace;
      comment.object = schema->oid;
      return Status::Ok();
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE: {
      const catalog::DatabaseDef* database = session.catalog()->FindDatabase(StringOf(object));
      if (database == nullptr) {
        return Status(sqlstate::kInvalidCatalogName,
                      fmt::format("database \"{}\" does not exist", StringOf(object)));
      }
      comment.class_oid = kPgDatabase;
      comment.object = database->oid;
      return Status::Ok();
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_ROLE: {
      const catalog::RoleDef* role = session.catalog()->FindRole(StringOf(object));
      if (role == nullptr) {
        return Status(sqlstate::kUndefinedObject,
                      fmt::format("role \"{}\" does not exist", StringOf(object)));
      }
      comment.class_oid = kPgAuthid;
      comment.object = role->oid;
      return Status::Ok();
    }
    default:
      return NotSupported("COMMENT on this kind of object");
  }
}

}  // namespace

Status RunComment(UtilityCall& call) {
  const PgQuery__CommentStmt& statement = *call.node()->comment_stmt;
  // pg_dump writes comments on the extensions it finds; there are none here.
  if (statement.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_EXTENSION) {
    return Status(sqlstate::kUndefinedObject,
                  fmt::format("extension \"{}\" does not exist", StringOf(statement.object)));
  }
  catalog::CommentDef comment;
  OMEN_TRY(FindObject(call.session, statement, comment));
  comment.text = View(statement.comment);
  call.session.db().EditCatalog(*call.session.block().txn()).SetComment(std::move(comment));
  return Status::Ok();
}

}  // namespace omendb::sql
