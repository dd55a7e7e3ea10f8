// Random operations of several transactions against a model, and threads that move money.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <set>
#include <thread>

#include "engine/bulk_load.h"
#include "engine/engine_fixture.h"
#include "engine/masked_deletes.h"

namespace omendb::engine {
namespace {

using txn::IsolationLevel;
using Pairs = std::map<int32_t, int32_t>;

constexpr ColumnId kValueColumn[] = {ColumnId(2)};

// One open transaction and what it must see: the committed rows of its snapshot with its own
// changes.
struct Open {
  std::unique_ptr<txn::Transaction> txn;
  Pairs sees;
  std::set<int32_t> written;
  std::vector<std::tuple<uint64_t, Pairs, std::set<int32_t>>> savepoints;
};

class Model {
 public:
  // With `freezing`, rows are moved to segments in between, or loaded into them.
  Model(Engine& engine, uint64_t seed, bool freezing = false)
      : e_(engine), random_(seed), freezing_(freezing) {}
  ~Model() { MaskedDeletes::thawed_max = MaskedDeletes::kThawedMax; }

  void Step() {
    // Of the frozen rows that a statement deletes all are deleted where they lie, all but one, or
    // none.
    const uint64_t thawed_max[] = {0, 1, MaskedDeletes::kThawedMax};
    if (freezing_) MaskedDeletes::thawed_max = thawed_max[random_() % 3];
    if (freezing_ && random_() % 20 == 0) return Freeze();
    if (freezing_ && random_() % 80 == 0) return Calm();
    const uint64_t dice = random_() % 100;
    if (open_.size() < 2 || (dice < 10 && open_.size() < 5)) {
      return BeginOne();
    }
    const size_t which = random_() % open_.size();
    if (dice < 20) {
      Finish(which, dice < 16);
    } else if (dice < 30) {
      Check(open_[which]);
    } else if (dice < 35) {
      Savepoint(open_[which]);
    } else if (freezing_ && dice < 41) {
      Load(open_[which]);
    } else if (freezing_ && dice < 46) {
      DeleteSome(open_[which]);
    } else {
      Change(open_[which]);
    }
  }
  void FinishAll() {
    while (!open_.empty()) Finish(0, true);
  }
  const Pairs& committed() const { return committed_; }

  uint64_t frozen() const { return frozen_; }
  uint64_t loaded() const { return loaded_; }
  uint64_t deleted() const { return deleted_; }

 private:
  // Garbage keeps pages from settling. Transactions begun now see what is then frozen, and use the
  // versions in pages on.
  void Calm() {
    FinishAll();
    for (uint64_t begun = random_() % 3; begun > 0; --begun) BeginOne();
    const uint64_t before = frozen_;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
    while (frozen_ == before && std::chrono::steady_clock::now() < deadline) Freeze();
  }
  void BeginOne() {
    Open fresh;
    fresh.txn = e_.Begin(IsolationLevel::kRepeatableRead);
    fresh.txn->BeginStatement();
    fresh.sees = committed_;
    open_.push_back(std::move(fresh));
  }

  void Freeze() {
    const auto moved = e_.Freeze();
    ASSERT_TRUE(moved.ok()) << moved.status().ToString();
    frozen_ += *moved;
  }

  void Savepoint(Open& open) {
    if (open.savepoints.empty() || random_() % 2 == 0) {
      open.savepoints.emplace_back(open.txn->Mark(), open.sees, open.written);
      return;
    }
    open.txn->RollbackTo(std::get<0>(open.savepoints.back()));
    open.sees = std::get<1>(open.savepoints.back());
    // Row conflicts with what was undone are gone too, as the model's are.
    open.written = std::get<2>(open.savepoints.back());
    open.savepoints.pop_back();
  }

  // Whether someone else's uncommitted or later commit stands in the way of writing this key.
  bool Conflicts(const Open& open, int32_t key) {
    for (const Open& other : open_) {
      if (&other != &open && other.written.contains(key)) return true;
    }
    return false;
  }

  // Some rows straight to segments, of two rows each.
  void Load(Open& open) {
    std::map<int32_t, int32_t> rows;
    bool taken = false;
    for (uint64_t count = 1 + random_() % 6; count > 0; --count) {
      const int32_t key = static_cast<int32_t>(random_() % 60);
      if (Conflicts(open, key) || rows.contains(key)) continue;
      // Rarely a key that is there: it fails.
      const bool own = open.written.contains(key);
      const bool is_there = own ? open.sees.contains(key) : committed_.contains(key);
      if (is_there && random_() % 50 != 0) continue;
      // Deleted since the snapshot: its key is free, but the row would still be seen.
      if (!is_there && open.sees.contains(key)) continue;
      taken = taken || is_there;
      rows[key] = static_cast<int32_t>(random_() % 1000);
    }
    StatementContext context = e_.Statement(*open.txn);
    const uint64_t mark = open.txn->Mark();
    BulkLoad load(context, e_.Open(context), {.rows_min = 1, .rest_min = 1, .segment_rows = 2});
    Status loaded;
    for (auto it = rows.rbegin(); it != rows.rend() && loaded.ok(); ++it) {
      const std::string text = "text of row " + std::to_string(it->second);
      const types::Value row[] = {Int(it->first), Int(it->second), Text(text)};
      loaded = load.AppendRow(row);
    }
    if (loaded.ok()) loaded = load.Finish();
    ASSERT_EQ(loaded.ok(), !taken) << loaded.ToString();
    if (taken) {
      ASSERT_EQ(loaded.sqlstate(), "23505");
      open.txn->RollbackTo(mark);
      return;
    }
    for (const auto& [key, v] : rows) {
      open.sees[key] = v;
      open.written.insert(key);
    }
    loaded_ += rows.size();
  }

  void Change(Open& open) {
    const int32_t key = static_cast<int32_t>(random_() % 40);
    if (Conflicts(open, key)) return;  // It would wait, and the test has one thread.
    StatementContext context = e_.Statement(*open.txn);
    auto relation = e_.Open(context);
    const types::Value key_value[] = {Int(key)};
    auto found = relation->Lookup(context, relation->table().primary_key()->oid, key_value);
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found->has_value(), open.sees.contains(key)) << "key " << key;
    const uint64_t mark = open.txn->Mark();
    const int32_t v = static_cast<int32_t>(random_() % 1000);
    const std::string text = "text of row " + std::to_string(v);
    const types::Value row[] = {Int(key), Int(v), Text(text)};
    if (!found->has_value()) {
      auto inserted = relation->Insert(context, row);
      if (!inserted.ok()) {
        // Committed by someone else since the snapshot.
        ASSERT_EQ(inserted.status().sqlstate(), "23505");
        ASSERT_TRUE(committed_.contains(key));
        open.txn->RollbackTo(mark);
        return;
      }
      open.sees[key] = v;
    } else {
      types::Value seen;
      EXPECT_TRUE(relation->Read(**found, kValueColumn, e_.arena, &seen).ok());
      ASSERT_EQ(seen.i32, open.sees[key]);
      const bool remove = random_() % 3 == 0;
      auto result =
          remove ? relation->Delete(context, **found) : relation->Update(context, **found, row);
      if (!result.ok()) {
        ASSERT_EQ(result.status().sqlstate(), "40001");
        open.txn->RollbackTo(mark);
        return;
      }
      ASSERT_EQ(result->outcome, RowOutcome::kDone);
      if (remove) {
        open.sees.erase(key);
      } else {
        open.sees[key] = v;
      }
    }
    open.written.insert(key);
  }

  // Each third or so of the rows, by one statement.
  void DeleteSome(Open& open) {
    StatementContext context = e_.Statement(*open.txn);
    auto relation = e_.Open(context);
    const uint64_t mark = open.txn->Mark();
    std::set<int32_t> deleted;
    for (const auto& [key, v] : open.sees) {
      if (random_() % 3 != 0 || Conflicts(open, key)) continue;
      const types::Value key_value[] = {Int(key)};
      auto found = relation->Lookup(context, relation->table().primary_key()->oid, key_value);
      ASSERT_TRUE(found.ok());
      ASSERT_TRUE(found->has_value()) << "key " << key;
      auto result = relation->Delete(context, **found);
      if (!result.ok()) {
        ASSERT_EQ(result.status().sqlstate(), "40001");
        open.txn->RollbackTo(mark);
        return;
      }
      ASSERT_EQ(result->outcome, RowOutcome::kDone);
      // A second time in the same statement.
      result = relation->Delete(context, **found);
      ASSERT_TRUE(result.ok());
      ASSERT_EQ(result->outcome, RowOutcome::kGone);
      deleted.insert(key);
    }
    for (const int32_t key : deleted) {
      open.sees.erase(key);
      open.written.insert(key);
    }
    deleted_ += deleted.size();
  }

  void Check(Open& open) {
    StatementContext context = e_.Statement(*open.txn);
    auto relation = e_.Open(context);
    ASSERT_EQ(ScanPairs(context, *relation), open.sees);
    // The same through both indexes.
    for (const catalog::IndexDef& index : relation->table().indexes) {
      Pairs rows;
      int32_t last = INT32_MIN;
      const bool by_id = index.primary;
      const Status scanned =
          relation->ScanIndex(context, index.oid, {}, [&](RowRef row) -> Result<bool> {
            const ColumnId columns[] = {ColumnId(1), ColumnId(2)};
            types::Value values[2];
            EXPECT_TRUE(relation->Read(row, columns, e_.arena, values).ok());
            rows[values[0].i32] = values[1].i32;
            const int32_t order = by_id ? values[0].i32 : values[1].i32;
            EXPECT_LE(last, order);
            last = order;
            return true;
          });
      ASSERT_TRUE(scanned.ok());
      ASSERT_EQ(rows, open.sees) << index.name;
    }
  }

  void Finish(size_t which, bool commit) {
    Open open = std::move(open_[which]);
    open_.erase(open_.begin() + static_cast<ptrdiff_t>(which));
    if (!commit) {
      e_.db->Abort(*open.txn);
      return;
    }
    ASSERT_TRUE(e_.Commit(*open.txn).ok());
    for (const int32_t key : open.written) {
      const auto it = open.sees.find(key);
      if (it == open.sees.end()) {
        committed_.erase(key);
      } else {
        committed_[key] = it->second;
      }
    }
  }

  Engine& e_;
  std::mt19937_64 random_;
  const bool freezing_;
  uint64_t frozen_ = 0;
  uint64_t loaded_ = 0;
  uint64_t deleted_ = 0;
  Pairs committed_;
  std::vector<Open> open_;
};

class ModelTest : public ::testing::TestWithParam<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, ::testing::Range<uint64_t>(1, 7));

TEST_P(ModelTest, EverySnapshotSeesWhatTheModelSays) {
  Engine e;
  e.CreateTable({.secondary = {{1}}});
  Model model(e, GetParam());
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
TEST_P(ModelTest, FrozenRowsAreSeenOnceByEverySnapshot) {
  Engine e;
  e.CreateTable({.secondary = {{1}}});
  Model model(e, GetParam() + 100, /*freezing=*/true);
  for (int life = 0; life < 4; ++life) {
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
      e.Crash(GetParam() + static_cast<uint64_t>(life));
    } else {
      e.Restart();
    }
    EXPECT_EQ(committed(), model.committed());
  }
  EXPECT_GT(model.frozen(), 100u);
  EXPECT_GT(model.loaded(), 100u);
  EXPECT_GT(model.deleted(), 100u);
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
  Engine e;
  e.CreateTable({.secondary = {{1}}});
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
  std::atomic<uint64_t> frozen{0};
  std::thread freezer([&] {
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    const Oid table = e.Table(context)->oid;
    txn.reset();
    while (!stop && GetParam()) {
      const auto moved = e.db->Freeze(table, {});
      ASSERT_TRUE(moved.ok()) << moved.status().ToString();
      frozen += *moved;
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
