// segments_fixture.h - what the tests of rows in segments share: reading and changing table "t" of
// engine_fixture.h, and power failures at file operations.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "engine/engine_fixture.h"
#include "engine/masked_deletes.h"
#include "testing/fault_env.h"

namespace omendb::engine {

using Pairs = std::map<int32_t, int32_t>;

inline DatabaseOptions SmallOptions() {
  DatabaseOptions options;
  options.data_dir = "data";
  options.wal_segment_bytes = 1 << 16;
  return options;
}

class SegmentsTest : public ::testing::Test {
 protected:
  Pairs Scan(Engine& e, txn::Transaction& txn) {
    StatementContext context = e.Statement(txn);
    return ScanPairs(context, *e.Open(context));
  }
  // All rows of a scan of the columns id and v, each once.
  static Pairs PairsOf(Relation::Scan& scan) {
    const auto worker = scan.NewWorker();
    Pairs rows;
    types::Chunk chunk;
    for (;;) {
      const auto more = scan.Next(*worker, chunk, nullptr);
      EXPECT_TRUE(more.ok());
      if (!more.ok() || !*more) return rows;
      for (uint32_t i = 0; i < chunk.rows_count; ++i) {
        const auto [at, fresh] =
            rows.emplace(chunk.columns[0].Get(i).i32, chunk.columns[1].Get(i).i32);
        EXPECT_TRUE(fresh) << "row " << at->first << " twice";
      }
    }
  }
  Pairs Committed(Engine& e) {
    auto txn = e.Begin();
    return Scan(e, *txn);
  }
  // Creates the table with rows 0, 1, ... of v = 10 * id, in pages.
  void Fill(Engine& e, int32_t rows, Pairs& expected,
            const TableSpec& spec = {.secondary = {{1}}}) {
    e.CreateTable(spec);
    auto txn = e.Begin();
    StatementContext context = e.Statement(*txn);
    auto relation = e.Open(context);
    for (int32_t i = 0; i < rows; ++i) {
      const types::Value row[] = {Int(i), Int(10 * i), Text("text")};
      ASSERT_TRUE(relation->Insert(context, row).ok());
      expected[i] = 10 * i;
    }
    ASSERT_TRUE(e.Commit(*txn).ok());
  }
  std::optional<RowRef> Find(Engine& e, StatementContext& context, int32_t id) {
    auto relation = e.Open(context);
    const types::Value key[] = {Int(id)};
    const auto found = relation->Lookup(context, relation->table().primary_key()->oid, key);
    EXPECT_TRUE(found.ok());
    return found.ok() ? *found : std::nullopt;
  }
  // Sets v of a row, or deletes it.
  void Change(Engine& e, txn::Transaction& txn, int32_t id, std::optional<int32_t> v) {
    StatementContext context = e.Statement(txn);
    const auto found = Find(e, context, id);
    ASSERT_TRUE(found.has_value()) << id;
    ChangeRow(e, context, *found, id, v);
  }
  void ChangeRow(Engine& e, StatementContext& context, const RowRef& seen, int32_t id,
                 std::optional<int32_t> v) {
    auto relation = e.Open(context);
    const types::Value row[] = {Int(id), Int(v.value_or(0)), Text("changed")};
    const auto result = v ? relation->Update(context, seen, row) : relation->Delete(context, seen);
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    ASSERT_EQ(result->outcome, RowOutcome::kDone);
  }
  // Rows by each index, each read by its ref.
  void CheckIndexes(Engine& e, txn::Transaction& txn, const Pairs& expected) {
    StatementContext context = e.Statement(txn);
    auto relation = e.Open(context);
    for (const catalog::IndexDef& index : relation->table().indexes) {
      Pairs rows;
      const auto visit = [&](RowRef ref) -> Result<bool> {
        const ColumnId columns[] = {ColumnId(1), ColumnId(2)};
        types::Value values[2];
        OMEN_TRY(relation->Read(ref, columns, e.arena, values));
        EXPECT_TRUE(rows.emplace(values[0].i32, values[1].i32).second);
        return true;
      };
      ASSERT_TRUE(relation->ScanIndex(context, index.oid, {}, visit).ok());
      EXPECT_EQ(rows, expected) << index.name;
    }
  }
  void CheckIndexes(Engine& e, const Pairs& expected) {
    auto txn = e.Begin();
    CheckIndexes(e, *txn, expected);
  }
  // What is committed, by a scan and by each index.
  Pairs CommittedAndIndexed(Engine& e) {
    const Pairs found = Committed(e);
    CheckIndexes(e, found);
    return found;
  }
  static void Erase(Pairs& pairs, int32_t from, int32_t to, int32_t step = 1) {
    for (int32_t i = from; i < to; i += step) pairs.erase(i);
  }
  // By every way to read.
  void Check(Engine& e, txn::Transaction& txn, const Pairs& rows) {
    EXPECT_EQ(Scan(e, txn), rows);
    CheckIndexes(e, txn, rows);
    StatementContext context = e.Statement(txn);
    auto relation = e.Open(context);
    const auto count = relation->CountRows(context);
    ASSERT_TRUE(count.ok());
    EXPECT_EQ(*count, rows.size());
    const auto facts = relation->FactsOf(context, ColumnId(1));
    ASSERT_TRUE(facts.ok());
    if (!*facts) return;
    EXPECT_EQ((*facts)->values, rows.size());
    types::Int128 sum = 0;
    for (const auto& [key, value] : rows) sum += key;
    EXPECT_EQ((*facts)->sum, sum);
    if (rows.empty()) return;
    EXPECT_EQ((*facts)->least.i32, rows.begin()->first);
    EXPECT_EQ((*facts)->greatest.i32, rows.rbegin()->first);
  }
  void Check(Engine& e, const Pairs& rows) {
    auto txn = e.Begin();
    Check(e, *txn, rows);
  }
  // expected_; again when the power has failed. `seed`: of what was not synced.
  void CheckAndCrash(Engine& e, uint64_t seed) {
    Check(e, expected_);
    e.Crash(seed);
    Check(e, expected_);
  }
  // Until the masks are gone.
  static bool Settled(Engine& e, uint64_t live, uint64_t dead) {
    return Eventually([&] {
      const EngineStats stats = e.db->stats();
      return stats.rows_frozen == live && stats.rows_thawed == dead;
    });
  }
  // A second transaction has seen row 5 when the first changes it, then acts on what it saw, and is
  // made to wait for the first one's end. It is committed where its action was done.
  void RunConflict(Engine& e, txn::IsolationLevel level,
                   const std::function<void(txn::Transaction&)>& change,
                   const std::function<void(txn::Transaction&)>& end_first,
                   const std::function<Result<RowResult>(StatementContext&, const RowRef&)>& act,
                   const std::function<void(StatementContext&, const Result<RowResult>&)>& check) {
    auto second = e.Begin(level);
    StatementContext context = e.Statement(*second);
    const auto seen = Find(e, context, 5);
    ASSERT_TRUE(seen.has_value());
    auto first = e.Begin();
    change(*first);
    Result<RowResult> result = RowResult{};
    std::thread waiting([&] { result = act(context, *seen); });
    while (e.db->stats().transactions_waiting == 0) std::this_thread::yield();
    end_first(*first);
    waiting.join();
    check(context, result);
    if (result.ok() && result->outcome == RowOutcome::kDone) {
      ASSERT_TRUE(e.Commit(*second).ok());
    }
  }
  static std::set<std::string> SegmentFiles(env::Env& env, std::string_view suffix = ".seg") {
    std::set<std::string> files;
    const auto names = env.List("data/segments");
    if (!names.ok()) return files;
    for (const std::string& name : *names) {
      if (name.ends_with(suffix)) files.insert(name);
    }
    return files;
  }

  Pairs expected_;
};

// What is left when the power fails at each file operation; of the log's, at each sixth of all.
class CrashRecorder {
 public:
  // Opens the database of `e`, which has the rows `state`, again on a file system that is watched.
  CrashRecorder(Engine& e, Pairs state) : e_(e), watched_(*e.env), states_{std::move(state)} {
    EXPECT_TRUE(e_.db->Close().ok());
    e_.db.reset();
    watched_.SetHook([this](testutil::FaultOp, const std::string& path) { Record(path); });
    Open(watched_, "the watched one");
  }
  // The rows are these from now on.
  void Acknowledge(const Pairs& state) {
    MutexLock lock(mu_);
    states_.push_back(state);
  }
  void Commit(txn::Transaction& txn, const Pairs& state) {
    ASSERT_TRUE(e_.Commit(txn).ok());
    Acknowledge(state);
  }
  // Ends the database, then opens what each failure left: `rows()` gives the state that was
  // acknowledged, or the next one. Returns how many there were.
  size_t Check(const std::function<Pairs()>& rows) {
    e_.db.reset();
    for (const Crashed& crashed : crashes_) {
      Open(*crashed.env, crashed.path);
      if (e_.db == nullptr) continue;
      const Pairs found = rows();
      const size_t next = std::min(crashed.acknowledged + 1, states_.size() - 1);
      EXPECT_TRUE(found == states_[crashed.acknowledged] || found == states_[next]) << crashed.path;
      e_.db.reset();
    }
    return crashes_.size();
  }

 private:
  struct Crashed {
    std::unique_ptr<testutil::MemEnv> env;
    size_t acknowledged;  // states before the plug was pulled
    std::string path;
  };
  void Record(const std::string& path) {
    MutexLock lock(mu_);
    const bool log = path.find("/wal") != std::string::npos;
    if (++calls_ % 6 != 0 && log) return;
    const auto loss = calls_ % 3 == 0 ? testutil::CrashLoss::kAll : testutil::CrashLoss::kRandom;
    crashes_.push_back({e_.env->CrashClone(calls_, loss), states_.size() - 1, path});
  }
  void Open(env::Env& env, const std::string& what) {
    auto opened = Database::Open(env, SmallOptions());
    EXPECT_TRUE(opened.ok()) << what << ": " << opened.status().ToString();
    if (opened.ok()) e_.db = std::move(opened).value();
  }

  Engine& e_;
  testutil::FaultEnv watched_;
  Mutex mu_;
  uint64_t calls_ = 0;
  std::vector<Pairs> states_;
  std::vector<Crashed> crashes_;
};

// Rows that are deleted or replaced where they lie, from the first on.
class MasksTest : public SegmentsTest {
 protected:
  MasksTest() { MaskedDeletes::thawed_max = 0; }
  ~MasksTest() override { MaskedDeletes::thawed_max = MaskedDeletes::kThawedMax; }

  // Rows 0, 1, ... with v = 10 * id, all in a segment.
  void Fill(Engine& e, int32_t rows, const TableSpec& spec = {.secondary = {{1}}}) {
    ASSERT_NO_FATAL_FAILURE(SegmentsTest::Fill(e, rows, expected_, spec));
    const auto frozen = e.Freeze();
    ASSERT_TRUE(frozen.ok());
    ASSERT_EQ(*frozen, static_cast<uint64_t>(rows));
  }
  // One statement.
  void Delete(Engine& e, txn::Transaction& txn, int32_t from, int32_t to, int32_t step = 1) {
    StatementContext context = e.Statement(txn);
    auto relation = e.Open(context);
    for (int32_t i = from; i < to; i += step) {
      const auto seen = Find(e, context, i);
      ASSERT_TRUE(seen.has_value()) << i;
      const auto done = relation->Delete(context, *seen);
      ASSERT_TRUE(done.ok()) << done.status().ToString();
      ASSERT_EQ(done->outcome, RowOutcome::kDone);
    }
  }
  Status Insert(Engine& e, txn::Transaction& txn, int32_t id, int32_t v) {
    StatementContext context = e.Statement(txn);
    const types::Value row[] = {Int(id), Int(v), Text("again")};
    return e.Open(context)->Insert(context, row).status();
  }
};

}  // namespace omendb::engine
