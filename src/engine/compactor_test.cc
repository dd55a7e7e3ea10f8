// Segments that are written anew, several together, while others look at their rows and change
// them.
#include "engine/compactor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "base/sqlstate.h"
#include "engine/check.h"
#include "engine/segments_fixture.h"

namespace omendb::engine {
namespace {

using txn::IsolationLevel;

constexpr int32_t kRows = 4000;
constexpr int32_t kSegments = 8;

// Each segment has every eighth key, until they are put in order.
class CompactorTest : public SegmentsTest {
 protected:
  void Fill(Engine& e, const TableSpec& spec = {.secondary = {{1}}}, int32_t rows = kRows) {
    e.CreateTable(spec);
    for (int32_t first = 0; first < kSegments; ++first) {
      auto txn = e.Begin();
      StatementContext context = e.Statement(*txn);
      auto relation = e.Open(context);
      for (int32_t i = first; i < rows; i += kSegments) {
        const std::string text = "the text of row " + std::to_string(i);
        const types::Value row[] = {Int(i), Int(10 * i),
                                    i % 7 == 0 ? types::Value::Null() : Text(text)};
        ASSERT_TRUE(relation->Insert(context, row).ok());
        expected_[i] = 10 * i;
      }
      ASSERT_TRUE(e.Commit(*txn).ok());
      ASSERT_TRUE(Eventually([&] {
        const auto moved = e.Freeze();
        return moved.ok() && e.db->stats().rows_frozen == expected_.size();
      }));
    }
    ASSERT_EQ(SegmentsWithKey(e, rows / 2), static_cast<size_t>(kSegments));
  }
  uint64_t PutInOrder(Engine& e) {
    const auto moved = e.Freeze("t", /*in_order=*/true);
    EXPECT_TRUE(moved.ok()) << moved.status().ToString();
    return moved.ok() ? *moved : 0;
  }
  // How many have rows that are alive and keys up to and from this one.
  static size_t SegmentsWithKey(Engine& e, int32_t key) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    const auto& impl = dynamic_cast<const RelationImpl&>(*relation);
    std::string wanted;
    const types::Value value[] = {Int(key)};
    impl.primary_index()->KeyOfValues(value, wanted);
    const auto set = impl.storage().frozen().runs();
    return static_cast<size_t>(
        std::count_if(set->runs.begin(), set->runs.end(), [&](const engine::Run& run) {
          if (run.live_rows() == 0) return false;
          const colstore::SegmentFooter& footer = run.segment->reader()->footer();
          return footer.min_key <= wanted && wanted <= footer.max_key;
        }));
  }
  // Those since the start, whatever has become of them.
  static size_t SegmentsOf(Engine& e) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    return dynamic_cast<const RelationImpl&>(*relation).storage().frozen().runs()->runs.size();
  }
  void ChangeCommitted(Engine& e, int32_t id, std::optional<int32_t> v) {
    auto txn = e.Begin();
    Change(e, *txn, id, v);
    ASSERT_TRUE(e.Commit(*txn).ok());
    if (v) {
      expected_[id] = *v;
    } else {
      expected_.erase(id);
    }
  }
};

TEST_F(CompactorTest, SegmentsThatOverlapArePutInOrder) {
  const FullRowsScope full_rows(kRows / kSegments);
  Engine e;
  Fill(e);
  const auto old_files = SegmentFiles(*e.env);
  EXPECT_EQ(PutInOrder(e), static_cast<uint64_t>(kRows));
  for (int32_t key = 0; key < kRows; key += 100) EXPECT_EQ(SegmentsWithKey(e, key), 1u) << key;
  EXPECT_EQ(e.db->stats().rows_frozen, static_cast<uint64_t>(kRows));
  EXPECT_EQ(PutInOrder(e), 0u);
  Check(e, expected_);
  e.Crash(1);
  Check(e, expected_);
  for (int32_t key = 0; key < kRows; key += 100) EXPECT_EQ(SegmentsWithKey(e, key), 1u) << key;
  ASSERT_TRUE(e.db->Checkpoint().ok());
  const auto files = SegmentFiles(*e.env);
  EXPECT_EQ(files.size(), static_cast<size_t>(kSegments));
  for (const std::string& file : old_files) EXPECT_FALSE(files.contains(file)) << file;
  e.Restart();
  Check(e, expected_);
  const auto report = CheckDatabase(*e.env->CrashClone(1, testutil::CrashLoss::kNothing), "data");
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  EXPECT_TRUE(report->problems.empty()) << report->problems.front();
}

TEST_F(CompactorTest, FewThatOverlapStayWhenNobodyAsks) {
  Engine e;
  Fill(e);
  EXPECT_EQ(*e.Freeze(), 0u);
  EXPECT_EQ(SegmentsWithKey(e, kRows / 2), static_cast<size_t>(kSegments));
}

// Where memory has no room for words of their rows segments stay as they are, and who asks is told;
// where it has room for some, so many move at a time.
TEST_F(CompactorTest, MemoryForWordsIsALimit) {
  constexpr uint64_t kPart = kRows / kSegments;
  const FullRowsScope full_rows(kPart);
  Engine e;
  Fill(e);
  e.Restart();  // Now nobody knows which rows have words.
  {
    const WordsScope words(2 * kPart - 1);
    const auto put = e.FreezeTable("t", /*in_order=*/true);
    ASSERT_TRUE(put.ok());
    EXPECT_EQ(put->rows_moved, 0u);
    EXPECT_TRUE(put->lacks_memory);
    const auto frozen = e.FreezeTable("t", /*in_order=*/false);
    ASSERT_TRUE(frozen.ok());
    EXPECT_FALSE(frozen->lacks_memory);
  }
  EXPECT_EQ(SegmentsWithKey(e, kRows / 2), static_cast<size_t>(kSegments));
  {
    const WordsScope words(3 * kPart);
    const auto put = e.FreezeTable("t", /*in_order=*/true);
    ASSERT_TRUE(put.ok());
    EXPECT_GE(put->rows_moved, uint64_t{kRows});
    EXPECT_FALSE(put->lacks_memory);
  }
  for (int32_t key = 0; key < kRows; key += 100) EXPECT_EQ(SegmentsWithKey(e, key), 1u) << key;
  Check(e, expected_);
  e.Crash(1);
  Check(e, expected_);
}

// Rows that have words already need no room, so segments of such go on being put in order.
TEST_F(CompactorTest, RowsWithWordsNeedNoRoom) {
  const FullRowsScope full_rows(kRows / kSegments);
  const WordsScope words(0);
  Engine e;
  Fill(e);
  const auto put = e.FreezeTable("t", /*in_order=*/true);
  ASSERT_TRUE(put.ok());
  EXPECT_EQ(put->rows_moved, uint64_t{kRows});
  EXPECT_FALSE(put->lacks_memory);
}

// What began before sees what it saw, and what is changed afterwards does not disturb it.
TEST_F(CompactorTest, OldSnapshotsAndScansReadOn) {
  const FullRowsScope full_rows(kRows / kSegments);
  Engine e;
  Fill(e);
  auto old = e.Begin(IsolationLevel::kRepeatableRead);
  StatementContext context = e.Statement(*old);
  auto relation = e.Open(context);
  const RowRef seen = *Find(e, context, 77);
  const RowRef deleted = *Find(e, context, 78);
  Relation::ScanOptions options;
  options.columns = {ColumnId(1), ColumnId(2)};
  auto before = relation->OpenScan(context, options);
  const Pairs all = expected_;
  EXPECT_EQ(PutInOrder(e), static_cast<uint64_t>(kRows));
  auto between = relation->OpenScan(context, options);
  for (int32_t i = 0; i < kRows; i += 3) {
    if (i != 78) ChangeCommitted(e, i, i % 2 == 0 ? std::optional(-i) : std::nullopt);
  }
  auto after = relation->OpenScan(context, options);
  for (Relation::Scan* scan : {before.get(), between.get(), after.get()}) {
    EXPECT_EQ(PairsOf(*scan), all);
  }
  for (auto* scan : {&before, &between, &after}) scan->reset();
  // Rows seen where they lay before are changed where they are now, at any level: no conflict.
  EXPECT_TRUE(*relation->IsCurrent(context, seen));
  ChangeRow(e, context, seen, 77, -77);
  ChangeRow(e, context, deleted, 78, std::nullopt);
  ASSERT_TRUE(e.Commit(*old).ok());
  relation.reset();
  expected_[77] = -77;
  expected_.erase(78);
  Check(e, expected_);
  e.Crash(1);
  Check(e, expected_);
}

TEST_F(CompactorTest, AnotherTransactionsChangeIsAConflictStill) {
  Engine e;
  Fill(e, {.secondary = {{1}}}, 400);
  auto old = e.Begin(IsolationLevel::kRepeatableRead);
  StatementContext context = e.Statement(*old);
  const RowRef seen = *Find(e, context, 5);
  EXPECT_EQ(PutInOrder(e), 400u);
  ChangeCommitted(e, 5, 1);
  const types::Value row[] = {Int(5), Int(2), Text("")};
  EXPECT_EQ(e.Open(context)->Update(context, seen, row).status().sqlstate(), "40001");
}

// Rows that are locked stay locked; what is being deleted or changed stays where it is.
TEST_F(CompactorTest, RunningTransactionsKeepTheirRows) {
  MaskedDeletes::thawed_max = 2;
  const FullRowsScope full_rows(100);
  Engine e;
  Fill(e, {.secondary = {{1}}}, 800);
  auto holder = e.Begin();
  StatementContext context = e.Statement(*holder);
  auto relation = e.Open(context);
  const auto lock = [&](StatementContext& by, int32_t id) {
    const auto locked = e.Open(by)->Lock(by, *Find(e, by, id), txn::RowLockMode::kUpdate,
                                         txn::LockWait::kSkipLocked);
    EXPECT_TRUE(locked.ok());
    return locked->outcome;
  };
  EXPECT_EQ(lock(context, 100), RowOutcome::kDone);
  Change(e, *holder, 200, -200);
  EXPECT_GT(PutInOrder(e), 700u);
  auto other = e.Begin();
  StatementContext others = e.Statement(*other);
  EXPECT_EQ(lock(others, 100), RowOutcome::kSkipped);
  EXPECT_EQ(lock(others, 200), RowOutcome::kSkipped);
  EXPECT_EQ(lock(others, 101), RowOutcome::kDone);
  e.db->Abort(*other);
  EXPECT_EQ(Committed(e), expected_);
  // Masks: the rows of one statement, some of each segment.
  for (int32_t i = 300; i < 320; ++i) Change(e, *holder, i, std::nullopt);
  PutInOrder(e);
  EXPECT_EQ(Committed(e), expected_);
  const Pairs before = expected_;
  expected_[200] = -200;
  for (int32_t i = 300; i < 320; ++i) expected_.erase(i);
  EXPECT_EQ(Scan(e, *holder), expected_);
  e.db->Abort(*holder);
  relation.reset();
  Check(e, before);
  expected_ = before;
  PutInOrder(e);
  Check(e, expected_);
  e.Crash(1);
  Check(e, expected_);
  MaskedDeletes::thawed_max = MaskedDeletes::kThawedMax;
}

// Deleted by a statement in a mask while the rows were on their way, or thawed: they are dead in
// the new segment from the beginning, after a crash too.
TEST_F(CompactorTest, WhatChangesOnTheWayIsDeadFromTheBeginning) {
  for (const uint64_t thawed_max : {uint64_t{0}, MaskedDeletes::kThawedMax}) {
    MaskedDeletes::thawed_max = thawed_max;
    expected_.clear();
    const FullRowsScope full_rows(100);
    Engine e(SmallOptions());
    Fill(e, {.secondary = {{1}}}, 800);
    ASSERT_TRUE(e.db->Close().ok());
    e.db.reset();
    testutil::FaultEnv watched(*e.env);
    e.OpenOn(watched);
    std::atomic<bool> changing{false};
    std::atomic<bool> moving{true};
    int32_t next = 0;
    watched.SetHook([&](testutil::FaultOp, const std::string& path) {
      // The new segment is being written; by another thread, as a statement would.
      if (!moving || !path.ends_with(".seg.tmp") || changing.exchange(true)) return;
      std::thread([&] {
        for (int32_t i = next; next < 800 && i < next + 40; i += 2) {
          ChangeCommitted(e, i, i % 4 == 0 ? std::optional(-i) : std::nullopt);
        }
        next += 100;
      }).join();
      changing = false;
    });
    EXPECT_GT(PutInOrder(e), 500u);
    moving = false;
    EXPECT_GT(next, 0);
    Check(e, expected_);
    e.db.reset();
    ASSERT_NO_FATAL_FAILURE(e.Open());
    Check(e, expected_);
    e.db.reset();
  }
  MaskedDeletes::thawed_max = MaskedDeletes::kThawedMax;
}

// The power fails at every file operation of merges and checkpoints, and at some of the log's.
TEST_F(CompactorTest, ACrashAtAnyFileOperationLosesNothing) {
  const FullRowsScope full_rows(60);
  Engine e(SmallOptions());
  Fill(e, {.secondary = {{1}}}, 480);
  CrashRecorder recorder(e, expected_);
  const auto change = [&](int32_t id, std::optional<int32_t> v) {
    ChangeCommitted(e, id, v);
    recorder.Acknowledge(expected_);
  };
  change(5, -5);
  change(6, std::nullopt);
  EXPECT_GT(PutInOrder(e), 400u);
  change(7, std::nullopt);
  change(8, -8);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  for (int32_t i = 100; i < 200; i += 2) change(i, std::nullopt);
  PutInOrder(e);
  change(9, -9);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  change(10, -10);
  const size_t crashes = recorder.Check([&] { return CommittedAndIndexed(e); });
  EXPECT_GT(crashes, 60u);
}

// Whatever file call fails: what was committed before stays, and nothing is lost or there twice.
TEST_F(CompactorTest, AFailedMergeChangesNothing) {
  const FullRowsScope full_rows(60);
  bool failed = true;
  for (uint64_t moment = 0; failed; moment += 3) {
    expected_.clear();
    Engine e(SmallOptions());
    Fill(e, {.secondary = {{1}}}, 480);
    ASSERT_TRUE(e.db->Close().ok());
    e.db.reset();
    testutil::FaultEnv watched(*e.env);
    e.OpenOn(watched);
    watched.AddRule({.ops = testutil::kOpWrites | testutil::kOpRead | testutil::kOpOpenRead,
                     .path_contains = "segments",
                     .skip = moment,
                     .times = 1,
                     .error = ENOSPC});
    const auto moved = e.Freeze("t", /*in_order=*/true);
    failed = watched.fault_count() > 0;
    if (!moved.ok()) {
      EXPECT_TRUE(moved.status().Is(sqlstate::kDiskFull)) << moved.status().ToString();
    }
    watched.ClearRules();
    // Nothing of what was not committed is left, and no checkpoint has removed anything.
    EXPECT_EQ(SegmentFiles(*e.env).size(), SegmentsOf(e)) << moment;
    EXPECT_TRUE(SegmentFiles(*e.env, ".seg.tmp").empty()) << moment;
    Check(e, expected_);
    ChangeCommitted(e, 3, -3);
    PutInOrder(e);
    EXPECT_EQ(SegmentsWithKey(e, 240), 1u);
    Check(e, expected_);
    e.db.reset();
    ASSERT_NO_FATAL_FAILURE(e.Open());
    Check(e, expected_);
    e.db.reset();
    ASSERT_LT(moment, 1000u);
  }
}

// Rows come and go, and are moved all the time; each is there once for whoever looks.
TEST_F(CompactorTest, WritersBesideMovesLoseNothing) {
  for (const uint64_t thawed_max : {uint64_t{0}, MaskedDeletes::kThawedMax}) {
    MaskedDeletes::thawed_max = thawed_max;
    expected_.clear();
    const FullRowsScope full_rows(20);
    Engine e;
    Fill(e, {.secondary = {{1}}}, 160);
    constexpr int kThreads = 2;
    std::vector<Pairs> changed(kThreads, expected_);
    std::atomic<bool> done{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937_64 random(static_cast<uint64_t>(t) + 1);
        for (int i = 0; i < 300; ++i) {
          const auto id = static_cast<int32_t>(random() % 80) * kThreads + t;
          Pairs& mine = changed[static_cast<size_t>(t)];
          auto txn = e.Begin();
          if (!mine.contains(id)) {
            StatementContext context = e.Statement(*txn);
            const types::Value row[] = {Int(id), Int(i), Text("again")};
            ASSERT_TRUE(e.Open(context)->Insert(context, row).ok());
            mine[id] = i;
          } else if (random() % 3 == 0) {
            ASSERT_NO_FATAL_FAILURE(Change(e, *txn, id, std::nullopt));
            mine.erase(id);
          } else {
            ASSERT_NO_FATAL_FAILURE(Change(e, *txn, id, i));
            mine[id] = i;
          }
          ASSERT_TRUE(e.Commit(*txn).ok());
        }
      });
    }
    std::thread mover([&] {
      while (!done) PutInOrder(e);
    });
    for (std::thread& thread : threads) thread.join();
    done = true;
    mover.join();
    Pairs all;
    for (int t = 0; t < kThreads; ++t) {
      for (const auto& [id, v] : changed[static_cast<size_t>(t)]) {
        if (id % kThreads == t) all[id] = v;
      }
    }
    Check(e, all);
    e.Crash(7);
    Check(e, all);
  }
  MaskedDeletes::thawed_max = MaskedDeletes::kThawedMax;
}

}  // namespace
}  // namespace omendb::engine
