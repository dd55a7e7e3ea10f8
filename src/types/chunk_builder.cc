#include "types/chunk_builder.h"

namespace omendb::types {

ChunkBuilder::ChunkBuilder(const std::vector<SqlType>& types) : columns_(types.size()) {
  for (size_t c = 0; c < types.size(); ++c) {
    ColumnView view;
    view.type = types[c];
    view.physical = PhysicalTypeOf(types[c]);
    columns_[c].cells.resize(size_t{kChunkRowsMax} * PhysicalSize(view.physical));
    columns_[c].validity.resize(kChunkRowsMax / 64);
    view.data = columns_[c].cells.data();
    view.validity = columns_[c].validity.data();
    chunk_.columns.push_back(view);
  }
}

void ChunkBuilder::Set(uint32_t row, std::span<const Value> values) {
  for (size_t c = 0; c < columns_.size(); ++c) {
    const PhysicalType physical = chunk_.columns[c].physical;
    const uint64_t bit = uint64_t{1} << (row & 63);
    Value value = values[c];
    if (value.is_null) {
      columns_[c].validity[row >> 6] &= ~bit;
      value.text = {nullptr, 0};
    } else {
      columns_[c].validity[row >> 6] |= bit;
    }
    StoreCell(physical, columns_[c].cells.data() + size_t{row} * PhysicalSize(physical), value);
  }
}

const Chunk& ChunkBuilder::View(uint32_t rows_count) {
  chunk_.rows_count = rows_count;
  return chunk_;
}

}  // namespace omendb::types
