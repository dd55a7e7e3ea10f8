#include "api/sinks.h"

#include <charconv>

#include "base/sqlstate.h"
#include "types/casts.h"

namespace omendb::api {
namespace {

using types::PhysicalType;
using types::SqlType;
using types::TypeKind;
using types::Value;

// RowView over a row of the engine's values.
class ValuesView final : public RowView {
 public:
  ValuesView(const std::vector<types::ResultColumn>& columns, std::span<const Value> row,
             const types::IoSettings& settings)
      : columns_(columns), row_(row), settings_(settings) {}

  size_t columns_count() const override { return row_.size(); }
  bool IsNull(size_t column) const override { return row_[column].is_null; }

  int64_t Int64(size_t column) const override {
    const Value& v = row_[column];
    if (v.is_null) return 0;
    switch (types::PhysicalTypeOf(columns_[column].type)) {
      case PhysicalType::kInt16:
        return v.i16;
      case PhysicalType::kInt32:
        return v.i32;
      case PhysicalType::kInt64:
        return v.i64;
      default:
        return 0;
    }
  }

  double Float64(size_t column) const override {
    const Value& v = row_[column];
    const SqlType& type = columns_[column].type;
    const SqlType float8{TypeKind::kFloat8};
    if (v.is_null || !types::CanCast(type, float8, types::CastContext::kExplicit)) return 0;
    types::Arena arena;
    auto cast = types::CastValue(type, float8, v, arena, types::CastContext::kExplicit, settings_);
    return cast.ok() ? cast->f64 : 0;
  }

  bool Bool(size_t column) const override {
    return !row_[column].is_null && columns_[column].type.kind == TypeKind::kBool &&
           row_[column].boolean;
  }

  std::string Text(size_t column) const override {
    std::string text;
    if (!row_[column].is_null) {
      types::FormatText(columns_[column].type, row_[column], settings_, text);
    }
    return text;
  }

 private:
  const std::vector<types::ResultColumn>& columns_;
  const std::span<const Value> row_;
  const types::IoSettings& settings_;
};

Status NoCopy() { return NotSupported("COPY to or from a client of the library"); }

}  // namespace

Column ColumnOf(const types::ResultColumn& column) {
  return {column.name, types::FormatType(column.type), types::TypeOid(column.type)};
}

Status BaseSink::OnColumns(const std::vector<types::ResultColumn>& columns) {
  announced_ = columns;
  columns_ = &announced_;
  return Status::Ok();
}

Status BaseSink::OnComplete(std::string_view tag) {
  tag_ = tag;
  return Status::Ok();
}

Status BaseSink::OnCopyIn(sql::CopyFormat /*format*/, int /*columns_count*/) { return NoCopy(); }
Result<std::optional<std::string_view>> BaseSink::ReadCopyData() { return NoCopy(); }
Status BaseSink::OnCopyOut(sql::CopyFormat /*format*/, int /*columns_count*/) { return NoCopy(); }
Status BaseSink::OnCopyData(std::string_view /*data*/) { return NoCopy(); }

uint64_t BaseSink::rows_affected() const {
  const size_t space = tag_.rfind(' ');
  if (space == std::string::npos) return 0;
  uint64_t count = 0;
  std::from_chars(tag_.data() + space + 1, tag_.data() + tag_.size(), count);
  return count;
}

Status TextSink::OnColumns(const std::vector<types::ResultColumn>& columns) {
  cells_.clear();
  return BaseSink::OnColumns(columns);
}

Status TextSink::OnRow(std::span<const Value> row) {
  for (size_t i = 0; i < row.size(); ++i) {
    Cell& cell = cells_.emplace_back();
    cell.is_null = row[i].is_null;
    if (!cell.is_null) types::FormatText(columns()[i].type, row[i], settings_, cell.text);
  }
  return Status::Ok();
}

Status CallbackSink::OnRow(std::span<const Value> row) {
  ++rows_seen_;
  return callback_(ValuesView(columns(), row, settings_));
}

Status ChunkSink::OnRow(std::span<const Value> row) {
  // A statement of the row executor: a chunk of one row, each value a cell of its own.
  std::vector<ColumnChunk> chunk;
  std::vector<types::Int128> cells(row.size());
  const uint64_t null_bit = 0;
  for (size_t i = 0; i < row.size(); ++i) {
    const SqlType& type = columns()[i].type;
    const PhysicalType physical = types::PhysicalTypeOf(type);
    if (!row[i].is_null) types::StoreCell(physical, &cells[i], row[i]);
    chunk.push_back({types::TypeOid(type), static_cast<size_t>(types::PhysicalSize(physical)),
                     &cells[i], nullptr, row[i].is_null ? &null_bit : nullptr});
  }
  return callback_(1, chunk);
}

Status ChunkSink::OnChunk(const types::Chunk& chunk) {
  std::vector<ColumnChunk> views;
  for (const types::ColumnView& column : chunk.columns) {
    views.push_back({types::TypeOid(column.type),
                     static_cast<size_t>(types::PhysicalSize(column.physical)), column.data,
                     column.selection, column.validity});
  }
  return callback_(chunk.rows_count, views);
}

Status CopySource::OnCopyIn(sql::CopyFormat /*format*/, int /*columns_count*/) {
  return Status::Ok();
}

Result<std::optional<std::string_view>> CopySource::ReadCopyData() {
  if (given_) return std::optional<std::string_view>();
  given_ = true;
  return std::optional<std::string_view>(data_);
}

}  // namespace omendb::api
