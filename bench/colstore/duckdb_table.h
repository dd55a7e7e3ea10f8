// duckdb_table.h - the peer: a DuckDB database file with one table, through DuckDB's C interface.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "bench/colstore/lineitem.h"
#include "duckdb.h"

namespace omendb::bench {

class DuckDbTable {
 public:
  // Columns [first, end) of the rows in table `t` of a new file, checkpointed; one thread.
  DuckDbTable(const std::string& path, const Lineitem& rows, size_t first, size_t end)
      : path_(path) {
    std::filesystem::remove(path);
    Require(duckdb_open(path.c_str(), &db_) == DuckDBSuccess, "duckdb_open");
    Require(duckdb_connect(db_, &connection_) == DuckDBSuccess, "duckdb_connect");
    Run("SET threads = 1");
    std::string sql = "CREATE TABLE t (";
    for (size_t i = first; i < end; ++i) {
      sql +=
          (i == first ? "" : ", ") + rows.columns()[i].name + " " + rows.columns()[i].duckdb_type;
    }
    Run(sql + ")");
    duckdb_appender appender;
    Require(duckdb_appender_create(connection_, nullptr, "t", &appender) == DuckDBSuccess,
            "appender");
    for (uint32_t row = 0; row < rows.rows(); ++row) {
      for (size_t i = first; i < end; ++i) Append(appender, rows.columns()[i], row);
      Require(duckdb_appender_end_row(appender) == DuckDBSuccess, "append");
    }
    Require(duckdb_appender_destroy(&appender) == DuckDBSuccess, "append");
    Run("CHECKPOINT");
  }
  ~DuckDbTable() {
    duckdb_disconnect(&connection_);
    duckdb_close(&db_);
  }
  DuckDbTable(const DuckDbTable&) = delete;
  DuckDbTable& operator=(const DuckDbTable&) = delete;

  uint64_t file_bytes() const { return std::filesystem::file_size(path_); }
  // The first value of the first row.
  int64_t Run(const std::string& sql) {
    duckdb_result result;
    const bool ok = duckdb_query(connection_, sql.c_str(), &result) == DuckDBSuccess;
    Require(ok, duckdb_result_error(&result) == nullptr ? "" : duckdb_result_error(&result));
    const int64_t value = duckdb_row_count(&result) > 0 ? duckdb_value_int64(&result, 0, 0) : 0;
    duckdb_destroy_result(&result);
    return value;
  }

 private:
  static void Require(bool ok, const char* what) {
    if (ok) return;
    std::fprintf(stderr, "DuckDB: %s\n", what);
    std::exit(1);
  }
  static void Append(duckdb_appender appender, const Column& column, uint32_t row) {
    const types::Value& value = column.values[row];
    switch (column.type.kind) {
      case types::TypeKind::kInt4:
        duckdb_append_int32(appender, value.i32);
        break;
      case types::TypeKind::kDate:
        duckdb_append_date(appender, {value.i32});
        break;
      case types::TypeKind::kInt8:
        duckdb_append_int64(appender, value.i64);
        break;
      case types::TypeKind::kNumeric: {
        // Through a decimal: an integer would be cast and scaled.
        duckdb_value decimal = duckdb_create_decimal(
            {15, 2, {static_cast<uint64_t>(value.i64), value.i64 < 0 ? -1 : 0}});
        duckdb_append_value(appender, decimal);
        duckdb_destroy_value(&decimal);
        break;
      }
      case types::TypeKind::kFloat8:
        duckdb_append_double(appender, value.f64);
        break;
      default:
        duckdb_append_varchar_length(appender, value.text.data, value.text.size);
    }
  }
  const std::string path_;
  duckdb_database db_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

}  // namespace omendb::bench
