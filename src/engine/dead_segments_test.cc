// Segments whose rows are all dead: what is known of them is let go.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/bulk_update_fixture.h"
#include "engine/key_budget.h"
#include "engine/relation_impl.h"

namespace omendb::engine {
namespace {

class DeadSegmentsTest : public BulkUpdateTest {
 protected:
  static std::shared_ptr<const RunSet> RunsOf(Engine& e) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    return static_cast<RelationImpl&>(*e.Open(context)).storage().frozen().runs();
  }
  // Those that are not hollow.
  static size_t Whole(Engine& e) {
    size_t whole = 0;
    const std::shared_ptr<const RunSet> set = RunsOf(e);
    for (const auto& run : set->runs) whole += run.segment->is_hollow() ? 0 : 1;
    return whole;
  }
  // Until garbage and keys have let go of all others.
  static bool BecomesHollow(Engine& e, size_t whole) {
    return Eventually([&] {
      EXPECT_TRUE(e.Freeze().ok());
      return Whole(e) <= whole;
    });
  }
  // Until every segment without a live row is. How many have some depends on how rows were changed:
  // those of a segment that is moving get versions in pages.
  static bool DeadBecomeHollow(Engine& e) {
    return Eventually([&] {
      EXPECT_TRUE(e.Freeze().ok());
      const std::shared_ptr<const RunSet> set = RunsOf(e);
      return std::all_of(set->runs.begin(), set->runs.end(), [](const engine::Run& run) {
        return run.segment->is_hollow() || run.live_rows() > 0;
      });
    });
  }
};

TEST_F(DeadSegmentsTest, ManyUpdatesOfAllRowsLeaveOneSegment) {
  spec_.secondary = {{1}};
  Engine e;
  Fill(e, 1000);
  const auto bytes = [&] {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    return static_cast<RelationImpl&>(*e.Open(context)).storage().frozen().memory_bytes();
  };
  const size_t before = bytes();
  for (int round = 0; round < 20; ++round) AddAndCommit(e, 0, 1000, 1);
  EXPECT_TRUE(BecomesHollow(e, 1));
  EXPECT_EQ(RunsOf(e)->runs.size(), 21u);
  EXPECT_LT(bytes(), before + 20 * 500);
  Check(e, expected_);
  AddAndCommit(e, 0, 1000, 1, 2);
  Check(e, expected_);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  e.Crash(1);
  Check(e, expected_);
}

// A transaction from before goes on reading what it found there.
TEST_F(DeadSegmentsTest, ASegmentStaysForWhoMayHaveFoundARowInIt) {
  Engine e;
  Fill(e, 100);
  auto old = e.Begin(kRr);
  StatementContext context = e.Statement(*old);
  auto relation = e.Open(context);
  const auto found = Find(e, context, 5);
  ASSERT_TRUE(found && rowstore::IsFrozen(found->version));
  const Pairs all = expected_;
  auto txn = e.Begin();
  for (int32_t i = 0; i < 100; ++i) {
    Change(e, *txn, i, -i);
    expected_[i] = -i;
  }
  ASSERT_TRUE(e.Commit(*txn).ok());
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(e.Freeze().ok());
    Check(e, expected_);  // Begins and ends.
  }
  EXPECT_FALSE(RunsOf(e)->runs[0].segment->is_hollow());
  types::Value v;
  ASSERT_TRUE(relation->Read(*found, {&kColumns[1], 1}, e.arena, &v).ok());
  EXPECT_EQ(v.i32, 50);
  Check(e, *old, all);
  old.reset();
  EXPECT_TRUE(BecomesHollow(e, 1));  // That in which all are frozen again.
  Check(e, expected_);
}

// Copies go on naming the segment that they come from.
TEST_F(DeadSegmentsTest, CopiesOfRowsOfAHollowSegmentAreChangedAsEver) {
  Engine e;
  Fill(e, 200);
  auto reader = e.Begin(kRr);
  Check(e, *reader, expected_);
  auto txn = e.Begin();
  for (int32_t i = 0; i < 200; ++i) Change(e, *txn, i, -1);
  e.db->Abort(*txn);  // The copies that it changed stay.
  reader.reset();
  // No e.Freeze(), which would move them.
  ASSERT_TRUE(Eventually([&] { return RunsOf(e)->runs[0].segment->is_hollow(); }));
  Check(e, expected_);
  auto first = e.Begin();
  StatementContext context = e.Statement(*first);
  const auto seen = Find(e, context, 7);
  txn = e.Begin();
  Change(e, *txn, 7, 8);
  expected_[7] = 8;
  ASSERT_TRUE(e.Commit(*txn).ok());
  EXPECT_FALSE(*e.Open(context)->IsCurrent(context, *seen));
  EXPECT_EQ(e.Open(context)->Delete(context, *seen)->outcome, RowOutcome::kChanged);
  Change(e, *first, 5, 6);
  Delete(e, *first, 8, 20);
  ASSERT_TRUE(e.Commit(*first).ok());
  expected_[5] = 6;
  Erase(expected_, 8, 20);
  Check(e, expected_);
  EXPECT_TRUE(BecomesHollow(e, 1));
  Check(e, expected_);
  e.Crash(3);
  Check(e, expected_);
}

TEST_F(DeadSegmentsTest, KeysThatHaveLeftTheIndexComeBackFirst) {
  const ShareScope nothing(&ShareOfNothing);
  Engine e;
  Fill(e, 1000);
  for (int round = 0; round < 5; ++round) AddAndCommit(e, 0, 1000, 1);
  auto txn = e.Begin();
  for (int32_t i = 0; i < 500; ++i) Change(e, *txn, i, i);
  Delete(e, *txn, 500, 510);
  ASSERT_TRUE(e.Commit(*txn).ok());
  for (int32_t i = 0; i < 500; ++i) expected_[i] = i;
  Erase(expected_, 500, 510);
  EXPECT_TRUE(BecomesHollow(e, 2));
  Check(e, expected_);
  txn = e.Begin();
  EXPECT_TRUE(Insert(e, *txn, 700, 1).Is(sqlstate::kUniqueViolation));
  txn = e.Begin();
  ASSERT_TRUE(Insert(e, *txn, 505, 1).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  expected_[505] = 1;
  Check(e, expected_);
}

// The power fails at every file operation while segments die and are let go.
TEST_F(DeadSegmentsTest, ACrashAtAnyFileOperationLosesNothing) {
  spec_.secondary = {{1}};
  Engine e(SmallOptions());
  Fill(e, 300);
  CrashRecorder recorder(e, expected_);
  for (int32_t round = 0; round < 3; ++round) {
    auto txn = e.Begin();
    Add(e, *txn, 0, 300, 1);
    Add(expected_, 0, 300, 1);
    recorder.Commit(*txn, expected_);
    EXPECT_TRUE(DeadBecomeHollow(e));
    txn = e.Begin();
    for (int32_t i = round; i < 300; ++i) Change(e, *txn, i, i + round);
    for (int32_t i = round; i < 300; ++i) expected_[i] = i + round;
    recorder.Commit(*txn, expected_);
    EXPECT_TRUE(DeadBecomeHollow(e));
    // Rows may be moving beside it.
    EXPECT_TRUE(Eventually(
        [&] { return e.db->Checkpoint().ok() && SegmentFiles(*e.env).size() <= Whole(e); }));
  }
  EXPECT_GT(recorder.Check([&] { return CommittedAndIndexed(e); }), 20u);
}

}  // namespace
}  // namespace omendb::engine
