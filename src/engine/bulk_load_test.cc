// Rows of one statement that go straight to segments.
#include "engine/bulk_load.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>
#include <thread>

#include "base/sqlstate.h"
#include "engine/check.h"
#include "engine/compaction.h"
#include "engine/segments_fixture.h"

namespace omendb::engine {
namespace {

using txn::IsolationLevel;

constexpr BulkLoad::Limits kSmall = {.rows_min = 1, .rest_min = 1, .segment_rows = 100};

class BulkLoadTest : public SegmentsTest {
 protected:
  // Rows (id, 10 id, a text or NULL) in the order of `ids`.
  Status Load(Engine& e, txn::Transaction& txn, const std::vector<int32_t>& ids,
              BulkLoad::Limits limits = kSmall, uint64_t* failed_row = nullptr) {
    StatementContext context = e.Statement(txn);
    BulkLoad load(context, e.Open(context), limits);
    Status status;
    for (const int32_t id : ids) {
      const std::string text = "the text of row " + std::to_string(id);
      const types::Value row[] = {Int(id), Int(10 * id),
                                  id % 7 == 0 ? types::Value::Null() : Text(text)};
      status = load.AppendRow(row);
      if (!status.ok()) break;
    }
    if (status.ok()) status = load.Finish();
    if (failed_row != nullptr) *failed_row = load.failed_row();
    return status;
  }
  void LoadAndCommit(Engine& e, int32_t first, int32_t last) {
    auto txn = e.Begin();
    const Status loaded = Load(e, *txn, Shuffled(first, last));
    ASSERT_TRUE(loaded.ok()) << loaded.ToString();
    ASSERT_TRUE(e.Commit(*txn).ok());
    for (int32_t id = first; id < last; ++id) expected_[id] = 10 * id;
  }
  static std::vector<int32_t> Shuffled(int32_t first, int32_t last) {
    std::vector<int32_t> ids(static_cast<size_t>(last - first));
    std::iota(ids.begin(), ids.end(), first);
    std::shuffle(ids.begin(), ids.end(), std::mt19937(7));
    return ids;
  }
  void CheckCommitted(Engine& e) {
    auto txn = e.Begin();
    EXPECT_EQ(Scan(e, *txn), expected_);
    CheckIndexes(e, *txn, expected_);
  }
};

TEST_F(BulkLoadTest, RowsAreSeenByTheirTransactionThenByAll) {
  Engine e(SmallOptions());
  e.CreateTable({.unique = {{1}}, .secondary = {{2}}});
  auto old = e.Begin(IsolationLevel::kRepeatableRead);
  EXPECT_EQ(Scan(e, *old), Pairs());
  auto txn = e.Begin();
  ASSERT_TRUE(Load(e, *txn, Shuffled(0, 950)).ok());
  for (int32_t id = 0; id < 950; ++id) expected_[id] = 10 * id;
  EXPECT_EQ(Scan(e, *txn), expected_);
  CheckIndexes(e, *txn, expected_);
  EXPECT_EQ(Committed(e), Pairs());
  ASSERT_TRUE(e.Commit(*txn).ok());
  EXPECT_EQ(Scan(e, *old), Pairs());
  CheckIndexes(e, *old, Pairs());
  CheckCommitted(e);
  EXPECT_EQ(e.db->stats().rows_frozen, 950u);
  for (uint64_t life = 1; life <= 2; ++life) {
    old.reset();
    e.Crash(life);
    CheckCommitted(e);
    EXPECT_EQ(e.db->stats().rows_frozen, 950u);
    const auto report = CheckDatabase(*e.env->CrashClone(1, testutil::CrashLoss::kNothing), "data");
    ASSERT_TRUE(report.ok()) << report.status().ToString();
    EXPECT_TRUE(report->problems.empty()) << report->problems.front();
  }
}

// Every third id is there already, in segments that overlap each other and what is loaded next.
TEST_F(BulkLoadTest, KeysThatLeftTheIndexAreTaken) {
  const ShareScope nothing(&ShareOfNothing);
  for (const size_t keys : {1, 2}) {
    expected_.clear();
    Engine e(SmallOptions());
    e.CreateTable({.keys = keys});
    std::vector<int32_t> there, free, half;
    for (int32_t id = 0; id < 3000; ++id) (id % 3 == 0 ? there : free).push_back(id);
    std::shuffle(there.begin(), there.end(), std::mt19937(1));
    std::shuffle(free.begin(), free.end(), std::mt19937(2));
    half.assign(free.begin(), free.begin() + 1000);
    half.insert(half.begin() + 500, there[77]);
    const auto load = [&](const std::vector<int32_t>& ids, uint64_t* failed_row) {
      auto txn = e.Begin();
      const Status loaded = Load(e, *txn, ids, kSmall, failed_row);
      if (!loaded.ok()) return loaded;
      for (const int32_t id : ids) expected_[id] = 10 * id;
      const Status committed = e.Commit(*txn);
      txn.reset();
      EXPECT_TRUE(e.Freeze().ok());  // Lets the keys go.
      return committed;
    };
    uint64_t failed = 0;
    ASSERT_TRUE(load(there, &failed).ok());
    EXPECT_TRUE(load(half, &failed).Is(sqlstate::kUniqueViolation));
    EXPECT_EQ(failed, 500u);
    EXPECT_EQ(Committed(e), expected_);
    ASSERT_TRUE(load(free, &failed).ok());
    EXPECT_EQ(Committed(e), expected_);
    EXPECT_TRUE(load(half, &failed).Is(sqlstate::kUniqueViolation));
  }
}

TEST_F(BulkLoadTest, SmallSegmentsAreJoined) {
  Engine e(SmallOptions());
  e.CreateTable({});
  const auto rows_of_full = static_cast<int32_t>(kFullSegmentRows);
  const auto load = [&](int32_t first, int32_t count) {
    auto txn = e.Begin();
    std::vector<int32_t> ids;
    for (int32_t i = 0; i < count; ++i) ids.push_back(first + 5 * i);
    ASSERT_TRUE(Load(e, *txn, ids, {}).ok());
    ASSERT_TRUE(e.Commit(*txn).ok());
    for (const int32_t id : ids) expected_[id] = 10 * id;
  };
  // Each has a fifth of the ids, or a third of a full segment's.
  for (int32_t part = 0; part < 3; ++part) load(part, rows_of_full / 3 + 100);
  EXPECT_EQ(e.db->stats().segments, 3u);
  ASSERT_TRUE(e.Freeze().ok());
  EXPECT_EQ(e.db->stats().rows_frozen, expected_.size());
  EXPECT_EQ(Committed(e), expected_);
  load(3, rows_of_full / 3);
  const uint64_t segments = e.db->stats().segments;
  ASSERT_TRUE(e.Freeze().ok());  // Two small ones are not enough.
  EXPECT_EQ(e.db->stats().segments, segments);
  EXPECT_EQ(Committed(e), expected_);
  e.Crash(1);
  EXPECT_EQ(Committed(e), expected_);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  EXPECT_EQ(SegmentFiles(*e.env).size(), 3u);
  EXPECT_TRUE(e.db->VerifySegments().empty());
}

TEST_F(BulkLoadTest, TheLogHoldsFilesNotRows) {
  Engine e(SmallOptions());
  e.CreateTable({.keys = 0});
  const uint64_t before = e.db->stats().wal_bytes;
  auto txn = e.Begin();
  std::vector<int32_t> ids(100'000);
  std::iota(ids.begin(), ids.end(), 0);
  ASSERT_TRUE(Load(e, *txn, ids, {}).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  EXPECT_LT(e.db->stats().wal_bytes - before, 10'000u);
  EXPECT_EQ(e.db->stats().rows_frozen, 100'000u);
  EXPECT_EQ(Committed(e).size(), 100'000u);
}

TEST_F(BulkLoadTest, FewRowsStayInPages) {
  Engine e(SmallOptions());
  e.CreateTable({});
  auto txn = e.Begin();
  ASSERT_TRUE(Load(e, *txn, Shuffled(0, 5000), {}).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  for (int32_t id = 0; id < 5000; ++id) expected_[id] = 10 * id;
  EXPECT_EQ(e.db->stats().rows_frozen, 0u);
  CheckCommitted(e);
}

TEST_F(BulkLoadTest, UndoneRowsLeaveNothing) {
  Engine e(SmallOptions());
  e.CreateTable({.unique = {{1}}, .secondary = {{2}}});
  LoadAndCommit(e, 0, 150);
  auto txn = e.Begin();
  ASSERT_TRUE(Load(e, *txn, Shuffled(200, 500)).ok());
  const uint64_t mark = txn->Mark();
  ASSERT_TRUE(Load(e, *txn, Shuffled(500, 800)).ok());
  txn->RollbackTo(mark);
  Pairs sees = expected_;
  for (int32_t id = 200; id < 500; ++id) sees[id] = 10 * id;
  EXPECT_EQ(Scan(e, *txn), sees);
  CheckIndexes(e, *txn, sees);
  e.db->Abort(*txn);
  CheckCommitted(e);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  EXPECT_EQ(SegmentFiles(*e.env).size(), 2u);
  LoadAndCommit(e, 200, 800);  // The keys are free.
  CheckCommitted(e);
  e.Crash(1);
  CheckCommitted(e);
}

// What a transaction does to rows that it loaded itself, and takes back.
TEST_F(BulkLoadTest, OwnRowsAreChanged) {
  for (const bool commit : {true, false}) {
    expected_.clear();
    Engine e(SmallOptions());
    e.CreateTable({.secondary = {{1}}});
    LoadAndCommit(e, 0, 10);
    auto txn = e.Begin();
    ASSERT_TRUE(Load(e, *txn, Shuffled(10, 300)).ok());
    Pairs sees = expected_;
    for (int32_t id = 10; id < 300; ++id) sees[id] = 10 * id;
    const auto change = [&](int32_t id, std::optional<int32_t> v) {
      Change(e, *txn, id, v);
      if (v) {
        sees[id] = *v;
      } else {
        sees.erase(id);
      }
    };
    change(20, -20);
    change(21, std::nullopt);
    const Pairs before = sees;
    const uint64_t mark = txn->Mark();
    change(20, -21);
    change(22, -22);
    change(23, std::nullopt);
    change(5, -5);
    EXPECT_EQ(Scan(e, *txn), sees);
    txn->RollbackTo(mark);
    sees = before;
    EXPECT_EQ(Scan(e, *txn), sees);
    CheckIndexes(e, *txn, sees);
    change(22, -222);
    EXPECT_EQ(Scan(e, *txn), sees);
    EXPECT_EQ(Committed(e), expected_);
    if (commit) {
      ASSERT_TRUE(e.Commit(*txn).ok());
      expected_ = sees;
    } else {
      e.db->Abort(*txn);
    }
    CheckCommitted(e);
    e.Crash(2);
    CheckCommitted(e);
    e.Restart();
    CheckCommitted(e);
  }
}

TEST_F(BulkLoadTest, DuplicatesAreTold) {
  Engine e(SmallOptions());
  e.CreateTable({.unique = {{1}}});
  LoadAndCommit(e, 0, 150);
  std::vector<int32_t> ids = Shuffled(1000, 1250);
  ids[170] = ids[130];
  uint64_t failed = 0;
  auto txn = e.Begin();
  Status loaded = Load(e, *txn, ids, kSmall, &failed);
  EXPECT_TRUE(loaded.Is(sqlstate::kUniqueViolation)) << loaded.ToString();
  EXPECT_EQ(loaded.error().detail, "Key (id)=(" + std::to_string(ids[130]) + ") already exists.");
  EXPECT_EQ(failed, 170u);
  e.db->Abort(*txn);
  for (const BulkLoad::Limits& limits : {kSmall, BulkLoad::Limits{}}) {
    for (const size_t at : {3, 149, 249}) {
      ids = Shuffled(1000, 1250);
      ids[at] = 77;
      txn = e.Begin();
      loaded = Load(e, *txn, ids, limits, &failed);
      EXPECT_TRUE(loaded.Is(sqlstate::kUniqueViolation)) << loaded.ToString();
      EXPECT_EQ(failed, at);
      e.db->Abort(*txn);
      CheckCommitted(e);
    }
  }
}

TEST_F(BulkLoadTest, DeletedKeysComeBack) {
  Engine e(SmallOptions());
  e.CreateTable({.secondary = {{1}}});
  LoadAndCommit(e, 0, 150);
  auto old = e.Begin(IsolationLevel::kRepeatableRead);
  const Pairs before = expected_;
  EXPECT_EQ(Scan(e, *old), before);
  auto txn = e.Begin();
  for (int32_t id = 0; id < 150; id += 3) Change(e, *txn, id, std::nullopt);
  ASSERT_TRUE(e.Commit(*txn).ok());
  txn = e.Begin();
  std::vector<int32_t> ids = Shuffled(150, 300);
  for (int32_t id = 0; id < 150; id += 3) ids.push_back(id);
  ASSERT_TRUE(Load(e, *txn, ids).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  for (int32_t id = 150; id < 300; ++id) expected_[id] = 10 * id;
  CheckCommitted(e);
  EXPECT_EQ(Scan(e, *old), before);
  old.reset();
  e.Crash(4);
  CheckCommitted(e);
}

// A transaction that inserts a key waits for the one that is loading it.
TEST_F(BulkLoadTest, KeysOfALoadAreInDoubtUntilItEnds) {
  for (const bool commit : {true, false}) {
    expected_.clear();
    Engine e(SmallOptions());
    e.CreateTable({.unique = {{1}}});
    auto txn = e.Begin();
    ASSERT_TRUE(Load(e, *txn, Shuffled(0, 150)).ok());
    Status inserted[2];
    std::thread waiting[2];
    for (int i = 0; i < 2; ++i) {
      waiting[i] = std::thread([&e, &inserted, i] {
        auto other = e.Begin();
        ThreadWaiter waiter;
        StatementContext context = e.Statement(*other);
        context.waiter = &waiter;
        // The same primary key, or the same value of the unique column.
        const types::Value row[] = {Int(i == 0 ? 5 : 500), Int(i == 0 ? -1 : 50), Text("")};
        inserted[i] = e.Open(context)->Insert(context, row).status();
        if (inserted[i].ok()) inserted[i] = e.db->Commit(*other, waiter);
      });
    }
    EXPECT_TRUE(Eventually([&] { return e.db->stats().transactions_waiting == 2; }));
    if (commit) {
      ASSERT_TRUE(e.Commit(*txn).ok());
    } else {
      e.db->Abort(*txn);
    }
    for (std::thread& thread : waiting) thread.join();
    for (const Status& status : inserted) {
      EXPECT_EQ(status.ok(), !commit) << status.ToString();
      EXPECT_TRUE(!commit || status.Is(sqlstate::kUniqueViolation)) << status.ToString();
    }
  }
}

// The log after a checkpoint may ask for a segment that was being loaded at it, even if all of its
// rows had been changed by then.
TEST_F(BulkLoadTest, ACheckpointAmidALoad) {
  for (const bool emptied : {false, true}) {
    expected_.clear();
    Engine e(SmallOptions());
    e.CreateTable({});
    LoadAndCommit(e, 0, 120);
    auto txn = e.Begin();
    ASSERT_TRUE(Load(e, *txn, Shuffled(200, 250)).ok());
    for (int32_t id = 200; id < 250; ++id) {
      expected_[id] = 10 * id;
      if (!emptied) continue;
      Change(e, *txn, id, -id);
      expected_[id] = -id;
    }
    ASSERT_TRUE(e.db->Checkpoint().ok());
    ASSERT_TRUE(e.Commit(*txn).ok());
    ASSERT_TRUE(e.db->Checkpoint().ok());
    CheckCommitted(e);
    e.Crash(1);
    CheckCommitted(e);
  }
  expected_.clear();
  Engine e(SmallOptions());
  e.CreateTable({});
  auto txn = e.Begin();
  ASSERT_TRUE(Load(e, *txn, Shuffled(200, 250)).ok());
  for (int32_t id = 200; id < 250; ++id) Change(e, *txn, id, expected_[id] = -id);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  e.Crash(1);
  CheckCommitted(e);
}

// Loaded rows are changed, thawed and frozen again as others are.
TEST_F(BulkLoadTest, LoadedSegmentsAreCompacted) {
  Engine e(SmallOptions());
  e.CreateTable({});
  auto old = e.Begin(IsolationLevel::kRepeatableRead);
  EXPECT_EQ(Scan(e, *old), Pairs());
  LoadAndCommit(e, 0, 300);
  for (int32_t id = 0; id < 300; id += 2) {
    auto txn = e.Begin();
    Change(e, *txn, id, -id);
    ASSERT_TRUE(e.Commit(*txn).ok());
    expected_[id] = -id;
  }
  const auto freeze = [&] { ASSERT_TRUE(e.Freeze().ok()); };
  freeze();
  EXPECT_EQ(Scan(e, *old), Pairs());
  CheckCommitted(e);
  old.reset();
  EXPECT_TRUE(Eventually([&] {
    freeze();
    return e.db->stats().rows_frozen == 300 && e.db->stats().rows_thawed == 0;
  }));
  CheckCommitted(e);
  e.Crash(3);
  CheckCommitted(e);
}

// The power fails at every file operation of a load and its commit.
TEST_F(BulkLoadTest, ACrashAtAnyFileOperationLosesNothing) {
  Engine e(SmallOptions());
  e.CreateTable({.secondary = {{1}}});
  CrashRecorder recorder(e, {});
  for (int32_t round = 0; round < 3; ++round) {
    LoadAndCommit(e, 300 * round, 300 * round + 230);
    recorder.Acknowledge(expected_);
    if (round == 1) {
      ASSERT_TRUE(e.db->Checkpoint().ok());
    }
  }
  const size_t crashes = recorder.Check([&] { return CommittedAndIndexed(e); });
  EXPECT_GT(crashes, 40u);
}

// Whatever file call fails: the statement says so and nothing is lost.
TEST_F(BulkLoadTest, AFailedLoadChangesNothing) {
  for (uint64_t moment = 0;; ++moment) {
    expected_.clear();
    Engine e(SmallOptions());
    e.CreateTable({.secondary = {{1}}});
    LoadAndCommit(e, 0, 50);
    ASSERT_TRUE(e.db->Close().ok());
    e.db.reset();
    testutil::FaultEnv watched(*e.env);
    e.OpenOn(watched);
    watched.AddRule({.ops = testutil::kOpWrites,
                     .path_contains = "segments",
                     .skip = moment,
                     .times = 1,
                     .error = ENOSPC});
    auto txn = e.Begin();
    const Status loaded = Load(e, *txn, Shuffled(100, 350));
    const bool failed = watched.fault_count() > 0;
    EXPECT_EQ(loaded.ok(), !failed) << moment;
    EXPECT_TRUE(!failed || loaded.Is(sqlstate::kDiskFull)) << loaded.ToString();
    watched.ClearRules();
    e.db->Abort(*txn);
    txn.reset();
    CheckCommitted(e);
    LoadAndCommit(e, 100, 350);
    CheckCommitted(e);
    e.db.reset();
    ASSERT_NO_FATAL_FAILURE(e.Open());
    CheckCommitted(e);
    e.db.reset();
    if (!failed) break;
    ASSERT_LT(moment, 60u);
  }
}

// Readers beside loads see all of one or nothing, whether it commits or is undone.
TEST_F(BulkLoadTest, ReadersSeeWholeLoads) {
  Engine e(SmallOptions());
  e.CreateTable({.secondary = {{1}}});
  std::atomic<bool> stop{false};
  std::thread loading([&] {
    for (int32_t round = 0; round < 30; ++round) {
      auto txn = e.Begin();
      ASSERT_TRUE(Load(e, *txn, Shuffled(100 * round, 100 * round + 100),
                       {.rows_min = 1, .rest_min = 1, .segment_rows = 30})
                      .ok());
      if (round % 3 == 0) {
        e.db->Abort(*txn);
      } else {
        ASSERT_TRUE(e.Commit(*txn).ok());
      }
    }
    stop = true;
  });
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        auto txn = e.Begin(IsolationLevel::kRepeatableRead);
        const Pairs first = Scan(e, *txn);
        EXPECT_EQ(first.size() % 100, 0u);
        CheckIndexes(e, *txn, first);
        EXPECT_EQ(Scan(e, *txn), first);
      }
    });
  }
  loading.join();
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(Committed(e).size(), 2000u);
}

}  // namespace
}  // namespace omendb::engine
