// In one process, without sockets: prepared lookups by key of hot rows against SQLite and of frozen
// ones against hot ones, and GROUP BY over hot and frozen rows against DuckDB's own in-memory
// table. Rounds are interleaved; medians and ratios are
// printed.
//
//   bench_inprocess [rows of the GROUP BY, default 10000000]
#include <sqlite3.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "bench/timing.h"
#include "duckdb.h"
#include "omendb/omendb.h"

namespace {

using omendb::bench::Median;
using omendb::bench::Seconds;

constexpr int kRounds = 7;
constexpr int64_t kLookupRows = 1'000'000;
constexpr int kLookups = 200'000;
constexpr int64_t kAppendBatch = 30'000;  // Few enough to stay in pages.

void Require(bool ok, const std::string& what) {
  if (ok) return;
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}
void Require(const omendb::Status& status) { Require(status.ok(), status.ToString()); }

// Runs both in turn and prints the medians in `unit` after scaling seconds by `scale`.
void Compare(const char* title, const char* peer, double scale, const char* unit,
             const std::function<void()>& ours, const std::function<void()>& theirs) {
  std::vector<double> a;
  std::vector<double> b;
  ours();
  theirs();  // Both warm.
  for (int round = 0; round < kRounds; ++round) {
    a.push_back(Seconds(ours) * scale);
    b.push_back(Seconds(theirs) * scale);
  }
  std::printf("%s: OmenDB %.2f %s (%.2f..%.2f), %s %.2f (%.2f..%.2f), OmenDB/%s %.2f\n", title,
              Median(a), unit, *std::min_element(a.begin(), a.end()),
              *std::max_element(a.begin(), a.end()), peer, Median(b),
              *std::min_element(b.begin(), b.end()), *std::max_element(b.begin(), b.end()), peer,
              Median(a) / Median(b));
  std::fflush(stdout);
}

// Appends (i, i % groups, value) for i in [0, rows).
void Load(omendb::Connection& connection, const std::string& table, int64_t rows, int64_t groups) {
  for (int64_t start = 0; start < rows; start += kAppendBatch) {
    auto appender = connection.NewAppender(table);
    Require(appender.ok(), "appender");
    for (int64_t i = start; i < std::min(rows, start + kAppendBatch); ++i) {
      const omendb::Parameter row[] = {i, i * 7919 % groups, i % 1000};
      Require((*appender)->AppendRow(row));
    }
    Require((*appender)->Finish().ok(), "append");
  }
}

class SqliteLookup {
 public:
  explicit SqliteLookup(const std::string& path) {
    Require(sqlite3_open(path.c_str(), &db_) == SQLITE_OK, "sqlite open");
    Run("PRAGMA journal_mode=WAL; PRAGMA mmap_size=1000000000; PRAGMA cache_size=-500000;"
        "CREATE TABLE t (id INTEGER PRIMARY KEY, k INTEGER, v INTEGER); BEGIN");
    sqlite3_stmt* insert = Prepare("INSERT INTO t VALUES (?, ?, ?)");
    for (int64_t i = 0; i < kLookupRows; ++i) {
      sqlite3_bind_int64(insert, 1, i);
      sqlite3_bind_int64(insert, 2, i * 7919 % 1000);
      sqlite3_bind_int64(insert, 3, i % 1000);
      sqlite3_step(insert);
      sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    Run("COMMIT");
    select_ = Prepare("SELECT v FROM t WHERE id = ?");
  }
  ~SqliteLookup() {
    sqlite3_finalize(select_);
    sqlite3_close(db_);
  }
  SqliteLookup(const SqliteLookup&) = delete;
  SqliteLookup& operator=(const SqliteLookup&) = delete;

  int64_t Find(int64_t id) {
    sqlite3_bind_int64(select_, 1, id);
    Require(sqlite3_step(select_) == SQLITE_ROW, "sqlite row");
    const int64_t v = sqlite3_column_int64(select_, 0);
    sqlite3_reset(select_);
    return v;
  }
  void Run(const char* sql) {
    Require(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sqlite3_errmsg(db_));
  }

 private:
  sqlite3_stmt* Prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    Require(sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr) == SQLITE_OK,
            sqlite3_errmsg(db_));
    return statement;
  }
  sqlite3* db_ = nullptr;
  sqlite3_stmt* select_ = nullptr;
};

void CompareLookups(omendb::Connection& connection, const std::string& folder) {
  Require(connection.Execute("CREATE TABLE lookup (id int PRIMARY KEY, k int, v bigint)"));
  Load(connection, "lookup", kLookupRows, 1000);
  SqliteLookup sqlite(folder + "/sqlite.db");
  auto prepared = connection.Prepare("SELECT v FROM lookup WHERE id = $1");
  Require(prepared.ok(), prepared.ok() ? "" : prepared.status().ToString());
  std::mt19937_64 rng(42);
  std::vector<int64_t> keys(kLookups);
  for (int64_t& key : keys) key = static_cast<int64_t>(rng() % kLookupRows);
  int64_t sum = 0;
  const omendb::RowCallback add = [&sum](const omendb::RowView& row) {
    sum += row.Int64(0);
    return omendb::Status::Ok();
  };
  int64_t expected = 0;
  const auto ours = [&] {
    sum = 0;
    for (const int64_t key : keys) {
      const omendb::Parameter parameter[] = {key};
      Require((*prepared)->ForEachRow(parameter, add).ok(), "lookup");
    }
  };
  const auto theirs = [&] {
    expected = 0;
    for (const int64_t key : keys) expected += sqlite.Find(key);
  };
  Compare("prepared lookup by key, 1 M rows, each a transaction", "SQLite", 1e9 / kLookups, "ns",
          ours, theirs);
  Require(sum == expected, "the answers differ");
  // SQLite takes no file locks inside a transaction: its best case.
  Require(connection.Execute("BEGIN"));
  sqlite.Run("BEGIN");
  Compare("prepared lookup by key, 1 M rows, all in one transaction", "SQLite", 1e9 / kLookups,
          "ns", ours, theirs);
  sqlite.Run("COMMIT");
  Require(connection.Execute("COMMIT"));
  Require(sum == expected, "the answers differ");
}

void CompareFrozenLookups(omendb::Connection& connection) {
  Require(connection.Execute("CREATE TABLE cold (id int PRIMARY KEY, k int, v bigint)"));
  Load(connection, "cold", kLookupRows, 1000);
  Require(connection.Execute("VACUUM (FREEZE) cold"));
  auto hot = connection.Prepare("SELECT v FROM lookup WHERE id = $1");
  auto cold = connection.Prepare("SELECT v FROM cold WHERE id = $1");
  Require(hot.ok() && cold.ok(), "prepare");
  int64_t sums[2] = {0, 0};
  const auto run = [&](omendb::PreparedStatement& statement, int64_t& sum) {
    std::mt19937_64 rng(43);
    sum = 0;
    const omendb::RowCallback add = [&sum](const omendb::RowView& row) {
      sum += row.Int64(0);
      return omendb::Status::Ok();
    };
    for (int i = 0; i < kLookups; ++i) {
      const omendb::Parameter parameter[] = {static_cast<int64_t>(rng() % kLookupRows)};
      Require(statement.ForEachRow(parameter, add).ok(), "lookup");
    }
  };
  Compare(
      "prepared lookup of a frozen row, its block cached", "hot row", 1e9 / kLookups, "ns",
      [&] { run(**cold, sums[0]); }, [&] { run(**hot, sums[1]); });
  Require(sums[0] == sums[1], "the answers differ");
}

void CompareGroupBy(omendb::Connection& connection, int64_t rows) {
  Require(connection.Execute("CREATE TABLE hot (id int PRIMARY KEY, k int, v bigint)"));
  Load(connection, "hot", rows, 1000);
  duckdb_database db = nullptr;
  duckdb_connection duck = nullptr;
  Require(duckdb_open(nullptr, &db) == DuckDBSuccess && duckdb_connect(db, &duck) == DuckDBSuccess,
          "duckdb open");
  const auto duck_run = [&](const std::string& sql) {
    duckdb_result result;
    Require(duckdb_query(duck, sql.c_str(), &result) == DuckDBSuccess, sql);
    const auto count = static_cast<int64_t>(duckdb_row_count(&result));
    duckdb_destroy_result(&result);
    return count;
  };
  duck_run("SET threads = 2");
  duck_run(
      "CREATE TABLE hot AS SELECT i::INTEGER AS id, (i * 7919 % 1000)::INTEGER AS k, "
      "i % 1000 AS v FROM range(" +
      std::to_string(rows) + ") r(i)");
  const std::string query = "SELECT k, count(*), sum(v) FROM hot GROUP BY k";
  int64_t groups = 0;
  const omendb::ChunkCallback count = [&](uint32_t rows_count, auto /*columns*/) {
    groups += rows_count;
    return omendb::Status::Ok();
  };
  const auto ours = [&] {
    groups = 0;
    Require(connection.ForEachChunk(query, count));
    Require(groups == 1000, "groups are missing");
  };
  const auto theirs = [&] { Require(duck_run(query) == 1000, "groups are missing"); };
  const std::string title = "GROUP BY over " + std::to_string(rows) + " hot rows";
  Compare(title.c_str(), "DuckDB", 1e3, "ms", ours, theirs);
  Require(connection.Execute("VACUUM (FREEZE) hot"));
  const std::string frozen = "GROUP BY over " + std::to_string(rows) + " frozen rows";
  Compare(frozen.c_str(), "DuckDB", 1e3, "ms", ours, theirs);
  duckdb_disconnect(&duck);
  duckdb_close(&db);
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t rows = argc > 1 ? std::atoll(argv[1]) : 10'000'000;
  char folder[] = "/tmp/omendb-bench-XXXXXX";
  Require(mkdtemp(folder) != nullptr, "no temporary folder");
  {
    omendb::OpenOptions options;
    options.memory_bytes = 12ULL << 30;
    auto database = omendb::Database::Open(std::string(folder) + "/data", options);
    Require(database.ok(), database.ok() ? "" : database.status().ToString());
    auto connection = (*database)->Connect();
    Require(connection.ok(), connection.ok() ? "" : connection.status().ToString());
    std::printf("SQLite %s, DuckDB %s\n", sqlite3_libversion(), duckdb_library_version());
    CompareLookups(**connection, folder);
    CompareFrozenLookups(**connection);
    CompareGroupBy(**connection, rows);
  }
  std::filesystem::remove_all(folder);
  return 0;
}
