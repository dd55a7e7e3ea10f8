// Unique keys of many rows that are looked up in index runs before the rows are entered.
#include "engine/bulk_load.h"
#include "engine/bulk_update.h"
#include "engine/index_runs_fixture.h"

namespace omendb::engine {
namespace {

class RunsAheadTest : public IndexRunsTest {
 protected:
  static constexpr int32_t kRows = 1500;
  static constexpr ColumnId kValue[] = {ColumnId(2)};
  static constexpr ColumnId kAll[] = {ColumnId(1), ColumnId(2), ColumnId(3)};

  // Ids from `first` on, each with the value that `value_of` gives. `failed`: the row that it got
  // to.
  Status Load(Engine& e, txn::Transaction& txn, int32_t first,
              const std::function<int32_t(int32_t)>& value_of, uint64_t* failed) {
    StatementContext context = e.Statement(txn);
    BulkLoad load(context, e.Open(context), {.rows_min = 1, .rest_min = 1, .segment_rows = 700});
    Status loaded;
    for (int32_t id = first; id < first + kRows && loaded.ok(); ++id) {
      const types::Value row[] = {Int(id), Int(value_of(id)), TextOf(id)};
      loaded = load.AppendRow(row);
    }
    if (loaded.ok()) loaded = load.Finish();
    *failed = load.failed_row();
    return loaded;
  }
  // v of all rows of the first segment becomes what `value_of` gives.
  Status UpdateAll(Engine& e, txn::Transaction& txn,
                   const std::function<int32_t(int32_t)>& value_of) {
    StatementContext context = e.Statement(txn);
    auto relation = e.Open(context);
    BulkUpdate updates(context, relation, kValue,
                       {.rows_min = 1, .rest_min = 1, .segment_rows = 1000});
    auto scan =
        relation->OpenScan(context, {.columns = {kAll[0], kAll[1], kAll[2]}, .with_refs = true});
    auto worker = scan->NewWorker();
    types::Chunk chunk;
    std::vector<RowRef> refs;
    for (;;) {
      OMEN_ASSIGN(const bool more, scan->Next(*worker, chunk, &refs));
      if (!more) break;
      for (uint32_t i = 0; i < chunk.rows_count; ++i) {
        const int32_t id = chunk.columns[0].Get(i).i32;
        if (id >= kOfSegment) continue;
        const types::Value row[] = {Int(id), Int(value_of(id)), chunk.columns[2].Get(i)};
        OMEN_TRY(updates.Update(refs[i], row).status());
      }
    }
    return updates.Finish().status();
  }
};

// Of rows in the runs of segments, merged or not, and in pages.
TEST_F(RunsAheadTest, ALoadFindsKeysThatAreThere) {
  const ShareScope nothing(&ShareOfNothing);
  for (const bool merged : {false, true}) {
    expected_.clear();
    const FanInScope fan_in(merged ? 2 : FanInScope::kNever);
    Engine e;
    Build(e);
    ASSERT_TRUE(LetAllGo(e, 6));
    if (merged) {
      ASSERT_TRUE(Eventually([&] { return IndexesOf(e)[0]->runs().all().size() == 1; }));
    }
    for (const int32_t there : {0, 2599, 5000, 7799, 7850}) {
      for (const int32_t at : {0, 699, 700, 1499}) {
        auto txn = e.Begin();
        uint64_t failed = 0;
        const Status loaded = Load(
            e, *txn, 50'000,
            [&](int32_t id) { return id - 50'000 == at ? ValueOf(there) : 500'000 - id; }, &failed);
        EXPECT_TRUE(loaded.Is(sqlstate::kUniqueViolation)) << there << " " << at;
        EXPECT_EQ(loaded.error().detail,
                  "Key (v)=(" + std::to_string(ValueOf(there)) + ") already exists.");
        EXPECT_EQ(failed, static_cast<uint64_t>(at));
        e.db->Abort(*txn);
      }
    }
    auto txn = e.Begin();
    uint64_t failed = 0;
    ASSERT_TRUE(Load(
                    e, *txn, 50'000, [](int32_t id) { return 500'000 - id; }, &failed)
                    .ok());
    ASSERT_TRUE(e.Commit(*txn).ok());
    for (int32_t id = 50'000; id < 50'000 + kRows; ++id) expected_[id] = 500'000 - id;
    CheckIndexes(e, expected_);
  }
}

// The key of a row that is gone, or has another by now, is free.
TEST_F(RunsAheadTest, KeysThatRunsStillHaveMayBeFree) {
  const ShareScope nothing(&ShareOfNothing);
  Engine e;
  Build(e);
  ASSERT_TRUE(LetAllGo(e, 6));
  {
    auto txn = e.Begin();
    for (int32_t id = 0; id < kRows; ++id) {
      const bool stays = id % 2 == 0;
      Change(e, *txn, id, stays ? std::optional(400'000 + id) : std::nullopt);
      if (stays) expected_[id] = 400'000 + id;
      if (!stays) expected_.erase(id);
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  auto txn = e.Begin();
  uint64_t failed = 0;
  const Status loaded = Load(
      e, *txn, 50'000, [](int32_t id) { return ValueOf(id - 50'000); }, &failed);
  ASSERT_TRUE(loaded.ok()) << loaded.ToString();
  ASSERT_TRUE(e.Commit(*txn).ok());
  for (int32_t id = 0; id < kRows; ++id) expected_[50'000 + id] = ValueOf(id);
  CheckPoints(e);
  CheckIndexes(e, expected_);
}

TEST_F(RunsAheadTest, AnUpdateOfManyRowsFindsKeysThatAreThere) {
  const ShareScope nothing(&ShareOfNothing);
  Engine e;
  Build(e);
  ASSERT_TRUE(LetAllGo(e, 6));
  for (const int32_t there : {2600, 5000, 7850}) {
    for (const int32_t at : {0, 1000, 2599}) {
      auto txn = e.Begin();
      const Status updated =
          UpdateAll(e, *txn, [&](int32_t id) { return id == at ? ValueOf(there) : 500'000 - id; });
      EXPECT_TRUE(updated.Is(sqlstate::kUniqueViolation)) << there << " " << at;
      e.db->Abort(*txn);
    }
  }
  auto txn = e.Begin();
  ASSERT_TRUE(UpdateAll(e, *txn, [](int32_t id) { return 500'000 - id; }).ok());
  ASSERT_TRUE(e.Commit(*txn).ok());
  for (int32_t id = 0; id < kOfSegment; ++id) expected_[id] = 500'000 - id;
  CheckAll(e);
}

// Of two loads at once, with entries that leave and come back, one has each key.
TEST_F(RunsAheadTest, LoadsAtOnceGiveAKeyOnce) {
  const ShareScope in_turn(&ShareInTurn);
  const FanInScope two(2);
  Engine e(SmallOptions());
  Build(e, 2);
  for (int round = 0; round < 6; ++round) {
    std::atomic<int> loaded{0};
    std::vector<std::thread> threads;
    for (const int32_t first : {100'000, 200'000}) {
      threads.emplace_back([&, first] {
        auto txn = e.db->Begin({});
        const int32_t begin = first + 2 * kRows * round;
        uint64_t failed = 0;
        const auto value_of = [&](int32_t id) {
          return 1'000'000 + 2 * kRows * round + id % kRows;
        };
        const Status done = Load(e, *txn, begin, value_of, &failed);
        if (!done.ok()) {
          EXPECT_TRUE(done.Is(sqlstate::kUniqueViolation) || done.Is(sqlstate::kDeadlockDetected))
              << done.ToString();
          e.db->Abort(*txn);
          return;
        }
        ThreadWaiter waiter;
        ASSERT_TRUE(e.db->Commit(*txn, waiter).ok());
        loaded.fetch_add(1);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_LE(loaded.load(), 1);
  }
  CheckIndexes(e, Committed(e));
}

}  // namespace
}  // namespace omendb::engine
