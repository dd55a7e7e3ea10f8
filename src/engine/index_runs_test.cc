// Rows whose entries in secondary indexes have left for the runs of their segments: found by key
// and in order, changed, deleted and entered again.
#include "engine/index_runs_fixture.h"

namespace omendb::engine {
namespace {

TEST_F(IndexRunsTest, RowsAreFoundByKeyAndInOrder) {
  const ShareScope nothing(&ShareOfNothing);
  Engine e;
  Build(e);
  ASSERT_TRUE(LetAllGo(e, 6));
  CheckAll(e);
  // 100 rows are in pages.
  for (const auto& index : IndexesOf(e)) EXPECT_EQ(index->size(), 100u);
  e.Restart();
  EXPECT_EQ(Listed(e), 6u);
  CheckAll(e);
  e.Crash(1);
  EXPECT_EQ(Listed(e), 6u);
  CheckAll(e);
}

TEST_F(IndexRunsTest, RowsAreFoundWhileEntriesLeaveAndComeBack) {
  const ShareScope in_turn(&ShareInTurn);
  Engine e;
  Build(e);
  for (int round = 0; round < 3; ++round) CheckAll(e);
}

TEST_F(IndexRunsTest, EntriesComeBackAfterAStart) {
  Engine e;
  {
    const ShareScope nothing(&ShareOfNothing);
    Build(e);
    ASSERT_TRUE(LetAllGo(e, 6));
    e.Restart();
  }
  const ShareScope plenty(&ShareOfPlenty);
  ASSERT_TRUE(LetAllGo(e, 0));
  for (const auto& index : IndexesOf(e)) EXPECT_EQ(index->size(), expected_.size());
  CheckAll(e);
}

TEST_F(IndexRunsTest, AScanMissesNoEntryThatMovesMeanwhile) {
  for (const bool backward : {false, true}) {
    for (const size_t at : {1, 16, 1777, 4000}) {
      expected_.clear();
      Engine e;
      const ShareScope plenty(&ShareOfPlenty);
      Build(e);
      KeyRange range;
      range.backward = backward;
      const auto visited = [&](size_t visits) {
        if (visits != at && visits != at + 500) return;
        const ShareScope share(visits == at ? &ShareOfNothing : &ShareOfPlenty);
        ASSERT_TRUE(LetAllGo(e, visits == at ? 6 : 0));
      };
      const auto found = Range(e, 1, range, visited);
      ASSERT_TRUE(found.ok());
      EXPECT_EQ(*found, ExpectedByValue(INT32_MIN, INT32_MAX, backward)) << at;
    }
  }
}

TEST_F(IndexRunsTest, EstimatesAreTheSameWhereverEntriesAre) {
  Engine e;
  const ShareScope nothing(&ShareOfNothing);
  Build(e);
  ASSERT_TRUE(LetAllGo(e, 6));
  auto txn = e.Begin();
  StatementContext context = e.Statement(*txn);
  auto relation = e.Open(context);
  KeyRange range;
  range.equal = {Int(ValueOf(77))};
  EXPECT_EQ(relation->EstimateRange(relation->table().indexes[1].oid, range), 1u);
  range.equal.clear();
  EXPECT_EQ(relation->EstimateRange(relation->table().indexes[1].oid, range), expected_.size());
  range.upper = Int(50'000);
  const auto half = relation->EstimateRange(relation->table().indexes[1].oid, range);
  EXPECT_NEAR(static_cast<double>(half), static_cast<double>(expected_.size()) / 2,
              static_cast<double>(expected_.size()) / 4);
}

TEST_F(IndexRunsTest, KeysAreTakenOnceWhereverTheyAre) {
  const ShareScope nothing(&ShareOfNothing);
  Engine e;
  Build(e);
  ASSERT_TRUE(LetAllGo(e, 6));
  for (const int32_t id : {0, 3000, 7000, 7850}) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    const types::Value row[] = {Int(100'000), Int(ValueOf(id)), Text("again")};
    EXPECT_TRUE(relation->Insert(context, row).status().Is(sqlstate::kUniqueViolation));
    e.db->Abort(*txn);
    txn = e.Begin();
    context = e.Statement(*txn);
    RowRef conflict;
    const auto inserted = relation->InsertOrFind(context, row, {}, &conflict);
    ASSERT_TRUE(inserted.ok());
    ASSERT_FALSE(inserted->has_value());
    types::Value found;
    const ColumnId column[] = {ColumnId(1)};
    ASSERT_TRUE(relation->Read(conflict, column, e.arena, &found).ok());
    EXPECT_EQ(found.i32, id);
  }
}

// New versions of rows with the keys that they had enter nothing: when the runs of the old ones go,
// their entries are entered.
TEST_F(IndexRunsTest, EntriesOfChangedRowsOutliveTheRunsThatHadThem) {
  const ShareScope nothing(&ShareOfNothing);
  Engine e;
  Build(e, 2);
  ASSERT_TRUE(LetAllGo(e, 4));
  // Every third row gets another v, and then every ninth its own again.
  Update(e, 1, [](int32_t id) { return id % 3 == 0 ? 200'000 + id : ValueOf(id); });
  Update(e, 9, ValueOf);
  // The first segment is dead: nothing asks its runs any more.
  ASSERT_TRUE(LetAllGo(e, 2));
  for (const auto& index : IndexesOf(e)) EXPECT_GE(index->size(), size_t{kOfSegment});
  CheckAll(e);
  ASSERT_TRUE(e.Freeze().ok());
  CheckAll(e);
  e.Crash(3);
  CheckAll(e);
}

TEST_F(IndexRunsTest, WhatIsUndoneOrDeletedIsNotFound) {
  const ShareScope in_turn(&ShareInTurn);
  Engine e;
  Build(e);
  for (int round = 0; round < 3; ++round) {
    auto undone = e.Begin();
    for (int32_t id = round; id < 6000; id += 40) Change(e, *undone, id, 300'000 + id);
    e.db->Abort(*undone);
    undone.reset();
    auto txn = e.Begin();
    for (int32_t id = 20 + round; id < 6000; id += 40) {
      Change(e, *txn, id, std::nullopt);
      expected_.erase(id);
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
    txn.reset();
    CheckPoints(e, 101);
    CheckIndexes(e, expected_);
    // The same keys again.
    txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    for (int32_t id = 20 + round; id < 6000; id += 80) {
      const types::Value row[] = {Int(id), Int(ValueOf(id)), TextOf(id)};
      ASSERT_TRUE(relation->Insert(context, row).ok());
      expected_[id] = ValueOf(id);
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
    txn.reset();
    ASSERT_TRUE(e.Freeze().ok());
    CheckPoints(e, 101);
    CheckIndexes(e, expected_);
  }
  e.Crash(5);
  CheckIndexes(e, expected_);
}

}  // namespace
}  // namespace omendb::engine
