// LOCK, CHECKPOINT, REINDEX, CLUSTER, LISTEN.
#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/privileges.h"
#include "sql/statements/dispatch.h"

namespace omendb::sql {
namespace {

catalog::PrivilegeSet NeededToLock(txn::TableLockMode mode) {
  namespace privilege = catalog::privilege;
  catalog::PrivilegeSet needed = privilege::kUpdate | privilege::kDelete | privilege::kTruncate;
  if (mode == txn::TableLockMode::kAccessShare) needed |= privilege::kSelect;
  if (mode <= txn::TableLockMode::kRowExclusive) needed |= privilege::kInsert;
  return needed;
}

}  // namespace

Status RunLock(UtilityCall& call) {
  const PgQuery__LockStmt& lock = *call.node()->lock_stmt;
  SessionImpl& session = call.session;
  if (!session.block().in_block() && !session.in_multi_statement()) {
    return Status(sqlstate::kNoActiveSqlTransaction,
                  "LOCK TABLE can only be used in transaction blocks");
  }
  const auto mode = static_cast<txn::TableLockMode>(lock.mode);
  for (size_t i = 0; i < lock.n_relations; ++i) {
    OMEN_ASSIGN(catalog::Relation found,
                GetRelation(session, NameOf(*lock.relations[i]->range_var)));
    if (found.view != nullptr) continue;
    if (found.table == nullptr || found.index != nullptr) {
      return Status(sqlstate::kWrongObjectType,
                    fmt::format("\"{}\" is not a table or view", RelationName(found)));
    }
    OMEN_TRY(CheckAnyPrivilege(session, found, NeededToLock(mode)));
    Status status = session.block().txn()->LockTable(
        found.table->oid, mode, lock.nowait ? txn::LockWait::kNoWait : txn::LockWait::kWait,
        call.waiter, &session.cancel_flag(), session.settings().lock_timeout_ms());
    if (status.Is(sqlstate::kLockNotAvailable) && lock.nowait) {
      return Status(sqlstate::kLockNotAvailable,
                    fmt::format("could not obtain lock on relation \"{}\"", found.table->name));
    }
    OMEN_TRY(std::move(status));
  }
  return Status::Ok();
}

Status RunCheckpoint(UtilityCall& call) {
  if (!call.session.is_superuser()) {
    return Status(sqlstate::kInsufficientPrivilege,
                  "must be superuser or have privileges of pg_checkpoint to do CHECKPOINT");
  }
  return call.session.db().Checkpoint();
}

namespace {

Status RebuildIndexes(UtilityCall& call, Oid oid, Oid only) {
  SessionImpl& session = call.session;
  engine::StatementContext context = session.MakeContext(call.waiter);
  OMEN_ASSIGN(auto definition, LockForDdl(session, context, oid));
  catalog::TableDef table = *definition;
  std::vector<catalog::IndexDef> rebuilt;
  for (catalog::IndexDef& index : table.indexes) {
    if (only != Oid{} && index.oid != only) continue;
    index.storage = session.db().NewOid();
    rebuilt.push_back(index);
  }
  catalog::CatalogEdit& edit = session.db().EditCatalog(*context.txn);
  OMEN_TRY(edit.Put(table));
  context.catalog = edit.view();
  for (const catalog::IndexDef& index : rebuilt) {
    const CommandProgress::Scope progress(session.progress().command,
                                          {CommandProgress::Kind::kReindex, oid, index.oid});
    OMEN_TRY(session.db().BuildIndex(context, *context.catalog->table(oid), index));
  }
  return Status::Ok();
}

}  // namespace

Status RunReindex(UtilityCall& call) {
  const PgQuery__ReindexStmt& reindex = *call.node()->reindex_stmt;
  SessionImpl& session = call.session;
  if (reindex.kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_INDEX) {
    OMEN_ASSIGN(catalog::Relation found, GetRelation(session, NameOf(*reindex.relation)));
    if (found.index == nullptr) {
      return Status(sqlstate::kWrongObjectType,
                    fmt::format("\"{}\" is not an index", RelationName(found)));
    }
    OMEN_TRY(CheckOwner(session, found.table->owner, "index", found.index->name));
    return RebuildIndexes(call, found.table->oid, found.index->oid);
  }
  if (reindex.kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_TABLE) {
    OMEN_ASSIGN(auto table, GetTable(session, NameOf(*reindex.relation)));
    OMEN_TRY(CheckOwner(session, table->owner, "table", table->name));
    return RebuildIndexes(call, table->oid, Oid{});
  }
  if (!session.is_superuser()) {
    return Status(sqlstate::kInsufficientPrivilege,
                  "must be superuser to reindex a whole database");
  }
  for (const auto& table : session.catalog()->tables(session.database())) {
    if (reindex.kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SCHEMA) {
      OMEN_ASSIGN(const catalog::SchemaDef* schema, GetSchema(session, View(reindex.name)));
      if (table->schema != schema->oid) continue;
    }
    OMEN_TRY(RebuildIndexes(call, table->oid, Oid{}));
  }
  return Status::Ok();
}

// Rows have no order on disk that could be chosen.
Status RunCluster(UtilityCall&) { return NotSupported("CLUSTER"); }
Status RunListen(UtilityCall& call) {
  if (call.node()->node_case == PG_QUERY__NODE__NODE_UNLISTEN_STMT) return Status::Ok();
  return NotSupported(std::string(CommandTag(call.node())));
}

}  // namespace omendb::sql
