// Rows whose primary keys have left the index: found by key and in order, changed, deleted and
// entered again, while keys leave, and after a restart.
#include <gmock/gmock.h>

#include <random>

#include "base/sqlstate.h"
#include "engine/segments_fixture.h"

namespace omendb::engine {
namespace {

// Two columns of a key, or one.
class FrozenKeysTest : public SegmentsTest, public ::testing::WithParamInterface<size_t> {
 protected:
  TableSpec Spec() const { return {.keys = GetParam()}; }
  // Rows id = first, first + step, ...; v is id as well, so that it can be part of the key.
  void Add(Engine& e, int32_t first, int32_t count, int32_t step) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    for (int32_t i = 0; i < count; ++i) {
      const int32_t id = first + i * step;
      const types::Value row[] = {Int(id), Int(id), Text("a text")};
      ASSERT_TRUE(relation->Insert(context, row).ok()) << id;
      expected_[id] = id;
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  void Freeze(Engine& e) { ASSERT_TRUE(e.Freeze().ok()); }
  std::vector<types::Value> Key(int32_t id) const {
    return std::vector<types::Value>(GetParam(), Int(id));
  }
  static uint64_t IndexBytes(Engine& e) { return e.db->stats().index_bytes; }
  bool Has(Engine& e, int32_t id) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    const auto found = relation->Lookup(context, relation->table().primary_key()->oid, Key(id));
    EXPECT_TRUE(found.ok());
    return found.ok() && found->has_value();
  }
  std::vector<int32_t> Range(Engine& e, const KeyRange& range,
                             const std::function<void(int32_t)>& visited = nullptr) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    std::vector<int32_t> ids;
    const auto visit = [&](RowRef row) -> Result<bool> {
      const ColumnId column[] = {ColumnId(1)};
      types::Value id;
      OMEN_TRY(relation->Read(row, column, e.arena, &id));
      ids.push_back(id.i32);
      if (visited) visited(id.i32);
      return true;
    };
    EXPECT_TRUE(
        relation->ScanIndex(context, relation->table().primary_key()->oid, range, visit).ok());
    return ids;
  }
  std::vector<int32_t> ExpectedRange(int32_t low, int32_t high, bool backward) const {
    std::vector<int32_t> ids;
    for (const auto& [id, v] : expected_) {
      if (id >= low && id < high) ids.push_back(id);
    }
    if (backward) std::reverse(ids.begin(), ids.end());
    return ids;
  }
  void CheckRanges(Engine& e) {
    std::mt19937 random(7);
    for (int i = 0; i < 60; ++i) {
      KeyRange range;
      const auto low = static_cast<int32_t>(random() % 7000) - 500;
      const auto high = low + static_cast<int32_t>(random() % 3000);
      range.lower = Int(low);
      range.upper = Int(high);
      range.upper_inclusive = false;
      range.backward = i % 2 == 0;
      EXPECT_EQ(Range(e, range), ExpectedRange(low, high, range.backward)) << low << " " << high;
    }
  }
  // Three segments that overlap, and rows in pages among them.
  void Build(Engine& e) {
    e.CreateTable(Spec());
    Add(e, 0, 1000, 6);
    Freeze(e);
    Add(e, 1, 1000, 6);
    Freeze(e);
    Add(e, 3002, 500, 6);
    Freeze(e);
    Add(e, 3, 300, 6);
  }
};
INSTANTIATE_TEST_SUITE_P(KeyColumns, FrozenKeysTest, ::testing::Values(1, 2));

TEST_P(FrozenKeysTest, RowsAreFoundByKeyAndInOrder) {
  const ShareScope let_go(&ShareOfNothing);
  Engine e;
  Build(e);
  CheckRanges(e);
  for (int32_t id = -3; id < 6100; ++id) EXPECT_EQ(Has(e, id), expected_.contains(id)) << id;
  e.Restart();
  CheckRanges(e);
  for (int32_t id = -3; id < 6100; ++id) EXPECT_EQ(Has(e, id), expected_.contains(id)) << id;
}

TEST_P(FrozenKeysTest, RowsAreFoundWhileTheirKeysLeaveAndComeBack) {
  const ShareScope in_turn(&ShareInTurn);
  Engine e;
  Build(e);
  for (int round = 0; round < 5; ++round) {
    CheckRanges(e);
    for (int32_t id = -3; id < 6100; ++id) EXPECT_EQ(Has(e, id), expected_.contains(id)) << id;
  }
}

TEST_P(FrozenKeysTest, KeysComeBackAfterAStart) {
  Engine e;
  Build(e);
  const uint64_t keys = IndexBytes(e);
  e.Restart();
  const uint64_t without = IndexBytes(e);
  EXPECT_LT(without, keys);
  CheckRanges(e);
  ASSERT_TRUE(Eventually([&] { return IndexBytes(e) > without; }));
  CheckRanges(e);
  for (int32_t id = -3; id < 6100; ++id) EXPECT_EQ(Has(e, id), expected_.contains(id)) << id;
}

TEST_P(FrozenKeysTest, AScanMissesNoKeyThatLeavesMeanwhile) {
  for (const bool backward : {false, true}) {
    for (const int32_t at : {0, 5, 777, 2900}) {
      expected_.clear();
      Engine e;
      Build(e);
      KeyRange range;
      range.backward = backward;
      int32_t visits = 0;
      const auto visited = [&](int32_t) {
        if (visits++ != at) return;
        const ShareScope let_go(&ShareOfNothing);
        Freeze(e);
      };
      EXPECT_EQ(Range(e, range, visited), ExpectedRange(INT32_MIN, INT32_MAX, backward)) << at;
    }
  }
}

TEST_P(FrozenKeysTest, KeysAreTakenOnceWhereverTheyAre) {
  const ShareScope let_go(&ShareOfNothing);
  Engine e;
  Build(e);
  auto txn = e.Begin();
  StatementContext context = e.Statement(*txn);
  const types::Value row[] = {Int(6), Int(6), Text("again")};
  EXPECT_TRUE(e.Open(context)->Insert(context, row).status().Is(sqlstate::kUniqueViolation));
}

TEST_P(FrozenKeysTest, DeletedRowsAreEnteredAgain) {
  const ShareScope let_go(&ShareOfNothing);
  Engine e;
  Build(e);
  for (int round = 0; round < 3; ++round) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    for (int32_t id = 0; id < 300; id += 6) {
      const auto found = relation->Lookup(context, relation->table().primary_key()->oid, Key(id));
      ASSERT_TRUE(found.ok() && found->has_value()) << id;
      ASSERT_TRUE(relation->Delete(context, **found).ok());
      expected_.erase(id);
    }
    const uint64_t reclaimed = e.db->stats().versions_reclaimed;
    ASSERT_TRUE(e.Commit(*txn).ok());
    txn.reset();
    CheckRanges(e);
    // In the first round the deleted rows may still be there, later they are gone.
    if (round > 0) {
      ASSERT_TRUE(Eventually([&] { return e.db->stats().versions_reclaimed >= reclaimed + 50; }));
    }
    Add(e, 0, 50, 6);
    CheckRanges(e);
    Freeze(e);
    CheckRanges(e);
  }
  e.Crash(1);
  CheckRanges(e);
  const auto problems = e.db->VerifySegments();
  EXPECT_TRUE(problems.empty());
}

}  // namespace
}  // namespace omendb::engine
