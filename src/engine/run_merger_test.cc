// Index runs of several segments: what is merged and what is not, what is found through them while
// segments die and entries leave and come back, and what damage, full disks and power failures do.
#include "engine/entry_cursor.h"
#include "engine/index_runs_fixture.h"

namespace omendb::engine {
namespace {

class RunMergerTest : public IndexRunsTest {
 protected:
  static std::vector<size_t> RunsOfEach(Engine& e) {
    std::vector<size_t> counts;
    for (const auto& index : IndexesOf(e)) counts.push_back(index->runs().all().size());
    return counts;
  }
  static size_t Runs(Engine& e) {
    size_t count = 0;
    for (const size_t runs : RunsOfEach(e)) count += runs;
    return count;
  }
  // Until all segments are in as few runs as there are indexes.
  static bool MergedToOne(Engine& e, size_t segments) {
    return Eventually([&] { return Listed(e) == segments && Runs(e) == IndexesOf(e).size(); });
  }
  static std::set<std::string> PathsOfRuns(Engine& e) {
    std::set<std::string> paths;
    for (const auto& index : IndexesOf(e)) {
      for (const auto& listed : index->runs().all()) paths.insert(listed.run->path());
    }
    return paths;
  }
  static std::set<std::string> Files(Engine& e) {
    std::set<std::string> paths;
    for (const std::string& name : SegmentFiles(*e.env, ".idx")) {
      paths.insert("data/segments/" + name);
    }
    return paths;
  }
  void Delete(Engine& e, int32_t from, int32_t to) {
    auto txn = e.Begin();
    for (int32_t id = from; id < to; ++id) {
      Change(e, *txn, id, std::nullopt);
      expected_.erase(id);
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
};

TEST_F(RunMergerTest, RunsThatOverlapBecomeOne) {
  const ShareScope nothing(&ShareOfNothing);
  const FanInScope three(3);
  Engine e;
  Build(e, 5);
  ASSERT_TRUE(Eventually([&] { return Listed(e) == 10 && Runs(e) <= 6; }));
  CheckAll(e);
  EXPECT_TRUE(e.db->VerifySegments().empty());
  const FanInScope two(2);
  ASSERT_TRUE(MergedToOne(e, 10));
  CheckAll(e);
  // What was merged is gone, and the rest is found by a start.
  EXPECT_TRUE(Eventually([&] { return Files(e) == PathsOfRuns(e); }));
  const std::set<std::string> files = Files(e);
  e.Restart();
  EXPECT_EQ(Runs(e), 2u);
  EXPECT_EQ(PathsOfRuns(e), files);
  for (const auto& index : IndexesOf(e)) EXPECT_EQ(index->size(), 100u);
  CheckAll(e);
  e.Crash(1);
  EXPECT_EQ(Listed(e), 10u);
  CheckAll(e);
}

// The first index has its keys in the order in which they came, the second has not.
TEST_F(RunMergerTest, RunsThatDoNotOverlapStay) {
  const ShareScope nothing(&ShareOfNothing);
  const FanInScope two(2);
  Engine e;
  e.CreateTable({.secondary = {{0, 1}, {1}}});
  for (int32_t i = 0; i < 4; ++i) {
    Add(e, i * kOfSegment, kOfSegment);
    ASSERT_TRUE(e.Freeze().ok());
  }
  ASSERT_TRUE(Eventually([&] { return RunsOfEach(e) == std::vector<size_t>{4, 1}; }));
  CheckIndexes(e, expected_);
}

TEST_F(RunMergerTest, AScanMissesNoEntryOfRunsThatAreMergedMeanwhile) {
  const ShareScope nothing(&ShareOfNothing);
  for (const bool backward : {false, true}) {
    expected_.clear();
    Engine e;
    Build(e);
    ASSERT_TRUE(LetAllGo(e, 6));
    KeyRange range;
    range.backward = backward;
    const auto visited = [&](size_t visits) {
      if (visits != 1777) return;
      const FanInScope two(2);
      ASSERT_TRUE(MergedToOne(e, 6));
    };
    const auto found = Range(e, 1, range, visited);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(*found, ExpectedByValue(INT32_MIN, INT32_MAX, backward));
  }
}

TEST_F(RunMergerTest, EntriesComeBackFromAMergedRunAndLeaveForIt) {
  const FanInScope two(2);
  Engine e;
  {
    const ShareScope nothing(&ShareOfNothing);
    Build(e);
    ASSERT_TRUE(MergedToOne(e, 6));
  }
  const std::set<std::string> merged = PathsOfRuns(e);
  {
    const ShareScope plenty(&ShareOfPlenty);
    ASSERT_TRUE(LetAllGo(e, 0));
    for (const auto& index : IndexesOf(e)) EXPECT_EQ(index->size(), expected_.size());
    CheckAll(e);
    // Its files stay for the next start.
    ASSERT_TRUE(e.db->Checkpoint().ok());
    EXPECT_EQ(Files(e), merged);
  }
  const ShareScope nothing(&ShareOfNothing);
  ASSERT_TRUE(LetAllGo(e, 6));
  EXPECT_EQ(PathsOfRuns(e), merged);
  CheckAll(e);
}

// Rows that got another key, rows that kept theirs in new versions, rows that are gone.
TEST_F(RunMergerTest, DeadSegmentsLeaveARun) {
  const ShareScope nothing(&ShareOfNothing);
  Engine e;
  Build(e, 4);
  {
    const FanInScope two(2);
    ASSERT_TRUE(MergedToOne(e, 8));
  }
  Update(e, 1, [](int32_t id) { return id % 3 == 0 ? 200'000 + id : ValueOf(id); });
  // A quarter: the run stays as it is, and so does what is known of the segment.
  CheckAll(e);
  EXPECT_EQ(Runs(e), 2u);
  Delete(e, kOfSegment, 2 * kOfSegment);
  ASSERT_TRUE(LetAllGo(e, 4));
  EXPECT_EQ(Runs(e), 4u);
  for (const auto& index : IndexesOf(e)) EXPECT_GE(index->size(), size_t{kOfSegment});
  CheckAll(e);
  ASSERT_TRUE(Eventually([&] { return Files(e) == PathsOfRuns(e); }));
  {
    const FanInScope two(2);
    // What was changed lies in segments as well then, in one or more.
    ASSERT_TRUE(Eventually([&] { return e.Freeze().ok() && Listed(e) >= 6 && Runs(e) == 2; }));
    CheckAll(e);
  }
  e.Crash(2);
  CheckAll(e);
  ASSERT_TRUE(e.db->Checkpoint().ok());
  EXPECT_EQ(SegmentFiles(*e.env).size(), Listed(e) / 2);
}

TEST_F(RunMergerTest, ARunGoesWithTheLastOfItsSegments) {
  const ShareScope nothing(&ShareOfNothing);
  Engine e;
  Build(e, 2);
  {
    const FanInScope two(2);
    ASSERT_TRUE(MergedToOne(e, 4));
  }
  Delete(e, 0, 2 * kOfSegment);
  ASSERT_TRUE(LetAllGo(e, 0));
  EXPECT_TRUE(Eventually([&] { return e.db->Checkpoint().ok() && Files(e).empty(); }));
  CheckAll(e);
}

TEST_F(RunMergerTest, ARunOfFewEntriesGoesToo) {
  const ShareScope nothing(&ShareOfNothing);
  const FanInScope two(2);
  Engine e;
  e.CreateTable({.secondary = {{2}}});
  for (int32_t id = 0; id < 2; ++id) {
    Put(e, id, 1, [](int32_t) { return Text("same"); });
    ASSERT_TRUE(Eventually([&] { return *e.Freeze() == 1; }));
  }
  ASSERT_TRUE(MergedToOne(e, 2));
  Delete(e, 0, 2);
  ASSERT_TRUE(LetAllGo(e, 0));
  CheckIndexes(e, expected_);
}

TEST_F(RunMergerTest, DamageIsToldAndMendedFromTheSegments) {
  const ShareScope nothing(&ShareOfNothing);
  Engine e;
  Build(e);
  {
    const FanInScope two(2);
    ASSERT_TRUE(MergedToOne(e, 6));
  }
  // Entries of these are in the run of a segment that is dead then.
  Update(e, 1, [](int32_t id) { return ValueOf(id); });
  const size_t dead = 2;
  for (const std::string& file : Files(e)) ASSERT_TRUE(e.env->FlipBit(file, 100, 1).ok());
  const std::vector<Status> damages = e.db->VerifySegments();
  EXPECT_GE(damages.size(), 1u);
  for (const Status& damage : damages) EXPECT_TRUE(damage.Is(sqlstate::kDataCorrupted));
  ASSERT_TRUE(Eventually([&] { return Range(e, 1, {}).ok() && Range(e, 2, {}).ok(); }));
  ASSERT_TRUE(LetAllGo(e, 6 - dead));
  CheckAll(e);
  EXPECT_TRUE(e.db->VerifySegments().empty());
}

TEST_F(RunMergerTest, MergedRunsThatAreMissingOrDamagedAtAStartAreMadeAnew) {
  for (const int how : {0, 1, 2, 3}) {
    expected_.clear();
    const ShareScope nothing(&ShareOfNothing);
    const FanInScope two(2);
    Engine e;
    Build(e);
    ASSERT_TRUE(MergedToOne(e, 6));
    ASSERT_TRUE(e.db->Close().ok());
    e.db.reset();
    const std::set<std::string> files = Files(e);
    ASSERT_EQ(files.size(), 2u);
    const uint64_t size = *e.env->FileSize(*files.begin());
    if (how == 0) {
      ASSERT_TRUE(e.env->Remove(*files.begin()).ok());
    }
    if (how == 1) {
      ASSERT_TRUE(e.env->FlipBit(*files.begin(), size - 70, 3).ok());
    }
    if (how == 2) {
      ASSERT_TRUE(e.env->Truncate(*files.begin(), size / 2).ok());
    }
    if (how == 3) {
      ASSERT_TRUE(e.env->Rename(*files.rbegin(), *files.begin()).ok());
    }
    e.Open();
    CheckAll(e);
    ASSERT_TRUE(MergedToOne(e, 6));
    CheckAll(e);
    EXPECT_TRUE(e.db->VerifySegments().empty());
  }
}

// Beside what was merged from them, as a crash before their removal leaves it.
TEST_F(RunMergerTest, AStartListsEachSegmentOnce) {
  const ShareScope nothing(&ShareOfNothing);
  Engine e;
  Build(e);
  ASSERT_TRUE(LetAllGo(e, 6));
  std::map<std::string, std::string> before;
  for (const std::string& file : Files(e)) {
    before[file] = *env::ReadFileToString(*e.env, file, 1 << 20);
  }
  {
    const FanInScope two(2);
    ASSERT_TRUE(MergedToOne(e, 6));
  }
  const std::set<std::string> merged = PathsOfRuns(e);
  ASSERT_TRUE(e.db->Close().ok());
  e.db.reset();
  for (const auto& [file, bytes] : before) {
    ASSERT_TRUE(env::ReplaceFile(*e.env, file, bytes).ok());
  }
  e.Open();
  EXPECT_EQ(Listed(e), 6u);
  EXPECT_EQ(PathsOfRuns(e), merged);
  EXPECT_EQ(Files(e), merged);
  CheckAll(e);
}

TEST_F(RunMergerTest, AMergeThatFailsChangesNothing) {
  for (const uint32_t ops : {testutil::kOpRead, testutil::kOpWrites}) {
    expected_.clear();
    Engine e(SmallOptions());
    const ShareScope nothing(&ShareOfNothing);
    Build(e);
    ASSERT_TRUE(LetAllGo(e, 6));
    ASSERT_TRUE(e.db->Close().ok());
    e.db.reset();
    testutil::FaultEnv watched(*e.env);
    e.OpenOn(watched);
    watched.AddRule({.ops = ops, .path_contains = ".idx", .error = EIO});
    const FanInScope two(2);
    ASSERT_TRUE(Eventually([&] { return watched.fault_count() >= 5; }));
    EXPECT_EQ(Runs(e), 6u);
    if (ops == testutil::kOpWrites) CheckAll(e);
    watched.ClearRules();
    ASSERT_TRUE(MergedToOne(e, 6));
    CheckAll(e);
    EXPECT_TRUE(SegmentFiles(*e.env, ".tmp").empty());
    e.db.reset();
  }
}

// What is left at each file operation has all rows in each index.
TEST_F(RunMergerTest, APowerFailureLosesNoEntry) {
  Engine e(SmallOptions());
  e.CreateTable({.unique = {{1}}, .secondary = {{2, 0}}});
  for (int32_t i = 0; i < 3; ++i) {
    Add(e, i * 100, 100);
    ASSERT_TRUE(e.Freeze().ok());
  }
  CrashRecorder crashes(e, expected_);
  {
    const ShareScope nothing(&ShareOfNothing);
    const FanInScope two(2);
    ASSERT_TRUE(Eventually([&] { return Listed(e) > 0 && Runs(e) == 2; }));
    auto txn = e.Begin();
    Pairs next = expected_;
    for (int32_t id = 0; id < 200; ++id) {
      Change(e, *txn, id, id % 2 == 0 ? 300'000 + id : ValueOf(id));
      next[id] = id % 2 == 0 ? 300'000 + id : ValueOf(id);
    }
    crashes.Commit(*txn, next);
    txn.reset();
    expected_ = next;
    // Two of the segments are dead: what was merged is taken apart, and a new one gets a run.
    const auto taken_apart = [&] {
      const auto indexes = IndexesOf(e);
      return std::all_of(indexes.begin(), indexes.end(), [](const auto& index) {
        const IndexRuns& runs = index->runs();
        return !runs.Has(0) && !runs.Has(1) && runs.Has(2) && runs.Has(3);
      });
    };
    ASSERT_TRUE(Eventually([&] { return e.Freeze().ok() && taken_apart(); }));
    ASSERT_TRUE(e.db->Checkpoint().ok());
  }
  EXPECT_GT(crashes.Check([&] { return CommittedAndIndexed(e); }), 60u);
}

// Rows of a segment that was dead before a start may be unknown after it.
TEST_F(RunMergerTest, EntriesOfRowsThatTheTableDoesNotKnowAreNone) {
  const ShareScope nothing(&ShareOfNothing);
  const FanInScope two(2);
  constexpr int32_t kRows = 250;
  constexpr int32_t kSegments = 8;
  Engine e;
  e.CreateTable({.unique = {{1}}, .secondary = {{2, 0}}});
  for (int32_t i = 0; i < kSegments; ++i) {
    Add(e, i * kRows, kRows);
    ASSERT_TRUE(e.Freeze().ok());
  }
  ASSERT_TRUE(MergedToOne(e, 2 * kSegments));
  Delete(e, (kSegments - 1) * kRows, kSegments * kRows);
  ASSERT_TRUE(Eventually([&] { return e.Freeze().ok() && e.db->stats().rows_frozen == 1750; }));
  e.Restart();
  e.Restart();
  EXPECT_EQ(Listed(e), 2u * (kSegments - 1));
  CheckAll(e);
  for (int32_t id = (kSegments - 1) * kRows; id < kSegments * kRows; ++id) {
    const auto found = FindByValue(e, ValueOf(id));
    ASSERT_TRUE(found.ok());
    EXPECT_FALSE(found->has_value());
  }
  Add(e, (kSegments - 1) * kRows, kRows);
  CheckAll(e);
}

// A run that is taken apart and a run of one of its segments each have the entries of the other
// one's rows: only one of the two may go without entering them.
TEST_F(RunMergerTest, NothingComesBackOfARunThatIsTakenApart) {
  Engine e;
  std::shared_ptr<Relation> relation;
  {
    const ShareScope nothing(&ShareOfNothing);
    const FanInScope two(2);
    e.CreateTable({.unique = {{1}}, .secondary = {{2, 0}}});
    for (int32_t i = 4; i-- > 0;) {  // The least keys are in the last segment.
      Add(e, i * kOfSegment, kOfSegment);
      ASSERT_TRUE(e.Freeze().ok());
    }
    ASSERT_TRUE(MergedToOne(e, 8));
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    relation = e.Open(context);
    txn.reset();
    ASSERT_TRUE(e.db->Close().ok());  // Its threads have ended.
  }
  auto& opened = static_cast<RelationImpl&>(*relation);
  const std::vector<std::shared_ptr<Table>> tables = {opened.storage().shared_from_this()};
  Table& table = *tables.front();
  TableIndex& index = *(*table.indexes())[1];
  const auto live_entries = [&] {
    std::set<std::pair<std::string, uint64_t>> found;
    EntryCursor cursor(index, index.BoundsOf({}), /*backward=*/false);
    RowId row;
    std::string_view key;
    for (;;) {
      const Result<bool> more = cursor.Next(&row, &key);
      EXPECT_TRUE(more.ok());
      if (!more.ok() || !*more) return found;
      if (row.value() > uint64_t{2} * kOfSegment) found.emplace(key, row.value());
    }
  };
  const auto before = live_entries();
  ASSERT_EQ(before.size(), size_t{2} * kOfSegment);
  table.frozen().Abandon(0);
  table.frozen().Abandon(1);
  static std::atomic<uint64_t> share;
  const ShareScope room([] { return share.load(); });
  Mutex mu;
  const KeyBudget budget(0, opened.segment_files());
  const RunMerger merger(opened.segment_files(), mu);
  bool is_apart = false;
  const auto beside = [&] {
    if (is_apart || index.runs().all().size() == 1) return false;
    is_apart = true;
    // There is room for primary keys and one of the segments, but not for all.
    uint64_t used = 0;
    for (const auto& each : *table.indexes()) used += each->memory_bytes();
    share = 2 * (used + uint64_t{150} * kOfSegment);
    budget.Enforce(tables, [] { return false; });
    return false;
  };
  ASSERT_EQ(merger.Step(tables, /*quiet=*/false, beside), RunMerger::Outcome::kDone);
  ASSERT_TRUE(is_apart);
  EXPECT_EQ(live_entries(), before);
}

// Memory is plentiful, so that nothing is listed.
TEST_F(RunMergerTest, FilesOfDeadSegmentsGo) {
  const ShareScope plenty(&ShareOfPlenty);
  Engine e;
  Build(e);
  ASSERT_TRUE(Eventually([&] { return Files(e).size() == 6; }));
  Delete(e, 0, kOfSegment);
  EXPECT_TRUE(Eventually([&] {
    return e.Freeze().ok() && e.db->Checkpoint().ok() && SegmentFiles(*e.env).size() == 2;
  }));
  EXPECT_TRUE(Eventually([&] { return e.db->Checkpoint().ok() && Files(e).size() == 4; }));
  CheckAll(e);
}

// A block has one of them, and its place in the run's list the whole key.
TEST_F(RunMergerTest, RunsOfKeysThatAreWideStayAsTheyAre) {
  const ShareScope nothing(&ShareOfNothing);
  const FanInScope two(2);
  constexpr int32_t kWide = 33;
  Engine e;
  e.CreateTable({.secondary = {{2}, {1, 0}}});
  for (int32_t i = 0; i < 2; ++i) {
    Put(e, i * kWide, kWide, [&](int32_t id) {
      texts_.push_back(std::to_string(id * 7919 % 100) + std::string(1 << 20, 'x'));
      return Text(texts_.back());
    });
    texts_.clear();
    ASSERT_TRUE(Eventually([&] { return *e.Freeze() > 0; }));
  }
  ASSERT_TRUE(Eventually([&] { return RunsOfEach(e) == std::vector<size_t>{2, 1}; }));
  // They come back some at a time.
  auto txn = e.Begin();
  StatementContext context = e.Statement(*txn);
  auto relation = e.Open(context);
  txn.reset();
  ASSERT_TRUE(e.db->Close().ok());
  Table& table = static_cast<RelationImpl&>(*relation).storage();
  TableIndex& wide = *(*table.indexes())[1];
  ASSERT_EQ(wide.runs().all().size(), 2u);
  size_t times = 0;
  const auto count = [&] {
    ++times;
    return false;
  };
  ASSERT_TRUE(table.EnterRun(wide, wide.runs().all().front(), count).ok());
  EXPECT_GE(times, size_t{kWide} / 5);
  EXPECT_EQ(wide.size(), size_t{kWide});
}

// A run has entries of segments that were dead before a start, some of rows that are alive in
// pages. These must not have them there only: its segments do not tell them.
TEST_F(RunMergerTest, WhatASegmentOfBeforeAStartHadIsNotLostWithARun) {
  Engine e;
  e.CreateTable({.unique = {{1}}, .secondary = {{2, 0}}});
  const auto add = [&](int32_t segment) {
    Add(e, segment * kOfSegment, kOfSegment);
    ASSERT_TRUE(e.Freeze().ok());
  };
  {
    const ShareScope nothing(&ShareOfNothing);
    for (int32_t segment = 0; segment < 5; ++segment) add(segment);
    {
      const FanInScope two(2);
      ASSERT_TRUE(MergedToOne(e, 10));
    }
    add(5);
    ASSERT_TRUE(LetAllGo(e, 12));
    Update(e, 1, ValueOf);
    e.Restart();
    e.Restart();
    ASSERT_TRUE(LetAllGo(e, 10));
    ASSERT_EQ(Runs(e), 4u);
  }
  const FanInScope two(2);
  {
    const ShareScope nothing(&ShareOfNothing);
    ASSERT_TRUE(MergedToOne(e, 10));
  }
  {
    const ShareScope plenty(&ShareOfPlenty);
    ASSERT_TRUE(LetAllGo(e, 0));
  }
  const ShareScope nothing(&ShareOfNothing);
  ASSERT_TRUE(MergedToOne(e, 10));
  for (const std::string& path : PathsOfRuns(e)) ASSERT_TRUE(e.env->FlipBit(path, 100, 1).ok());
  EXPECT_FALSE(e.db->VerifySegments().empty());
  ASSERT_TRUE(Eventually([&] { return e.db->VerifySegments().empty(); }));
  CheckAll(e);
}

}  // namespace
}  // namespace omendb::engine
