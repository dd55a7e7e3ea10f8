// Files of index runs: what a start reads, what is missing or damaged, when they are made and
// removed, and what power failures and full disks leave.
#include "engine/check.h"
#include "engine/index_runs_fixture.h"

namespace omendb::engine {
namespace {

// Reads of a start, by the ends of the files' names.
std::map<std::string, uint64_t> ReadsOfAStart(Engine& e) {
  EXPECT_TRUE(e.db->Close().ok());
  e.db.reset();
  testutil::FaultEnv watched(*e.env);
  Mutex mu;
  std::map<std::string, uint64_t> reads;
  watched.SetHook([&](testutil::FaultOp op, const std::string& path) {
    MutexLock lock(mu);
    if (op == testutil::kOpRead) ++reads[path.substr(path.size() - 4)];
  });
  std::map<std::string, uint64_t> at_start;
  auto opened = Database::Open(watched, SmallOptions());
  EXPECT_TRUE(opened.ok());
  {
    MutexLock lock(mu);
    at_start = reads;
  }
  (*opened).reset();
  auto again = Database::Open(*e.env, SmallOptions());
  EXPECT_TRUE(again.ok());
  e.db = std::move(again).value();
  return at_start;
}

TEST_F(IndexRunsTest, AStartReadsNothingOfWhatIsFrozen) {
  std::map<std::string, uint64_t> without;
  {
    Engine e;
    e.CreateTable({});
    for (int32_t i = 0; i < 3; ++i) {
      Add(e, i * kOfSegment, kOfSegment);
      ASSERT_TRUE(e.Freeze().ok());
    }
    without = ReadsOfAStart(e);
  }
  expected_.clear();
  Engine e;
  {
    // Runs are written although there is room for all entries.
    const ShareScope plenty(&ShareOfPlenty);
    Build(e);
    ASSERT_TRUE(Eventually([&] { return SegmentFiles(*e.env, ".idx").size() == 6; }));
    EXPECT_EQ(Listed(e), 0u);
  }
  const auto reads = ReadsOfAStart(e);
  // Of a run its tail and its footer; the threads that begin then may have begun to take it back.
  EXPECT_EQ(reads.at(".seg"), without.at(".seg"));
  EXPECT_GE(reads.at(".idx"), 2u * 6);
  CheckAll(e);
}

TEST_F(IndexRunsTest, RunsThatAreMissingOrDamagedAtAStartAreMadeAnew) {
  const ShareScope plenty(&ShareOfPlenty);
  Engine e;
  Build(e);
  ASSERT_TRUE(Eventually([&] { return SegmentFiles(*e.env, ".idx").size() == 6; }));
  const std::set<std::string> files = SegmentFiles(*e.env, ".idx");
  size_t number = 0;
  for (const std::string& file : files) {
    const std::string path = "data/segments/" + file;
    const uint64_t size = *e.env->FileSize(path);
    switch (number++ % 4) {
      case 0:
        ASSERT_TRUE(e.env->Remove(path).ok());
        break;
      case 1:
        ASSERT_TRUE(e.env->FlipBit(path, size - 70, 3).ok());
        break;
      case 2:
        ASSERT_TRUE(e.env->Truncate(path, size / 2).ok());
        break;
      default:  // That of another segment.
        ASSERT_TRUE(e.env->Rename("data/segments/" + *files.begin(), path).ok() ||
                    env::ReplaceFile(*e.env, path, "no run").ok());
    }
  }
  e.Restart();
  CheckAll(e);
  const auto whole = [&] {
    const auto indexes = IndexesOf(e);
    return SegmentFiles(*e.env, ".idx").size() == 6 &&
           std::all_of(indexes.begin(), indexes.end(), [&](const auto& index) {
             return index->runs().IsWritten(1) && index->runs().IsWritten(2) &&
                    index->runs().IsWritten(3);
           });
  };
  ASSERT_TRUE(Eventually(whole));
  {
    const ShareScope nothing(&ShareOfNothing);
    ASSERT_TRUE(LetAllGo(e, 6));
    CheckAll(e);
    EXPECT_TRUE(e.db->VerifySegments().empty());
  }
}

// A run of an index with the same number, left from before a crash, is not taken for the new one's.
TEST_F(IndexRunsTest, RunsOfAnotherIndexAreNotTaken) {
  const ShareScope nothing(&ShareOfNothing);
  Engine e;
  Build(e, 1);
  ASSERT_TRUE(LetAllGo(e, 2));
  const std::set<std::string> files = SegmentFiles(*e.env, ".idx");
  ASSERT_EQ(files.size(), 2u);
  const std::string one = "data/segments/" + *files.begin();
  const std::string other = "data/segments/" + *files.rbegin();
  ASSERT_TRUE(e.db->Close().ok());
  e.db.reset();
  ASSERT_TRUE(e.env->Rename(one, other).ok());
  e.Open();
  CheckAll(e);
}

TEST_F(IndexRunsTest, DamageIsToldAndMended) {
  const ShareScope nothing(&ShareOfNothing);
  Engine e;
  Build(e);
  ASSERT_TRUE(LetAllGo(e, 6));
  e.Restart();
  ASSERT_EQ(Listed(e), 6u);
  for (const std::string& file : SegmentFiles(*e.env, ".idx")) {
    ASSERT_TRUE(e.env->FlipBit("data/segments/" + file, 100, 1).ok());  // of its first block
  }
  EXPECT_EQ(e.db->VerifySegments().size(), 6u);
  // What reads the block is told so, until the run is written anew.
  ASSERT_TRUE(Eventually([&] { return Range(e, 1, {}).ok() && Range(e, 2, {}).ok(); }));
  CheckAll(e);
  EXPECT_TRUE(e.db->VerifySegments().empty());
}

// As long as it cannot be mended.
TEST_F(IndexRunsTest, ADamagedBlockAnswersWhere) {
  const ShareScope nothing(&ShareOfNothing);
  Engine e(SmallOptions());
  Build(e, 1);
  ASSERT_TRUE(LetAllGo(e, 2));
  ASSERT_TRUE(e.db->Close().ok());
  e.db.reset();
  for (const std::string& file : SegmentFiles(*e.env, ".idx")) {
    ASSERT_TRUE(e.env->FlipBit("data/segments/" + file, 100, 1).ok());
  }
  testutil::FaultEnv watched(*e.env);
  watched.AddRule({.ops = testutil::kOpWrites, .path_contains = ".idx", .error = ENOSPC});
  e.OpenOn(watched);
  ASSERT_EQ(Listed(e), 2u);
  const auto found = Range(e, 1, {});
  EXPECT_TRUE(found.status().Is(sqlstate::kDataCorrupted));
  EXPECT_NE(found.status().ToString().find(".idx\" is damaged at offset 0: block 0"),
            std::string::npos)
      << found.status().ToString();
  watched.ClearRules();
  ASSERT_TRUE(Eventually([&] { return Range(e, 1, {}).ok() && Range(e, 2, {}).ok(); }));
  CheckAll(e);
  e.db.reset();
}

// And of what is damaged beside it.
TEST_F(IndexRunsTest, ACheckTellsOfEachDamage) {
  const ShareScope nothing(&ShareOfNothing);
  Engine e;
  Build(e);
  ASSERT_TRUE(LetAllGo(e, 6));
  ASSERT_TRUE(e.db->Close().ok());
  e.db.reset();
  std::set<std::string> damaged;
  for (const std::string& file : SegmentFiles(*e.env, ".idx")) {
    ASSERT_TRUE(e.env->FlipBit("data/segments/" + file, 100, 1).ok());
    damaged.insert(file);
  }
  const std::string segment = *SegmentFiles(*e.env).begin();
  ASSERT_TRUE(e.env->FlipBit("data/segments/" + segment, 200, 1).ok());
  damaged.insert(segment);
  const auto report = CheckDatabase(*e.env, "data");
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  for (const std::string& file : damaged) {
    EXPECT_EQ(std::count_if(report->problems.begin(), report->problems.end(),
                            [&](const std::string& problem) {
                              return problem.find(file + "\" is damaged at") != std::string::npos;
                            }),
              1)
        << file;
  }
}

TEST_F(IndexRunsTest, FilesGoWithTheirIndexAndTheirSegment) {
  const ShareScope nothing(&ShareOfNothing);
  Engine e;
  Build(e, 2);
  ASSERT_TRUE(LetAllGo(e, 4));
  EXPECT_EQ(SegmentFiles(*e.env, ".idx").size(), 4u);
  {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    catalog::TableDef def = *e.Table(context);
    def.indexes.pop_back();
    ASSERT_TRUE(e.db->EditCatalog(*txn).Put(def).ok());
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  ASSERT_TRUE(e.db->Checkpoint().ok());
  EXPECT_EQ(SegmentFiles(*e.env, ".idx").size(), 2u);
  {
    auto txn = e.Begin();
    for (int32_t id = 0; id < kOfSegment; ++id) {
      Change(e, *txn, id, std::nullopt);
      expected_.erase(id);
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  ASSERT_TRUE(LetAllGo(e, 1));
  ASSERT_TRUE(e.db->Checkpoint().ok());
  EXPECT_EQ(SegmentFiles(*e.env, ".idx").size(), 1u);
  EXPECT_EQ(SegmentFiles(*e.env).size(), 1u);
  // What a crash has left of one that was being written.
  ASSERT_TRUE(e.db->Close().ok());
  e.db.reset();
  const std::string left = "data/segments/" + *SegmentFiles(*e.env, ".idx").begin() + ".tmp";
  ASSERT_TRUE(env::ReplaceFile(*e.env, left, "half of it").ok());
  e.Open();
  EXPECT_TRUE(SegmentFiles(*e.env, ".tmp").empty());
  CheckIndexes(e, expected_);
}

// What is left at each file operation has all rows in each index.
TEST_F(IndexRunsTest, APowerFailureLosesNoEntry) {
  Engine e(SmallOptions());
  e.CreateTable({.unique = {{1}}, .secondary = {{2, 0}}});
  Add(e, 0, 300);
  ASSERT_TRUE(e.Freeze().ok());
  CrashRecorder crashes(e, expected_);
  {
    const ShareScope nothing(&ShareOfNothing);
    ASSERT_TRUE(LetAllGo(e, 2));
    auto txn = e.Begin();
    Pairs next = expected_;
    for (int32_t id = 0; id < 300; id += 3) {
      Change(e, *txn, id, 300'000 + id);
      next[id] = 300'000 + id;
    }
    crashes.Commit(*txn, next);
    txn.reset();
    // When what was there before is gone.
    ASSERT_TRUE(
        Eventually([&] { return e.Freeze().ok() && SegmentFiles(*e.env, ".idx").size() >= 4; }));
    ASSERT_TRUE(e.db->Checkpoint().ok());
  }
  EXPECT_GT(crashes.Check([&] { return CommittedAndIndexed(e); }), 30u);
}

// Without memory for its entries CREATE INDEX writes runs. A key that is there twice, in one of
// them, in two, or in one and a page, is found; NULLs and keys of rows that are gone, or have
// others by now, do not conflict.
TEST_F(IndexRunsTest, AUniqueIndexIsMadeWithoutMemoryForItsEntries) {
  const ShareScope nothing(&ShareOfNothing);
  for (const int32_t again : {-1, 100, 3000, 7850}) {
    expected_.clear();
    Engine e;
    e.CreateTable({});
    const auto text_of = [&](int32_t id) {
      return id % 2 == 1 ? types::Value::Null()
                         : Text(texts_.emplace_back("t" + std::to_string(id == again ? 50 : id)));
    };
    for (int32_t i = 0; i < 3; ++i) {
      Put(e, i * kOfSegment, kOfSegment, text_of);
      ASSERT_TRUE(e.Freeze().ok());
    }
    Put(e, 3 * kOfSegment, 100, text_of);
    {
      auto txn = e.Begin();
      Change(e, *txn, 60, std::nullopt);
      expected_.erase(60);
      Change(e, *txn, 70, ValueOf(70));  // gets the text "changed"
      ASSERT_TRUE(e.Commit(*txn).ok());
    }
    Put(e, 9000, 1, [](int32_t) { return Text("t60"); });
    Put(e, 9001, 1, [](int32_t) { return Text("t70"); });
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    const catalog::TableDef def = e.DefineIndex(context, "t_new", {2}, true);
    const Status built = e.db->BuildIndex(context, def, def.indexes.back());
    if (again >= 0) {
      EXPECT_TRUE(built.Is(sqlstate::kUniqueViolation)) << again << built.ToString();
      EXPECT_EQ(built.error().detail, "Key (s)=(t50) is duplicated.");
      continue;
    }
    ASSERT_TRUE(built.ok()) << built.ToString();
    ASSERT_TRUE(e.db->Checkpoint().ok());
    ASSERT_TRUE(e.Commit(*txn).ok());
    txn.reset();
    EXPECT_EQ(Listed(e), 3u);
    EXPECT_LT(IndexesOf(e)[0]->size(), 200u);
    CheckIndexes(e, expected_);
    EXPECT_EQ(SegmentFiles(*e.env, ".idx").size(), 3u);
    e.Crash(1);
    CheckIndexes(e, expected_);
  }
}

// The disk is full, or fails, whenever a run is written: entries stay where they are.
TEST_F(IndexRunsTest, RunsThatCannotBeWrittenLeaveEntriesInTheIndex) {
  Engine e(SmallOptions());
  ASSERT_TRUE(e.db->Close().ok());
  e.db.reset();
  testutil::FaultEnv watched(*e.env);
  e.OpenOn(watched);
  const ShareScope nothing(&ShareOfNothing);
  watched.AddRule({.ops = testutil::kOpWrites, .path_contains = ".idx", .error = ENOSPC});
  Build(e, 2);
  ASSERT_TRUE(Eventually([&] { return watched.fault_count() > 20; }));
  EXPECT_EQ(Listed(e), 0u);
  CheckAll(e);
  watched.ClearRules();
  ASSERT_TRUE(LetAllGo(e, 4));
  CheckAll(e);
  e.db.reset();
}

}  // namespace
}  // namespace omendb::engine
