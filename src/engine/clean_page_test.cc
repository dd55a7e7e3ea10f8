// Lookups in full pages that are known to be clean, where no version's header is looked at.
#include "base/sqlstate.h"
#include "engine/engine_fixture.h"
#include "rowstore/page.h"

namespace omendb::engine {
namespace {

constexpr auto kRepeatableRead = txn::IsolationLevel::kRepeatableRead;
constexpr int32_t kRows = 3 * static_cast<int32_t>(rowstore::kPageSlots);

class CleanPageTest : public testing::Test {
 protected:
  void SetUp() override { e_.CreateTable({}); }

  void Insert(int32_t first, int32_t count, bool commit = true) {
    auto txn = e_.Begin();
    StatementContext context = e_.Statement(*txn);
    auto relation = e_.Open(context);
    for (int32_t id = first; id < first + count; ++id) {
      const types::Value row[] = {Int(id), Int(id), Text("a text that is not inline")};
      ASSERT_TRUE(relation->Insert(context, row).ok());
    }
    if (!commit) {
      e_.db->Abort(*txn);
      return;
    }
    ASSERT_TRUE(e_.Commit(*txn).ok());
  }
  // The row's v, or nullopt.
  std::optional<int32_t> Find(txn::Transaction& txn, int32_t id) {
    StatementContext context = e_.Statement(txn);
    auto relation = e_.Open(context);
    const auto row = Look(context, *relation, id);
    if (!row) return std::nullopt;
    types::Value v;
    const ColumnId column[] = {ColumnId(2)};
    EXPECT_TRUE(relation->Read(*row, column, e_.arena, &v).ok());
    return v.i32;
  }
  std::optional<int32_t> FindNow(int32_t id) {
    auto txn = e_.Begin();
    return Find(*txn, id);
  }
  void Set(txn::Transaction& txn, int32_t id, int32_t v) {
    StatementContext context = e_.Statement(txn);
    auto relation = e_.Open(context);
    const auto row = Look(context, *relation, id);
    ASSERT_TRUE(row.has_value());
    const types::Value values[] = {Int(id), Int(v), Text("")};
    ASSERT_TRUE(relation->Update(context, *row, values).ok());
  }
  void Delete(txn::Transaction& txn, int32_t id) {
    StatementContext context = e_.Statement(txn);
    auto relation = e_.Open(context);
    const auto row = Look(context, *relation, id);
    ASSERT_TRUE(row.has_value());
    ASSERT_TRUE(relation->Delete(context, *row).ok());
  }

  Engine e_;

 private:
  static std::optional<RowRef> Look(StatementContext& context, Relation& relation, int32_t id) {
    const types::Value key[] = {Int(id)};
    auto row = relation.Lookup(context, relation.table().primary_key()->oid, key);
    EXPECT_TRUE(row.ok());
    return row.ok() ? *row : std::nullopt;
  }
};

TEST_F(CleanPageTest, ASnapshotOfBeforeTheInsertSeesNone) {
  Insert(-1, 1);
  auto before = e_.Begin(kRepeatableRead);
  EXPECT_EQ(Find(*before, -1), -1);
  Insert(0, kRows);
  EXPECT_EQ(Find(*before, 5), std::nullopt);
  EXPECT_EQ(FindNow(5), 5);
  EXPECT_EQ(FindNow(kRows - 1), kRows - 1);
}

TEST_F(CleanPageTest, ChangesAreSeenByWhomTheyConcern) {
  Insert(0, kRows);
  auto before = e_.Begin(kRepeatableRead);
  EXPECT_EQ(Find(*before, 7), 7);
  auto writer = e_.Begin();
  Set(*writer, 7, 70);
  Delete(*writer, 8);
  EXPECT_EQ(Find(*writer, 7), 70);
  EXPECT_EQ(Find(*writer, 8), std::nullopt);
  EXPECT_EQ(FindNow(7), 7);
  EXPECT_EQ(FindNow(8), 8);
  ASSERT_TRUE(e_.Commit(*writer).ok());
  EXPECT_EQ(FindNow(7), 70);
  EXPECT_EQ(FindNow(8), std::nullopt);
  EXPECT_EQ(Find(*before, 7), 7);
  EXPECT_EQ(Find(*before, 8), 8);
  EXPECT_EQ(Find(*before, 9), 9);
}

TEST_F(CleanPageTest, AChangeThatIsUndoneLeavesTheRow) {
  Insert(0, kRows);
  auto writer = e_.Begin();
  Delete(*writer, 3);
  e_.db->Abort(*writer);
  EXPECT_EQ(FindNow(3), 3);
}

TEST_F(CleanPageTest, InsertsThatFillAPageAndAreUndoneAreNotSeen) {
  const auto slots = static_cast<int32_t>(rowstore::kPageSlots);
  Insert(0, slots - 10);
  Insert(slots - 10, slots, /*commit=*/false);
  EXPECT_EQ(FindNow(slots - 10), std::nullopt);
  Insert(slots - 10, slots);
  EXPECT_EQ(FindNow(slots - 10), slots - 10);
  EXPECT_EQ(FindNow(0), 0);
}

TEST_F(CleanPageTest, OneThatFillsAPageSeesWhatAnotherInItHasNotCommitted) {
  const auto slots = static_cast<int32_t>(rowstore::kPageSlots);
  auto open = e_.Begin();
  StatementContext context = e_.Statement(*open);
  const types::Value row[] = {Int(-5), Int(-5), Text("")};
  ASSERT_TRUE(e_.Open(context)->Insert(context, row).ok());
  Insert(0, 8 * slots);  // Whichever lane the open one's slot is in.
  EXPECT_EQ(FindNow(-5), std::nullopt);
  ASSERT_TRUE(e_.Commit(*open).ok());
  EXPECT_EQ(FindNow(-5), -5);
}

// Readers never miss a row, nor see two commits in one, while writers change rows of clean pages.
TEST_F(CleanPageTest, ReadersBesideWritersSeeWholeCommits) {
  Insert(0, kRows);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int32_t round = 1; round < 300; ++round) {
      auto txn = e_.Begin();
      Set(*txn, 1, round);
      Set(*txn, kRows - 1, round);
      ASSERT_TRUE(e_.Commit(*txn).ok());
    }
    stop = true;
  });
  while (!stop) {
    auto reader = e_.Begin(kRepeatableRead);
    const auto a = Find(*reader, 1);
    const auto b = Find(*reader, kRows - 1);
    ASSERT_TRUE(a.has_value() && b.has_value());
    if (*a != 1 || *b != kRows - 1) {
      ASSERT_EQ(*a, *b);
    }
  }
  writer.join();
}

}  // namespace
}  // namespace omendb::engine
