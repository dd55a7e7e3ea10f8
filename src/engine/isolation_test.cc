// What each isolation level allows and forbids, after Kleppmann's Hermitage, through the engine.
#include <gmock/gmock.h>

#include <thread>

#include "base/sqlstate.h"
#include "engine/engine_fixture.h"

namespace omendb::engine {
namespace {

using txn::IsolationLevel;
using txn::LockWait;
using txn::RowLockMode;
using txn::TableLockMode;
using Pairs = std::map<int32_t, int32_t>;
constexpr auto kRc = IsolationLevel::kReadCommitted;
constexpr auto kRr = IsolationLevel::kRepeatableRead;

// A session: one transaction at a time, statements that behave as PostgreSQL's.
class Session {
 public:
  Session(Engine& engine, IsolationLevel level) : e_(engine) { txn_ = e_.Begin(level); }

  Pairs Read() {
    StatementContext context = e_.Statement(*txn_);
    return ScanPairs(context, *e_.Open(context));
  }
  Status Insert(int32_t id, int32_t v) {
    StatementContext context = e_.Statement(*txn_);
    const types::Value row[] = {Int(id), Int(v), Text("")};
    auto inserted = e_.Open(context)->Insert(context, row);
    return inserted.ok() ? Status::Ok() : inserted.status();
  }
  // UPDATE t SET v = change(v) WHERE id = ...; 0 or 1 rows.
  Result<int> Update(int32_t id, const std::function<int32_t(int32_t)>& change) {
    StatementContext context = e_.Statement(*txn_);
    return Change(context, id, [&](Relation& relation, const RowRef& row, int32_t v) {
      const types::Value values[] = {Int(id), Int(change(v)), Text("changed, and quite a bit")};
      return relation.Update(context, row, values);
    });
  }
  Result<int> Set(int32_t id, int32_t v) {
    return Update(id, [v](int32_t) { return v; });
  }
  Result<int> Delete(int32_t id) {
    StatementContext context = e_.Statement(*txn_);
    return Change(context, id, [&](Relation& relation, const RowRef& row, int32_t) {
      return relation.Delete(context, row);
    });
  }
  Result<RowOutcome> Lock(int32_t id, RowLockMode mode, LockWait wait) {
    StatementContext context = e_.Statement(*txn_);
    auto relation = e_.Open(context);
    const types::Value key[] = {Int(id)};
    OMEN_ASSIGN(const auto row,
                relation->Lookup(context, relation->table().primary_key()->oid, key));
    if (!row) return RowOutcome::kGone;
    OMEN_ASSIGN(const RowResult result, relation->Lock(context, *row, mode, wait));
    return result.outcome;
  }
  Status Commit() { return e_.Commit(*txn_); }
  void Abort() { e_.db->Abort(*txn_); }
  txn::Transaction& txn() { return *txn_; }

 private:
  template <typename Act>
  Result<int> Change(StatementContext& context, int32_t id, const Act& act) {
    auto relation = e_.Open(context);
    const types::Value key[] = {Int(id)};
    OMEN_ASSIGN(auto row, relation->Lookup(context, relation->table().primary_key()->oid, key));
    while (row) {
      types::Value v;
      const ColumnId column[] = {ColumnId(2)};
      EXPECT_TRUE(relation->Read(*row, column, e_.arena, &v).ok());
      OMEN_ASSIGN(const RowResult result, act(*relation, *row, v.i32));
      if (result.outcome == RowOutcome::kDone) return 1;
      if (result.outcome != RowOutcome::kChanged) return 0;
      row = result.latest;
    }
    return 0;
  }
  Engine& e_;
  std::unique_ptr<txn::Transaction> txn_;
};

class IsolationTest : public ::testing::TestWithParam<IsolationLevel> {
 protected:
  void SetUp() override {
    e.CreateTable({});
    Session session(e, kRc);
    ASSERT_TRUE(session.Insert(1, 10).ok());
    ASSERT_TRUE(session.Insert(2, 20).ok());
    ASSERT_TRUE(session.Commit().ok());
  }
  Pairs Now() { return Session(e, kRc).Read(); }
  // Runs `act` on a thread of its own; it is expected to wait until Join.
  template <typename Act>
  void InBackground(Act act) {
    thread_ = std::thread(act);
  }
  void Join() { thread_.join(); }
  // Until the thread waits for another transaction.
  void AwaitBlocked() {
    while (e.db->stats().transactions_waiting == 0) std::this_thread::yield();
  }

  Engine e;
  std::thread thread_;
};

INSTANTIATE_TEST_SUITE_P(Levels, IsolationTest, ::testing::Values(kRc, kRr));

TEST_P(IsolationTest, G0DirtyWritesAreForbidden) {
  Session t1(e, GetParam());
  Session t2(e, GetParam());
  ASSERT_TRUE(t1.Set(1, 11).ok());
  Result<int> second = 0;
  (void)t2.Read();
  InBackground([&] { second = t2.Set(1, 12); });
  ASSERT_TRUE(t1.Set(2, 21).ok());
  AwaitBlocked();
  ASSERT_TRUE(t1.Commit().ok());
  Join();
  if (GetParam() == kRc) {
    ASSERT_TRUE(second.ok());
    ASSERT_TRUE(t2.Set(2, 22).ok());
    ASSERT_TRUE(t2.Commit().ok());
    EXPECT_EQ(Now(), (Pairs{{1, 12}, {2, 22}}));
  } else {
    EXPECT_TRUE(second.status().Is(sqlstate::kSerializationFailure));
    EXPECT_EQ(Now(), (Pairs{{1, 11}, {2, 21}}));
  }
}

TEST_P(IsolationTest, G1aAbortedReadsAreForbidden) {
  Session t1(e, GetParam());
  Session t2(e, GetParam());
  ASSERT_TRUE(t1.Set(1, 101).ok());
  EXPECT_EQ(t2.Read(), (Pairs{{1, 10}, {2, 20}}));
  t1.Abort();
  EXPECT_EQ(t2.Read(), (Pairs{{1, 10}, {2, 20}}));
}

TEST_P(IsolationTest, G1bIntermediateReadsAreForbidden) {
  Session t1(e, GetParam());
  Session t2(e, GetParam());
  ASSERT_TRUE(t1.Set(1, 101).ok());
  EXPECT_EQ(t2.Read(), (Pairs{{1, 10}, {2, 20}}));
  ASSERT_TRUE(t1.Set(1, 11).ok());
  ASSERT_TRUE(t1.Commit().ok());
  EXPECT_EQ(t2.Read(), GetParam() == kRc ? (Pairs{{1, 11}, {2, 20}}) : (Pairs{{1, 10}, {2, 20}}));
}

TEST_P(IsolationTest, G1cCircularInformationFlowIsForbidden) {
  Session t1(e, GetParam());
  Session t2(e, GetParam());
  ASSERT_TRUE(t1.Set(1, 11).ok());
  ASSERT_TRUE(t2.Set(2, 22).ok());
  EXPECT_EQ(t1.Read(), (Pairs{{1, 11}, {2, 20}}));
  EXPECT_EQ(t2.Read(), (Pairs{{1, 10}, {2, 22}}));
  EXPECT_TRUE(t1.Commit().ok());
  EXPECT_TRUE(t2.Commit().ok());
}

TEST_P(IsolationTest, PmpPredicatesDoNotChangeUnderRepeatableRead) {
  Session t1(e, GetParam());
  Session t2(e, GetParam());
  EXPECT_EQ(t1.Read().size(), 2u);
  ASSERT_TRUE(t2.Insert(3, 30).ok());
  ASSERT_TRUE(t2.Commit().ok());
  EXPECT_EQ(t1.Read().size(), GetParam() == kRc ? 3u : 2u);
}

TEST_P(IsolationTest, P4LostUpdatesAreForbidden) {
  Session t1(e, GetParam());
  Session t2(e, GetParam());
  EXPECT_EQ(t1.Read().at(1), 10);
  EXPECT_EQ(t2.Read().at(1), 10);
  ASSERT_TRUE(t1.Update(1, [](int32_t v) { return v + 1; }).ok());
  Result<int> second = 0;
  InBackground([&] { second = t2.Update(1, [](int32_t v) { return v + 1; }); });
  AwaitBlocked();
  ASSERT_TRUE(t1.Commit().ok());
  Join();
  if (GetParam() == kRc) {
    ASSERT_TRUE(second.ok());
    ASSERT_TRUE(t2.Commit().ok());
    EXPECT_EQ(Now().at(1), 12);
  } else {
    EXPECT_TRUE(second.status().Is(sqlstate::kSerializationFailure));
  }
}

TEST_P(IsolationTest, GSingleReadSkewIsForbiddenUnderRepeatableRead) {
  Session t1(e, GetParam());
  Session t2(e, GetParam());
  EXPECT_EQ(t1.Read().at(1), 10);
  ASSERT_TRUE(t2.Set(1, 12).ok());
  ASSERT_TRUE(t2.Set(2, 18).ok());
  ASSERT_TRUE(t2.Commit().ok());
  EXPECT_EQ(t1.Read().at(2), GetParam() == kRc ? 18 : 20);
}

// Write skew: allowed at both levels; SERIALIZABLE would forbid it.
TEST_P(IsolationTest, G2ItemWriteSkewIsAllowed) {
  Session t1(e, GetParam());
  Session t2(e, GetParam());
  EXPECT_EQ(t1.Read(), t2.Read());
  ASSERT_TRUE(t1.Set(1, 11).ok());
  ASSERT_TRUE(t2.Set(2, 21).ok());
  EXPECT_TRUE(t1.Commit().ok());
  EXPECT_TRUE(t2.Commit().ok());
  EXPECT_EQ(Now(), (Pairs{{1, 11}, {2, 21}}));
}

TEST_P(IsolationTest, ARowDeletedMeanwhileIsGone) {
  Session t1(e, GetParam());
  Session t2(e, GetParam());
  (void)t2.Read();
  ASSERT_TRUE(t1.Delete(1).ok());
  Result<int> second = 7;
  InBackground([&] { second = t2.Set(1, 12); });
  AwaitBlocked();
  ASSERT_TRUE(t1.Commit().ok());
  Join();
  if (GetParam() == kRc) {
    ASSERT_TRUE(second.ok());
    EXPECT_EQ(*second, 0);
  } else {
    EXPECT_TRUE(second.status().Is(sqlstate::kSerializationFailure));
  }
}

TEST_P(IsolationTest, DeadlocksAreFoundAndEnded) {
  Session t1(e, GetParam());
  Session t2(e, GetParam());
  ASSERT_TRUE(t1.Set(1, 11).ok());
  ASSERT_TRUE(t2.Set(2, 22).ok());
  Result<int> first = 0;
  InBackground([&] { first = t1.Set(2, 21); });
  AwaitBlocked();
  const Result<int> second = t2.Set(1, 12);
  ASSERT_FALSE(second.ok());
  EXPECT_TRUE(second.status().Is(sqlstate::kDeadlockDetected));
  EXPECT_EQ(second.status().error().message, "deadlock detected");
  EXPECT_THAT(second.status().error().detail, ::testing::HasSubstr("ShareLock on transaction"));
  t2.Abort();
  Join();
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(t1.Commit().ok());
  EXPECT_EQ(Now(), (Pairs{{1, 11}, {2, 21}}));
}

TEST_P(IsolationTest, InsertsOfOneKeyWaitForEachOther) {
  Session t1(e, GetParam());
  Session t2(e, GetParam());
  ASSERT_TRUE(t1.Insert(3, 1).ok());
  Status second;
  InBackground([&] { second = t2.Insert(3, 2); });
  AwaitBlocked();
  t1.Abort();
  Join();
  EXPECT_TRUE(second.ok()) << second.ToString();
  Session t3(e, GetParam());
  InBackground([&] { second = t3.Insert(3, 2); });
  AwaitBlocked();
  ASSERT_TRUE(t2.Commit().ok());
  Join();
  EXPECT_TRUE(second.Is(sqlstate::kUniqueViolation));
}

TEST_P(IsolationTest, RowLocksConflictAsInPostgres) {
  const RowLockMode modes[] = {RowLockMode::kKeyShare, RowLockMode::kShare,
                               RowLockMode::kNoKeyUpdate, RowLockMode::kUpdate};
  // PostgreSQL 15, table 13.3.
  const bool conflicts[4][4] = {{false, false, false, true},
                                {false, false, true, true},
                                {false, true, true, true},
                                {true, true, true, true}};
  for (int held = 0; held < 4; ++held) {
    for (int wanted = 0; wanted < 4; ++wanted) {
      Session t1(e, GetParam());
      Session t2(e, GetParam());
      ASSERT_TRUE(t1.Lock(1, modes[held], LockWait::kWait).ok());
      const auto skipped = t2.Lock(1, modes[wanted], LockWait::kSkipLocked);
      ASSERT_TRUE(skipped.ok());
      EXPECT_EQ(*skipped == RowOutcome::kSkipped, conflicts[held][wanted]) << held << wanted;
      const auto refused = t2.Lock(1, modes[wanted], LockWait::kNoWait);
      EXPECT_EQ(refused.status().Is(sqlstate::kLockNotAvailable), conflicts[held][wanted]);
    }
  }
}

TEST_P(IsolationTest, AnUpdateWaitsForARowLock) {
  Session t1(e, GetParam());
  Session t2(e, GetParam());
  ASSERT_TRUE(t1.Lock(1, RowLockMode::kShare, LockWait::kWait).ok());
  Result<int> second = 0;
  std::atomic<bool> done{false};
  InBackground([&] {
    second = t2.Set(1, 12);
    done = true;
  });
  AwaitBlocked();
  EXPECT_FALSE(done);
  ASSERT_TRUE(t1.Commit().ok());
  Join();
  ASSERT_TRUE(second.ok()) << second.status().ToString();
  EXPECT_EQ(*second, 1);
  // KEY SHARE lets an update of other columns pass.
  ASSERT_TRUE(t2.Commit().ok());
  Session t3(e, GetParam());
  Session t4(e, GetParam());
  ASSERT_TRUE(t3.Lock(1, RowLockMode::kKeyShare, LockWait::kWait).ok());
  EXPECT_TRUE(t4.Set(1, 13).ok());
}

TEST_P(IsolationTest, TableLocksConflictAsInPostgres) {
  // PostgreSQL 15, table 13.2; bit n - 1 = mode n.
  const int conflicts[8] = {0x80, 0xc0, 0xf0, 0xf8, 0xec, 0xfc, 0xfe, 0xff};
  const Oid table(99999);
  for (int held = 1; held <= 8; ++held) {
    for (int wanted = 1; wanted <= 8; ++wanted) {
      Session t1(e, GetParam());
      Session t2(e, GetParam());
      ASSERT_TRUE(t1.txn()
                      .LockTable(table, static_cast<TableLockMode>(held), LockWait::kWait, e.waiter,
                                 nullptr, 0)
                      .ok());
      const Status second = t2.txn().LockTable(table, static_cast<TableLockMode>(wanted),
                                               LockWait::kNoWait, e.waiter, nullptr, 0);
      EXPECT_EQ(!second.ok(), (conflicts[held - 1] >> (wanted - 1) & 1) != 0) << held << wanted;
    }
  }
}

TEST_P(IsolationTest, LockTimeoutAndCancelEndAWait) {
  Session t1(e, GetParam());
  Session t2(e, GetParam());
  const Oid table(99999);
  ASSERT_TRUE(
      t1.txn()
          .LockTable(table, TableLockMode::kAccessExclusive, LockWait::kWait, e.waiter, nullptr, 0)
          .ok());
  const Status timeout = t2.txn().LockTable(table, TableLockMode::kAccessShare, LockWait::kWait,
                                            e.waiter, nullptr, 10);
  EXPECT_TRUE(timeout.Is(sqlstate::kLockNotAvailable));
  CancelFlag cancel;
  cancel.Set(CancelFlag::Reason::kUserRequest);
  const Status cancelled =
      t2.txn().LockTable(table, TableLockMode::kAccessShare, LockWait::kWait, e.waiter, &cancel, 0);
  EXPECT_TRUE(cancelled.Is(sqlstate::kQueryCanceled));
  ASSERT_TRUE(t1.Commit().ok());
  EXPECT_TRUE(
      t2.txn()
          .LockTable(table, TableLockMode::kAccessShare, LockWait::kWait, e.waiter, nullptr, 10)
          .ok());
}

}  // namespace
}  // namespace omendb::engine
