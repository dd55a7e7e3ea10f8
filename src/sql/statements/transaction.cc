// BEGIN, COMMIT, ROLLBACK, SAVEPOINT and SET TRANSACTION's options.
#include <fmt/format.h>

#include "base/sqlstate.h"
#include "sql/statements/dispatch.h"
#include "sql/statements/transaction_options.h"

namespace omendb::sql {

Status ApplyTransactionModes(size_t count, Node** modes, txn::TransactionOptions& options) {
  for (size_t i = 0; i < count; ++i) {
    const PgQuery__DefElem& mode = *modes[i]->def_elem;
    const std::string_view name = View(mode.defname);
    const std::string value = ConstText(mode.arg);
    if (name == "transaction_isolation") {
      options.isolation = IsolationFromName(value);
      if (options.isolation == txn::IsolationLevel::kSerializable && !txn::kSerializableSupported) {
        return NotSupported("isolation level SERIALIZABLE");
      }
    } else if (name == "transaction_read_only") {
      options.read_only = value == "1" || value == "true";
    } else if (name == "transaction_deferrable") {
      options.deferrable = value == "1" || value == "true";
    }
  }
  return Status::Ok();
}

namespace {

Status NotInBlock(std::string_view what) {
  return Status(sqlstate::kNoActiveSqlTransaction,
                fmt::format("{} can only be used in transaction blocks", what));
}

Status BeginBlock(UtilityCall& call, const PgQuery__TransactionStmt& statement) {
  SessionImpl& session = call.session;
  TransactionBlock& block = session.block();
  if (block.in_block()) {
    session.Warning(sqlstate::kActiveSqlTransaction, "there is already a transaction in progress");
    return Status::Ok();
  }
  const bool fresh = block.state() == TransactionBlock::State::kIdle;
  if (statement.n_options > 0 && fresh) {
    txn::TransactionOptions options = block.NewOptions();
    OMEN_TRY(ApplyTransactionModes(statement.n_options, statement.options, options));
    block.set_next_options(options);
  }
  block.Begin();
  if (statement.n_options > 0 && !fresh) {
    txn::TransactionOptions options = block.txn()->options();
    OMEN_TRY(ApplyTransactionModes(statement.n_options, statement.options, options));
    OMEN_TRY(block.txn()->SetOptions(options));
  }
  return Status::Ok();
}

// COMMIT AND CHAIN: a new block with the same options.
void Chain(SessionImpl& session, const txn::TransactionOptions& options) {
  session.block().set_next_options(options);
  session.block().Begin();
}

Status EndBlock(UtilityCall& call, bool commit, bool chain) {
  SessionImpl& session = call.session;
  TransactionBlock& block = session.block();
  if (!block.in_block()) {
    if (chain) return NotInBlock(commit ? "COMMIT AND CHAIN" : "ROLLBACK AND CHAIN");
    session.Warning(sqlstate::kNoActiveSqlTransaction, "there is no transaction in progress");
    if (block.state() == TransactionBlock::State::kImplicit && !commit) {
      session.RollbackTransaction();
      return Status::Ok();
    }
    return block.txn() != nullptr ? session.CommitTransaction() : Status::Ok();
  }
  const txn::TransactionOptions options = block.txn()->options();
  if (block.state() == TransactionBlock::State::kFailed || !commit) {
    session.RollbackTransaction();
    call.result.tag = "ROLLBACK";
  } else {
    Status status = session.CommitTransaction();
    if (!status.ok()) {
      session.RollbackTransaction();
      return status;
    }
  }
  if (chain) Chain(session, options);
  return Status::Ok();
}

// Portals opened since then end, that of this statement too.
Status RollbackTo(SessionImpl& session, std::string_view name) {
  OMEN_ASSIGN(const uint64_t last_portal, session.block().RollbackToSavepoint(name));
  session.DropPortalsAfter(last_portal);
  return Status::Ok();
}

}  // namespace

Status RunTransaction(UtilityCall& call) {
  const PgQuery__TransactionStmt& statement = *call.node()->transaction_stmt;
  TransactionBlock& block = call.session.block();
  const std::string_view name = View(statement.savepoint_name);
  switch (statement.kind) {
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START:
      return BeginBlock(call, statement);
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT:
      return EndBlock(call, true, statement.chain);
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK:
      return EndBlock(call, false, statement.chain);
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT:
      if (!block.in_block()) return NotInBlock("SAVEPOINT");
      block.DefineSavepoint(name, call.session.portals().opened());
      return Status::Ok();
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE:
      if (!block.in_block()) return NotInBlock("RELEASE SAVEPOINT");
      return block.ReleaseSavepoint(name);
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO:
      if (!block.in_block()) return NotInBlock("ROLLBACK TO SAVEPOINT");
      return RollbackTo(call.session, name);
    default:
      return NotSupported("two-phase commit (PREPARE TRANSACTION)");
  }
}

}  // namespace omendb::sql
