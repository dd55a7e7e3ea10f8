// Rows found through a secondary index beside a std::multimap, while they are inserted, changed,
// deleted and frozen, entries leave and come back, runs are merged and taken apart, and the
// database starts again; and by threads at once.
#include <map>
#include <random>
#include <thread>

#include "engine/index_runs_fixture.h"

namespace omendb::engine {
namespace {

// Table t (id, v, s) with an index on v, which many rows share.
class RunMergerModelTest : public SegmentsTest,
                           public ::testing::WithParamInterface<uint64_t (*)()> {
 protected:
  using ByValue = std::multimap<int32_t, int32_t>;

  // Ids of the rows with v in [low, high), by the index.
  ByValue Find(Engine& e, int32_t low, int32_t high, bool backward) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    KeyRange range;
    range.lower = Int(low);
    range.upper = Int(high);
    range.upper_inclusive = false;
    range.backward = backward;
    ByValue found;
    const auto visit = [&](RowRef row) -> Result<bool> {
      const ColumnId columns[] = {ColumnId(1), ColumnId(2)};
      types::Value values[2];
      OMEN_TRY(relation->Read(row, columns, e.arena, values));
      found.emplace(values[1].i32, values[0].i32);
      return true;
    };
    const Status scanned =
        relation->ScanIndex(context, relation->table().indexes[1].oid, range, visit);
    EXPECT_TRUE(scanned.ok()) << scanned.ToString();
    return found;
  }
  static ByValue Sorted(const ByValue& rows) {
    std::vector<std::pair<int32_t, int32_t>> all(rows.begin(), rows.end());
    std::sort(all.begin(), all.end());
    return ByValue(all.begin(), all.end());
  }
  void Compare(Engine& e) {
    ByValue model;
    for (const auto& [id, v] : expected_) model.emplace(v, id);
    for (int i = 0; i < 12; ++i) {
      const auto low = static_cast<int32_t>(random_() % kValues);
      const int32_t high = i < 6 ? low + 1 : low + static_cast<int32_t>(random_() % kValues);
      const ByValue wanted(model.lower_bound(low), model.lower_bound(high));
      EXPECT_EQ(Sorted(Find(e, low, high, i % 2 == 0)), Sorted(wanted)) << low << " " << high;
    }
  }
  int32_t RandomValue() { return static_cast<int32_t>(random_() % kValues); }
  void Insert(Engine& e, int32_t count) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    for (int32_t i = 0; i < count; ++i) {
      const int32_t v = RandomValue();
      const types::Value row[] = {Int(next_id_), Int(v), Text("text")};
      ASSERT_TRUE(relation->Insert(context, row).ok());
      expected_[next_id_++] = v;
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  // Of the rows from `from` on: every so manieth gets a value, keeps its own in a new version, or
  // is deleted. Some transactions are undone.
  void ChangeSome(Engine& e) {
    if (expected_.empty()) return;
    auto txn = e.Begin();
    Pairs next = expected_;
    const auto from = static_cast<int32_t>(random_() % static_cast<uint32_t>(next_id_));
    const auto step = static_cast<int32_t>(1 + random_() % 3);
    const bool whole = random_() % 3 == 0;  // all of some segments
    for (int32_t id = from; id < from + (whole ? 1500 : 200); id += whole ? 1 : step) {
      if (!next.contains(id)) continue;
      const auto how = random_() % 4;
      if (how == 0) {
        Change(e, *txn, id, std::nullopt);
        next.erase(id);
      } else {
        next[id] = how == 1 ? next[id] : RandomValue();
        Change(e, *txn, id, next[id]);
      }
    }
    if (random_() % 4 == 0) {
      e.db->Abort(*txn);
      return;
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
    expected_ = std::move(next);
  }

  static constexpr int32_t kValues = 300;
  std::mt19937 random_{5};
  int32_t next_id_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Shares, RunMergerModelTest,
                         ::testing::Values(&ShareOfNothing, &ShareInTurn, &ShareOfPlenty));

TEST_P(RunMergerModelTest, TheIndexHasWhatAMultimapHas) {
  const ShareScope share(GetParam());
  const FanInScope two(2);
  Engine e(SmallOptions());
  e.CreateTable({.secondary = {{1}}});
  for (int round = 0; round < 60; ++round) {
    switch (random_() % 5) {
      case 0:
      case 1:
        Insert(e, 600);
        ASSERT_TRUE(e.Freeze().ok());
        break;
      case 2:
      case 3:
        ChangeSome(e);
        break;
      default:
        if (random_() % 2 == 0) {
          e.Restart();
        } else {
          e.Crash(round);
        }
    }
    ASSERT_NO_FATAL_FAILURE(Compare(e));
  }
  CheckIndexes(e, expected_);
  EXPECT_TRUE(e.db->VerifySegments().empty());
}

// Readers see in the index what a scan of their snapshot sees.
TEST_P(RunMergerModelTest, ReadersAndAWriterBesideMerges) {
  const ShareScope share(GetParam());
  const FanInScope two(2);
  Engine e(SmallOptions());
  e.CreateTable({.secondary = {{1}}});
  for (int i = 0; i < 4; ++i) {
    Insert(e, 500);
    ASSERT_TRUE(e.Freeze().ok());
  }
  std::atomic<bool> stop{false};
  std::vector<std::thread> others;
  others.emplace_back([&] {
    while (!stop) EXPECT_TRUE(e.Freeze().ok());
  });
  for (int i = 0; i < 2; ++i) {
    others.emplace_back([&] {
      while (!stop) {
        auto txn = e.Begin(txn::IsolationLevel::kRepeatableRead);
        CheckIndexes(e, *txn, Scan(e, *txn));
      }
    });
  }
  for (int round = 0; round < 40; ++round) {
    ChangeSome(e);
    if (round % 8 == 0) Insert(e, 300);
  }
  stop = true;
  for (std::thread& other : others) other.join();
  CheckIndexes(e, expected_);
  Compare(e);
}

}  // namespace
}  // namespace omendb::engine
