// Rows of segments that are deleted where they lie, by masks.
#include <gtest/gtest.h>

#include <thread>

#include "base/sqlstate.h"
#include "engine/masked_deletes.h"
#include "engine/segments_fixture.h"
#include "txn/transaction_impl.h"

namespace omendb::engine {
namespace {

using txn::IsolationLevel;
using txn::LockWait;
using txn::RowLockMode;
constexpr auto kRc = IsolationLevel::kReadCommitted;
constexpr auto kRr = IsolationLevel::kRepeatableRead;

class MaskedDeleteTest : public MasksTest {};

TEST_F(MaskedDeleteTest, EachSnapshotSeesTheRowsUntilItSeesTheDelete) {
  Engine e;
  Fill(e, 20'000);
  const uint64_t before = e.db->stats().hot_bytes;
  auto old = e.Begin(kRr);
  Check(e, *old, expected_);
  auto txn = e.Begin();
  Delete(e, *txn, 1000, 20'000, 2);
  // Nobody has it but its transaction, and nothing went to pages.
  EXPECT_LE(e.db->stats().hot_bytes, before);
  EXPECT_LT(static_cast<txn::TransactionImpl&>(*txn).MarkUndo(), 10u);
  Check(e, expected_);
  const Pairs all = expected_;
  Erase(expected_, 1000, 20'000, 2);
  Check(e, *txn, expected_);
  ASSERT_TRUE(e.Commit(*txn).ok());
  Check(e, expected_);
  Check(e, *old, all);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  Check(e, *old, all);
  EXPECT_EQ(e.db->stats().rows_thawed, 0u);
  old.reset();
  EXPECT_TRUE(Settled(e, expected_.size(), 9500));
  Check(e, expected_);
  e.Crash(1);
  Check(e, expected_);
  e.Restart();
  Check(e, expected_);
}

TEST_F(MaskedDeleteTest, FewRowsOfAStatementAreThawed) {
  MaskedDeletes::thawed_max = 100;
  Engine e;
  Fill(e, 1000);
  auto txn = e.Begin();
  Delete(e, *txn, 0, 100);
  Delete(e, *txn, 100, 200);
  EXPECT_EQ(e.db->stats().rows_thawed, 200u);
  Delete(e, *txn, 200, 500);
  EXPECT_EQ(e.db->stats().rows_thawed, 300u);
  ASSERT_TRUE(e.Commit(*txn).ok());
  Erase(expected_, 0, 500);
  Check(e, expected_);
  e.Crash(2);
  Check(e, expected_);
}

TEST_F(MaskedDeleteTest, WhatIsUndoneIsBack) {
  Engine e;
  Fill(e, 2000);
  auto txn = e.Begin();
  Delete(e, *txn, 0, 500);
  const uint64_t first = txn->Mark();
  Delete(e, *txn, 500, 1000);
  const uint64_t second = txn->Mark();
  Delete(e, *txn, 1000, 1500);
  txn->RollbackTo(second);
  Pairs rows = expected_;
  Erase(rows, 0, 1000);
  Check(e, *txn, rows);
  Delete(e, *txn, 1200, 1300);
  txn->RollbackTo(first);
  Delete(e, *txn, 700, 800);
  Erase(expected_, 0, 500);
  Erase(expected_, 700, 800);
  Check(e, *txn, expected_);
  ASSERT_TRUE(e.Commit(*txn).ok());
  Check(e, expected_);
  txn = e.Begin();
  Delete(e, *txn, 1000, 2000);
  e.db->Abort(*txn);
  Check(e, expected_);
  // What was undone can be changed as ever.
  txn = e.Begin();
  Change(e, *txn, 1000, -1);
  Change(e, *txn, 1001, std::nullopt);
  ASSERT_TRUE(e.Commit(*txn).ok());
  expected_[1000] = -1;
  expected_.erase(1001);
  Check(e, expected_);
  EXPECT_TRUE(Settled(e, expected_.size() - 1, 602));
  Check(e, expected_);
  e.Crash(3);
  Check(e, expected_);
}

TEST_F(MaskedDeleteTest, KeysComeBack) {
  Engine e;
  Fill(e, 1000);
  const Pairs all = expected_;
  auto old = e.Begin(kRr);
  Check(e, *old, all);
  auto txn = e.Begin();
  Delete(e, *txn, 0, 600);
  // By the transaction itself, then again, and undone.
  for (int32_t i = 0; i < 100; ++i) ASSERT_TRUE(Insert(e, *txn, i, -i - 1).ok());
  Delete(e, *txn, 0, 50);
  for (int32_t i = 0; i < 20; ++i) ASSERT_TRUE(Insert(e, *txn, i, -i - 2).ok());
  const uint64_t mark = txn->Mark();
  for (int32_t i = 100; i < 200; ++i) ASSERT_TRUE(Insert(e, *txn, i, 0).ok());
  txn->RollbackTo(mark);
  Erase(expected_, 0, 600);
  for (int32_t i = 0; i < 20; ++i) expected_[i] = -i - 2;
  for (int32_t i = 50; i < 100; ++i) expected_[i] = -i - 1;
  Check(e, *txn, expected_);
  Check(e, all);
  ASSERT_TRUE(e.Commit(*txn).ok());
  Check(e, expected_);
  const Pairs between = expected_;
  auto later = e.Begin(kRr);
  Check(e, *later, between);
  // By others; some are undone, some deleted again.
  txn = e.Begin();
  for (int32_t i = 200; i < 300; ++i) ASSERT_TRUE(Insert(e, *txn, i, 7).ok());
  e.db->Abort(*txn);
  txn = e.Begin();
  for (int32_t i = 300; i < 400; ++i) {
    ASSERT_TRUE(Insert(e, *txn, i, 8).ok());
    expected_[i] = 8;
  }
  ASSERT_TRUE(e.Commit(*txn).ok());
  txn = e.Begin();
  Delete(e, *txn, 300, 350);
  ASSERT_TRUE(e.Commit(*txn).ok());
  Erase(expected_, 300, 350);
  Check(e, expected_);
  Check(e, *old, all);
  Check(e, *later, between);
  ASSERT_TRUE(Insert(e, *e.Begin(), 900, 0).Is(sqlstate::kUniqueViolation));
  ASSERT_TRUE(e.db->Checkpoint().ok());
  // An insert that is under way when the mask is settled.
  auto late = e.Begin();
  ASSERT_TRUE(Insert(e, *late, 500, 5).ok());
  old.reset();
  later.reset();
  EXPECT_TRUE(Settled(e, 400, 600));
  Check(e, expected_);
  e.db->Abort(*late);
  Check(e, expected_);
  txn = e.Begin();
  ASSERT_TRUE(Insert(e, *txn, 500, 6).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  expected_[500] = 6;
  Check(e, expected_);
  e.Crash(4);
  Check(e, expected_);
  e.Restart();
  Check(e, expected_);
}

// What a second transaction does to a row that the first is deleting.
class MaskedConflictTest : public MaskedDeleteTest,
                           public ::testing::WithParamInterface<std::tuple<IsolationLevel, int>> {
 protected:
  Result<RowResult> Act(Engine& e, StatementContext& context, const RowRef& seen) {
    auto relation = e.Open(context);
    const types::Value row[] = {Int(5), Int(-5), Text("changed")};
    const int what = std::get<1>(GetParam());
    return what == 0   ? relation->Delete(context, seen)
           : what == 1 ? relation->Update(context, seen, row)
                       : relation->Lock(context, seen, RowLockMode::kShare, LockWait::kWait);
  }
  // The first transaction has deleted row 5 and others; the second is made to wait for its end.
  void Run(const std::function<void(Engine&, txn::Transaction& first)>& end_first,
           const std::function<void(const Result<RowResult>&)>& check) {
    Engine e;
    Fill(e, 1000);
    RunConflict(
        e, std::get<0>(GetParam()), [&](txn::Transaction& first) { Delete(e, first, 0, 500); },
        [&](txn::Transaction& first) { end_first(e, first); },
        [&](StatementContext& context, const RowRef& seen) { return Act(e, context, seen); },
        [&](StatementContext&, const Result<RowResult>& result) { check(result); });
    Check(e, expected_);
    e.Crash(5);
    Check(e, expected_);
  }
};

INSTANTIATE_TEST_SUITE_P(LevelsAndChanges, MaskedConflictTest,
                         ::testing::Combine(::testing::Values(kRc, kRr), ::testing::Range(0, 3)));

TEST_P(MaskedConflictTest, ACommittedDeleteStands) {
  Run(
      [&](Engine& e, txn::Transaction& first) {
        ASSERT_TRUE(e.Commit(first).ok());
        Erase(expected_, 0, 500);
      },
      [&](const Result<RowResult>& result) {
        if (std::get<0>(GetParam()) == kRr) {
          EXPECT_TRUE(result.status().Is(sqlstate::kSerializationFailure));
        } else {
          ASSERT_TRUE(result.ok());
          EXPECT_EQ(result->outcome, RowOutcome::kGone);
        }
      });
}

TEST_P(MaskedConflictTest, AnUndoneDeleteIsAsNone) {
  Run([&](Engine& e, txn::Transaction& first) { e.db->Abort(first); },
      [&](const Result<RowResult>& result) {
        ASSERT_TRUE(result.ok());
        EXPECT_EQ(result->outcome, RowOutcome::kDone);
        if (std::get<1>(GetParam()) == 0) expected_.erase(5);
        if (std::get<1>(GetParam()) == 1) expected_[5] = -5;
      });
}

TEST_F(MaskedDeleteTest, RowLocksStandInTheWay) {
  Engine e;
  Fill(e, 100);
  auto locker = e.Begin();
  StatementContext context = e.Statement(*locker);
  const auto row = Find(e, context, 5);
  const auto lock = [&](StatementContext& statement, LockWait wait) {
    return e.Open(statement)->Lock(statement, *row, RowLockMode::kKeyShare, wait);
  };
  ASSERT_EQ(lock(context, LockWait::kWait)->outcome, RowOutcome::kDone);
  auto deleter = e.Begin();
  std::thread waiting([&] { Delete(e, *deleter, 0, 50); });
  while (e.db->stats().transactions_waiting == 0) std::this_thread::yield();
  Check(e, expected_);
  ASSERT_TRUE(e.Commit(*locker).ok());
  waiting.join();
  // Now the deleted row stands in the way of locks.
  locker = e.Begin();
  context = e.Statement(*locker);
  EXPECT_TRUE(lock(context, LockWait::kNoWait).status().Is(sqlstate::kLockNotAvailable));
  EXPECT_EQ(lock(context, LockWait::kSkipLocked)->outcome, RowOutcome::kSkipped);
  e.db->Abort(*deleter);
  EXPECT_EQ(lock(context, LockWait::kNoWait)->outcome, RowOutcome::kDone);
  locker.reset();
  deleter = e.Begin();
  Delete(e, *deleter, 0, 50);
  ASSERT_TRUE(e.Commit(*deleter).ok());
  Erase(expected_, 0, 50);
  Check(e, expected_);
}

TEST_F(MaskedDeleteTest, SegmentsWithManyMasksTakeNoMore) {
  Engine e;
  Fill(e, 1000);
  auto old = e.Begin(kRr);
  Check(e, *old, expected_);
  const Pairs all = expected_;
  for (int32_t i = 0; i < 200; ++i) {
    auto txn = e.Begin();
    Delete(e, *txn, 5 * i, 5 * i + 2);
    ASSERT_TRUE(e.Commit(*txn).ok());
    Erase(expected_, 5 * i, 5 * i + 2);
  }
  EXPECT_GT(e.db->stats().rows_thawed, 200u);
  EXPECT_LT(e.db->stats().rows_thawed, 400u);
  Check(e, *old, all);
  Check(e, expected_);
  old.reset();
  EXPECT_TRUE(Settled(e, 600, 400));
  Check(e, expected_);
}

TEST_F(MaskedDeleteTest, SparseSegmentsAreCompactedOnceTheirMasksAreSettled) {
  Engine e;
  Fill(e, 1000);
  auto old = e.Begin(kRr);
  Check(e, *old, expected_);
  const Pairs all = expected_;
  auto txn = e.Begin();
  Delete(e, *txn, 0, 900);
  ASSERT_TRUE(e.Freeze().ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  ASSERT_TRUE(e.Freeze().ok());
  Erase(expected_, 0, 900);
  Check(e, expected_);
  Check(e, *old, all);
  old.reset();
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(e.Freeze().ok());
    return e.db->stats().rows_frozen == 100 && e.db->stats().rows_thawed == 0;
  }));
  Check(e, expected_);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  EXPECT_EQ(SegmentFiles(*e.env).size(), 1u);
  e.Crash(6);
  Check(e, expected_);
}

// The power fails at every file operation.
TEST_F(MaskedDeleteTest, ACrashAtAnyFileOperationLosesNothing) {
  Engine e(SmallOptions());
  Fill(e, 600);
  CrashRecorder recorder(e, expected_);
  auto txn = e.Begin();
  Delete(e, *txn, 0, 100);
  Erase(expected_, 0, 100);
  recorder.Commit(*txn, expected_);
  // A checkpoint amid a delete does not have it.
  txn = e.Begin();
  Delete(e, *txn, 100, 300, 3);
  for (int32_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(Insert(e, *txn, i, -i).ok());
    expected_[i] = -i;
  }
  const uint64_t mark = txn->Mark();
  Delete(e, *txn, 300, 400);
  txn->RollbackTo(mark);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  Erase(expected_, 100, 300, 3);
  recorder.Commit(*txn, expected_);
  auto old = e.Begin(kRr);
  (void)Scan(e, *old);
  txn = e.Begin();
  Delete(e, *txn, 400, 600);
  Erase(expected_, 400, 600);
  recorder.Commit(*txn, expected_);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  old.reset();
  EXPECT_TRUE(Eventually([&] { return e.db->stats().rows_thawed == 367; }));
  ASSERT_TRUE(e.db->Checkpoint().ok());
  ASSERT_TRUE(e.Freeze().ok());  // Compacts the segment.
  txn = e.Begin();
  Delete(e, *txn, 300, 400);
  Erase(expected_, 300, 400);
  recorder.Commit(*txn, expected_);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  txn.reset();
  const size_t crashes = recorder.Check([&] { return CommittedAndIndexed(e); });
  EXPECT_GT(crashes, 30u);
}

}  // namespace
}  // namespace omendb::engine
