// Statements that change many rows leave few undo records, and are undone, stamped and collected as
// if each change had one.
#include <gtest/gtest.h>

#include "engine/segments_fixture.h"
#include "txn/transaction_impl.h"

namespace omendb::engine {
namespace {

using txn::IsolationLevel;

constexpr int32_t kRows = 10'000;
constexpr uint64_t kFew = 100;

uint64_t Records(txn::Transaction& txn) {
  return static_cast<txn::TransactionImpl&>(txn).MarkUndo();
}

class UndoRunsTest : public SegmentsTest, public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Fill(e, kRows, expected_));
    if (!GetParam()) return;
    ASSERT_TRUE(e.Freeze().ok());
  }
  // One statement.
  void ChangeMany(txn::Transaction& txn, int32_t from, int32_t to, std::optional<int32_t> v) {
    StatementContext context = e.Statement(txn);
    auto relation = e.Open(context);
    for (int32_t i = from; i < to; ++i) {
      const auto seen = Find(e, context, i);
      ASSERT_TRUE(seen.has_value());
      const types::Value row[] = {Int(i), Int(v.value_or(0)), Text("text")};
      const auto done =
          v ? relation->Update(context, *seen, row) : relation->Delete(context, *seen);
      ASSERT_TRUE(done.ok());
      ASSERT_EQ(done->outcome, RowOutcome::kDone);
    }
  }
  void Expect(int32_t from, int32_t to, std::optional<int32_t> v) {
    for (int32_t i = from; i < to; ++i) {
      if (v) {
        expected_[i] = *v;
      } else {
        expected_.erase(i);
      }
    }
  }
  void Check(Engine& engine) {
    EXPECT_EQ(Committed(engine), expected_);
    CheckIndexes(engine, expected_);
  }

  Engine e;
};

INSTANTIATE_TEST_SUITE_P(HotAndFrozen, UndoRunsTest, ::testing::Bool());

TEST_P(UndoRunsTest, ManyChangesLeaveFewRecords) {
  auto txn = e.Begin();
  ChangeMany(*txn, 0, 6000, std::nullopt);
  EXPECT_LT(Records(*txn), kFew);
  ChangeMany(*txn, 6000, kRows, 7);
  EXPECT_LT(Records(*txn), 2 * kFew);
  auto old = e.Begin(IsolationLevel::kRepeatableRead);
  StatementContext before = e.Statement(*old);
  ASSERT_TRUE(e.Commit(*txn).ok());
  EXPECT_EQ(ScanPairs(before, *e.Open(before)), expected_);
  Expect(0, 6000, std::nullopt);
  Expect(6000, kRows, 7);
  Check(e);
  old.reset();
  // Everything that was ended is collected.
  EXPECT_TRUE(Eventually([&] { return e.db->stats().versions_reclaimed >= kRows; }));
  Check(e);
  e.Crash(1);
  Check(e);
}

TEST_P(UndoRunsTest, AnAbortTakesAllBack) {
  auto txn = e.Begin();
  ChangeMany(*txn, 0, 3000, std::nullopt);
  ChangeMany(*txn, 3000, 6000, 7);
  ChangeMany(*txn, 3000, 5000, 8);
  ChangeMany(*txn, 4000, 4500, std::nullopt);
  e.db->Abort(*txn);
  Check(e);
  e.Crash(1);
  Check(e);
}

// A mark in the middle of what would be one run.
TEST_P(UndoRunsTest, ARollbackEndsAtItsMark) {
  for (const bool update : {true, false}) {
    const std::optional<int32_t> v = update ? std::optional(3) : std::nullopt;
    const int32_t from = update ? 0 : 5000;
    auto txn = e.Begin();
    ChangeMany(*txn, from, from + 1000, v);
    const uint64_t first = txn->Mark();
    ChangeMany(*txn, from + 1000, from + 2000, v);
    const uint64_t second = txn->Mark();
    ChangeMany(*txn, from + 2000, from + 3000, v);
    txn->RollbackTo(second);
    ChangeMany(*txn, from + 2000, from + 2500, v);
    txn->RollbackTo(second);
    txn->RollbackTo(first);
    ChangeMany(*txn, from + 1000, from + 1500, v);
    ChangeMany(*txn, from + 1500, from + 1600, v);
    ASSERT_TRUE(e.Commit(*txn).ok());
    Expect(from, from + 1600, v);
    Check(e);
  }
  e.Crash(1);
  Check(e);
}

TEST_P(UndoRunsTest, RowsThatChangeAgainAndAgain) {
  auto txn = e.Begin();
  for (int32_t v = 1; v <= 50; ++v) ChangeMany(*txn, 10, 13, v);
  const uint64_t mark = txn->Mark();
  for (int32_t v = 51; v <= 90; ++v) ChangeMany(*txn, 10, 13, v);
  txn->RollbackTo(mark);
  ASSERT_TRUE(e.Commit(*txn).ok());
  Expect(10, 13, 50);
  Check(e);
  e.Crash(1);
  Check(e);
}

}  // namespace
}  // namespace omendb::engine
