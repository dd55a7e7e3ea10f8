#include "engine/row_buffer.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace omendb::engine {

using types::PhysicalType;

RowBuffer::RowBuffer(const std::vector<types::SqlType>& types) {
  for (const types::SqlType& type : types) {
    const PhysicalType physical = types::PhysicalTypeOf(type);
    columns_.push_back(
        {type, physical, static_cast<size_t>(types::PhysicalSize(physical)), {}, {}});
  }
}

void RowBuffer::Grow(Column& column, uint32_t rows) {
  if (rows <= column.validity.size() * 64) return;
  const size_t words = std::max<size_t>((rows + 63) / 64, 2 * column.validity.size());
  column.cells.resize(words * 64 * column.size);
  column.validity.resize(words, ~uint64_t{0});
}

void RowBuffer::Clear() {
  for (Column& column : columns_) {
    if (!column.has_nulls) continue;
    std::fill(column.validity.begin(), column.validity.end(), ~uint64_t{0});
    column.has_nulls = false;
  }
  strings_.Reset();
  order_.clear();
  rows_ = 0;
  bytes_ = 0;
}

void RowBuffer::SetNull(Column& column, uint32_t row) {
  column.has_nulls = true;
  column.validity[row / 64] &= ~(uint64_t{1} << row % 64);
}

void RowBuffer::Put(Column& column, uint32_t row, const types::Value& value) {
  if (value.is_null) return SetNull(column, row);
  char* const cell = column.cells.data() + row * column.size;
  const bool is_long =
      column.physical == PhysicalType::kString && value.text.size > types::StringSlot::kInlineMax;
  if (is_long) bytes_ += value.text.size;
  types::StoreCell(column.physical, cell,
                   is_long ? types::CopyTo(strings_, column.physical, value) : value);
}

void RowBuffer::Append(const types::Chunk& chunk, uint32_t first, uint32_t count) {
  OMEN_CHECK(chunk.columns.size() == columns_.size());
  for (size_t c = 0; c < columns_.size(); ++c) {
    Column& column = columns_[c];
    const types::ColumnView& view = chunk.columns[c];
    Grow(column, rows_ + count);
    bytes_ += count * column.size;
    if (view.selection != nullptr || column.physical == PhysicalType::kString) {
      for (uint32_t i = 0; i < count; ++i) Put(column, rows_ + i, view.Get(first + i));
      continue;
    }
    std::memcpy(column.cells.data() + rows_ * column.size,
                static_cast<const char*>(view.data) + first * column.size, count * column.size);
    if (view.validity == nullptr) continue;
    for (uint32_t i = 0; i < count; ++i) {
      if (view.is_null(first + i)) SetNull(column, rows_ + i);
    }
  }
  rows_ += count;
}

void RowBuffer::AppendRow(std::span<const types::Value> row) {
  OMEN_CHECK(row.size() == columns_.size());
  for (size_t c = 0; c < columns_.size(); ++c) {
    Grow(columns_[c], rows_ + 1);
    Put(columns_[c], rows_, row[c]);
    bytes_ += columns_[c].size;
  }
  ++rows_;
}

types::Chunk RowBuffer::View() const {
  types::Chunk chunk;
  chunk.rows_count = rows_;
  for (const Column& column : columns_) {
    types::ColumnView view;
    view.type = column.type;
    view.physical = column.physical;
    view.data = column.cells.data();
    view.validity = column.has_nulls ? column.validity.data() : nullptr;
    view.selection = order_.empty() ? nullptr : order_.data();
    chunk.columns.push_back(view);
  }
  return chunk;
}

types::Value RowBuffer::Get(size_t column, uint32_t row) const {
  const Column& from = columns_[column];
  const uint32_t at = arrival(row);
  if ((from.validity[at / 64] >> at % 64 & 1) == 0) return types::Value::Null();
  return types::LoadCell(from.physical, from.cells.data() + at * from.size);
}

void RowBuffer::Read(uint32_t row, types::Row& values) const {
  values.resize(columns_.size());
  for (size_t c = 0; c < columns_.size(); ++c) values[c] = Get(c, row);
}

}  // namespace omendb::engine
