// Rows that move to segments while others look at them and change them.
#include "engine/freezer.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/sqlstate.h"
#include "engine/check.h"
#include "engine/segments_fixture.h"

namespace omendb::engine {
namespace {

using txn::IsolationLevel;

constexpr int32_t kRows = 3000;

class FreezerTest : public SegmentsTest {
 protected:
  // Table t with rows (i, 10 i, a text) for i < count.
  void Fill(Engine& e, int32_t count = kRows, const TableSpec& spec = {.secondary = {{1}}}) {
    e.CreateTable(spec);
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    for (int32_t i = 0; i < count; ++i) {
      const std::string text = "the text of row " + std::to_string(i);
      const types::Value row[] = {Int(i), Int(10 * i),
                                  i % 7 == 0 ? types::Value::Null() : Text(text)};
      ASSERT_TRUE(relation->Insert(context, row).ok());
      expected_[i] = 10 * i;
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  uint64_t Freeze(Engine& e, const std::string& name = "t") {
    const auto moved = e.Freeze(name);
    EXPECT_TRUE(moved.ok()) << moved.status().ToString();
    return moved.ok() ? *moved : 0;
  }
  using SegmentsTest::Change;
  // The same in a transaction of its own.
  void Change(Engine& e, int32_t id, std::optional<int32_t> v) {
    auto txn = e.Begin();
    Change(e, *txn, id, v);
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
};

TEST_F(FreezerTest, FrozenRowsAreReadAndLeaveMemory) {
  Engine e;
  Fill(e, 20'000);
  EXPECT_EQ(Freeze(e), 20'000u);
  EXPECT_EQ(Freeze(e), 0u);
  EXPECT_EQ(e.db->stats().rows_frozen, 20'000u);
  EXPECT_EQ(Committed(e), expected_);
  CheckIndexes(e, expected_);
  auto txn = e.Begin();
  StatementContext context = e.Statement(*txn);
  const auto found = Find(e, context, 4321);
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(rowstore::IsFrozen(found->version));
  types::Value values[3];
  const ColumnId columns[] = {ColumnId(3), ColumnId(1), ColumnId(2)};
  ASSERT_TRUE(e.Open(context)->Read(*found, columns, e.arena, values).ok());
  EXPECT_EQ(values[0].str(), "the text of row 4321");
  EXPECT_EQ(values[1].i32, 4321);
  EXPECT_EQ(values[2].i32, 43210);
  EXPECT_FALSE(Find(e, context, 20'000).has_value());
  txn.reset();
  // A snapshot from before the freeze may be there no more: the pages go.
  EXPECT_TRUE(Eventually([&] { return e.db->stats().hot_bytes < 100'000; }));
}

// A scan begun before the freeze sees the rows in their pages; one begun after in the segment.
TEST_F(FreezerTest, AScanSeesEachRowOnceWhateverHappensMeanwhile) {
  Engine e;
  Fill(e);
  auto reader = e.Begin(IsolationLevel::kRepeatableRead);
  StatementContext context = e.Statement(*reader);
  auto relation = e.Open(context);
  Relation::ScanOptions options;
  options.columns = {ColumnId(1), ColumnId(2)};
  const auto before = relation->OpenScan(context, options);
  EXPECT_EQ(Freeze(e), static_cast<uint64_t>(kRows));
  const auto between = relation->OpenScan(context, options);
  for (int32_t i = 0; i < kRows; i += 3)
    Change(e, i, i % 2 == 0 ? std::optional(-i) : std::nullopt);
  const auto after = relation->OpenScan(context, options);
  for (Relation::Scan* scan : {before.get(), between.get(), after.get()}) {
    EXPECT_EQ(PairsOf(*scan), expected_);
  }
  for (int32_t i = 0; i < kRows; i += 3) {
    if (i % 2 == 0) {
      expected_[i] = -i;
    } else {
      expected_.erase(i);
    }
  }
  EXPECT_EQ(Committed(e), expected_);
  CheckIndexes(e, expected_);
}

// A statement that reads row ids finds the rows by them again, wherever they have moved meanwhile.
TEST_F(FreezerTest, ARowIdNamesTheRowWhereverItLies) {
  Engine e;
  Fill(e);
  auto txn = e.Begin(IsolationLevel::kRepeatableRead);
  StatementContext context = e.Statement(*txn);
  auto relation = e.Open(context);
  const ColumnId columns[] = {kRowIdColumn, ColumnId(1)};
  const auto row_ids = [&] {
    Relation::ScanOptions options;
    options.columns = {kRowIdColumn, ColumnId(1)};
    options.late_columns = true;
    const auto scan = relation->OpenScan(context, options);
    const auto worker = scan->NewWorker();
    std::map<int64_t, int32_t> rows;
    types::Chunk chunk;
    for (;;) {
      const auto more = scan->Next(*worker, chunk, nullptr);
      EXPECT_TRUE(more.ok());
      if (!more.ok() || !*more) return rows;
      for (const size_t column : {0, 1}) EXPECT_TRUE(scan->Fill(*worker, chunk, column).ok());
      for (uint32_t i = 0; i < chunk.rows_count; ++i) {
        rows[chunk.columns[0].Get(i).i64] = chunk.columns[1].Get(i).i32;
      }
    }
  };
  const auto check = [&](const std::map<int64_t, int32_t>& rows) {
    ASSERT_EQ(rows.size(), static_cast<size_t>(kRows));
    EXPECT_EQ(row_ids(), rows);
    for (const auto& [row_id, key] : rows) {
      const auto found = relation->FindRow(context, RowId(static_cast<uint64_t>(row_id)));
      ASSERT_TRUE(found.ok() && found->has_value()) << row_id;
      types::Value values[2];
      ASSERT_TRUE(relation->Read(**found, columns, e.arena, values).ok());
      EXPECT_EQ(values[0].i64, row_id);
      EXPECT_EQ(values[1].i32, key);
    }
    const auto none = relation->FindRow(context, RowId(uint64_t{kRows} * 100));
    EXPECT_TRUE(none.ok() && !none->has_value());
  };
  const std::map<int64_t, int32_t> rows = row_ids();
  check(rows);
  Freeze(e);
  check(rows);
  for (int32_t i = 0; i < kRows; i += 3) {
    Change(e, i, i % 2 == 0 ? std::optional(-i) : std::nullopt);
  }
  check(rows);
  Freeze(e);
  check(rows);
}

// The version that a statement saw moves before the statement changes it: no conflict, at any
// level.
TEST_F(FreezerTest, ARowSeenInItsPageIsChangedInItsSegment) {
  for (const auto level : {IsolationLevel::kReadCommitted, IsolationLevel::kRepeatableRead}) {
    expected_.clear();
    Engine e;
    Fill(e, 100);
    auto txn = e.Begin(level);
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    const RowRef seen[] = {*Find(e, context, 1), *Find(e, context, 2), *Find(e, context, 3)};
    EXPECT_EQ(Freeze(e), 100u);
    const auto current = relation->IsCurrent(context, seen[0]);
    ASSERT_TRUE(current.ok());
    EXPECT_TRUE(*current);
    ChangeRow(e, context, seen[0], 1, -1);
    ChangeRow(e, context, seen[1], 2, std::nullopt);
    const auto locked =
        relation->Lock(context, seen[2], txn::RowLockMode::kUpdate, txn::LockWait::kWait);
    ASSERT_TRUE(locked.ok());
    EXPECT_EQ(locked->outcome, RowOutcome::kDone);
    EXPECT_TRUE(*relation->IsCurrent(context, seen[2]));
    EXPECT_EQ(Committed(e), expected_);  // To others nothing has changed.
    ASSERT_TRUE(e.Commit(*txn).ok());
    expected_[1] = -1;
    expected_.erase(2);
    EXPECT_EQ(Committed(e), expected_);
  }
}

// A segment of which much is dead is written anew; its file goes with the next checkpoint.
TEST_F(FreezerTest, SparseSegmentsAreCompacted) {
  Engine e;
  Fill(e, 1000);
  EXPECT_EQ(Freeze(e), 1000u);
  auto old = e.Begin(IsolationLevel::kRepeatableRead);
  const Pairs before = expected_;
  EXPECT_EQ(Scan(e, *old), before);
  for (int32_t i = 0; i < 1000; i += 3) {
    Change(e, i, i % 2 == 0 ? std::optional(-i) : std::nullopt);
    if (i % 2 == 0) {
      expected_[i] = -i;
    } else {
      expected_.erase(i);
    }
  }
  Freeze(e);  // The snapshot keeps the changed rows from moving, not those that come back.
  EXPECT_EQ(Scan(e, *old), before);
  EXPECT_EQ(Committed(e), expected_);
  old.reset();
  EXPECT_TRUE(Eventually([&] {
    Freeze(e);
    return e.db->stats().rows_frozen == expected_.size();
  }));
  EXPECT_EQ(Committed(e), expected_);
  CheckIndexes(e, expected_);
  EXPECT_EQ(e.db->stats().rows_thawed, 0u);
  const uint64_t segments = e.db->stats().segments;
  e.Crash(1);  // The log has freezes of rows that were thawed without a record.
  EXPECT_EQ(Committed(e), expected_);
  EXPECT_EQ(e.db->stats().rows_frozen, expected_.size());
  ASSERT_TRUE(e.db->Checkpoint().ok());
  EXPECT_EQ(SegmentFiles(*e.env).size(), segments);
  e.Restart();
  EXPECT_EQ(Committed(e), expected_);
  CheckIndexes(e, expected_);
  EXPECT_EQ(e.db->stats().segments, segments);
}

TEST_F(FreezerTest, ARowIsLockedInItsSegment) {
  Engine e;
  Fill(e, 200);
  EXPECT_EQ(Freeze(e), 200u);
  auto holder = e.Begin();
  StatementContext context = e.Statement(*holder);
  auto relation = e.Open(context);
  const auto lock = [&](StatementContext& by, int32_t id, txn::RowLockMode mode) {
    const auto found = Find(e, by, id);
    EXPECT_TRUE(found.has_value());
    const auto locked = relation->Lock(by, *found, mode, txn::LockWait::kSkipLocked);
    EXPECT_TRUE(locked.ok());
    return locked->outcome;
  };
  EXPECT_EQ(lock(context, 1, txn::RowLockMode::kKeyShare), RowOutcome::kDone);
  EXPECT_EQ(lock(context, 2, txn::RowLockMode::kUpdate), RowOutcome::kDone);
  EXPECT_EQ(e.db->stats().rows_frozen, 200u);  // No row came back for it.

  auto other = e.Begin();
  StatementContext others = e.Statement(*other);
  EXPECT_EQ(lock(others, 1, txn::RowLockMode::kKeyShare), RowOutcome::kDone);
  EXPECT_EQ(lock(others, 1, txn::RowLockMode::kUpdate), RowOutcome::kSkipped);
  EXPECT_EQ(lock(others, 2, txn::RowLockMode::kKeyShare), RowOutcome::kSkipped);
  others.lock_timeout_ms = 20;
  const types::Value row[] = {Int(2), Int(-2), Text("changed")};
  const auto blocked = relation->Update(others, *Find(e, others, 2), row);
  EXPECT_TRUE(blocked.status().Is(sqlstate::kLockNotAvailable)) << blocked.status().ToString();
  e.db->Abort(*other);

  // Its holder may change it, and then others may.
  ChangeRow(e, context, *Find(e, context, 2), 2, -2);
  ASSERT_TRUE(e.Commit(*holder).ok());
  expected_[2] = -2;
  Change(e, 1, -1);
  expected_[1] = -1;
  EXPECT_EQ(Committed(e), expected_);
}

TEST_F(FreezerTest, AnAbortedChangeOfAFrozenRowLeavesTheRow) {
  Engine e;
  Fill(e, 500);
  EXPECT_EQ(Freeze(e), 500u);
  auto old = e.Begin(IsolationLevel::kRepeatableRead);
  EXPECT_EQ(Scan(e, *old), expected_);
  for (int round = 0; round < 3; ++round) {
    auto txn = e.Begin();
    for (int32_t i = 0; i < 500; i += 5)
      Change(e, *txn, i, i % 2 == 0 ? std::optional(7) : std::nullopt);
    EXPECT_EQ(Scan(e, *old), expected_);
    e.db->Abort(*txn);
    EXPECT_EQ(Scan(e, *old), expected_);
    EXPECT_EQ(Committed(e), expected_);
    CheckIndexes(e, expected_);
  }
  old.reset();
  e.Crash(1);
  EXPECT_EQ(Committed(e), expected_);
}

TEST_F(FreezerTest, AnotherTransactionsChangeOfAFrozenRowIsAConflict) {
  Engine e;
  Fill(e, 10);
  EXPECT_EQ(Freeze(e), 10u);
  auto rr = e.Begin(IsolationLevel::kRepeatableRead);
  auto rc = e.Begin(IsolationLevel::kReadCommitted);
  StatementContext rr_context = e.Statement(*rr);
  StatementContext rc_context = e.Statement(*rc);
  const RowRef rr_seen = *Find(e, rr_context, 5);
  const RowRef rc_seen = *Find(e, rc_context, 5);
  Change(e, 5, 1);
  auto relation = e.Open(rr_context);
  const types::Value row[] = {Int(5), Int(2), Text("")};
  EXPECT_EQ(relation->Update(rr_context, rr_seen, row).status().sqlstate(), "40001");
  const auto result = relation->Update(rc_context, rc_seen, row);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->outcome, RowOutcome::kChanged);
  types::Value v;
  const ColumnId column[] = {ColumnId(2)};
  ASSERT_TRUE(relation->Read(result->latest, column, e.arena, &v).ok());
  EXPECT_EQ(v.i32, 1);
  EXPECT_FALSE(*relation->IsCurrent(rc_context, rc_seen));
}

TEST_F(FreezerTest, KeysOfFrozenRowsAreTaken) {
  Engine e;
  Fill(e, 50, {.unique = {{1}}});
  EXPECT_EQ(Freeze(e), 50u);
  auto txn = e.Begin();
  StatementContext context = e.Statement(*txn);
  auto relation = e.Open(context);
  const types::Value same_key[] = {Int(7), Int(-1), Text("")};
  EXPECT_EQ(relation->Insert(context, same_key).status().sqlstate(), "23505");
  txn = e.Begin();
  context = e.Statement(*txn);
  const types::Value same_unique[] = {Int(100), Int(70), Text("")};
  EXPECT_EQ(relation->Insert(context, same_unique).status().sqlstate(), "23505");
  txn = e.Begin();
  context = e.Statement(*txn);
  RowRef conflict;
  const auto inserted = relation->InsertOrFind(context, same_unique, {}, &conflict);
  ASSERT_TRUE(inserted.ok());
  EXPECT_FALSE(inserted->has_value());
  ChangeRow(e, context, conflict, 7, 71);
  ASSERT_TRUE(e.Commit(*txn).ok());
  // A deleted key comes back, as a new row.
  Change(e, 8, std::nullopt);
  txn = e.Begin();
  context = e.Statement(*txn);
  const types::Value again[] = {Int(8), Int(80), Text("")};
  ASSERT_TRUE(relation->Insert(context, again).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  expected_[7] = 71;
  EXPECT_EQ(Committed(e), expected_);
  relation.reset();
  e.Crash(3);
  EXPECT_EQ(Committed(e), expected_);
  CheckIndexes(e, expected_);
}

// What is settled moves, what is not stays: a version that an old snapshot does not see, or that
// nobody has committed.
TEST_F(FreezerTest, UnsettledPagesStay) {
  Engine e;
  Fill(e, 64);  // The first page, whole.
  auto old = e.Begin(IsolationLevel::kRepeatableRead);
  EXPECT_EQ(Scan(e, *old), expected_);
  auto txn = e.Begin();
  Change(e, *txn, 1, 5);
  EXPECT_EQ(Freeze(e), 0u);
  ASSERT_TRUE(e.Commit(*txn).ok());
  EXPECT_EQ(Freeze(e), 0u);
  EXPECT_EQ(Scan(e, *old), expected_);
}

TEST_F(FreezerTest, SegmentsSurviveWithAndWithoutACheckpoint) {
  for (const bool checkpoint : {false, true}) {
    expected_.clear();
    Engine e;
    Fill(e);
    EXPECT_EQ(Freeze(e), static_cast<uint64_t>(kRows));
    Change(e, 10, -10);
    Change(e, 11, std::nullopt);
    expected_[10] = -10;
    expected_.erase(11);
    if (checkpoint) {
      ASSERT_TRUE(e.db->Checkpoint().ok());
    }
    Change(e, 12, -12);
    Change(e, 13, std::nullopt);
    expected_[12] = -12;
    expected_.erase(13);
    for (uint64_t life = 1; life <= 3; ++life) {
      e.Crash(life);
      EXPECT_EQ(Committed(e), expected_);
      EXPECT_EQ(e.db->stats().rows_frozen, static_cast<uint64_t>(kRows - 4));
      CheckIndexes(e, expected_);
      const auto report =
          CheckDatabase(*e.env->CrashClone(1, testutil::CrashLoss::kNothing), "data");
      ASSERT_TRUE(report.ok()) << report.status().ToString();
      EXPECT_TRUE(report->problems.empty()) << report->problems.front();
    }
    e.Restart();
    EXPECT_EQ(Committed(e), expected_);
  }
}

// A checkpoint names segments and does not copy them.
TEST_F(FreezerTest, CheckpointsDoNotHoldFrozenRows) {
  Engine e;
  Fill(e, 50'000);
  EXPECT_EQ(Freeze(e), 50'000u);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  const auto names = e.env->List("data");
  ASSERT_TRUE(names.ok());
  for (const std::string& name : *names) {
    if (name.starts_with("checkpoint-")) {
      EXPECT_LT(*e.env->FileSize("data/" + name), 20'000u);
    }
  }
  EXPECT_EQ(SegmentFiles(*e.env).size(), 1u);
}

TEST_F(FreezerTest, FilesOfDroppedTablesAndStrayFilesGo) {
  Engine e;
  Fill(e, 100);
  EXPECT_EQ(Freeze(e), 100u);
  auto txn = e.Begin();
  StatementContext context = e.Statement(*txn);
  ASSERT_TRUE(
      e.db->EditCatalog(*txn).Drop(catalog::ObjectKind::kTable, e.Table(context)->oid).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  // The last checkpoint and the log still need the file.
  e.Crash(1, testutil::CrashLoss::kNothing);
  EXPECT_EQ(SegmentFiles(*e.env).size(), 1u);
  e.Crash(2, testutil::CrashLoss::kNothing);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  EXPECT_TRUE(SegmentFiles(*e.env).empty());
  for (const char* name : {"00000000000000000077.seg", "00000000000000000078.seg.tmp"}) {
    ASSERT_TRUE(env::ReplaceFile(*e.env, std::string("data/segments/") + name, "x").ok());
  }
  e.Crash(3, testutil::CrashLoss::kNothing);
  EXPECT_TRUE(SegmentFiles(*e.env).empty());
}

void CheckAddedColumn(Engine& e) {
  auto reader = e.Begin();
  StatementContext context = e.Statement(*reader);
  auto relation = e.Open(context);
  Relation::ScanOptions options;
  options.columns = {ColumnId(4), ColumnId(1)};
  options.with_refs = true;
  const auto scan = relation->OpenScan(context, options);
  const auto worker = scan->NewWorker();
  types::Chunk chunk;
  std::vector<RowRef> refs;
  uint32_t rows = 0;
  for (;;) {
    const auto more = scan->Next(*worker, chunk, &refs);
    ASSERT_TRUE(more.ok());
    if (!*more) break;
    for (uint32_t i = 0; i < chunk.rows_count; ++i, ++rows) {
      EXPECT_EQ(chunk.columns[0].Get(i).i32, 77);
      types::Value values[2];
      ASSERT_TRUE(relation->Read(refs[i], options.columns, e.arena, values).ok());
      EXPECT_EQ(values[0].i32, 77);
      EXPECT_EQ(values[1].i32, chunk.columns[1].Get(i).i32);
    }
  }
  EXPECT_EQ(rows, 100u);
}

// Rows of before ADD COLUMN: the segment has no such column, or has what it read at the time.
TEST_F(FreezerTest, AColumnAddedLaterReadsItsMissingValue) {
  for (const bool freeze_first : {true, false}) {
    expected_.clear();
    Engine e;
    Fill(e, 100);
    if (freeze_first) {
      EXPECT_EQ(Freeze(e), 100u);
    }
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    catalog::TableDef def = *e.Table(context);
    catalog::ColumnDef column;
    column.id = ColumnId(4);
    column.name = "extra";
    column.type = types::SqlType{types::TypeKind::kInt4};
    column.missing_value = "77";
    def.columns.push_back(column);
    ASSERT_TRUE(e.db->EditCatalog(*txn).Put(def).ok());
    ASSERT_TRUE(e.Commit(*txn).ok());
    if (!freeze_first) {
      EXPECT_EQ(Freeze(e), 100u);
    }
    CheckAddedColumn(e);
    e.Crash(1);
    CheckAddedColumn(e);
  }
}

TEST_F(FreezerTest, ATableWithoutAPrimaryKeyIsFrozenByRowId) {
  Engine e;
  Fill(e, 1000, {.keys = 0});
  EXPECT_EQ(Freeze(e), 1000u);
  EXPECT_EQ(Committed(e), expected_);
  e.Crash(1);
  EXPECT_EQ(Committed(e), expected_);
}

// The power fails at every file operation of freezes and checkpoints, and at some of the log's.
TEST_F(FreezerTest, ACrashAtAnyFileOperationLosesNothing) {
  Engine e(SmallOptions());
  Fill(e, 300);
  CrashRecorder recorder(e, expected_);
  const auto change = [&](int32_t id, std::optional<int32_t> v) {
    Change(e, id, v);
    if (v) {
      expected_[id] = *v;
    } else {
      expected_.erase(id);
    }
    recorder.Acknowledge(expected_);
  };
  EXPECT_EQ(Freeze(e), 300u);
  change(5, -5);
  change(6, std::nullopt);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  change(7, std::nullopt);
  Freeze(e);
  change(8, -8);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  for (int32_t i = 100; i < 180; ++i) change(i, std::nullopt);
  Freeze(e);  // Compacts the first segment.
  change(9, -9);
  change(200, std::nullopt);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  change(10, -10);
  const size_t crashes = recorder.Check([&] { return CommittedAndIndexed(e); });
  EXPECT_GT(crashes, 30u);
}

// Whatever file call fails: the freeze says so, or the database stops writing; nothing is lost.
TEST_F(FreezerTest, AFailedFreezeChangesNothing) {
  for (uint64_t moment = 0;; ++moment) {
    expected_.clear();
    Engine e(SmallOptions());
    Fill(e, 300);
    ASSERT_TRUE(e.db->Close().ok());
    e.db.reset();
    testutil::FaultEnv watched(*e.env);
    e.OpenOn(watched);
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    const Oid table = e.Table(context)->oid;
    txn.reset();
    watched.AddRule({.ops = testutil::kOpWrites | testutil::kOpRead | testutil::kOpOpenRead,
                     .path_contains = "segments",
                     .skip = moment,
                     .times = 1,
                     .error = ENOSPC});
    const auto moved = e.db->Freeze(table, {});
    const bool failed = watched.fault_count() > 0;
    EXPECT_EQ(moved.ok(), !failed) << moment;
    if (failed) {
      EXPECT_TRUE(moved.status().Is(sqlstate::kDiskFull));
    }
    watched.ClearRules();
    EXPECT_EQ(Committed(e), expected_);
    EXPECT_EQ(SegmentFiles(*e.env).size(), failed ? 0u : 1u);
    Change(e, 3, -3);
    expected_[3] = -3;
    // The page with the new version settles once the old one is collected.
    EXPECT_TRUE(!failed || Eventually([&] { return Freeze(e) > 0; }));
    EXPECT_EQ(Committed(e), expected_);
    CheckIndexes(e, expected_);
    e.db.reset();
    ASSERT_NO_FATAL_FAILURE(e.Open());
    EXPECT_EQ(Committed(e), expected_);
    e.db.reset();
    if (!failed) break;
    ASSERT_LT(moment, 50u);
  }
}

// Damage is told, naming the file; the server does not start on rows that it cannot place.
TEST_F(FreezerTest, DamageIsTold) {
  Engine e(SmallOptions());
  Fill(e, 5000);
  EXPECT_EQ(Freeze(e), 5000u);
  const std::string file = "data/segments/" + *SegmentFiles(*e.env).begin();
  EXPECT_TRUE(e.db->VerifySegments().empty());
  ASSERT_TRUE(e.env->FlipBit(file, *e.env->FileSize(file) / 3, 2).ok());
  const auto damages = e.db->VerifySegments();
  ASSERT_FALSE(damages.empty());
  EXPECT_EQ(damages[0].sqlstate(), "XX001");
  EXPECT_NE(damages[0].error().message.find(file), std::string::npos);
}

}  // namespace
}  // namespace omendb::engine
