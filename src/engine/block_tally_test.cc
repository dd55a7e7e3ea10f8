#include "engine/block_tally.h"

#include <gtest/gtest.h>

#include "engine/segments_fixture.h"

namespace omendb::engine {
namespace {

constexpr int32_t kRows = 5000;  // Three blocks of each column.

class BlockTallyTest : public SegmentsTest {
 protected:
  void FillAndFreeze() {
    e_.CreateTable({});
    auto txn = e_.Begin();
    StatementContext context = e_.Statement(*txn);
    for (int32_t i = 0; i < kRows; ++i) {
      const types::Value row[] = {Int(i), Int(i), Text("text")};
      ASSERT_TRUE(e_.Open(context)->Insert(context, row).ok());
    }
    ASSERT_TRUE(e_.Commit(*txn).ok());
    const auto moved = e_.Freeze();
    ASSERT_TRUE(moved.ok()) << moved.status().ToString();
    ASSERT_EQ(*moved, static_cast<uint64_t>(kRows));
  }

  Engine e_{SmallOptions()};
};

TEST_F(BlockTallyTest, CountsScansOfItsTransactionWhileItStands) {
  FillAndFreeze();
  auto txn = e_.Begin();
  auto other = e_.Begin();
  Scan(e_, *txn);
  uint64_t read = 0;
  {
    const BlockTally tally(*txn);
    EXPECT_EQ(tally.counts().read, 0u);
    Scan(e_, *other);
    EXPECT_EQ(tally.counts().read, 0u);
    Scan(e_, *txn);
    read = tally.counts().read;
    EXPECT_GE(read, 6u);  // Two columns; the row ids are in blocks as well.
    Scan(e_, *txn);
    EXPECT_EQ(tally.counts().read, 2 * read);
  }
  Scan(e_, *txn);
  const BlockTally again(*txn);
  Scan(e_, *txn);
  EXPECT_EQ(again.counts().read, read);
}

TEST_F(BlockTallyTest, AScanMayOutliveIt) {
  FillAndFreeze();
  auto txn = e_.Begin();
  StatementContext context = e_.Statement(*txn);
  std::unique_ptr<Relation::Scan> scan;
  {
    const BlockTally tally(*txn);
    scan = e_.Open(context)->OpenScan(context, {.columns = {ColumnId(1)}});
  }
  const auto worker = scan->NewWorker();
  types::Chunk chunk;
  const auto more = scan->Next(*worker, chunk, nullptr);
  ASSERT_TRUE(more.ok() && *more);
  scan.reset();
}

}  // namespace
}  // namespace omendb::engine
