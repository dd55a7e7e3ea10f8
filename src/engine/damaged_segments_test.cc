// Segments that cannot be opened: their tables are not read, everything else is, and nothing is
// written until the files are back.
#include <gtest/gtest.h>

#include <map>

#include "base/sqlstate.h"
#include "engine/bulk_update_fixture.h"
#include "engine/check.h"

namespace omendb::engine {
namespace {

class DamagedSegmentsTest : public BulkUpdateTest {
 protected:
  static constexpr char kDir[] = "data/segments";

  // Without a last checkpoint.
  static void Stop(Engine& e) {
    auto left = e.env->CrashClone(1, testutil::CrashLoss::kNothing);
    e.db.reset();
    e.env = std::move(left);
  }
  static std::string FirstFile(Engine& e) { return *SegmentFiles(*e.env).begin(); }
  static void Flip(Engine& e, const std::string& file, uint64_t offset) {
    ASSERT_TRUE(e.env->FlipBit(env::JoinPath(kDir, file), offset, 3).ok());
  }
  static std::map<std::string, std::string> Contents(env::Env& env) {
    std::map<std::string, std::string> contents;
    for (const std::string dir : {"data", "data/wal", kDir}) {
      const std::vector<std::string> names = *env.List(dir);
      for (const std::string& name : names) {
        const std::string path = env::JoinPath(dir, name);
        const auto file = env.NewRandomAccessFile(path);
        if (!file.ok() || name == "lock") continue;
        std::string& bytes = contents[path];
        bytes.resize(*env.FileSize(path));
        EXPECT_TRUE((*file)->Read(0, bytes).ok());
      }
    }
    return contents;
  }
  static Status CheckReadable(Engine& e, const std::string& table, bool rest) {
    auto txn = e.Begin();
    const StatementContext context = e.Statement(*txn);
    return e.db->CheckReadable(*e.Table(context, table), rest);
  }
  // Table "t" is told to be damaged in this file, "other" can be read and not written.
  void ExpectDamage(Engine& e, const std::string& file) {
    EXPECT_TRUE(e.db->is_damaged());
    const Status told = CheckReadable(e, "t", /*rest=*/false);
    EXPECT_TRUE(told.Is(sqlstate::kDataCorrupted) || told.Is(sqlstate::kUndefinedFile));
    EXPECT_NE(told.ToString().find(file), std::string::npos) << told.ToString();
    EXPECT_TRUE(CheckReadable(e, "other", /*rest=*/false).ok());
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto other = e.Open(context, "other");
    EXPECT_EQ(*other->CountRows(context), 50u);
    const types::Value row[] = {Int(1000), Int(1), Text("new")};
    Status refused = other->Insert(context, row).status();
    if (refused.ok()) refused = e.Commit(*txn);
    EXPECT_TRUE(refused.Is(sqlstate::kDataCorrupted)) << refused.ToString();
    EXPECT_NE(refused.ToString().find(file), std::string::npos) << refused.ToString();
    EXPECT_FALSE(e.db->health().ok());
    EXPECT_FALSE(e.db->Checkpoint().ok());
    EXPECT_FALSE(e.Freeze("other").ok());
    const auto damages = e.db->VerifySegments();
    ASSERT_FALSE(damages.empty());
    EXPECT_NE(damages[0].ToString().find(file), std::string::npos);
  }
  // Stops, and starts again with its first file damaged, which it returns.
  std::string OpenDamaged(Engine& e) {
    Stop(e);
    std::string file = FirstFile(e);
    Flip(e, file, 5);
    e.Open();
    ExpectDamage(e, file);
    return file;
  }
  void OpenMended(Engine& e, const std::string& file) {
    e.db.reset();
    Flip(e, file, 5);
    e.Open();
    Check(e, expected_);
  }
  void FillOther(Engine& e) {
    e.CreateTable({.name = "other"});
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    for (int32_t i = 0; i < 50; ++i) {
      const types::Value row[] = {Int(i), Int(i), Text("other")};
      ASSERT_TRUE(e.Open(context, "other")->Insert(context, row).ok());
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  void InsertRows(Engine& e, int32_t from, int32_t to) {
    auto txn = e.Begin();
    for (int32_t i = from; i < to; ++i) {
      ASSERT_TRUE(Insert(e, *txn, i, 10 * i).ok());
      expected_[i] = 10 * i;
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  // Two segments of which the checkpoint tells, rows in pages, and changes of all of them in the
  // log.
  void FillAll(Engine& e) {
    Fill(e, 300);
    FillOther(e);
    ASSERT_TRUE(e.Freeze("other").ok());
    InsertRows(e, 300, 500);
    ASSERT_TRUE(e.Freeze().ok());
    InsertRows(e, 500, 520);
    ASSERT_TRUE(e.db->Checkpoint().ok());
    InsertRows(e, 520, 540);
    auto txn = e.Begin();
    Delete(e, *txn, 0, 10);
    for (const int32_t id : {20, 310, 505, 525}) {
      Change(e, *txn, id, -id);
      expected_[id] = -id;
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
    Erase(expected_, 0, 10);
    Stop(e);
  }
};

TEST_F(DamagedSegmentsTest, EachByteKeepsNobodyElseFromBeingRead) {
  Engine e(SmallOptions());
  FillAll(e);
  const std::unique_ptr<testutil::MemEnv> whole =
      e.env->CrashClone(1, testutil::CrashLoss::kNothing);
  const std::string file = FirstFile(e);
  const uint64_t size = *whole->FileSize(env::JoinPath(kDir, file));
  int unopened = 0;
  for (uint64_t offset = 0; offset < size; offset += offset < 100 || offset + 400 > size ? 7 : 61) {
    SCOPED_TRACE(offset);
    e.env = whole->CrashClone(1, testutil::CrashLoss::kNothing);
    Flip(e, file, offset);
    ASSERT_NO_FATAL_FAILURE(e.Open());
    if (e.db->is_damaged()) {
      ++unopened;
      ASSERT_NO_FATAL_FAILURE(ExpectDamage(e, file));
    }
    e.db.reset();
  }
  EXPECT_GT(unopened, 20);
}

TEST_F(DamagedSegmentsTest, NothingIsWrittenUntilTheFileIsBack) {
  Engine e(SmallOptions());
  FillAll(e);
  const std::string file = FirstFile(e);
  Flip(e, file, 5);
  const auto before = Contents(*e.env);
  e.Open();
  ASSERT_NO_FATAL_FAILURE(ExpectDamage(e, file));
  EXPECT_TRUE(e.db->Close().ok());
  e.db.reset();
  EXPECT_TRUE(Contents(*e.env) == before);
  Flip(e, file, 5);
  e.Open();
  EXPECT_FALSE(e.db->is_damaged());
  EXPECT_TRUE(CheckReadable(e, "t", /*rest=*/false).ok());
  Check(e, expected_);
  InsertRows(e, 1000, 1010);
  CheckAndCrash(e, 3);
}

TEST_F(DamagedSegmentsTest, RowsOfOtherFilesAreReadByWhoWantsThem) {
  Engine e(SmallOptions());
  FillAll(e);
  const std::string file = FirstFile(e);
  ASSERT_TRUE(e.env->Remove(env::JoinPath(kDir, file)).ok());
  e.Open();
  ASSERT_NO_FATAL_FAILURE(ExpectDamage(e, file));
  EXPECT_TRUE(CheckReadable(e, "t", /*rest=*/true).ok());
  // What was changed in the log is not in the file.
  Pairs rest;
  for (const auto& [id, v] : expected_) {
    if (id >= 300 || id == 20) rest[id] = v;
  }
  Check(e, rest);
}

TEST_F(DamagedSegmentsTest, RowsThatTheLogHasAreThereStill) {
  Engine e(SmallOptions());
  Fill(e, 300);
  FillOther(e);
  OpenDamaged(e);
  EXPECT_TRUE(CheckReadable(e, "t", /*rest=*/true).ok());
  Check(e, expected_);
}

// What the log tells of places in the file is not known to be of rows that it has itself.
TEST_F(DamagedSegmentsTest, RowsDeletedInTheFileComeBackWithTheRest) {
  Engine e(SmallOptions());
  Fill(e, 300);
  FillOther(e);
  auto txn = e.Begin();
  Delete(e, *txn, 100, 200);
  ASSERT_TRUE(e.Commit(*txn).ok());
  Erase(expected_, 100, 200);
  InsertRows(e, 150, 160);
  const std::string file = OpenDamaged(e);
  EXPECT_TRUE(CheckReadable(e, "t", /*rest=*/true).ok());
  Pairs rest = expected_;
  for (int32_t i = 100; i < 200; ++i) rest[i] = 10 * i;
  Check(e, rest);
  OpenMended(e, file);
}

TEST_F(DamagedSegmentsTest, KeysThatWouldComeTwiceLeaveNoRest) {
  Engine e(SmallOptions());
  spec_.unique = {{1}};
  Fill(e, 300);
  FillOther(e);
  auto txn = e.Begin();
  Delete(e, *txn, 100, 200);
  ASSERT_TRUE(Insert(e, *txn, 1000, 1500).ok());  // The value that row 150 had.
  ASSERT_TRUE(e.Commit(*txn).ok());
  Erase(expected_, 100, 200);
  expected_[1000] = 1500;
  const std::string file = OpenDamaged(e);
  EXPECT_FALSE(CheckReadable(e, "t", /*rest=*/true).ok());
  OpenMended(e, file);
}

TEST_F(DamagedSegmentsTest, ATableThatIsNotThereAnyMoreKeepsNothing) {
  Engine e(SmallOptions());
  FillAll(e);
  e.Open();
  auto txn = e.Begin();
  {
    StatementContext context = e.Statement(*txn);
    const Oid table = e.Table(context)->oid;
    ASSERT_TRUE(e.db->EditCatalog(*txn).Drop(catalog::ObjectKind::kTable, table).ok());
  }
  ASSERT_TRUE(e.Commit(*txn).ok());
  Stop(e);
  const std::string file = FirstFile(e);
  Flip(e, file, 5);
  e.Open();
  EXPECT_FALSE(e.db->is_damaged());
  EXPECT_TRUE(e.db->health().ok());
}

TEST_F(DamagedSegmentsTest, TheCheckTellsOfIt) {
  Engine e(SmallOptions());
  FillAll(e);
  const std::string file = FirstFile(e);
  Flip(e, file, 5);
  const auto report = CheckDatabase(*e.env, "data");
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  ASSERT_EQ(report->problems.size(), 1u);
  EXPECT_NE(report->problems[0].find(file), std::string::npos);
  ASSERT_EQ(report->tables.size(), 1u);
  EXPECT_EQ(report->tables[0].name, "public.other");
}

}  // namespace
}  // namespace omendb::engine
