// row_buffer.h - many rows by column, copied, in an order that can be chosen afterwards.
//
// Thread safety  One thread at a time.
// Ownership      Owns the cells and the bytes of strings.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "types/chunk.h"
#include "types/value.h"

namespace omendb::engine {

// Encoded primary keys of rows, in order: integers, or bytes, or none.
struct RowKeys {
  std::vector<uint64_t> ints;
  std::vector<std::string> bytes;

  // The i-th as an index and segments take it; integers are put into `buffer`.
  std::string_view key(size_t i, std::array<char, 8>& buffer) const {
    if (ints.empty()) return bytes[i];
    StoreBe<uint64_t>(buffer.data(), ints[i]);
    return {buffer.data(), buffer.size()};
  }
};

class RowBuffer {
 public:
  explicit RowBuffer(const std::vector<types::SqlType>& types);

  void Append(const types::Chunk& chunk, uint32_t first, uint32_t count);
  void AppendRow(std::span<const types::Value> row);
  // Keeps the memory.
  void Clear();
  uint32_t rows() const { return rows_; }
  // What cells and strings take, about.
  size_t bytes() const { return bytes_; }

  // `order[i]` is the row, by arrival, that comes as the i-th; empty: as they arrived.
  void SetOrder(std::vector<uint32_t> order) { order_ = std::move(order); }
  uint32_t arrival(uint32_t row) const { return order_.empty() ? row : order_[row]; }
  // All rows, in order. Valid until the next Append.
  types::Chunk View() const;
  void Read(uint32_t row, types::Row& values) const;
  types::Value Get(size_t column, uint32_t row) const;

 private:
  struct Column {
    types::SqlType type;
    types::PhysicalType physical;
    size_t size;
    std::vector<char> cells;  // of more rows than there are
    std::vector<uint64_t> validity;
    bool has_nulls = false;
  };
  static void Grow(Column& column, uint32_t rows);
  static void SetNull(Column& column, uint32_t row);
  void Put(Column& column, uint32_t row, const types::Value& value);

  std::vector<Column> columns_;
  types::Arena strings_;
  std::vector<uint32_t> order_;
  uint32_t rows_ = 0;
  size_t bytes_ = 0;
};

}  // namespace omendb::engine
