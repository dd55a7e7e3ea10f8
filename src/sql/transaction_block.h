// transaction_block.h - where a session stands between BEGIN and COMMIT.
//
//   idle --statement--> implicit --its end--> idle
//   idle, implicit --BEGIN--> block --error--> failed --ROLLBACK TO--> block
//                               block, failed --COMMIT, ROLLBACK--> idle
//
// Thread safety  The session's thread.
// Ownership      Owns the transaction; borrows database and settings.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/database.h"
#include "sql/settings/session_settings.h"
#include "txn/transaction.h"

namespace omendb::sql {

class TransactionBlock {
 public:
  enum class State { kIdle, kImplicit, kBlock, kFailed };

  TransactionBlock(engine::Database& database, SessionSettings& settings)
      : database_(database), settings_(settings) {}
  ~TransactionBlock();

  State state() const { return state_; }
  bool in_block() const { return state_ == State::kBlock || state_ == State::kFailed; }
  txn::Transaction* txn() const { return txn_.get(); }
  uint64_t serial() const { return serial_; }  // which transaction of this session

  // Starts an implicit transaction when there is none.
  void EnsureStarted();
  // BEGIN. The options are those of SET SESSION CHARACTERISTICS changed by `adjust`.
  void Begin();
  // Ends the transaction, whose deferred checks have been made. On error it is rolled back and the
  // error answered.
  Status Commit(engine::StatementContext& context);
  void Rollback();
  // An error: an implicit transaction is rolled back, a block fails.
  void Fail();
  // After a failure the session can go on in the block (ROLLBACK TO).
  void Revive() { state_ = State::kBlock; }

  // SAVEPOINT family. 3B001 for unknown names. Going back answers the number of the last portal
  // that was open when the savepoint was defined.
  void DefineSavepoint(std::string_view name, uint64_t last_portal);
  Status ReleaseSavepoint(std::string_view name);
  Result<uint64_t> RollbackToSavepoint(std::string_view name);

  // The options a new transaction starts with.
  txn::TransactionOptions NewOptions() const;
  void set_next_options(txn::TransactionOptions options) { next_options_ = options; }

 private:
  struct Savepoint {
    std::string name;
    uint64_t mark;
    size_t settings_mark;
    uint64_t last_portal;
  };
  void Start();
  void Finish();

  engine::Database& database_;
  SessionSettings& settings_;
  State state_ = State::kIdle;
  std::unique_ptr<txn::Transaction> txn_;
  std::vector<Savepoint> savepoints_;
  std::optional<txn::TransactionOptions> next_options_;  // AND CHAIN
  uint64_t serial_ = 0;
};

// "read committed", ... as SHOW transaction_isolation answers.
std::string_view IsolationName(txn::IsolationLevel level);
txn::IsolationLevel IsolationFromName(std::string_view name);

}  // namespace omendb::sql
