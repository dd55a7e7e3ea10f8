// Rows whose entries in secondary indexes have left for the runs of their segments: found by key
// and in order, changed, deleted and entered again; after starts, power failures and damage.
#include "engine/index_runs.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "base/sqlstate.h"
#include "engine/relation_impl.h"
#include "engine/segments_fixture.h"

namespace omendb::engine {
namespace {

uint64_t ShareOfPlenty() { return uint64_t{1} << 60; }

// What indexes may take: nothing, anything, or both in turn.
class Share {
 public:
  explicit Share(uint64_t (*share)()) : before_(KeyBudget::share_for_tests.exchange(share)) {}
  ~Share() { KeyBudget::share_for_tests = before_; }

 private:
  uint64_t (*const before_)();
};

// Table t (id, v, s): v is unique, s is one of five texts or NULL and has an index with id behind.
class IndexRunsTest : public SegmentsTest {
 protected:
  static constexpr int32_t kOfSegment = 2600;

  static types::Value TextOf(int32_t id) {
    static constexpr const char* kTexts[] = {"a", "bb", "ccc", "dddd",
                                             "a longer one of many bytes"};
    return id % 6 == 5 ? types::Value::Null() : Text(kTexts[id % 6]);
  }
  static int32_t ValueOf(int32_t id) { return static_cast<int32_t>(id * 7919LL % 100'003); }
  void Add(Engine& e, int32_t first, int32_t count) { Put(e, first, count, TextOf); }
  void Put(Engine& e, int32_t first, int32_t count,
           const std::function<types::Value(int32_t)>& text_of) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    for (int32_t id = first; id < first + count; ++id) {
      const types::Value row[] = {Int(id), Int(ValueOf(id)), text_of(id)};
      ASSERT_TRUE(relation->Insert(context, row).ok()) << id;
      expected_[id] = ValueOf(id);
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  // Segments of kOfSegment rows each, and a few rows in pages.
  void Build(Engine& e, int32_t segments = 3) {
    e.CreateTable({.unique = {{1}}, .secondary = {{2, 0}}});
    for (int32_t i = 0; i < segments; ++i) {
      Add(e, i * kOfSegment, kOfSegment);
      ASSERT_TRUE(e.Freeze().ok());
    }
    Add(e, segments * kOfSegment, 100);
  }
  static std::vector<std::shared_ptr<TableIndex>> IndexesOf(Engine& e) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    std::vector<std::shared_ptr<TableIndex>> found;
    for (const auto& index : *static_cast<RelationImpl&>(*relation).storage().indexes()) {
      if (!index->is_row_map()) found.push_back(index);
    }
    return found;
  }
  static size_t Listed(Engine& e) {
    size_t count = 0;
    for (const auto& index : IndexesOf(e)) count += index->runs().all().size();
    return count;
  }
  static bool LetAllGo(Engine& e, size_t runs) {
    return Eventually([&] { return Listed(e) == runs; });
  }
  // v of the rows with this v, by the unique index.
  Result<std::optional<int32_t>> FindByValue(Engine& e, int32_t v) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    const types::Value key[] = {Int(v)};
    OMEN_ASSIGN(const auto found, relation->Lookup(context, relation->table().indexes[1].oid, key));
    if (!found) return std::optional<int32_t>();
    types::Value id;
    const ColumnId column[] = {ColumnId(1)};
    OMEN_TRY(relation->Read(*found, column, e.arena, &id));
    return std::optional<int32_t>(id.i32);
  }
  // Ids in the order of index `number`.
  Result<std::vector<int32_t>> Range(Engine& e, size_t number, const KeyRange& range,
                                     const std::function<void(size_t)>& visited = nullptr) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    std::vector<int32_t> ids;
    const auto visit = [&](RowRef row) -> Result<bool> {
      const ColumnId column[] = {ColumnId(1)};
      types::Value id;
      OMEN_TRY(relation->Read(row, column, e.arena, &id));
      ids.push_back(id.i32);
      if (visited) visited(ids.size());
      return true;
    };
    OMEN_TRY(relation->ScanIndex(context, relation->table().indexes[number].oid, range, visit));
    return ids;
  }
  std::vector<int32_t> ExpectedByValue(int32_t low, int32_t high, bool backward) const {
    std::vector<std::pair<int32_t, int32_t>> found;
    for (const auto& [id, v] : expected_) {
      if (v >= low && v < high) found.emplace_back(v, id);
    }
    std::sort(found.begin(), found.end());
    if (backward) std::reverse(found.begin(), found.end());
    std::vector<int32_t> ids;
    for (const auto& [v, id] : found) ids.push_back(id);
    return ids;
  }
  void CheckRanges(Engine& e) {
    std::mt19937 random(7);
    for (int i = 0; i < 40; ++i) {
      KeyRange range;
      const auto low = static_cast<int32_t>(random() % 110'000) - 5000;
      const auto high = low + static_cast<int32_t>(random() % 20'000);
      range.lower = Int(low);
      range.upper = Int(high);
      range.upper_inclusive = false;
      range.backward = i % 2 == 0;
      const auto found = Range(e, 1, range);
      ASSERT_TRUE(found.ok()) << found.status().ToString();
      EXPECT_EQ(*found, ExpectedByValue(low, high, range.backward)) << low << " " << high;
    }
    for (int32_t text = 0; text < 5; ++text) {
      KeyRange range;
      range.equal = {TextOf(text)};
      range.backward = text % 2 == 0;
      const auto found = Range(e, 2, range);
      ASSERT_TRUE(found.ok());
      std::vector<int32_t> wanted;
      for (const auto& [id, v] : expected_) {
        if (id % 6 == text) wanted.push_back(id);
      }
      if (range.backward) std::reverse(wanted.begin(), wanted.end());
      EXPECT_EQ(*found, wanted) << text;
    }
  }
  void CheckPoints(Engine& e, int32_t step = 13) {
    std::map<int32_t, int32_t> by_value;
    for (const auto& [id, v] : expected_) by_value[v] = id;
    for (int32_t v = 0; v < 100'003; v += step) {
      const auto found = FindByValue(e, v);
      ASSERT_TRUE(found.ok()) << found.status().ToString();
      const auto wanted = by_value.find(v);
      EXPECT_EQ(*found, wanted == by_value.end() ? std::nullopt : std::optional(wanted->second));
    }
  }
  // Every so manieth row of the first segment, in one transaction.
  void Update(Engine& e, int32_t step, const std::function<int32_t(int32_t)>& value_of) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    for (int32_t id = 0; id < kOfSegment; id += step) {
      const auto seen = Find(e, context, id);
      ASSERT_TRUE(seen.has_value());
      const types::Value row[] = {Int(id), Int(value_of(id)), TextOf(id)};
      const auto done = relation->Update(context, *seen, row);
      ASSERT_TRUE(done.ok() && done->outcome == RowOutcome::kDone);
      expected_[id] = value_of(id);
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  void CheckAll(Engine& e) {
    CheckRanges(e);
    CheckPoints(e);
    CheckIndexes(e, expected_);
  }

  std::deque<std::string> texts_;  // of values
};

TEST_F(IndexRunsTest, RowsAreFoundByKeyAndInOrder) {
  const Share nothing(&ShareOfNothing);
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
  const Share in_turn(&ShareInTurn);
  Engine e;
  Build(e);
  for (int round = 0; round < 3; ++round) CheckAll(e);
}

TEST_F(IndexRunsTest, EntriesComeBackAfterAStart) {
  Engine e;
  {
    const Share nothing(&ShareOfNothing);
    Build(e);
    ASSERT_TRUE(LetAllGo(e, 6));
    e.Restart();
  }
  const Share plenty(&ShareOfPlenty);
  ASSERT_TRUE(LetAllGo(e, 0));
  for (const auto& index : IndexesOf(e)) EXPECT_EQ(index->size(), expected_.size());
  CheckAll(e);
}

TEST_F(IndexRunsTest, AScanMissesNoEntryThatMovesMeanwhile) {
  for (const bool backward : {false, true}) {
    for (const size_t at : {1, 16, 1777, 4000}) {
      expected_.clear();
      Engine e;
      const Share plenty(&ShareOfPlenty);
      Build(e);
      KeyRange range;
      range.backward = backward;
      const auto visited = [&](size_t visits) {
        if (visits != at && visits != at + 500) return;
        const Share share(visits == at ? &ShareOfNothing : &ShareOfPlenty);
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
  const Share nothing(&ShareOfNothing);
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
  const Share nothing(&ShareOfNothing);
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
  const Share nothing(&ShareOfNothing);
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
  const Share in_turn(&ShareInTurn);
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
    const Share plenty(&ShareOfPlenty);
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
  const Share plenty(&ShareOfPlenty);
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
    const Share nothing(&ShareOfNothing);
    ASSERT_TRUE(LetAllGo(e, 6));
    CheckAll(e);
    EXPECT_TRUE(e.db->VerifySegments().empty());
  }
}

// A run of an index with the same number, left from before a crash, is not taken for the new one's.
TEST_F(IndexRunsTest, RunsOfAnotherIndexAreNotTaken) {
  const Share nothing(&ShareOfNothing);
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
  const Share nothing(&ShareOfNothing);
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
  const Share nothing(&ShareOfNothing);
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
  auto opened = Database::Open(watched, SmallOptions());
  ASSERT_TRUE(opened.ok());
  e.db = std::move(opened).value();
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

TEST_F(IndexRunsTest, FilesGoWithTheirIndexAndTheirSegment) {
  const Share nothing(&ShareOfNothing);
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
    const Share nothing(&ShareOfNothing);
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
  const Share nothing(&ShareOfNothing);
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
    catalog::TableDef def = *e.Table(context);
    e.AddIndex(def, "t_new", {2}, true, false);
    ASSERT_TRUE(e.db->EditCatalog(*txn).Put(def).ok());
    context.catalog = e.db->CatalogFor(*txn);
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
  auto opened = Database::Open(watched, SmallOptions());
  ASSERT_TRUE(opened.ok());
  e.db = std::move(opened).value();
  const Share nothing(&ShareOfNothing);
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
