#include "sql/transaction_block.h"

#include <algorithm>

#include "base/sqlstate.h"

namespace omendb::sql {

std::string_view IsolationName(txn::IsolationLevel level) {
  switch (level) {
    case txn::IsolationLevel::kReadCommitted:
      return "read committed";
    case txn::IsolationLevel::kRepeatableRead:
      return "repeatable read";
    case txn::IsolationLevel::kSerializable:
      return "serializable";
  }
  return "read committed";
}

txn::IsolationLevel IsolationFromName(std::string_view name) {
  if (name == "serializable") return txn::IsolationLevel::kSerializable;
  if (name == "repeatable read") return txn::IsolationLevel::kRepeatableRead;
  return txn::IsolationLevel::kReadCommitted;
}

TransactionBlock::~TransactionBlock() {
  if (txn_ != nullptr) database_.Abort(*txn_);
}

txn::TransactionOptions TransactionBlock::NewOptions() const {
  if (next_options_) return *next_options_;
  txn::TransactionOptions options;
  options.isolation = IsolationFromName(settings_.default_isolation());
  options.read_only = settings_.default_read_only();
  options.deferrable = settings_.default_deferrable();
  options.synchronous_commit = settings_.synchronous_commit();
  return options;
}

void TransactionBlock::Start() {
  txn_ = database_.Begin(NewOptions());
  next_options_.reset();
  ++serial_;
  settings_.BeginTransaction();
  settings_.io().now_micros = txn_->start_micros();
}

void TransactionBlock::EnsureStarted() {
  if (state_ != State::kIdle) return;
  Start();
  state_ = State::kImplicit;
}

void TransactionBlock::Begin() {
  if (state_ == State::kIdle) Start();
  state_ = State::kBlock;
}

void TransactionBlock::Finish() {
  txn_.reset();
  savepoints_.clear();
  state_ = State::kIdle;
}

Status TransactionBlock::Commit(engine::StatementContext& context) {
  if (txn_ == nullptr) return Status::Ok();
  // SET LOCAL synchronous_commit counts for this commit.
  if (txn_->has_writes() && txn_->options().synchronous_commit != settings_.synchronous_commit()) {
    txn::TransactionOptions options = txn_->options();
    options.synchronous_commit = settings_.synchronous_commit();
    (void)txn_->SetOptions(options).ok();
  }
  const Status status = database_.Commit(*txn_, *context.waiter);
  if (status.ok()) {
    settings_.CommitTransaction();
  } else {
    settings_.RollbackTransaction();
  }
  Finish();
  return status;
}

void TransactionBlock::Rollback() {
  if (txn_ == nullptr) {
    state_ = State::kIdle;
    return;
  }
  database_.Abort(*txn_);
  settings_.RollbackTransaction();
  Finish();
}

void TransactionBlock::Fail() {
  if (state_ == State::kImplicit) Rollback();
  if (state_ == State::kBlock) state_ = State::kFailed;
}

void TransactionBlock::DefineSavepoint(std::string_view name, uint64_t last_portal) {
  savepoints_.push_back({std::string(name), txn_->Mark(), settings_.Mark(), last_portal});
}

Status TransactionBlock::ReleaseSavepoint(std::string_view name) {
  for (size_t i = savepoints_.size(); i > 0; --i) {
    if (savepoints_[i - 1].name != name) continue;
    savepoints_.resize(i - 1);
    return Status::Ok();
  }
  return Status(sqlstate::kInvalidSavepointSpecification,
                "savepoint \"" + std::string(name) + "\" does not exist");
}

Result<uint64_t> TransactionBlock::RollbackToSavepoint(std::string_view name) {
  for (size_t i = savepoints_.size(); i > 0; --i) {
    const Savepoint& savepoint = savepoints_[i - 1];
    if (savepoint.name != name) continue;
    txn_->RollbackTo(savepoint.mark);
    settings_.RollbackTo(savepoint.settings_mark);
    savepoints_.resize(i);  // The savepoint itself stays.
    state_ = State::kBlock;
    return savepoints_.back().last_portal;
  }
  return Status(sqlstate::kInvalidSavepointSpecification,
                "savepoint \"" + std::string(name) + "\" does not exist");
}

}  // namespace omendb::sql
