// transaction_manager.h - DuckDB's transactions over our databases: empty shells. The real one is
// the statement's engine transaction, found through SessionState; it begins and ends with the
// session.
//
// Thread safety  Any thread. Lock order: mu_ is a leaf.
#pragma once

#include <memory>
#include <unordered_map>

#include "base/mutex.h"
#include "duckdb.hpp"
#include "duckdb/transaction/transaction.hpp"
#include "duckdb/transaction/transaction_manager.hpp"

namespace omendb::duck {

class OmenTransactionManager : public duckdb::TransactionManager {
 public:
  explicit OmenTransactionManager(duckdb::AttachedDatabase& attached)
      : TransactionManager(attached) {}

  duckdb::Transaction& StartTransaction(duckdb::ClientContext& context) override {
    auto transaction = std::make_unique<duckdb::Transaction>(*this, context);
    duckdb::Transaction& result = *transaction;
    MutexLock lock(mu_);
    transactions_.emplace(&result, std::move(transaction));
    return result;
  }
  duckdb::ErrorData CommitTransaction(duckdb::ClientContext&,
                                      duckdb::Transaction& transaction) override {
    RollbackTransaction(transaction);
    return {};
  }
  void RollbackTransaction(duckdb::Transaction& transaction) override {
    MutexLock lock(mu_);
    transactions_.erase(&transaction);
  }
  void Checkpoint(duckdb::ClientContext&, bool) override {}

 private:
  Mutex mu_;
  std::unordered_map<duckdb::Transaction*, std::unique_ptr<duckdb::Transaction>> transactions_
      OMEN_GUARDED_BY(mu_);
};

}  // namespace omendb::duck
