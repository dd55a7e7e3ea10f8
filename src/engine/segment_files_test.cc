// Numbers of segment files and of what lies beside them.
#include "engine/segment_files.h"

#include <gtest/gtest.h>

#include "engine/bulk_load.h"
#include "engine/relation_impl.h"
#include "engine/segments_fixture.h"

namespace omendb::engine {
namespace {

class SegmentFilesTest : public SegmentsTest {
 protected:
  static constexpr int32_t kRows = 2000;

  // Ids 0, 1, ... ; the values of 10 and 11 are exchanged where `exchanged` says so.
  Status Load(Engine& e, txn::Transaction& txn, bool exchanged) {
    StatementContext context = e.Statement(txn);
    BulkLoad load(context, e.Open(context), {.rows_min = 1, .rest_min = 1, .segment_rows = kRows});
    for (int32_t id = 0; id < kRows; ++id) {
      const int32_t of = exchanged && (id == 10 || id == 11) ? 21 - id : id;
      const int32_t v = static_cast<int32_t>(of * 7919LL % 100'003);
      const types::Value row[] = {Int(id), Int(v), Text("text")};
      OMEN_TRY(load.AppendRow(row));
      expected_[id] = v;
    }
    return load.Finish();
  }
};

// A load is lost in a crash after the entries of its rows had left for a run, which cannot be
// removed. Repeated with other values it gives a segment that differs in its blocks only: the run
// is not taken for that one's.
TEST_F(SegmentFilesTest, ANumberIsNotGivenAgainWhileAFileHasIt) {
  Engine e(SmallOptions());
  e.CreateTable({.secondary = {{1}}});
  std::unique_ptr<testutil::MemEnv> after;
  {
    const auto before = KeyBudget::share_for_tests.exchange(&ShareOfNothing);
    auto lost = e.Begin();
    ASSERT_TRUE(Load(e, *lost, false).ok());
    EXPECT_TRUE(Eventually([&] { return !SegmentFiles(*e.env, ".idx").empty(); }));
    KeyBudget::share_for_tests = before;
    after = e.env->CrashClone(1, testutil::CrashLoss::kNothing);
    e.db->Abort(*lost);
  }
  e.db.reset();
  e.env = std::move(after);
  const std::set<std::string> left = SegmentFiles(*e.env, ".idx");
  ASSERT_EQ(left.size(), 1u);
  {
    testutil::FaultEnv watched(*e.env);
    watched.AddRule({.ops = testutil::kOpRemove, .path_contains = ".idx", .error = EACCES});
    e.OpenOn(watched);
    auto txn = e.Begin();
    ASSERT_TRUE(Load(e, *txn, true).ok());
    ASSERT_TRUE(e.Commit(*txn).ok());
    txn.reset();
    EXPECT_EQ(left, SegmentFiles(*e.env, ".idx"));
    ASSERT_TRUE(e.db->Close().ok());
    e.db.reset();
  }
  e.Open();
  EXPECT_EQ(CommittedAndIndexed(e), expected_);
  EXPECT_TRUE(SegmentFiles(*e.env, ".idx").empty());
}

}  // namespace
}  // namespace omendb::engine
