// Random operations of several transactions against a model, and threads that move money.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "engine/model_fixture.h"

namespace omendb::engine {
namespace {

using txn::IsolationLevel;

class ModelTest : public ::testing::TestWithParam<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, ::testing::Range<uint64_t>(1, 7));

TEST_P(ModelTest, EverySnapshotSeesWhatTheModelSays) {
  Engine e;
  TableSpec spec = SpecOf(kKeyShapes[0]);
  spec.secondary = {{1}};
  e.CreateTable(spec);
  Model model(e, kKeyShapes[0], GetParam());
  for (int step = 0; step < 3000 && !::testing::Test::HasFatalFailure(); ++step) {
    model.Step();
    if (step % 1000 == 500) {
      ASSERT_TRUE(e.db->Checkpoint().ok());
    }
  }
  model.FinishAll();
  const auto committed = [&] {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    return ScanPairs(context, *e.Open(context));
  };
  EXPECT_EQ(committed(), model.committed());
  e.Crash(GetParam());
  EXPECT_EQ(committed(), model.committed());
  e.Restart();
  EXPECT_EQ(committed(), model.committed());
}

// The same with rows that are frozen, thawed, changed and frozen again, over several lives of the
// database.
void LiveFrozen(const KeyShape& shape, const TableSpec& spec, uint64_t seed, uint64_t lives) {
  const FullRowsScope full_rows(seed % 2 == 0 ? 6 : 20);
  Engine e;
  e.CreateTable(spec);
  Model model(e, shape, seed + 100, /*freezing=*/true);
  for (uint64_t life = 0; life < lives; ++life) {
    for (int step = 0; step < 1500 && !::testing::Test::HasFatalFailure(); ++step) {
      model.Step();
      if (step % 500 == 250) {
        ASSERT_TRUE(e.db->Checkpoint().ok());
      }
    }
    ASSERT_FALSE(::testing::Test::HasFatalFailure());
    model.FinishAll();
    const auto committed = [&] {
      auto txn = e.Begin();
      StatementContext context = e.Statement(*txn);
      return ScanPairs(context, *e.Open(context));
    };
    EXPECT_EQ(committed(), model.committed());
    if (life % 2 == 0) {
      e.Crash(seed + life);
    } else {
      e.Restart();
    }
    EXPECT_EQ(committed(), model.committed());
  }
  EXPECT_GT(model.frozen(), 25 * lives);
  EXPECT_GT(model.loaded(), 25 * lives);
  EXPECT_GT(model.deleted(), 25 * lives);
  EXPECT_GT(model.updated(), 25 * lives);
  EXPECT_GT(model.moved(), 25 * lives);
}

// The second index has the values, or the texts: then rows are replaced in segments.
class FrozenModelTest : public ::testing::TestWithParam<std::tuple<uint64_t, size_t>> {};
INSTANTIATE_TEST_SUITE_P(Seeds, FrozenModelTest,
                         ::testing::Combine(::testing::Range<uint64_t>(1, 7),
                                            ::testing::Values(size_t{1}, size_t{2})));

TEST_P(FrozenModelTest, FrozenRowsAreSeenOnceByEverySnapshot) {
  const auto [seed, indexed] = GetParam();
  TableSpec spec = SpecOf(kKeyShapes[0]);
  spec.secondary = {{indexed}};
  LiveFrozen(kKeyShapes[0], spec, seed, 4);
}

// With keys of every shape, and, for some, a unique index whose columns follow the key.
class ShapedModelTest : public ::testing::TestWithParam<std::tuple<uint64_t, KeyShape>> {};
INSTANTIATE_TEST_SUITE_P(Shapes, ShapedModelTest,
                         ::testing::Combine(::testing::Range<uint64_t>(1, 3),
                                            ::testing::ValuesIn(kKeyShapes)),
                         [](const auto& tested) {
                           return NameOfShape(std::get<1>(tested.param)) +
                                  std::to_string(std::get<0>(tested.param));
                         });

TEST_P(ShapedModelTest, FrozenRowsAreSeenOnceByEverySnapshot) {
  const auto& [seed, shape] = GetParam();
  TableSpec spec = SpecOf(shape);
  spec.secondary = {{4, 1}};
  if (seed % 2 == 0) spec.unique = {{4, 0}};
  LiveFrozen(shape, spec, seed + 200, 2);
}

constexpr int32_t kAccounts = 20;
constexpr int32_t kStart = 1000;

// Moves money from one account to another; false when it had to give up.
bool Transfer(Engine& e, std::mt19937_64& random) {
  const auto level =
      random() % 2 == 0 ? IsolationLevel::kReadCommitted : IsolationLevel::kRepeatableRead;
  auto txn = e.Begin(level);
  const int32_t from = static_cast<int32_t>(random() % kAccounts);
  const int32_t to = static_cast<int32_t>(random() % kAccounts);
  const int32_t amount = static_cast<int32_t>(random() % 10);
  for (const auto& [id, change] : {std::pair(from, -amount), std::pair(to, amount)}) {
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    const types::Value key[] = {Int(id)};
    auto row = relation->Lookup(context, relation->table().primary_key()->oid, key);
    if (!row.ok() || !row->has_value()) return false;
    RowRef current = **row;
    for (;;) {
      types::Value v;
      types::Arena arena;
      EXPECT_TRUE(relation->Read(current, kValueColumn, arena, &v).ok());
      const types::Value values[] = {Int(id), Int(v.i32 + change), Text("a transfer was here")};
      const bool replace = random() % 4 == 0;
      auto result =
          replace ? relation->Delete(context, current) : relation->Update(context, current, values);
      if (!result.ok()) {
        const std::string_view state = result.status().sqlstate();
        EXPECT_TRUE(state == "40001" || state == "40P01") << result.status().ToString();
        return false;
      }
      if (result->outcome == RowOutcome::kDone) {
        if (replace && !relation->Insert(context, values).ok()) return false;
        break;
      }
      if (result->outcome == RowOutcome::kGone) return false;  // Replaced by another.
      EXPECT_EQ(result->outcome, RowOutcome::kChanged);
      current = result->latest;
    }
  }
  if (random() % 10 == 0) return false;  // Destroyed while running: aborts.
  return e.Commit(*txn).ok();
}

// Adds to every second account what it takes from the others; false when it had to give up.
bool MoveBetweenAll(Engine& e, int32_t amount) {
  auto txn = e.Begin(IsolationLevel::kReadCommitted);
  StatementContext context = e.Statement(*txn);
  auto relation = e.Open(context);
  BulkUpdate updates(context, relation, kValueColumn,
                     {.rows_min = 1, .rest_min = 1, .segment_rows = 8});
  types::Arena arena;
  for (int32_t id = 0; id < kAccounts; ++id) {
    const types::Value key[] = {Int(id)};
    const auto row = relation->Lookup(context, relation->table().primary_key()->oid, key);
    if (!row.ok() || !row->has_value()) return false;
    const ColumnId columns[] = {ColumnId(1), ColumnId(2), ColumnId(3)};
    types::Value values[3];
    EXPECT_TRUE(relation->Read(**row, columns, arena, values).ok());
    values[1] = Int(values[1].i32 + (id % 2 == 0 ? amount : -amount));
    const auto result = updates.Update(**row, values);
    if (!result.ok() || result->outcome != RowOutcome::kDone) return false;
  }
  const auto done = updates.Finish();
  return done.ok() && *done == RowOutcome::kDone && e.Commit(*txn).ok();
}

int64_t Sum(const Pairs& rows) {
  int64_t sum = 0;
  for (const auto& [id, v] : rows) sum += v;
  return sum;
}

// With freezing, every frozen row is deleted where it lies.
class EngineThreads : public ::testing::TestWithParam<bool> {
 protected:
  EngineThreads() {
    if (GetParam()) MaskedDeletes::thawed_max = 0;
  }
  ~EngineThreads() override { MaskedDeletes::thawed_max = MaskedDeletes::kThawedMax; }
};
INSTANTIATE_TEST_SUITE_P(Freezing, EngineThreads, ::testing::Bool());

TEST_P(EngineThreads, TransfersKeepTheSumInEverySnapshot) {
  const FullRowsScope full_rows(6);
  Engine e;
  e.CreateTable(GetParam() ? TableSpec{.secondary = {{0, 2}}} : TableSpec{.secondary = {{1}}});
  {
    auto txn = e.Begin();
    for (int32_t i = 0; i < kAccounts; ++i) {
      StatementContext context = e.Statement(*txn);
      const types::Value row[] = {Int(i), Int(kStart), Text("")};
      ASSERT_TRUE(e.Open(context)->Insert(context, row).ok());
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  std::atomic<bool> stop{false};
  std::atomic<int> transfers{0};
  std::vector<std::thread> threads;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937_64 random(seed);
      for (int i = 0; i < 300; ++i) {
        if (Transfer(e, random)) transfers.fetch_add(1);
      }
    });
  }
  // Adds and removes other rows, some of them with keys that come back.
  threads.emplace_back([&] {
    std::mt19937_64 random(99);
    for (int i = 0; i < 300; ++i) {
      auto txn = e.Begin();
      StatementContext context = e.Statement(*txn);
      auto relation = e.Open(context);
      const int32_t id = 1000 + static_cast<int32_t>(random() % 10);
      const types::Value key[] = {Int(id)};
      auto row = relation->Lookup(context, relation->table().primary_key()->oid, key);
      ASSERT_TRUE(row.ok());
      if (row->has_value()) {
        ASSERT_TRUE(relation->Delete(context, **row).ok());
      } else {
        const types::Value values[] = {Int(id), Int(0), Text("comes and goes, this one")};
        ASSERT_TRUE(relation->Insert(context, values).ok());
      }
      ASSERT_TRUE(e.Commit(*txn).ok());
    }
  });
  // Moves money between many accounts at once, replacing rows where they lie, and until it has
  // succeeded, which beside the others it seldom does.
  threads.emplace_back([&] {
    int rounds = 0;
    for (int i = 0; i < 200 || rounds == 0; ++i) {
      if (MoveBetweenAll(e, i % 2 == 0 ? 1 : -1)) ++rounds;
    }
  });
  std::atomic<uint64_t> frozen{0};
  std::thread freezer([&] {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    const Oid table = e.Table(context)->oid;
    txn.reset();
    FreezeOptions options;
    while (!stop && GetParam()) {
      options.in_order = !options.in_order;
      const auto moved = e.db->Freeze(table, options);
      ASSERT_TRUE(moved.ok()) << moved.status().ToString();
      frozen += moved->rows_moved;
      std::this_thread::yield();
    }
  });
  std::thread reader([&] {
    while (!stop) {
      auto txn = e.Begin(IsolationLevel::kRepeatableRead);
      StatementContext context = e.Statement(*txn);
      auto relation = e.Open(context);
      const Pairs first = ScanPairs(context, *relation);
      EXPECT_EQ(Sum(first), int64_t{kAccounts} * kStart);
      EXPECT_EQ(ScanPairs(context, *relation), first);
    }
  });
  for (std::thread& thread : threads) thread.join();
  stop = true;
  reader.join();
  freezer.join();

  EXPECT_GT(transfers, 0);
  auto txn = e.Begin();
  StatementContext context = e.Statement(*txn);
  const Pairs before = ScanPairs(context, *e.Open(context));
  EXPECT_EQ(Sum(before), int64_t{kAccounts} * kStart);
  txn.reset();
  e.Crash(5);
  txn = e.Begin();
  context = e.Statement(*txn);
  EXPECT_EQ(ScanPairs(context, *e.Open(context)), before);
}

TEST(EngineGarbage, VersionsNobodySeesAreReclaimedBesideAnOldSnapshot) {
  Engine e;
  e.CreateTable({});
  auto write = [&](int32_t v, bool insert) {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    const types::Value row[] = {Int(1), Int(v), Text("some text that is not inlined")};
    if (insert) {
      ASSERT_TRUE(relation->Insert(context, row).ok());
    } else {
      const types::Value key[] = {Int(1)};
      auto found = relation->Lookup(context, relation->table().primary_key()->oid, key);
      ASSERT_TRUE(relation->Update(context, **found, row).ok());
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  };
  write(0, true);
  auto old = e.Begin(IsolationLevel::kRepeatableRead);
  StatementContext context = e.Statement(*old);
  ASSERT_EQ(ScanPairs(context, *e.Open(context)), (Pairs{{1, 0}}));
  for (int32_t i = 1; i <= 500; ++i) write(i, false);
  // All but the newest and the one that `old` sees. The maintenance thread runs by itself.
  while (e.db->stats().versions_reclaimed < 499) std::this_thread::yield();
  EXPECT_EQ(e.db->stats().versions_reclaimed, 499u);
  EXPECT_EQ(ScanPairs(context, *e.Open(context)), (Pairs{{1, 0}}));
  old.reset();
  while (e.db->stats().versions_reclaimed < 500) std::this_thread::yield();
  EXPECT_EQ(e.db->stats().versions_reclaimed, 500u);
}

}  // namespace
}  // namespace omendb::engine
