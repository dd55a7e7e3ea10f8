// CREATE TABLE AS and SELECT INTO: a table of the query's columns, filled by INSERT ... query.
#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/ddl/table_builder.h"
#include "sql/statements/evaluate.h"

namespace omendb::sql {
namespace {

// The type that the query itself casts its column to, if it has a modifier: x::numeric(5,2).
// Answers no type where the select list is not one expression for each column.
Result<std::optional<types::SqlType>> CastType(const Node* query, size_t column, size_t columns) {
  if (query->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) return std::optional<types::SqlType>();
  const PgQuery__SelectStmt& select = *query->select_stmt;
  if (select.op != PG_QUERY__SET_OPERATION__SETOP_NONE || select.n_target_list != columns) {
    return std::optional<types::SqlType>();
  }
  const Node* value = select.target_list[column]->res_target->val;
  if (value->node_case != PG_QUERY__NODE__NODE_TYPE_CAST ||
      value->type_cast->type_name->n_typmods == 0) {
    return std::optional<types::SqlType>();
  }
  OMEN_ASSIGN(const types::SqlType type, ResolveTypeName(*value->type_cast->type_name));
  return std::optional(type);
}

Status CreateAs(UtilityCall& call, const PgQuery__IntoClause& into, const Node* query,
                bool if_not_exists) {
  SessionImpl& session = call.session;
  catalog::TableDef table;
  OMEN_ASSIGN(const catalog::SchemaDef* schema, CreationSchema(session, *into.rel));
  table.schema = schema->oid;
  table.database = session.database();
  table.name = View(into.rel->relname);
  table.owner = session.current_role();
  const bool temporary =
      View(into.rel->relpersistence) == "t" || schema->name == session.temp_schema_name();
  if (temporary) table.persistence = catalog::Persistence::kTemporary;
  if (session.catalog()->FindRelation(table.schema, table.name)) {
    const Status exists(sqlstate::kDuplicateTable,
                        fmt::format("relation \"{}\" already exists{}", table.name,
                                    if_not_exists ? ", skipping" : ""));
    if (!if_not_exists) return exists;
    session.Notify("NOTICE", exists);
    call.result.tag = "CREATE TABLE AS";
    return Status::Ok();
  }
  Statement source = call.statement;
  source.node = query;
  std::shared_ptr<Plan> plan;
  types::Arena arena;
  std::vector<types::Value> params;
  if (source.kind() == PG_QUERY__NODE__NODE_EXECUTE_STMT) {
    OMEN_ASSIGN(plan, session.ResolveExecute(*query->execute_stmt, arena, params));
    source = plan->statement;
    if (!params.empty()) return NotSupported("CREATE TABLE AS EXECUTE with parameters");
  } else {
    plan = session.NewPlan(source, {});
  }
  OMEN_TRY(session.EnsureBound(*plan));
  if (into.n_col_names > plan->columns.size()) {
    return Status(sqlstate::kSyntaxError, "too many column names were specified");
  }
  for (size_t i = 0; i < plan->columns.size(); ++i) {
    catalog::ColumnDef column;
    column.id = ColumnId(static_cast<int16_t>(i + 1));
    column.name =
        i < into.n_col_names ? std::string(StringOf(into.col_names[i])) : plan->columns[i].name;
    column.type = plan->columns[i].type;
    if (column.type.kind == types::TypeKind::kUnknown) column.type = {types::TypeKind::kText};
    // What is computed has the precision of its values: PostgreSQL's type of it has none.
    const bool computed = plan->columns[i].table.value() == 0;
    if (computed && column.type.kind == types::TypeKind::kNumeric) column.type.typmod = -1;
    OMEN_ASSIGN(const auto cast, CastType(source.node, i, plan->columns.size()));
    if (cast) column.type = *cast;
    if (table.FindColumn(column.name) != nullptr) {
      return Status(sqlstate::kDuplicateColumn,
                    fmt::format("column \"{}\" specified more than once", column.name));
    }
    OMEN_TRY(CheckColumnType(column.type, column.name));
    table.columns.push_back(std::move(column));
  }
  OMEN_ASSIGN(std::string select, DeparseStatement(source.node));
  table.oid = session.db().NewOid();
  table.storage = session.db().NewOid();
  catalog::CatalogEdit& edit = session.db().EditCatalog(*session.block().txn());
  OMEN_TRY(edit.Put(table));
  engine::StatementContext context = session.MakeContext(call.waiter);
  OMEN_TRY(session.db().CreateStorage(context, *context.catalog->table(table.oid)));
  if (into.on_commit == PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_DROP) {
    session.AddOnCommitDrop(table.oid);
  } else if (into.on_commit == PG_QUERY__ON_COMMIT_ACTION__ONCOMMIT_DELETE_ROWS) {
    session.AddOnCommitDelete(table.oid);
  }
  if (into.skip_data) {
    call.result.tag = "CREATE TABLE AS";
    return Status::Ok();
  }
  OMEN_ASSIGN(const uint64_t rows,
              RunSql(session, "INSERT INTO " + FullName(session, table) + " " + select));
  call.result.tag = fmt::format("SELECT {}", rows);
  return Status::Ok();
}

}  // namespace

Status RunCreateTableAs(UtilityCall& call) {
  const PgQuery__CreateTableAsStmt& create = *call.node()->create_table_as_stmt;
  if (create.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW) {
    return NotSupported("a materialized view");
  }
  return CreateAs(call, *create.into, create.query, create.if_not_exists);
}

Status RunSelectInto(UtilityCall& call) {
  types::Arena arena;
  AstBuilder build(arena);
  Node* query = build.Clone(call.node());
  PgQuery__IntoClause* into = query->select_stmt->into_clause;
  query->select_stmt->into_clause = nullptr;
  return CreateAs(call, *into, query, false);
}

}  // namespace omendb::sql
