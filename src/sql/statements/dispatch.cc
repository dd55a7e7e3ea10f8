#include "sql/statements/dispatch.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/sqlstate.h"
#include "sql/names.h"

namespace omendb::sql {
namespace {

enum Flags : unsigned {
  kNone = 0,
  kOwnTransaction = 1,  // handles the transaction itself
  kPool = 2,            // may take long or binds through DuckDB: not on the event loop
  kWrites = 4,          // refused in a read-only transaction
  kNotInBlock = 8,      // 25001 inside a transaction block
};

struct Entry {
  PgQuery__Node__NodeCase kind;
  UtilityHandler handler;
  unsigned flags;
};

constexpr unsigned kDdl = kPool | kWrites;

constexpr Entry kEntries[] = {
    {PG_QUERY__NODE__NODE_TRANSACTION_STMT, RunTransaction, kOwnTransaction},
    {PG_QUERY__NODE__NODE_VARIABLE_SET_STMT, RunVariableSet, kNone},
    {PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT, RunVariableShow, kNone},
    {PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT, RunSetConstraints, kPool},
    {PG_QUERY__NODE__NODE_ALTER_ROLE_SET_STMT, RunAlterRoleSet, kWrites},
    {PG_QUERY__NODE__NODE_ALTER_DATABASE_SET_STMT, RunAlterDatabase, kWrites},
    {PG_QUERY__NODE__NODE_ALTER_DATABASE_STMT, RunAlterDatabase, kWrites},
    {PG_QUERY__NODE__NODE_DISCARD_STMT, RunDiscard, kPool},
    {PG_QUERY__NODE__NODE_PREPARE_STMT, RunPrepare, kNone},
    {PG_QUERY__NODE__NODE_DEALLOCATE_STMT, RunDeallocate, kNone},
    {PG_QUERY__NODE__NODE_EXECUTE_STMT, RunExecute, kNone},
    {PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT, RunDeclareCursor, kNone},
    {PG_QUERY__NODE__NODE_FETCH_STMT, RunFetch, kNone},
    {PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT, RunClosePortal, kNone},
    {PG_QUERY__NODE__NODE_EXPLAIN_STMT, RunExplain, kNone},
    {PG_QUERY__NODE__NODE_COPY_STMT, RunCopy, kNone},
    {PG_QUERY__NODE__NODE_LOCK_STMT, RunLock, kNone},
    {PG_QUERY__NODE__NODE_VACUUM_STMT, RunVacuum, kPool},
    {PG_QUERY__NODE__NODE_CHECK_POINT_STMT, RunCheckpoint, kPool},
    {PG_QUERY__NODE__NODE_REINDEX_STMT, RunReindex, kDdl},
    {PG_QUERY__NODE__NODE_CLUSTER_STMT, RunCluster, kNone},
    {PG_QUERY__NODE__NODE_LISTEN_STMT, RunListen, kNone},
    {PG_QUERY__NODE__NODE_NOTIFY_STMT, RunListen, kNone},
    {PG_QUERY__NODE__NODE_UNLISTEN_STMT, RunListen, kNone},
    {PG_QUERY__NODE__NODE_CREATE_STMT, RunCreateTable, kDdl},
    {PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT, RunCreateTableAs, kDdl},
    {PG_QUERY__NODE__NODE_SELECT_STMT, RunSelectInto, kDdl},
    {PG_QUERY__NODE__NODE_INDEX_STMT, RunCreateIndex, kDdl},
    {PG_QUERY__NODE__NODE_VIEW_STMT, RunCreateView, kDdl},
    {PG_QUERY__NODE__NODE_CREATE_SEQ_STMT, RunCreateSequence, kDdl},
    {PG_QUERY__NODE__NODE_ALTER_SEQ_STMT, RunAlterSequence, kDdl},
    {PG_QUERY__NODE__NODE_CREATE_SCHEMA_STMT, RunCreateSchema, kDdl},
    {PG_QUERY__NODE__NODE_ALTER_TABLE_STMT, RunAlterTable, kDdl},
    {PG_QUERY__NODE__NODE_RENAME_STMT, RunRename, kDdl},
    {PG_QUERY__NODE__NODE_ALTER_OWNER_STMT, RunAlterOwner, kDdl},
    {PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT, RunAlterObjectSchema, kDdl},
    {PG_QUERY__NODE__NODE_DROP_STMT, RunDrop, kDdl},
    {PG_QUERY__NODE__NODE_TRUNCATE_STMT, RunTruncate, kDdl},
    {PG_QUERY__NODE__NODE_COMMENT_STMT, RunComment, kDdl},
    {PG_QUERY__NODE__NODE_GRANT_STMT, RunGrant, kWrites},
    {PG_QUERY__NODE__NODE_ALTER_DEFAULT_PRIVILEGES_STMT, RunAlterDefaultPrivileges, kWrites},
    {PG_QUERY__NODE__NODE_GRANT_ROLE_STMT, RunGrantRole, kWrites},
    {PG_QUERY__NODE__NODE_CREATE_ROLE_STMT, RunCreateRole, kDdl},
    {PG_QUERY__NODE__NODE_ALTER_ROLE_STMT, RunAlterRole, kDdl},
    {PG_QUERY__NODE__NODE_DROP_ROLE_STMT, RunDropRole, kDdl},
    {PG_QUERY__NODE__NODE_CREATEDB_STMT, RunCreateDatabase, kDdl | kNotInBlock},
    {PG_QUERY__NODE__NODE_DROPDB_STMT, RunDropDatabase, kDdl | kNotInBlock},
};

const Entry* FindEntry(PgQuery__Node__NodeCase kind) {
  auto found = std::find_if(std::begin(kEntries), std::end(kEntries),
                            [&](const Entry& entry) { return entry.kind == kind; });
  return found == std::end(kEntries) ? nullptr : &*found;
}

// Changing settings or temporary tables writes nothing that a read-only transaction protects.
bool WritesTemporaryOnly(const Node* node) {
  return node->node_case == PG_QUERY__NODE__NODE_CREATE_STMT &&
         View(node->create_stmt->relation->relpersistence) == "t";
}

}  // namespace

Status DispatchUtility(SessionImpl& session, const Statement& statement, UtilityResult& result,
                       ResultSink& sink) {
  const Entry* entry = FindEntry(statement.kind());
  const std::string_view tag = CommandTag(statement.node);
  result.tag = tag;
  if (entry == nullptr) return NotSupported(std::string(tag));
  if ((entry->flags & kNotInBlock) != 0 &&
      (session.block().in_block() || session.in_multi_statement())) {
    return Status(sqlstate::kActiveSqlTransaction,
                  fmt::format("{} cannot run inside a transaction block", tag));
  }
  if ((entry->flags & kOwnTransaction) == 0) session.block().EnsureStarted();
  if ((entry->flags & kWrites) != 0 && !WritesTemporaryOnly(statement.node)) {
    OMEN_TRY(CheckWritable(session, tag));
  }
  if ((entry->flags & kPool) == 0) {
    UtilityCall call{session, statement, result, sink, session.host().waiter()};
    return entry->handler(call);
  }
  return session.OnPool([&](Waiter& waiter) {
    session.block().txn()->BeginStatement();
    UtilityCall call{session, statement, result, sink, waiter};
    return entry->handler(call);
  });
}

Result<std::vector<types::ResultColumn>> UtilityColumns(SessionImpl& session,
                                                        const Statement& statement) {
  const types::SqlType text{types::TypeKind::kText};
  switch (statement.kind()) {
    case PG_QUERY__NODE__NODE_EXPLAIN_STMT:
      return std::vector<types::ResultColumn>{{"QUERY PLAN", text, Oid{}, ColumnId{}}};
    case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT: {
      const std::string name(View(statement.node->variable_show_stmt->name));
      if (name == "all") {
        return std::vector<types::ResultColumn>{{"name", text, Oid{}, ColumnId{}},
                                                {"setting", text, Oid{}, ColumnId{}},
                                                {"description", text, Oid{}, ColumnId{}}};
      }
      const SettingDef* def = FindSetting(name);
      return std::vector<types::ResultColumn>{
          {def != nullptr ? std::string(def->name) : name, text, Oid{}, ColumnId{}}};
    }
    case PG_QUERY__NODE__NODE_FETCH_STMT: {
      PortalState* portal = session.portals().Find(View(statement.node->fetch_stmt->portalname));
      if (portal == nullptr || portal->plan == nullptr || !portal->plan->is_query) {
        return std::vector<types::ResultColumn>{};  // RunFetch says what is wrong.
      }
      OMEN_TRY(session.EnsureBound(*portal->plan));
      return portal->plan->columns;
    }
    case PG_QUERY__NODE__NODE_EXECUTE_STMT: {
      auto prepared = session.prepared().find(View(statement.node->execute_stmt->name));
      if (prepared == session.prepared().end()) return std::vector<types::ResultColumn>{};
      Plan* const plan = prepared->second.plan.get();
      if (plan == nullptr || plan->statement.kind() == PG_QUERY__NODE__NODE_EXECUTE_STMT) {
        return std::vector<types::ResultColumn>{};  // ResolveExecute says what is wrong.
      }
      OMEN_ASSIGN(Session::Description description, session.Describe(*plan));
      return description.columns;
    }
    default:
      return std::vector<types::ResultColumn>{};
  }
}

}  // namespace omendb::sql
