#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/ddl/dependencies.h"

namespace omendb::sql {
namespace {

struct KindInfo {
  PgQuery__ObjectType type;
  std::string_view word;
};
constexpr KindInfo kRelationKinds[] = {
    {PG_QUERY__OBJECT_TYPE__OBJECT_TABLE, "table"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_VIEW, "view"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE, "sequence"},
    {PG_QUERY__OBJECT_TYPE__OBJECT_INDEX, "index"},
};

std::string_view Article(std::string_view word) { return word == "index" ? "an" : "a"; }

// IF EXISTS of what this database cannot have is true to its word: there is none.
Status DropUnknownKind(SessionImpl& session, const PgQuery__DropStmt& drop, std::string_view tag) {
  if (!drop.missing_ok) return NotSupported(std::string(tag));
  std::string kind(tag.substr(5));
  for (char& c : kind) c = static_cast<char>(std::tolower(c));
  for (size_t i = 0; i < drop.n_objects; ++i) {
    const Node* object = drop.objects[i];
    std::string name;
    if (object->node_case == PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS) {
      name = LastName(object->object_with_args->objname, object->object_with_args->n_objname);
    } else if (object->node_case == PG_QUERY__NODE__NODE_TYPE_NAME) {
      name = LastName(object->type_name->names, object->type_name->n_names);
    } else {
      name = NameOfList(object).name;
    }
    session.Notify("NOTICE", Status(sqlstate::kUndefinedObject,
                                    fmt::format("{} \"{}\" does not exist, skipping", kind, name)));
  }
  return Status::Ok();
}

Status AddSchema(SessionImpl& session, Dropper& dropper, const PgQuery__DropStmt& drop,
                 std::string_view name) {
  const catalog::SchemaDef* schema = session.catalog()->FindSchema(session.database(), name);
  if (schema == nullptr) {
    const Status missing(
        sqlstate::kInvalidSchemaName,
        fmt::format("schema \"{}\" does not exist{}", name, drop.missing_ok ? ", skipping" : ""));
    if (!drop.missing_ok) return missing;
    session.Notify("NOTICE", missing);
    return Status::Ok();
  }
  if (name == "pg_catalog" || name == "information_schema") {
    return Status(
        sqlstate::kDependentObjectsStillExist,
        fmt::format("cannot drop schema {} because it is required by the database system", name));
  }
  OMEN_TRY(CheckOwner(session, schema->owner, "schema", name));
  dropper.Add({DropTarget::Kind::kSchema, schema->oid, {}, {}});
  return Status::Ok();
}

Status AddRelation(SessionImpl& session, Dropper& dropper, const PgQuery__DropStmt& drop,
                   const QualifiedRelation& name, std::string_view kind) {
  catalog::Relation found = FindRelation(session, name);
  if (!found) {
    if (!name.schema.empty() && !GetSchema(session, name.schema).ok()) {
      const Status missing(sqlstate::kInvalidSchemaName,
                           fmt::format("schema \"{}\" does not exist{}", name.schema,
                                       drop.missing_ok ? ", skipping" : ""));
      if (!drop.missing_ok) return missing;
      session.Notify("NOTICE", missing);
      return Status::Ok();
    }
    const std::string full = name.schema.empty() ? name.name : name.schema + "." + name.name;
    const SqlState state = kind == "index" ? sqlstate::kUndefinedObject : sqlstate::kUndefinedTable;
    if (!drop.missing_ok) {
      return Status(state, fmt::format("{} \"{}\" does not exist", kind, full));
    }
    session.Notify("NOTICE", Status(SqlState("00000"),
                                    fmt::format("{} \"{}\" does not exist, skipping", kind, full)));
    return Status::Ok();
  }
  const std::string_view real = KindName(found);
  if (real != kind) {
    return Status(sqlstate::kWrongObjectType,
                  fmt::format("\"{}\" is not {} {}", name.name, Article(kind), kind))
        .WithHint(fmt::format("Use DROP {} to remove {} {}.",
                              real == "table"   ? "TABLE"
                              : real == "view"  ? "VIEW"
                              : real == "index" ? "INDEX"
                                                : "SEQUENCE",
                              Article(real), real));
  }
  if (real == "index") {
    OMEN_TRY(CheckOwner(session, found.table->owner, "index", found.index->name));
    for (const catalog::ConstraintDef& constraint : found.table->constraints) {
      if (constraint.index != found.index->oid) continue;
      return Status(
                 sqlstate::kDependentObjectsStillExist,
                 fmt::format("cannot drop index {} because constraint {} on table {} requires it",
                             found.index->name, constraint.name, found.table->name))
          .WithHint(fmt::format("You can drop constraint {} on table {} instead.", constraint.name,
                                found.table->name));
    }
    dropper.Add({DropTarget::Kind::kIndex, found.index->oid, found.table->oid, {}});
  } else if (real == "view") {
    OMEN_TRY(CheckOwner(session, found.view->owner, "view", found.view->name));
    dropper.Add({DropTarget::Kind::kView, found.view->oid, {}, {}});
  } else if (real == "sequence") {
    OMEN_TRY(CheckOwner(session, found.sequence->owner, "sequence", found.sequence->name));
    if (found.sequence->is_identity) {
      auto table = session.catalog()->table(found.sequence->owned_by_table);
      return Status(sqlstate::kDependentObjectsStillExist,
                    fmt::format("cannot drop sequence {} because column {} of table {} requires it",
                                found.sequence->name,
                                table->column(found.sequence->owned_by_column).name, table->name))
          .WithHint(fmt::format("You can drop column {} of table {} instead.",
                                table->column(found.sequence->owned_by_column).name, table->name));
    }
    dropper.Add({DropTarget::Kind::kSequence, found.sequence->oid, {}, {}});
  } else {
    OMEN_TRY(CheckOwner(session, found.table->owner, "table", found.table->name));
    dropper.Add({DropTarget::Kind::kTable, found.table->oid, {}, {}});
  }
  return Status::Ok();
}

}  // namespace

Status RunDrop(UtilityCall& call) {
  const PgQuery__DropStmt& drop = *call.node()->drop_stmt;
  SessionImpl& session = call.session;
  Dropper dropper(call);
  const bool cascade = drop.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
  if (drop.remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA) {
    for (size_t i = 0; i < drop.n_objects; ++i) {
      OMEN_TRY(AddSchema(session, dropper, drop, StringOf(drop.objects[i])));
    }
    return dropper.Run(cascade);
  }
  for (const KindInfo& kind : kRelationKinds) {
    if (kind.type != drop.remove_type) continue;
    for (size_t i = 0; i < drop.n_objects; ++i) {
      OMEN_TRY(AddRelation(session, dropper, drop, NameOfList(drop.objects[i]), kind.word));
    }
    return dropper.Run(cascade);
  }
  return DropUnknownKind(session, drop, CommandTag(call.node()));
}

}  // namespace omendb::sql
