// Two transactions, of which one replaces rows of segments where they lie.
#include <gtest/gtest.h>

#include <thread>

#include "engine/bulk_update_fixture.h"

namespace omendb::engine {
namespace {

// What a second transaction does to a row that the first is replacing.
class BulkUpdateConflictTest
    : public BulkUpdateTest,
      public ::testing::WithParamInterface<std::tuple<IsolationLevel, int>> {
 protected:
  static constexpr int kDelete = 0, kUpdate = 1, kLock = 2, kUpdateMany = 3, kDeleteMany = 4;
  int what() const { return std::get<1>(GetParam()); }
  Result<RowResult> Act(Engine& e, StatementContext& context, const RowRef& seen) {
    auto relation = e.Open(context);
    const types::Value row[] = {Int(5), Int(-5), Text("text")};
    switch (what()) {
      case kDelete:
        MaskedDeletes::thawed_max = MaskedDeletes::kThawedMax;
        return relation->Delete(context, seen);
      case kDeleteMany:
        return relation->Delete(context, seen);
      case kUpdate:
        return relation->Update(context, seen, row);
      case kLock:
        return relation->Lock(context, seen, RowLockMode::kShare, LockWait::kWait);
      default:
        break;
    }
    BulkUpdate updates(context, relation, {&kColumns[1], 1}, kSmallSegments);
    OMEN_TRY(updates.Update(seen, row).status());
    OMEN_ASSIGN(const RowOutcome outcome, updates.Finish());
    return RowResult{outcome, {}};
  }
  // The first transaction has replaced row 5 and others; the second is made to wait for its end.
  void Run(const std::function<void(Engine&, txn::Transaction& first)>& end_first,
           const std::function<void(Engine&, StatementContext&, const Result<RowResult>&)>& check) {
    Engine e;
    Fill(e, 1000);
    RunConflict(
        e, std::get<0>(GetParam()), [&](txn::Transaction& first) { Add(e, first, 0, 500, 1); },
        [&](txn::Transaction& first) { end_first(e, first); },
        [&](StatementContext& context, const RowRef& seen) { return Act(e, context, seen); },
        [&](StatementContext& context, const Result<RowResult>& result) {
          check(e, context, result);
        });
    Check(e, expected_);
    e.Crash(5);
    Check(e, expected_);
  }
};

INSTANTIATE_TEST_SUITE_P(LevelsAndChanges, BulkUpdateConflictTest,
                         ::testing::Combine(::testing::Values(kRc, kRr), ::testing::Range(0, 5)));

TEST_P(BulkUpdateConflictTest, ACommittedUpdateIsTold) {
  Run(
      [&](Engine& e, txn::Transaction& first) {
        ASSERT_TRUE(e.Commit(first).ok());
        Add(expected_, 0, 500, 1);
      },
      [&](Engine& e, StatementContext& context, const Result<RowResult>& result) {
        if (std::get<0>(GetParam()) == kRr) {
          EXPECT_TRUE(result.status().Is(sqlstate::kSerializationFailure));
          return;
        }
        ASSERT_TRUE(result.ok()) << result.status().ToString();
        EXPECT_EQ(result->outcome, RowOutcome::kChanged);
        if (what() == kUpdateMany) return;
        // The newest version, which can be changed in its turn.
        types::Value v;
        const auto relation = e.Open(context);
        ASSERT_TRUE(relation->Read(result->latest, {&kColumns[1], 1}, e.arena, &v).ok());
        EXPECT_EQ(v.i32, 51);
        const auto again = Act(e, context, result->latest);
        ASSERT_TRUE(again.ok());
        EXPECT_EQ(again->outcome, RowOutcome::kDone);
        ASSERT_TRUE(e.Commit(*context.txn).ok());
        if (what() == kDelete || what() == kDeleteMany) expected_.erase(5);
        if (what() == kUpdate) expected_[5] = -5;
      });
}

TEST_P(BulkUpdateConflictTest, AnUndoneUpdateIsAsNone) {
  Run([&](Engine& e, txn::Transaction& first) { e.db->Abort(first); },
      [&](Engine&, StatementContext&, const Result<RowResult>& result) {
        ASSERT_TRUE(result.ok()) << result.status().ToString();
        EXPECT_EQ(result->outcome, RowOutcome::kDone);
        if (what() == kDelete || what() == kDeleteMany) expected_.erase(5);
        if (what() == kUpdate || what() == kUpdateMany) expected_[5] = -5;
      });
}

// An old version that was seen is told from the newest one, wherever that lies.
TEST_P(BulkUpdateConflictTest, WhatWasSeenIsToldFromWhatIsNewer) {
  for (const bool thawed : {false, true}) {
    expected_.clear();
    Engine e;
    Fill(e, 100);
    auto second = e.Begin(std::get<0>(GetParam()));
    StatementContext context = e.Statement(*second);
    const auto seen = Find(e, context, 5);
    AddAndCommit(e, 0, 100, 1);
    if (thawed) {  // The new version is the copy in a page that somebody gave up to change.
      auto txn = e.Begin();
      Change(e, *txn, 5, 0);
      e.db->Abort(*txn);
    }
    EXPECT_FALSE(*e.Open(context)->IsCurrent(context, *seen));
    const auto result = Act(e, context, *seen);
    if (std::get<0>(GetParam()) == kRr) {
      EXPECT_TRUE(result.status().Is(sqlstate::kSerializationFailure)) << thawed;
    } else {
      ASSERT_TRUE(result.ok()) << result.status().ToString();
      EXPECT_EQ(result->outcome, RowOutcome::kChanged) << thawed;
    }
    second.reset();
    Check(e, expected_);
  }
}

TEST_F(BulkUpdateTest, RowLocksStandInTheWayButThoseOfKeys) {
  Engine e;
  Fill(e, 100);
  auto locker = e.Begin();
  StatementContext context = e.Statement(*locker);
  const auto row = Find(e, context, 5);
  const auto lock = [&](StatementContext& statement, RowLockMode mode, LockWait wait) {
    return e.Open(statement)->Lock(statement, *row, mode, wait);
  };
  ASSERT_EQ(lock(context, RowLockMode::kKeyShare, LockWait::kWait)->outcome, RowOutcome::kDone);
  AddAndCommit(e, 0, 50, 1);  // Goes past it.
  ASSERT_TRUE(e.Commit(*locker).ok());
  locker = e.Begin();
  context = e.Statement(*locker);
  const auto newer = Find(e, context, 5);
  ASSERT_EQ(e.Open(context)->Lock(context, *newer, RowLockMode::kShare, LockWait::kWait)->outcome,
            RowOutcome::kDone);
  auto updater = e.Begin();
  std::thread waiting([&] { Add(e, *updater, 0, 50, 2); });
  while (e.db->stats().transactions_waiting == 0) std::this_thread::yield();
  Check(e, expected_);
  ASSERT_TRUE(e.Commit(*locker).ok());
  waiting.join();
  // Now the replaced row stands in the way of locks, but for those of its key.
  locker = e.Begin();
  context = e.Statement(*locker);
  const auto seen = Find(e, context, 5);
  const auto try_lock = [&](RowLockMode mode, LockWait wait) {
    return e.Open(context)->Lock(context, *seen, mode, wait);
  };
  EXPECT_TRUE(
      try_lock(RowLockMode::kShare, LockWait::kNoWait).status().Is(sqlstate::kLockNotAvailable));
  EXPECT_EQ(try_lock(RowLockMode::kUpdate, LockWait::kSkipLocked)->outcome, RowOutcome::kSkipped);
  EXPECT_EQ(try_lock(RowLockMode::kKeyShare, LockWait::kNoWait)->outcome, RowOutcome::kDone);
  ASSERT_TRUE(e.Commit(*updater).ok());
  Add(expected_, 0, 50, 2);
  Check(e, expected_);
}

}  // namespace
}  // namespace omendb::engine
