#include <gmock/gmock.h>

#include "engine/engine_fixture.h"

namespace omendb::engine {
namespace {

using txn::IsolationLevel;
using Pairs = std::map<int32_t, int32_t>;

class EngineTest : public ::testing::Test {
 protected:
  RowRef Find(StatementContext& context, int32_t id) {
    auto relation = e.Open(context);
    const types::Value key[] = {Int(id)};
    auto found = relation->Lookup(context, relation->table().primary_key()->oid, key);
    EXPECT_TRUE(found.ok() && found->has_value());
    return **found;
  }
  Status Insert(txn::Transaction& txn, int32_t id, int32_t v, std::string_view s = "x") {
    StatementContext context = e.Statement(txn);
    const types::Value row[] = {Int(id), Int(v), Text(s)};
    auto inserted = e.Open(context)->Insert(context, row);
    return inserted.ok() ? Status::Ok() : inserted.status();
  }
  Result<RowOutcome> Update(txn::Transaction& txn, int32_t id, int32_t v) {
    StatementContext context = e.Statement(txn);
    const types::Value row[] = {Int(id), Int(v), Text("updated to something longer")};
    auto done = e.Open(context)->Update(context, Find(context, id), row);
    if (!done.ok()) return done.status();
    return done->outcome;
  }
  Result<RowOutcome> Delete(txn::Transaction& txn, int32_t id) {
    StatementContext context = e.Statement(txn);
    auto done = e.Open(context)->Delete(context, Find(context, id));
    if (!done.ok()) return done.status();
    return done->outcome;
  }
  Pairs Read(txn::Transaction& txn) {
    StatementContext context = e.Statement(txn);
    return ScanPairs(context, *e.Open(context));
  }
  Pairs Read() {
    auto txn = e.Begin();
    return Read(*txn);
  }

  Engine e;
};

TEST_F(EngineTest, InsertsAreSeenByTheirTransactionThenByAll) {
  e.CreateTable({});
  auto txn = e.Begin();
  ASSERT_TRUE(Insert(*txn, 1, 10).ok());
  ASSERT_TRUE(Insert(*txn, 2, 20, "a string that is longer than twelve bytes").ok());
  EXPECT_EQ(Read(*txn), (Pairs{{1, 10}, {2, 20}}));
  EXPECT_EQ(Read(), Pairs{});
  ASSERT_TRUE(e.Commit(*txn).ok());
  EXPECT_EQ(Read(), (Pairs{{1, 10}, {2, 20}}));
}

TEST_F(EngineTest, CommittedRowsSurviveCrashesAndRestarts) {
  e.CreateTable({});
  auto txn = e.Begin();
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(Insert(*txn, i, i * 2, "value number " + std::to_string(i)).ok());
  }
  ASSERT_TRUE(e.Commit(*txn).ok());
  txn = e.Begin();
  ASSERT_TRUE(Update(*txn, 7, 70).ok());
  ASSERT_TRUE(Delete(*txn, 8).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  auto lost = e.Begin();
  ASSERT_TRUE(Insert(*lost, 9999, 1).ok());
  const Pairs before = Read();
  lost.reset();
  txn.reset();
  e.Crash(1);
  EXPECT_EQ(Read(), before);
  EXPECT_EQ(before.size(), 4999u);
  e.Restart();
  EXPECT_EQ(Read(), before);
  txn = e.Begin();
  StatementContext context = e.Statement(*txn);
  types::Value s;
  const ColumnId column[] = {ColumnId(3)};
  EXPECT_TRUE(e.Open(context)->Read(Find(context, 4321), column, e.arena, &s).ok());
  EXPECT_EQ(s.str(), "value number 4321");
}

TEST_F(EngineTest, AbortTakesEverythingBack) {
  e.CreateTable({.unique = {{1}}, .secondary = {{2}}});
  auto txn = e.Begin();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Insert(*txn, i, i).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  const Pairs before = Read();
  txn = e.Begin();
  ASSERT_TRUE(Update(*txn, 1, 100).ok());
  ASSERT_TRUE(Update(*txn, 1, 101).ok());
  ASSERT_TRUE(Delete(*txn, 2).ok());
  ASSERT_TRUE(Insert(*txn, 50, 50).ok());
  ASSERT_TRUE(Insert(*txn, 2, 2).ok());
  e.db->Abort(*txn);
  EXPECT_EQ(Read(), before);
  // What was undone stands in nobody's way.
  txn = e.Begin();
  EXPECT_TRUE(Insert(*txn, 50, 100).ok());
  EXPECT_TRUE(e.Commit(*txn).ok());
}

TEST_F(EngineTest, SavepointsUndoOnlyWhatCameAfter) {
  e.CreateTable({});
  auto txn = e.Begin();
  ASSERT_TRUE(Insert(*txn, 1, 1).ok());
  const uint64_t mark = txn->Mark();
  ASSERT_TRUE(Insert(*txn, 2, 2).ok());
  ASSERT_TRUE(Update(*txn, 1, 5).ok());
  txn->RollbackTo(mark);
  ASSERT_TRUE(Insert(*txn, 3, 3).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  EXPECT_EQ(Read(), (Pairs{{1, 1}, {3, 3}}));
  e.Crash(3);
  EXPECT_EQ(Read(), (Pairs{{1, 1}, {3, 3}}));
}

TEST_F(EngineTest, DuplicateKeysAreRefusedWithDetail) {
  e.CreateTable({.unique = {{1}}});
  auto txn = e.Begin();
  ASSERT_TRUE(Insert(*txn, 1, 10).ok());
  uint64_t mark = txn->Mark();
  Status status = Insert(*txn, 1, 11);
  EXPECT_EQ(status.sqlstate(), "23505");
  EXPECT_EQ(status.error().message, "duplicate key value violates unique constraint \"t_pkey\"");
  EXPECT_EQ(status.error().detail, "Key (id)=(1) already exists.");
  txn->RollbackTo(mark);
  mark = txn->Mark();
  status = Insert(*txn, 2, 10);
  EXPECT_EQ(status.error().message, "duplicate key value violates unique constraint \"t_u1\"");
  EXPECT_EQ(status.error().detail, "Key (v)=(10) already exists.");
  txn->RollbackTo(mark);
  ASSERT_TRUE(e.Commit(*txn).ok());
  EXPECT_EQ(Read(), (Pairs{{1, 10}}));
}

TEST_F(EngineTest, DeletedKeysCanBeInsertedAgainAndOldSnapshotsSeeTheOldRow) {
  e.CreateTable({});
  auto txn = e.Begin();
  ASSERT_TRUE(Insert(*txn, 1, 10).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  auto old = e.Begin(IsolationLevel::kRepeatableRead);
  EXPECT_EQ(Read(*old), (Pairs{{1, 10}}));
  txn = e.Begin();
  ASSERT_TRUE(Delete(*txn, 1).ok());
  ASSERT_TRUE(Insert(*txn, 1, 11).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  txn = e.Begin();
  ASSERT_TRUE(Delete(*txn, 1).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  txn = e.Begin();
  ASSERT_TRUE(Insert(*txn, 1, 12).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  EXPECT_EQ(Read(*old), (Pairs{{1, 10}}));
  StatementContext context = e.Statement(*old);
  types::Value v;
  const ColumnId column[] = {ColumnId(2)};
  EXPECT_TRUE(e.Open(context)->Read(Find(context, 1), column, e.arena, &v).ok());
  EXPECT_EQ(v.i32, 10);
  EXPECT_EQ(Read(), (Pairs{{1, 12}}));
}

TEST_F(EngineTest, RepeatableReadFailsOnConcurrentUpdate) {
  e.CreateTable({});
  auto txn = e.Begin();
  ASSERT_TRUE(Insert(*txn, 1, 10).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  auto reader = e.Begin(IsolationLevel::kRepeatableRead);
  EXPECT_EQ(Read(*reader), (Pairs{{1, 10}}));
  txn = e.Begin();
  ASSERT_TRUE(Update(*txn, 1, 11).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  const auto lost = Update(*reader, 1, 12);
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.status().sqlstate(), "40001");
}

TEST_F(EngineTest, ReadCommittedIsToldOfTheNewestVersion) {
  e.CreateTable({});
  auto txn = e.Begin();
  ASSERT_TRUE(Insert(*txn, 1, 10).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  auto reader = e.Begin();
  StatementContext context = e.Statement(*reader);
  const RowRef seen = Find(context, 1);
  txn = e.Begin();
  ASSERT_TRUE(Update(*txn, 1, 11).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  const types::Value row[] = {Int(1), Int(99), Text("")};
  auto relation = e.Open(context);
  auto result = relation->Update(context, seen, row);
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->outcome, RowOutcome::kChanged);
  types::Value v;
  const ColumnId column[] = {ColumnId(2)};
  EXPECT_TRUE(relation->Read(result->latest, column, e.arena, &v).ok());
  EXPECT_EQ(v.i32, 11);
  result = relation->Update(context, result->latest, row);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->outcome, RowOutcome::kDone);
}

// As far as the index counts; beyond, it estimates.
TEST_F(EngineTest, ShortRangesAreEstimatedExactly) {
  e.CreateTable({.secondary = {{1}}});
  auto txn = e.Begin();
  for (int32_t i = -50; i < 50; ++i) ASSERT_TRUE(Insert(*txn, i, i / 2).ok());
  StatementContext context = e.Statement(*txn);
  auto relation = e.Open(context);
  const Oid primary = relation->table().primary_key()->oid;
  const Oid secondary = relation->table().indexes[1].oid;
  KeyRange range;
  EXPECT_EQ(relation->EstimateRange(primary, range), 100u);
  range.lower = Int(10);
  EXPECT_EQ(relation->EstimateRange(primary, range), 40u);
  range.upper = Int(19);
  EXPECT_EQ(relation->EstimateRange(primary, range), 10u);
  EXPECT_EQ(relation->EstimateRange(secondary, range), 20u);
  range.lower_inclusive = false;
  EXPECT_EQ(relation->EstimateRange(primary, range), 9u);
  range.upper_inclusive = false;
  EXPECT_EQ(relation->EstimateRange(primary, range), 8u);
  EXPECT_EQ(relation->EstimateRange(secondary, range), 16u);
  range.upper = Int(INT32_MAX);
  range.upper_inclusive = true;
  EXPECT_EQ(relation->EstimateRange(primary, range), 39u);
  range.lower = Int(60);
  EXPECT_EQ(relation->EstimateRange(primary, range), 0u);
  EXPECT_EQ(relation->EstimateRange(primary, {.equal = {Int(7)}}), 1u);
  EXPECT_EQ(relation->EstimateRange(secondary, {.equal = {Int(7)}}), 2u);
}

TEST_F(EngineTest, SequencesNeverGiveAValueTwice) {
  auto txn = e.Begin();
  catalog::SequenceDef sequence;
  sequence.oid = e.db->NewOid();
  sequence.name = "s";
  {
    StatementContext context = e.Statement(*txn);
    sequence.database = context.database;
    sequence.schema = context.catalog->FindSchema(context.database, "public")->oid;
    ASSERT_TRUE(e.db->EditCatalog(*txn).Put(sequence).ok());
  }
  ASSERT_TRUE(e.Commit(*txn).ok());
  int64_t last = 0;
  for (uint64_t round = 0; round < 4; ++round) {
    for (int i = 0; i < 50; ++i) {
      auto value = e.db->NextValue(sequence);
      ASSERT_TRUE(value.ok());
      ASSERT_GT(*value, last);
      last = *value;
    }
    e.CreateTable({.name = "t" + std::to_string(round)});  // a commit that waits for the log
    e.Crash(round);
  }
  e.Restart();
  auto value = e.db->NextValue(sequence);
  ASSERT_TRUE(value.ok());
  EXPECT_GT(*value, last);
}

}  // namespace
}  // namespace omendb::engine
