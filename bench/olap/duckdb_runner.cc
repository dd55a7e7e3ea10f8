// DuckDB as a peer of the analytical benchmark: one database file, one connection, statements from
// standard input, answers to standard output.
//
//   bench_olap_duckdb FILE
//
// Protocol  A request is "BYTES\n" and the statement. The answer is one line of JSON:
//           {"ms": ..., "rows": all values as text}, or {"error": ...}. The time is that of the
//           whole statement with its result in memory.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "duckdb.h"

namespace {

nlohmann::json Rows(duckdb_result& result) {
  auto rows = nlohmann::json::array();
  const idx_t columns = duckdb_column_count(&result);
  for (idx_t r = 0; r < duckdb_row_count(&result); ++r) {
    auto row = nlohmann::json::array();
    for (idx_t c = 0; c < columns; ++c) {
      char* const text = duckdb_value_varchar(&result, c, r);
      row.push_back(text == nullptr ? nlohmann::json() : nlohmann::json(text));
      duckdb_free(text);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

nlohmann::json Run(duckdb_connection connection, const std::string& sql) {
  nlohmann::json answer;
  duckdb_result result;
  const auto start = std::chrono::steady_clock::now();
  const bool ok = duckdb_query(connection, sql.c_str(), &result) == DuckDBSuccess;
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
  if (ok) {
    answer["ms"] = spent.count();
    answer["rows"] = Rows(result);
  } else {
    answer["error"] = duckdb_result_error(&result);
  }
  duckdb_destroy_result(&result);
  return answer;
}

}  // namespace

int main(int argc, char** argv) {
  duckdb_database database;
  duckdb_connection connection;
  if (argc != 2 || duckdb_open(argv[1], &database) != DuckDBSuccess ||
      duckdb_connect(database, &connection) != DuckDBSuccess) {
    std::fprintf(stderr,
                 "usage: bench_olap_duckdb FILE (which must be a DuckDB database or new)\n");
    return 2;
  }
  size_t bytes = 0;
  while (std::cin >> bytes && std::cin.get() == '\n') {
    std::string sql(bytes, '\0');
    if (!std::cin.read(sql.data(), static_cast<std::streamsize>(bytes))) break;
    std::cout << Run(connection, sql).dump() << std::endl;
  }
  duckdb_disconnect(&connection);
  duckdb_close(&database);
  return 0;
}
