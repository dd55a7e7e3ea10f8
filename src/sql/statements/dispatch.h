// dispatch.h - from a utility statement to the function that runs it.
#pragma once

#include <optional>
#include <vector>

#include "sql/session_impl.h"

namespace omendb::sql {

struct UtilityCall {
  SessionImpl& session;
  const Statement& statement;
  UtilityResult& result;
  ResultSink& sink;
  Waiter& waiter;

  const Node* node() const { return statement.node; }
};

using UtilityHandler = Status (*)(UtilityCall& call);

// Checks what every statement must (failed blocks excepted), starts a transaction where one is
// needed, and runs the statement here or on the pool as its entry says.
Status DispatchUtility(SessionImpl& session, const Statement& statement, UtilityResult& result,
                       ResultSink& sink);

// The columns of SHOW, EXPLAIN, FETCH and EXECUTE.
Result<std::vector<types::ResultColumn>> UtilityColumns(SessionImpl& session,
                                                        const Statement& statement);

// statements/
// What SHOW answers; the settings that are the transaction's too.
Result<std::string> ShowSetting(SessionImpl& session, std::string_view name);
std::optional<std::string> TransactionVariable(SessionImpl& session, std::string_view name);
Status RunTransaction(UtilityCall& call);
Status RunVariableSet(UtilityCall& call);
Status RunVariableShow(UtilityCall& call);
Status RunSetConstraints(UtilityCall& call);
Status RunAlterRoleSet(UtilityCall& call);
Status RunAlterDatabase(UtilityCall& call);
Status RunDiscard(UtilityCall& call);
Status RunPrepare(UtilityCall& call);
Status RunDeallocate(UtilityCall& call);
Status RunExecute(UtilityCall& call);
Status RunDeclareCursor(UtilityCall& call);
Status RunFetch(UtilityCall& call);
Status RunClosePortal(UtilityCall& call);
Status RunExplain(UtilityCall& call);
Status RunCopy(UtilityCall& call);
Status RunLock(UtilityCall& call);
Status RunVacuum(UtilityCall& call);
Status RunCheckpoint(UtilityCall& call);
Status RunReindex(UtilityCall& call);
Status RunCluster(UtilityCall& call);
Status RunListen(UtilityCall& call);

// ddl/
Status RunCreateTable(UtilityCall& call);
Status RunCreateTableAs(UtilityCall& call);
Status RunSelectInto(UtilityCall& call);
Status RunCreateIndex(UtilityCall& call);
Status RunCreateView(UtilityCall& call);
Status RunCreateSequence(UtilityCall& call);
Status RunAlterSequence(UtilityCall& call);
Status RunCreateSchema(UtilityCall& call);
Status RunAlterTable(UtilityCall& call);
Status RunRename(UtilityCall& call);
Status RunAlterOwner(UtilityCall& call);
Status RunAlterObjectSchema(UtilityCall& call);
Status RunDrop(UtilityCall& call);
Status RunTruncate(UtilityCall& call);
Status RunComment(UtilityCall& call);
Status RunGrant(UtilityCall& call);
Status RunAlterDefaultPrivileges(UtilityCall& call);
Status RunGrantRole(UtilityCall& call);
Status RunCreateRole(UtilityCall& call);
Status RunAlterRole(UtilityCall& call);
Status RunDropRole(UtilityCall& call);
Status RunCreateDatabase(UtilityCall& call);
Status RunDropDatabase(UtilityCall& call);

}  // namespace omendb::sql
