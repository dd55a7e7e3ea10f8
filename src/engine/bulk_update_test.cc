// Rows of segments that are replaced where they lie.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/bulk_update_fixture.h"
#include "txn/transaction_impl.h"

namespace omendb::engine {
namespace {

// A secondary index has the texts, which stay, or the values, which change.
class BulkUpdateIndexTest : public BulkUpdateTest, public ::testing::WithParamInterface<size_t> {
 protected:
  BulkUpdateIndexTest() { spec_.secondary = {{GetParam()}}; }
};
INSTANTIATE_TEST_SUITE_P(Columns, BulkUpdateIndexTest, ::testing::Values(size_t{1}, size_t{2}));

TEST_P(BulkUpdateIndexTest, EachSnapshotSeesItsOwnVersion) {
  Engine e;
  Fill(e, 20'000);
  const uint64_t before = e.db->stats().hot_bytes;
  auto old = e.Begin(kRr);
  Check(e, *old, expected_);
  auto txn = e.Begin();
  Add(e, *txn, 1000, 20'000, 7, 2);
  // Nobody sees it but its transaction, and nothing went to pages.
  EXPECT_LE(e.db->stats().hot_bytes, before);
  EXPECT_LT(static_cast<txn::TransactionImpl&>(*txn).MarkUndo(), 20u);
  Check(e, expected_);
  const Pairs all = expected_;
  Add(expected_, 1000, 20'000, 7, 2);
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

TEST_P(BulkUpdateIndexTest, OfATableWithoutAPrimaryKey) {
  Engine e;
  Fill(e, 5000, /*keys=*/0);
  auto old = e.Begin(kRr);
  const Pairs all = expected_;
  EXPECT_EQ(Scan(e, *old), all);
  AddAndCommit(e, 0, 5000, 3, 2);
  AddAndCommit(e, 0, 4000, 5);
  EXPECT_EQ(Committed(e), expected_);
  EXPECT_EQ(Scan(e, *old), all);
  CheckIndexes(e, *old, all);
  EXPECT_EQ(e.db->stats().rows_thawed, 0u);
  old.reset();
  EXPECT_TRUE(Reclaimed(e, 6500));
  CheckIndexes(e, expected_);
  e.Crash(2);
  EXPECT_EQ(Committed(e), expected_);
  CheckIndexes(e, expected_);
}

TEST_P(BulkUpdateIndexTest, WhatIsUndoneIsAsBefore) {
  Engine e;
  Fill(e, 5000);
  auto txn = e.Begin();
  Add(e, *txn, 0, 3000, 1);
  const uint64_t first = txn->Mark();
  Add(e, *txn, 1000, 4000, 2, 3);  // Partly of what was replaced before.
  const uint64_t second = txn->Mark();
  Add(e, *txn, 0, 5000, 4);
  Delete(e, *txn, 0, 100);
  Change(e, *txn, 200, -1);
  Change(e, *txn, 201, std::nullopt);
  txn->RollbackTo(second);
  Pairs rows = expected_;
  Add(rows, 0, 3000, 1);
  Add(rows, 1000, 4000, 2, 3);
  Check(e, *txn, rows);
  Check(e, expected_);
  Add(e, *txn, 2500, 4500, 8);
  txn->RollbackTo(first);
  Delete(e, *txn, 700, 800);
  Change(e, *txn, 900, -2);
  Add(expected_, 0, 3000, 1);
  Erase(expected_, 700, 800);
  expected_[900] = -2;
  Check(e, *txn, expected_);
  ASSERT_TRUE(e.Commit(*txn).ok());
  Check(e, expected_);
  txn = e.Begin();
  Add(e, *txn, 1000, 5000, 16);
  Add(e, *txn, 1000, 5000, 16);
  e.db->Abort(*txn);
  Check(e, expected_);
  // What was undone can be changed as ever, one by one or together.
  Change(e, *(txn = e.Begin()), 1000, -1);
  Change(e, *txn, 1001, std::nullopt);
  ASSERT_TRUE(e.Commit(*txn).ok());
  expected_[1000] = -1;
  expected_.erase(1001);
  AddAndCommit(e, 1002, 5000, 32);
  Check(e, expected_);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  e.Crash(3);
  Check(e, expected_);
}

// Snapshots of each of many versions, which end in any order; some versions go to pages.
TEST_P(BulkUpdateIndexTest, OldVersionsStayAsLongAsASnapshotSeesThem) {
  for (uint32_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    expected_.clear();
    std::mt19937 random(seed);
    Engine e;
    Fill(e, 400);
    std::vector<std::pair<std::unique_ptr<txn::Transaction>, Pairs>> snapshots;
    uint64_t ended = 0;  // versions
    const auto look = [&] {
      Check(e, expected_);
      for (const auto& [txn, rows] : snapshots) Check(e, *txn, rows);
    };
    for (int round = 0; round < 12; ++round) {
      snapshots.emplace_back(e.Begin(kRr), expected_);
      Check(e, *snapshots.back().first, expected_);
      auto txn = e.Begin();
      switch (random() % 4) {
        case 0:
          for (int32_t i = 0; i < 400; i += 7) {
            if (!expected_.contains(i)) continue;
            Change(e, *txn, i, round);
            expected_[i] = round;
            ++ended;
          }
          break;
        case 1:
          for (int32_t i = round; i < 400; i += 50) {
            if (!expected_.erase(i)) continue;
            Delete(e, *txn, i, i + 1);
            ++ended;
          }
          break;
        case 2:
          for (int32_t i = 0; i < 400; ++i) {
            if (expected_.contains(i) || random() % 2 == 0) continue;
            ASSERT_TRUE(Insert(e, *txn, i, -i).ok());
            expected_[i] = -i;
          }
          break;
        default:
          break;
      }
      ASSERT_TRUE(e.Commit(*txn).ok());
      txn = e.Begin();
      const auto from = static_cast<int32_t>(random() % 100);
      Add(e, *txn, from, 400, 1);
      for (auto& [id, v] : expected_) {
        v += id >= from ? 1 : 0;
        ended += id >= from ? 1 : 0;
      }
      ASSERT_TRUE(e.Commit(*txn).ok());
      if (random() % 2 == 0) snapshots.erase(snapshots.begin() + random() % snapshots.size());
      if (random() % 3 == 0) {
        ASSERT_TRUE(e.Freeze().ok());
      }
      look();
    }
    ASSERT_TRUE(e.db->Checkpoint().ok());
    std::shuffle(snapshots.begin(), snapshots.end(), random);
    while (!snapshots.empty()) {
      snapshots.pop_back();
      look();
    }
    EXPECT_TRUE(Reclaimed(e, ended));
    look();
    e.Crash(seed);
    look();
  }
}

// What is left of a replaced row whose newest version was deleted, while the oldest is seen.
TEST_P(BulkUpdateIndexTest, ADeletedSuccessorGoesBeforeWhatItReplaced) {
  Engine e;
  Fill(e, 100);
  auto old = e.Begin(kRr);
  const Pairs all = expected_;
  Check(e, *old, all);
  AddAndCommit(e, 0, 100, 1);
  auto txn = e.Begin();
  for (int32_t i = 0; i < 50; ++i) Change(e, *txn, i, -i);  // By way of a page.
  ASSERT_TRUE(e.Commit(*txn).ok());
  txn = e.Begin();
  MaskedDeletes::thawed_max = MaskedDeletes::kThawedMax;
  Delete(e, *txn, 25, 75);
  ASSERT_TRUE(e.Commit(*txn).ok());
  for (int32_t i = 0; i < 50; ++i) expected_[i] = -i;
  Erase(expected_, 25, 75);
  Check(e, expected_);
  // Copies and what came after them: 50 + 25 + 25 versions; the replaced ones stay.
  EXPECT_TRUE(Reclaimed(e, 100));
  Check(e, *old, all);
  Check(e, expected_);
  // Keys of which only the oldest version is there are inserted again, and undone once.
  txn = e.Begin();
  for (int32_t i = 40; i < 60; ++i) ASSERT_TRUE(Insert(e, *txn, i, 5).ok());
  e.db->Abort(*txn);
  txn = e.Begin();
  for (int32_t i = 40; i < 60; ++i) {
    ASSERT_TRUE(Insert(e, *txn, i, 6).ok());
    expected_[i] = 6;
  }
  ASSERT_TRUE(e.Commit(*txn).ok());
  Check(e, *old, all);
  Check(e, expected_);
  old.reset();
  EXPECT_TRUE(Reclaimed(e, 200));
  Check(e, expected_);
  // No key is left behind.
  txn = e.Begin();
  for (int32_t i = 25; i < 40; ++i) {
    ASSERT_TRUE(Insert(e, *txn, i, 7).ok());
    expected_[i] = 7;
  }
  ASSERT_TRUE(e.Commit(*txn).ok());
  Check(e, expected_);
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(e.Freeze().ok());
    return e.db->stats().rows_frozen == expected_.size();
  }));
  Check(e, expected_);
  e.Crash(4);
  Check(e, expected_);
}

TEST_P(BulkUpdateIndexTest, KeysAndSmallStatementsAreChangedInPages) {
  Engine e;
  Fill(e, 1000);
  auto txn = e.Begin();
  StatementContext context = e.Statement(*txn);
  const auto add = [&](BulkUpdate::Limits limits, std::span<const ColumnId> changed) {
    context = e.Statement(*txn);
    const auto done = Add(e, context, 0, 100, 1, 1, limits, changed);
    ASSERT_TRUE(done.ok()) << done.status().ToString();
    ASSERT_EQ(*done, RowOutcome::kDone);
    Add(expected_, 0, 100, 1);
  };
  add({.rows_min = 101, .rest_min = 1, .segment_rows = 1000}, {&kColumns[1], 1});
  EXPECT_EQ(e.db->stats().rows_thawed, 100u);
  add(kSmallSegments, kColumns);
  ASSERT_TRUE(e.Commit(*txn).ok());
  Check(e, expected_);
  // The rest of a statement that had a segment, and rows in pages among the others.
  txn = e.Begin();
  context = e.Statement(*txn);
  const BulkUpdate::Limits rest{.rows_min = 1, .rest_min = 300, .segment_rows = 400};
  const auto done = Add(e, context, 0, 1000, 1, 1, rest);
  ASSERT_TRUE(done.ok());
  ASSERT_EQ(*done, RowOutcome::kDone);
  Add(expected_, 0, 1000, 1);
  Check(e, *txn, expected_);
  ASSERT_TRUE(e.Commit(*txn).ok());
  Check(e, expected_);
  e.Crash(6);
  Check(e, expected_);
}

// A row that was thawed between being seen and being replaced.
TEST_P(BulkUpdateIndexTest, ARowThatLeftItsSegmentIsChangedInItsPage) {
  Engine e;
  Fill(e, 300);
  {
    auto updater = e.Begin();
    StatementContext context = e.Statement(*updater);
    auto relation = e.Open(context);
    BulkUpdate updates(context, relation, {&kColumns[1], 1}, kSmallSegments);
    for (int32_t i = 0; i < 300; ++i) {
      const auto seen = Find(e, context, i);
      const types::Value row[] = {Int(i), Int(-i), Text("text")};
      ASSERT_TRUE(updates.Update(*seen, row).ok());
      expected_[i] = -i;
    }
    auto other = e.Begin();
    for (int32_t i = 0; i < 300; i += 3) Change(e, *other, i, 7);
    e.db->Abort(*other);
    ASSERT_EQ(*updates.Finish(), RowOutcome::kDone);
    ASSERT_TRUE(e.Commit(*updater).ok());
  }
  Check(e, expected_);
  e.Crash(7);
  Check(e, expected_);
}

TEST_P(BulkUpdateIndexTest, AStatementThatIsCancelledLeavesNothing) {
  Engine e;
  Fill(e, 3000);
  auto txn = e.Begin();
  CancelFlag cancel;
  StatementContext context = e.Statement(*txn);
  context.cancel = &cancel;
  const uint64_t mark = txn->Mark();
  {
    auto relation = e.Open(context);
    BulkUpdate updates(context, relation, {&kColumns[1], 1}, kSmallSegments);
    for (int32_t i = 0; i < 2500; ++i) {
      const types::Value row[] = {Int(i), Int(-i), Text("text")};
      ASSERT_TRUE(updates.Update(*Find(e, context, i), row).ok());
    }
    cancel.Set(CancelFlag::Reason::kUserRequest);
    EXPECT_TRUE(updates.Finish().status().Is(sqlstate::kQueryCanceled));
    txn->RollbackTo(mark);
  }
  Check(e, *txn, expected_);
  Add(e, *txn, 0, 3000, 1);
  ASSERT_TRUE(e.Commit(*txn).ok());
  Add(expected_, 0, 3000, 1);
  Check(e, expected_);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  e.Crash(8);
  Check(e, expected_);
}

TEST_P(BulkUpdateIndexTest, SegmentsOfWhichAllIsReplacedGo) {
  Engine e;
  Fill(e, 1000);
  for (int round = 0; round < 5; ++round) AddAndCommit(e, 0, 1000, 1);
  EXPECT_TRUE(Reclaimed(e, 5000));
  Check(e, expected_);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  EXPECT_EQ(SegmentFiles(*e.env).size(), 1u);
  e.Crash(9);
  Check(e, expected_);
}

// The power fails at every file operation.
TEST_P(BulkUpdateIndexTest, ACrashAtAnyFileOperationLosesNothing) {
  Engine e(SmallOptions());
  Fill(e, 600);
  CrashRecorder recorder(e, expected_);
  auto txn = e.Begin();
  Add(e, *txn, 0, 400, 1);
  Add(expected_, 0, 400, 1);
  recorder.Commit(*txn, expected_);
  // A checkpoint amid an update does not have it.
  txn = e.Begin();
  Add(e, *txn, 100, 600, 2);
  Delete(e, *txn, 500, 550);
  Change(e, *txn, 300, -1);
  const uint64_t mark = txn->Mark();
  Add(e, *txn, 0, 500, 4);
  txn->RollbackTo(mark);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  Add(expected_, 100, 600, 2);
  Erase(expected_, 500, 550);
  expected_[300] = -1;
  recorder.Commit(*txn, expected_);
  auto old = e.Begin(kRr);
  (void)Scan(e, *old);
  txn = e.Begin();
  Add(e, *txn, 0, 500, 8);
  Add(e, *txn, 0, 300, 16);
  Add(expected_, 0, 500, 8);
  Add(expected_, 0, 300, 16);
  recorder.Commit(*txn, expected_);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  old.reset();
  EXPECT_TRUE(Reclaimed(e, 400 + 551 + 800));
  ASSERT_TRUE(e.db->Checkpoint().ok());
  ASSERT_TRUE(e.Freeze().ok());
  txn = e.Begin();
  Add(e, *txn, 100, 450, 32, 2);
  Add(expected_, 100, 450, 32, 2);
  recorder.Commit(*txn, expected_);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  txn.reset();
  const size_t crashes = recorder.Check([&] { return CommittedAndIndexed(e); });
  EXPECT_GT(crashes, 30u);
}

}  // namespace
}  // namespace omendb::engine
