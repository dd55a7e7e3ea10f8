#include "engine/build_index.h"

#include <gtest/gtest.h>

#include "base/sqlstate.h"
#include "engine/engine_fixture.h"

namespace omendb::engine {
namespace {

constexpr int kRows = 5000;

void InsertRows(Engine& engine, int from, int to) {
  auto txn = engine.Begin();
  StatementContext context = engine.Statement(*txn);
  const auto relation = engine.Open(context);
  for (int i = from; i < to; ++i) {
    const types::Value row[] = {Int(i), Int(i % 10), Text("s")};
    ASSERT_TRUE(relation->Insert(context, row).ok());
  }
  ASSERT_TRUE(engine.Commit(*txn).ok());
}

// Which rows are read, and where: of pages, of segments, or of segments of which runs are written.
struct Places {
  bool frozen;
  bool runs;
};
class BuildIndexPlacesTest : public ::testing::TestWithParam<Places> {};

TEST_P(BuildIndexPlacesTest, EndsWhenItIsCancelled) {
  Engine engine;
  engine.CreateTable({});
  InsertRows(engine, 0, kRows);
  if (GetParam().frozen) {
    ASSERT_TRUE(engine.Freeze().ok());
  }
  const ShareScope share(GetParam().runs ? &ShareOfNothing : &ShareOfPlenty);
  auto txn = engine.Begin();
  StatementContext context = engine.Statement(*txn);
  const catalog::TableDef def = engine.DefineIndex(context, "t_v", {1}, false);
  CancelFlag cancel;
  cancel.Set(CancelFlag::Reason::kUserRequest);
  context.cancel = &cancel;
  EXPECT_TRUE(engine.db->BuildIndex(context, def, def.indexes.back()).Is(sqlstate::kQueryCanceled));
  cancel.Clear();
  EXPECT_TRUE(engine.db->BuildIndex(context, def, def.indexes.back()).ok());
  EXPECT_TRUE(engine.Commit(*txn).ok());
}

INSTANTIATE_TEST_SUITE_P(Rows, BuildIndexPlacesTest,
                         ::testing::Values(Places{false, false}, Places{true, false},
                                           Places{true, true}));

TEST(BuildIndexTest, TellsHowManyRowsItHasRead) {
  Engine engine;
  engine.CreateTable({});
  InsertRows(engine, 0, kRows / 2);
  ASSERT_TRUE(engine.Freeze().ok());
  InsertRows(engine, kRows / 2, kRows);
  auto txn = engine.Begin();
  StatementContext context = engine.Statement(*txn);
  const catalog::TableDef def = engine.DefineIndex(context, "t_v", {1}, false);
  StatementProgress progress;
  context.progress = &progress;
  {
    const CommandProgress::Scope scope(
        progress.command, {CommandProgress::Kind::kCreateIndex, def.oid, def.indexes.back().oid});
    ASSERT_TRUE(engine.db->BuildIndex(context, def, def.indexes.back()).ok());
    const auto told = progress.command.Get();
    ASSERT_TRUE(told.has_value());
    EXPECT_EQ(told->target.table, def.oid);
    EXPECT_EQ(told->target.index, def.indexes.back().oid);
    EXPECT_TRUE(told->is_loading);
    EXPECT_EQ(told->rows_done, static_cast<uint64_t>(kRows));
    EXPECT_EQ(told->rows_total, static_cast<uint64_t>(kRows));
  }
  EXPECT_FALSE(progress.command.Get().has_value());
}

}  // namespace
}  // namespace omendb::engine
