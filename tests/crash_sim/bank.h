// bank.h - money moving between accounts of an engine::Database, and the audit after a crash.
//
// Each worker moves money in numbered transfers: two balances updated and one row in `transfers`,
// in one transaction. It notes the number before it starts and after the commit was acknowledged.
// So after a crash, for each worker, exactly the transfers 1..n must be there, with acknowledged <=
// n <= attempted, and every balance must be what those transfers make it.
//
// Thread safety  Bank::Transfer: one thread for each worker. Noted may be read by any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/database.h"
#include "engine/relation.h"
#include "testing/prng.h"

namespace omendb::crash_sim {

inline constexpr int kWorkers = 4;
inline constexpr int64_t kAccounts = 50;
inline constexpr int64_t kOpening = 1000;
inline constexpr char kDataDir[] = "/data";

// How far each worker got.
struct Progress {
  std::array<int64_t, kWorkers> transfers{};
};

class Bank {
 public:
  // Borrows the database.
  explicit Bank(engine::Database& database) : database_(database) {}

  // Creates tables and accounts in one transaction.
  Status Create();
  // Finds the tables of an earlier life; 42P01 if they are not there.
  Status Find();

  // Moves a random amount; tries again after deadlocks. `text` is stored with the transfer.
  Status Transfer(int worker, int64_t number, testutil::Prng& prng, std::string_view text);

  // Moves what is settled of both tables to segments.
  Status Freeze();

  // What is in the database, checked against itself: balances against transfers, numbers without
  // gaps, the sum. XX000 saying what does not hold.
  Result<Progress> Audit();

 private:
  using ContextBody = std::function<Status(engine::StatementContext&)>;
  // Runs one statement in `txn`.
  Status Run(txn::Transaction& txn, const ContextBody& body);
  // Runs `body` as a transaction of one statement and commits it.
  Status RunAndCommit(const ContextBody& body);
  Status AddToBalance(engine::StatementContext& context, int64_t account, int64_t amount);
  Status ReadTransfers(engine::StatementContext& context, Progress& progress,
                       std::array<int64_t, kAccounts>& balances);
  Status CheckBalances(engine::StatementContext& context,
                       const std::array<int64_t, kAccounts>& expected);

  engine::Database& database_;
  ThreadWaiter waiter_;
  std::shared_ptr<const catalog::TableDef> accounts_;
  std::shared_ptr<const catalog::TableDef> transfers_;
};

// Opens the database of the simulation; small memory, no checkpoint unless asked for.
Result<std::unique_ptr<engine::Database>> OpenDatabase(env::Env& env, bool fsync = true);

}  // namespace omendb::crash_sim
