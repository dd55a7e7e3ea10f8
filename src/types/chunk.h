// chunk.h - a batch of rows by column, as executors hand results on: DuckDB's vectors seen without
// DuckDB's types.
//
// Ownership  Views borrow; they are valid until the producer is asked for the next chunk.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "types/value.h"

namespace omendb::types {

inline constexpr uint32_t kChunkRowsMax = 2048;  // DuckDB's STANDARD_VECTOR_SIZE.

// One column of a chunk. Row i of the chunk lies at cell `selection ? selection[i] : i`.
struct ColumnView {
  SqlType type;
  PhysicalType physical = PhysicalType::kInt32;
  const void* data = nullptr;
  const uint32_t* selection = nullptr;  // null = identity
  const uint64_t* validity = nullptr;   // by cell, bit set = not null; null = no NULLs
  // How many cells there are when rows share them: 1 is one value for every row, more are a
  // dictionary. 0 = one cell for each row.
  uint32_t shared_cells = 0;

  uint32_t cell(uint32_t row) const { return selection != nullptr ? selection[row] : row; }
  bool is_null(uint32_t row) const {
    const uint32_t c = cell(row);
    return validity != nullptr && (validity[c >> 6] >> (c & 63) & 1) == 0;
  }
  // The value of a row; strings are borrowed.
  Value Get(uint32_t row) const {
    if (is_null(row)) return Value::Null();
    return LoadCell(physical, static_cast<const char*>(data) +
                                  static_cast<size_t>(cell(row)) * PhysicalSize(physical));
  }
};

struct Chunk {
  uint32_t rows_count = 0;
  std::vector<ColumnView> columns;
};

// A column of a result or of a prepared statement.
struct ResultColumn {
  std::string name;
  SqlType type;
  Oid table;        // Where the column comes from; 0 when it is an expression.
  ColumnId column;  // 0 when it is an expression.
};

}  // namespace omendb::types
