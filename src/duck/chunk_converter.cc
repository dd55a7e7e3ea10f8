#include "duck/chunk_converter.h"

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duckdb/common/vector_operations/vector_operations.hpp"
#include "types/json.h"

namespace omendb::duck {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

// What a column is cast to before it is sent; INVALID when it is sent as it lies.
LogicalType CastTarget(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::UTINYINT:
      return LogicalType::SMALLINT;
    case LogicalTypeId::USMALLINT:
      return LogicalType::INTEGER;
    case LogicalTypeId::UBIGINT:
    case LogicalTypeId::UHUGEINT:
      return LogicalType::HUGEINT;
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_MS:
    case LogicalTypeId::TIMESTAMP_NS:
      return LogicalType::TIMESTAMP;
    default:
      return HasSameLayout(type) ? LogicalType::INVALID : LogicalType::VARCHAR;
  }
}

}  // namespace

Result<const types::Chunk*> ChunkConverter::Convert(duckdb::unique_ptr<duckdb::DataChunk> chunk) {
  chunk_ = std::move(chunk);
  arena_.Reset();
  formats_.clear();
  formats_.resize(columns_.size());
  converted_.clear();
  converted_.resize(columns_.size());
  result_.columns.assign(columns_.size(), types::ColumnView());
  result_.rows_count = static_cast<uint32_t>(chunk_->size());
  for (size_t c = 0; c < columns_.size(); ++c) {
    OMEN_TRY(ConvertColumn(chunk_->data[c], chunk_->size(), c));
  }
  return &result_;
}

void ChunkConverter::ViewOf(duckdb::Vector& vector, duckdb::idx_t count, size_t column) {
  duckdb::UnifiedVectorFormat& format = formats_[column];
  vector.ToUnifiedFormat(count, format);
  types::ColumnView& view = result_.columns[column];
  view.type = columns_[column].type;
  view.physical = types::PhysicalTypeOf(view.type);
  view.data = format.data;
  view.selection = format.sel->IsSet() ? format.sel->data() : nullptr;
  view.validity = format.validity.GetData();
}

Status ChunkConverter::ConvertColumn(duckdb::Vector& vector, duckdb::idx_t count, size_t column) {
  const LogicalType& type = vector.GetType();
  if (type.id() == LogicalTypeId::TIME_TZ) return NotSupported("type time with time zone");
  if (type.id() == LogicalTypeId::LIST && ElementOf(columns_[column].type)) {
    return FillList(vector, count, column);
  }
  const types::TypeKind kind = columns_[column].type.kind;
  if ((kind == types::TypeKind::kJsonb || kind == types::TypeKind::kBpchar) &&
      type.id() == LogicalTypeId::VARCHAR) {
    return FillStrings(vector, count, column);
  }
  const LogicalType target = CastTarget(type);
  if (target.id() == LogicalTypeId::INVALID) {
    ViewOf(vector, count, column);
    return Status::Ok();
  }
  converted_[column] = duckdb::make_uniq<duckdb::Vector>(target, count);
  duckdb::VectorOperations::Cast(context_, vector, *converted_[column], count);
  ViewOf(*converted_[column], count, column);
  return Status::Ok();
}

Status ChunkConverter::FillList(duckdb::Vector& vector, duckdb::idx_t count, size_t column) {
  const types::SqlType element = *ElementOf(columns_[column].type);
  duckdb::UnifiedVectorFormat format;
  vector.ToUnifiedFormat(count, format);
  duckdb::Vector* child = &duckdb::ListVector::GetEntry(vector);
  const duckdb::idx_t size = duckdb::ListVector::GetListSize(vector);
  duckdb::unique_ptr<duckdb::Vector> cast_child;
  const LogicalType target = CastTarget(child->GetType());
  if (target.id() != LogicalTypeId::INVALID) {
    cast_child = duckdb::make_uniq<duckdb::Vector>(target, std::max<duckdb::idx_t>(size, 1));
    duckdb::VectorOperations::Cast(context_, *child, *cast_child, size);
    child = cast_child.get();
  }
  duckdb::UnifiedVectorFormat child_format;
  child->ToUnifiedFormat(size, child_format);
  std::vector<types::Value> values(count);
  const auto* entries = duckdb::UnifiedVectorFormat::GetData<duckdb::list_entry_t>(format);
  for (duckdb::idx_t i = 0; i < count; ++i) {
    const auto cell = format.sel->get_index(i);
    values[i] = format.validity.RowIsValid(cell)
                    ? EncodeList(*child, child_format, entries[cell], element, arena_)
                    : types::Value::Null();
  }
  SetStrings(column, values);
  return Status::Ok();
}

Status ChunkConverter::FillStrings(duckdb::Vector& vector, duckdb::idx_t count, size_t column) {
  const types::SqlType& type = columns_[column].type;
  duckdb::UnifiedVectorFormat format;
  vector.ToUnifiedFormat(count, format);
  std::vector<types::Value> values(count);
  for (duckdb::idx_t i = 0; i < count; ++i) {
    values[i] = LoadVectorCell(format, types::PhysicalType::kString, i);
    if (values[i].is_null) continue;
    std::string text;
    if (type.kind == types::TypeKind::kJsonb) {
      OMEN_TRY(types::NormalizeJsonb(values[i].str(), text));
    } else {
      values[i] = Padded(type, types::Value::String(arena_.Copy(values[i].str())), arena_);
      continue;
    }
    values[i] = types::Value::String(arena_.Copy(text));
  }
  SetStrings(column, values);
  return Status::Ok();
}

void ChunkConverter::SetStrings(size_t column, const std::vector<types::Value>& values) {
  const size_t count = std::max<size_t>(values.size(), 1);
  auto* slots =
      reinterpret_cast<types::StringSlot*>(arena_.Allocate(count * sizeof(types::StringSlot)));
  const size_t words = (count + 63) / 64;
  auto* validity = reinterpret_cast<uint64_t*>(arena_.Allocate(words * sizeof(uint64_t)));
  std::fill(validity, validity + words, ~uint64_t{0});
  for (size_t i = 0; i < values.size(); ++i) {
    slots[i] = types::StringSlot::Of(values[i].is_null ? std::string_view() : values[i].str());
    if (values[i].is_null) validity[i / 64] &= ~(uint64_t{1} << (i % 64));
  }
  types::ColumnView& view = result_.columns[column];
  view.type = columns_[column].type;
  view.physical = types::PhysicalType::kString;
  view.data = slots;
  view.validity = validity;
  view.selection = nullptr;
}

}  // namespace omendb::duck
