#include <fmt/format.h>

#include "base/sqlstate.h"
#include "catalog/column_ids.h"
#include "sql/ddl/table_builder.h"

namespace omendb::sql {
namespace {

Status CheckUnsupported(const PgQuery__IndexStmt& create) {
  if (create.where_clause != nullptr) return NotSupported("a partial index");
  const std::string_view method = View(create.access_method);
  if (method != "btree" && method != "hash" && !method.empty()) {
    if (method == "gin" || method == "gist" || method == "spgist" || method == "brin") {
      return NotSupported("access method \"" + std::string(method) + "\"");
    }
    return Status(sqlstate::kUndefinedObject,
                  fmt::format("access method \"{}\" does not exist", method));
  }
  if (method == "hash" && create.n_index_including_params > 0) {
    return Status(sqlstate::kFeatureNotSupported,
                  "access method \"hash\" does not support included columns");
  }
  for (size_t i = 0; i < create.n_index_params; ++i) {
    if (create.index_params[i]->index_elem->expr != nullptr) {
      return NotSupported("an index on an expression");
    }
  }
  for (size_t i = 0; i < create.n_index_including_params; ++i) {
    const PgQuery__IndexElem& included = *create.index_including_params[i]->index_elem;
    if (included.expr != nullptr) {
      return Status(sqlstate::kFeatureNotSupported,
                    "expressions are not supported in included columns");
    }
    if (included.ordering != PG_QUERY__SORT_BY_DIR__SORTBY_DEFAULT) {
      return Status(SqlState("42P17"), "including column does not support ASC/DESC options");
    }
    if (included.nulls_ordering != PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_DEFAULT) {
      return Status(SqlState("42P17"),
                    "including column does not support NULLS FIRST/LAST options");
    }
  }
  return Status::Ok();
}

Result<catalog::IndexKey> Key(const PgQuery__IndexElem& elem, const catalog::TableDef& table) {
  const catalog::ColumnDef* column = table.FindColumn(View(elem.name));
  if (column == nullptr) {
    return Status(sqlstate::kUndefinedColumn,
                  fmt::format("column \"{}\" does not exist", View(elem.name)));
  }
  catalog::IndexKey key;
  key.column = column->id;
  key.descending = elem.ordering == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
  key.nulls_first =
      elem.nulls_ordering == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST ||
      (key.descending && elem.nulls_ordering != PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_LAST);
  return key;
}

}  // namespace

Status RunCreateIndex(UtilityCall& call) {
  const PgQuery__IndexStmt& create = *call.node()->index_stmt;
  SessionImpl& session = call.session;
  if (create.concurrent && session.block().in_block()) {
    return Status(sqlstate::kActiveSqlTransaction,
                  "CREATE INDEX CONCURRENTLY cannot run inside a transaction block");
  }
  OMEN_TRY(CheckUnsupported(create));
  OMEN_ASSIGN(catalog::Relation found, GetRelation(session, NameOf(*create.relation)));
  if (found.table == nullptr || found.index != nullptr) {
    return Status(sqlstate::kWrongObjectType,
                  fmt::format("cannot create index on relation \"{}\"", RelationName(found)));
  }
  OMEN_TRY(CheckOwner(session, found.table->owner, "table", found.table->name));
  engine::StatementContext context = session.MakeContext(call.waiter);
  OMEN_ASSIGN(auto definition,
              LockForDdl(session, context, found.table->oid, txn::TableLockMode::kShare));
  catalog::TableDef table = *definition;
  catalog::IndexDef index;
  index.name = View(create.idxname);
  if (!index.name.empty() && session.catalog()->FindRelation(table.schema, index.name)) {
    if (!create.if_not_exists) {
      return Status(sqlstate::kDuplicateTable,
                    fmt::format("relation \"{}\" already exists", index.name));
    }
    session.Notify("NOTICE",
                   Status(sqlstate::kDuplicateTable,
                          fmt::format("relation \"{}\" already exists, skipping", index.name)));
    return Status::Ok();
  }
  for (size_t i = 0; i < create.n_index_params; ++i) {
    OMEN_ASSIGN(catalog::IndexKey key, Key(*create.index_params[i]->index_elem, table));
    index.keys.push_back(key);
  }
  for (size_t i = 0; i < create.n_index_including_params; ++i) {
    OMEN_ASSIGN(catalog::IndexKey key, Key(*create.index_including_params[i]->index_elem, table));
    index.included.push_back(key.column);
  }
  if (index.name.empty()) {
    TableBuilder builder(call, table);
    index.name = builder.FreeRelationName(
        ObjectName(table.name, JoinedNames(table, catalog::ColumnsOf(index)), "idx"));
  }
  index.oid = session.db().NewOid();
  index.storage = session.db().NewOid();
  index.unique = create.unique;
  index.nulls_not_distinct = create.nulls_not_distinct;
  if (!View(create.access_method).empty()) index.method = View(create.access_method);
  table.indexes.push_back(index);
  catalog::CatalogEdit& edit = session.db().EditCatalog(*context.txn);
  OMEN_TRY(edit.Put(table));
  context.catalog = edit.view();
  context.txn->BeginStatement();
  const CommandProgress::Scope progress(
      session.progress().command, {CommandProgress::Kind::kCreateIndex, table.oid, index.oid});
  return session.db().BuildIndex(context, *context.catalog->table(table.oid), index);
}

}  // namespace omendb::sql
