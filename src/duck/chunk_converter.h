// chunk_converter.h - DuckDB's result chunks as types::Chunk: views where the layouts agree,
// converted columns where they do not.
//
// Thread safety  One thread.
// Errors         0A000 for types that have no counterpart (TIME WITH TIME ZONE).
#pragma once

#include <vector>

#include "duckdb.hpp"
#include "types/array.h"
#include "types/chunk.h"
#include "types/text_io.h"

namespace omendb::duck {

class ChunkConverter {
 public:
  // Borrows `columns`.
  ChunkConverter(duckdb::ClientContext& context, const std::vector<types::ResultColumn>& columns)
      : context_(context), columns_(columns) {}

  // The view borrows `chunk` and this converter, until the next call.
  Result<const types::Chunk*> Convert(duckdb::unique_ptr<duckdb::DataChunk> chunk);

 private:
  Status ConvertColumn(duckdb::Vector& vector, duckdb::idx_t count, size_t column);
  void ViewOf(duckdb::Vector& vector, duckdb::idx_t count, size_t column);
  Status FillList(duckdb::Vector& vector, duckdb::idx_t count, size_t column);
  Status FillStrings(duckdb::Vector& vector, duckdb::idx_t count, size_t column);
  // A column of strings of our own: `values` by row.
  void SetStrings(size_t column, const std::vector<types::Value>& values);

  duckdb::ClientContext& context_;
  const std::vector<types::ResultColumn>& columns_;
  duckdb::unique_ptr<duckdb::DataChunk> chunk_;
  std::vector<duckdb::UnifiedVectorFormat> formats_;
  std::vector<duckdb::unique_ptr<duckdb::Vector>> converted_;
  types::Arena arena_;
  types::Chunk result_;
};

}  // namespace omendb::duck
