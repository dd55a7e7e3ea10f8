// Morsels of a scan by key: none is of many more rows than others, wherever rows lie, as the
// receiver may have to keep and sort it.
#include "engine/key_scan.h"

#include "engine/segments_fixture.h"

namespace omendb::engine {
namespace {

constexpr int32_t kRows = 70'000;
constexpr uint64_t kMorselRows = 8 * colstore::kBlockRows;

class KeyScanTest : public SegmentsTest {
 protected:
  // Rows that lie in pages beyond all keys that there were.
  void Append(Engine& e, int32_t first, int32_t count) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    for (int32_t i = first; i < first + count; ++i) {
      const types::Value row[] = {Int(i), Int(10 * i), Text("text")};
      ASSERT_TRUE(relation->Insert(context, row).ok());
      expected_[i] = 10 * i;
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  // The most rows of a morsel.
  uint64_t LongestMorsel(Engine& e) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto scan = e.Open(context)->OpenScan(
        context, {.order = Relation::KeyOrder::kDescending, .columns = {ColumnId(1)}});
    auto worker = scan->NewWorker();
    types::Chunk chunk;
    std::map<uint64_t, uint64_t> rows;
    for (;;) {
      const auto more = scan->Next(*worker, chunk, nullptr);
      EXPECT_TRUE(more.ok()) << more.status().ToString();
      if (!more.ok() || !*more) break;
      rows[scan->MorselOf(*worker)] += chunk.rows_count;
    }
    uint64_t longest = 0;
    for (const auto& [morsel, count] : rows) longest = std::max(longest, count);
    return longest;
  }
  Pairs expected_;
};

TEST_F(KeyScanTest, MorselsOfRowsInPagesAreShort) {
  Engine e;
  Fill(e, kRows, expected_);
  EXPECT_LE(LongestMorsel(e), kMorselRows);
  EXPECT_EQ(Committed(e), expected_);  // In order, by a scan by key as well.
}

TEST_F(KeyScanTest, MorselsOfRowsBeyondSegmentsAreShort) {
  Engine e;
  Fill(e, kRows, expected_);
  ASSERT_TRUE(e.Freeze().ok());
  Append(e, kRows, kRows);
  EXPECT_LE(LongestMorsel(e), 2 * kMorselRows);  // of segment and pages
  EXPECT_EQ(Committed(e), expected_);
}

}  // namespace
}  // namespace omendb::engine
