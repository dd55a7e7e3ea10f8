// json_writer.h - cells of a DuckDB vector as JSON text, as PostgreSQL's to_json writes them.
//
// Thread safety  A column belongs to one thread.
// Ownership      Borrows the vector and the settings.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "duckdb.hpp"
#include "types/text_io.h"

namespace omendb::duck {

class JsonColumn {
 public:
  // Flattens the vector.
  JsonColumn(duckdb::Vector& vector, duckdb::idx_t count, const types::IoSettings& settings);

  bool IsNull(duckdb::idx_t row) const;
  // Appends "null", a number, a string in quotes, "[1,2]", "{"a":1}".
  void AppendJson(duckdb::idx_t row, std::string& out) const;
  // Appends the cell's text in quotes: a key. Requires: !IsNull(row).
  void AppendKey(duckdb::idx_t row, std::string& out) const;

  // Of a LIST: where the elements of a row lie in child(0).
  duckdb::list_entry_t ListEntry(duckdb::idx_t row) const;
  const JsonColumn& child(size_t i) const { return *children_[i]; }
  size_t child_count() const { return children_.size(); }
  bool is_struct() const { return type_.id() == duckdb::LogicalTypeId::STRUCT; }

 private:
  std::string Text(duckdb::idx_t row) const;
  void AppendScalar(duckdb::idx_t row, std::string& out) const;

  duckdb::Vector& vector_;
  const duckdb::LogicalType type_;
  const types::SqlType sql_type_;
  types::IoSettings settings_;
  duckdb::UnifiedVectorFormat format_;
  std::vector<std::unique_ptr<JsonColumn>> children_;
  std::vector<std::string> names_;  // Of a STRUCT's fields.
};

}  // namespace omendb::duck
