// engine_fixture.h - what the engine's tests share: a database on MemEnv, tables, sessions.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "engine/compactor.h"
#include "engine/database.h"
#include "engine/key_budget.h"
#include "engine/relation.h"
#include "engine/run_merger.h"
#include "testing/mem_env.h"
#include "types/key_encoding.h"

namespace omendb::engine {

// Shares of the indexes: no key of a frozen row stays there for long; or all keys leave and come
// back again and again.
inline uint64_t ShareOfNothing() { return 1; }
inline uint64_t ShareInTurn() {
  static std::atomic<uint64_t> calls{0};
  return calls.fetch_add(1) % 2 == 0 ? 1 : uint64_t{1} << 60;
}

inline uint64_t ShareOfPlenty() { return uint64_t{1} << 60; }

// Puts a value in the place of what a knob for tests has, while it stands.
template <auto& kKnob>
class KnobScope {
 public:
  using Value = typename std::remove_reference_t<decltype(kKnob)>::value_type;
  explicit KnobScope(Value value) : before_(kKnob.exchange(value)) {}
  ~KnobScope() { kKnob = before_; }
  KnobScope(const KnobScope&) = delete;
  KnobScope& operator=(const KnobScope&) = delete;

 private:
  const Value before_;
};
// What indexes may take.
using ShareScope = KnobScope<KeyBudget::share_for_tests>;
// How many index runs are merged.
class FanInScope : public KnobScope<RunMerger::fan_in_for_tests> {
 public:
  static constexpr size_t kNever = SIZE_MAX;
  using KnobScope::KnobScope;
};
// How many rows make a full segment.
using FullRowsScope = KnobScope<Compactor::full_rows_for_tests>;
// Room for so many row map words.
using WordsScope = KnobScope<Compactor::words_for_tests>;

// Some tests run again with OMENDB_TEST_LET_GO set, to one of the two; runs are merged by twos
// then.
inline const bool kLetGo = [] {
  const char* const mode = std::getenv("OMENDB_TEST_LET_GO");
  if (mode == nullptr) return false;
  KeyBudget::share_for_tests = std::string_view(mode) == "in_turn" ? &ShareInTurn : &ShareOfNothing;
  RunMerger::fan_in_for_tests = 2;
  return true;
}();

struct KeyPart {
  size_t column;
  bool descending = false;
};

// A table to make: columns by name and type, the first `keys` of them the primary key, unless it is
// told.
struct TableSpec {
  std::string name = "t";
  std::vector<std::pair<std::string, types::TypeKind>> columns = {
      {"id", types::TypeKind::kInt4}, {"v", types::TypeKind::kInt4}, {"s", types::TypeKind::kText}};
  size_t keys = 1;
  std::vector<KeyPart> primary = {};
  std::vector<std::vector<size_t>> unique;     // columns of further unique indexes
  std::vector<std::vector<size_t>> secondary;  // of indexes that are not unique
};

class Engine {
 public:
  explicit Engine(DatabaseOptions options = {}) : options_(std::move(options)) {
    options_.data_dir = "data";
    Open();
  }
  void Open() { OpenOn(*env); }
  // On an environment over `env`.
  void OpenOn(env::Env& over) {
    auto opened = Database::Open(over, options_);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    db = std::move(opened).value();
  }
  // Ends as a crash would, on the file system that a power failure leaves.
  void Crash(uint64_t seed, testutil::CrashLoss loss = testutil::CrashLoss::kRandom) {
    std::unique_ptr<testutil::MemEnv> after = env->CrashClone(seed, loss);
    db.reset();
    env = std::move(after);
    Open();
  }
  void Restart() {
    ASSERT_TRUE(db->Close().ok());
    db.reset();
    Open();
  }

  std::unique_ptr<txn::Transaction> Begin(
      txn::IsolationLevel level = txn::IsolationLevel::kReadCommitted) {
    txn::TransactionOptions options;
    options.isolation = level;
    return db->Begin(options);
  }
  StatementContext Statement(txn::Transaction& txn) {
    txn.BeginStatement();
    StatementContext context;
    context.txn = &txn;
    context.catalog = db->CatalogFor(txn);
    context.database = context.catalog->FindDatabase("postgres")->oid;
    context.waiter = &waiter;
    return context;
  }
  Status Commit(txn::Transaction& txn) { return db->Commit(txn, waiter); }

  // Moves the settled rows of a table to segments; how many those were. `in_order`: segments that
  // overlap are put in order.
  Result<uint64_t> Freeze(const std::string& name = "t", bool in_order = false) {
    OMEN_ASSIGN(const FreezeResult result, FreezeTable(name, in_order));
    return result.rows_moved;
  }
  Result<FreezeResult> FreezeTable(const std::string& name, bool in_order) {
    auto txn = Begin();
    StatementContext context = Statement(*txn);
    const Oid table = Table(context, name)->oid;
    txn.reset();
    FreezeOptions options;
    options.in_order = in_order;
    return db->Freeze(table, options);
  }
  void CreateTable(const TableSpec& spec) {
    auto txn = Begin();
    StatementContext context = Statement(*txn);
    const catalog::TableDef def = Define(spec, context);
    ASSERT_TRUE(db->EditCatalog(*txn).Put(def).ok());
    ASSERT_TRUE(db->CreateStorage(context, def).ok());
    const Status committed = Commit(*txn);
    ASSERT_TRUE(committed.ok()) << committed.ToString();
  }
  catalog::TableDef Define(const TableSpec& spec, const StatementContext& context) {
    catalog::TableDef def;
    def.oid = db->NewOid();
    def.storage = db->NewOid();
    def.database = context.database;
    def.schema = context.catalog->FindSchema(context.database, "public")->oid;
    def.name = spec.name;
    def.owner = catalog::kBootstrapRole;
    for (size_t i = 0; i < spec.columns.size(); ++i) {
      catalog::ColumnDef column;
      column.id = ColumnId(static_cast<int16_t>(i + 1));
      column.name = spec.columns[i].first;
      column.type = types::SqlType{spec.columns[i].second};
      def.columns.push_back(column);
    }
    std::vector<KeyPart> primary = spec.primary;
    if (primary.empty()) {
      for (size_t i = 0; i < spec.keys; ++i) primary.push_back({i});
    }
    if (!primary.empty()) AddIndex(def, spec.name + "_pkey", {}, true, true);
    for (const auto& [column, descending] : primary) {
      def.columns[column].not_null = true;
      def.indexes.back().keys.push_back({def.columns[column].id, descending, false});
    }
    int number = 0;
    for (const auto& columns : spec.unique) {
      AddIndex(def, spec.name + "_u" + std::to_string(++number), columns, true, false);
    }
    for (const auto& columns : spec.secondary) {
      AddIndex(def, spec.name + "_i" + std::to_string(++number), columns, false, false);
    }
    return def;
  }
  // Table "t" with another index, in the edit of the transaction, as the context has it then; the
  // index is to be built.
  catalog::TableDef DefineIndex(StatementContext& context, const std::string& name,
                                const std::vector<size_t>& columns, bool unique) {
    catalog::TableDef def = *Table(context);
    AddIndex(def, name, columns, unique, false);
    EXPECT_TRUE(db->EditCatalog(*context.txn).Put(def).ok());
    context.catalog = db->CatalogFor(*context.txn);
    return def;
  }
  void AddIndex(catalog::TableDef& def, const std::string& name, const std::vector<size_t>& columns,
                bool unique, bool primary) {
    catalog::IndexDef index;
    index.oid = db->NewOid();
    index.storage = db->NewOid();
    index.name = name;
    index.unique = unique;
    index.primary = primary;
    for (const size_t column : columns) {
      index.keys.push_back({ColumnId(static_cast<int16_t>(column + 1)), false, false});
    }
    def.indexes.push_back(index);
  }

  std::shared_ptr<const catalog::TableDef> Table(const StatementContext& context,
                                                 const std::string& name = "t") {
    const auto* schema = context.catalog->FindSchema(context.database, "public");
    return context.catalog->FindRelation(schema->oid, name).table;
  }
  std::shared_ptr<Relation> Open(const StatementContext& context, const std::string& name = "t") {
    return db->OpenRelation(Table(context, name));
  }

  std::unique_ptr<testutil::MemEnv> env = std::make_unique<testutil::MemEnv>();
  std::unique_ptr<Database> db;
  ThreadWaiter waiter;
  types::Arena arena;  // for Relation::Read, of one thread

 private:
  DatabaseOptions options_;
};

inline types::Value Int(int32_t i) { return types::Value::Int32(i); }
inline types::Value Text(std::string_view s) { return types::Value::String(s); }

// Asks again and again, until it is so or many seconds have passed.
inline bool Eventually(const std::function<bool()>& is_so) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

// The primary key of a row of a chunk that has its columns behind the first two.
inline std::string KeyOfRow(const Relation& relation, const types::Chunk& chunk, uint32_t row) {
  std::string key;
  size_t column = 2;
  for (const catalog::IndexKey& part : relation.table().primary_key()->keys) {
    types::AppendKey(relation.table().column(part.column).type, chunk.columns[column++].Get(row),
                     {part.descending, part.nulls_first}, key);
  }
  return key;
}

// Rows of table "t" as (id, v), by a scan.
inline std::map<int32_t, int32_t> ScanPairs(StatementContext& context, Relation& relation,
                                            Relation::KeyOrder order) {
  std::map<int32_t, int32_t> rows;
  const bool descends = order == Relation::KeyOrder::kDescending;
  std::vector<ColumnId> columns = {ColumnId(1), ColumnId(2)};
  if (order != Relation::KeyOrder::kNone) {
    for (const auto& part : relation.table().primary_key()->keys) columns.push_back(part.column);
  }
  auto scan = relation.OpenScan(context, {.order = order, .columns = columns});
  auto worker = scan->NewWorker();
  types::Chunk chunk;
  uint64_t morsel = 0;
  std::optional<std::string> bound;  // of what comes: keys of morsels before are all beyond it
  std::optional<std::string> last;
  std::optional<std::string> last_of_morsel;
  for (;;) {
    auto more = scan->Next(*worker, chunk, nullptr);
    EXPECT_TRUE(more.ok());
    if (!more.ok() || !*more) break;
    if (std::exchange(morsel, scan->MorselOf(*worker)) != scan->MorselOf(*worker)) {
      bound = last;
      last_of_morsel.reset();
    }
    for (uint32_t i = 0; i < chunk.rows_count; ++i) {
      const int32_t id = chunk.columns[0].Get(i).i32;
      EXPECT_TRUE(rows.emplace(id, chunk.columns[1].Get(i).i32).second) << "a row was seen twice";
      if (order == Relation::KeyOrder::kNone) continue;
      const std::string key = KeyOfRow(relation, chunk, i);
      EXPECT_TRUE(!bound || (descends ? key < *bound : key > *bound)) << id;
      if (scan->Ascends(*worker)) {
        EXPECT_TRUE(!last_of_morsel || key > *last_of_morsel) << id;
        last_of_morsel = key;
      }
      last = !last ? key : descends ? std::min(*last, key) : std::max(*last, key);
    }
  }
  return rows;
}

// By every kind of scan.
inline std::map<int32_t, int32_t> ScanPairs(StatementContext& context, Relation& relation) {
  auto rows = ScanPairs(context, relation, Relation::KeyOrder::kNone);
  if (relation.table().primary_key() == nullptr) return rows;
  for (const auto order : {Relation::KeyOrder::kAscending, Relation::KeyOrder::kDescending}) {
    EXPECT_EQ(ScanPairs(context, relation, order), rows);
  }
  return rows;
}

}  // namespace omendb::engine
