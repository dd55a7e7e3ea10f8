#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/ddl/generated_columns.h"
#include "sql/ddl/table_builder.h"

namespace omendb::sql {
namespace {

Status CheckUnsupported(const PgQuery__CreateStmt& create) {
  if (create.partspec != nullptr || create.partbound != nullptr) {
    return NotSupported("a partitioned table");
  }
  if (create.n_inh_relations > 0) return NotSupported("table inheritance");
  if (create.of_typename != nullptr) return NotSupported("CREATE TABLE ... OF type");
  return Status::Ok();
}

}  // namespace

Status RunCreateTable(UtilityCall& call) {
  const PgQuery__CreateStmt& create = *call.node()->create_stmt;
  SessionImpl& session = call.session;
  OMEN_TRY(CheckUnsupported(create));
  catalog::TableDef table;
  OMEN_ASSIGN(const catalog::SchemaDef* schema, CreationSchema(session, *create.relation));
  table.schema = schema->oid;
  table.database = session.database();
  table.name = View(create.relation->relname);
  table.owner = session.current_role();
  const bool temporary =
      View(create.relation->relpersistence) == "t" || schema->name == session.temp_schema_name();
  table.persistence = temporary ? catalog::Persistence::kTemporary
                      : View(create.relation->relpersistence) == "u"
                          ? catalog::Persistence::kUnlogged
                          : catalog::Persistence::kPermanent;
  if (create.oncommit > PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_NOOP && !temporary) {
    return Status(sqlstate::kInvalidTableDefinition,
                  "ON COMMIT can only be used on temporary tables");
  }
  if (session.catalog()->FindRelation(table.schema, table.name)) {
    if (!create.if_not_exists) {
      return Status(sqlstate::kDuplicateTable,
                    fmt::format("relation \"{}\" already exists", table.name));
    }
    session.Notify("NOTICE",
                   Status(sqlstate::kDuplicateTable,
                          fmt::format("relation \"{}\" already exists, skipping", table.name)));
    return Status::Ok();
  }
  table.oid = session.db().NewOid();
  table.storage = session.db().NewOid();
  TableBuilder builder(call, table);
  for (size_t i = 0; i < create.n_table_elts; ++i) {
    const Node* element = create.table_elts[i];
    if (element->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF) {
      OMEN_TRY(builder.AddColumn(*element->column_def));
    } else if (element->node_case == PG_QUERY__NODE__NODE_CONSTRAINT) {
      OMEN_TRY(builder.AddTableConstraint(*element->constraint));
    } else if (element->node_case == PG_QUERY__NODE__NODE_TABLE_LIKE_CLAUSE) {
      OMEN_TRY(builder.AddLike(*element->table_like_clause));
    }
  }
  OMEN_TRY(builder.AddConstraints());
  catalog::CatalogEdit& edit = session.db().EditCatalog(*session.block().txn());
  for (const catalog::SequenceDef& sequence : builder.sequences()) {
    OMEN_TRY(PutSequence(session, edit, sequence));
  }
  OMEN_TRY(edit.Put(table));
  engine::StatementContext context = session.MakeContext(call.waiter);
  OMEN_TRY(session.db().CreateStorage(context, *context.catalog->table(table.oid)));
  if (create.oncommit == PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_DROP) {
    session.AddOnCommitDrop(table.oid);
  } else if (create.oncommit == PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_DELETE_ROWS) {
    session.AddOnCommitDelete(table.oid);
  }
  OMEN_TRY(CheckGeneratedColumns(session, table));
  return CheckConditions(session, table, builder.new_constraints());
}

}  // namespace omendb::sql
