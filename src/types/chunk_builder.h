// chunk_builder.h - rows into one chunk.
//
// Thread safety  One thread.
// Ownership      Owns the cells; strings and arrays are borrowed from whoever made the values.
#pragma once

#include <span>
#include <vector>

#include "types/chunk.h"

namespace omendb::types {

class ChunkBuilder {
 public:
  explicit ChunkBuilder(const std::vector<SqlType>& types);

  // Row `row` (below kChunkRowsMax) of the chunk, one value for each column.
  void Set(uint32_t row, std::span<const Value> values);
  // The first `rows_count` rows; valid until the next Set.
  const Chunk& View(uint32_t rows_count);

 private:
  struct Column {
    std::vector<char> cells;
    std::vector<uint64_t> validity;
  };
  std::vector<Column> columns_;
  Chunk chunk_;
};

}  // namespace omendb::types
