#include "engine/build_index.h"

#include <gtest/gtest.h>

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

TEST(BuildIndexTest, TellsHowManyRowsItHasRead) {
  Engine engine;
  engine.CreateTable({});
  InsertRows(engine, 0, kRows / 2);
  ASSERT_TRUE(engine.Freeze().ok());
  InsertRows(engine, kRows / 2, kRows);
  auto txn = engine.Begin();
  StatementContext context = engine.Statement(*txn);
  catalog::TableDef def = *engine.Table(context);
  engine.AddIndex(def, "t_v", {1}, false, false);
  ASSERT_TRUE(engine.db->EditCatalog(*txn).Put(def).ok());
  context.catalog = engine.db->CatalogFor(*txn);
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
