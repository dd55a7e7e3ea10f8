#include "duck/logical_types.h"

#include "duckdb/common/extension_type_info.hpp"
#include "types/text_io.h"

namespace omendb::duck {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using types::SqlType;
using types::TypeKind;
using types::Value;

namespace {

LogicalType Aliased(LogicalType type, const char* alias) {
  type.SetAlias(alias);
  return type;
}

LogicalType ScalarType(const SqlType& type) {
  switch (type.kind) {
    case TypeKind::kBool:
      return LogicalType::BOOLEAN;
    case TypeKind::kInt2:
      return LogicalType::SMALLINT;
    case TypeKind::kInt4:
      return LogicalType::INTEGER;
    case TypeKind::kInt8:
      return LogicalType::BIGINT;
    case TypeKind::kFloat4:
      return LogicalType::FLOAT;
    case TypeKind::kFloat8:
      return LogicalType::DOUBLE;
    case TypeKind::kNumeric:
      if (type.typmod < 0) return BigNumericType();
      return LogicalType::DECIMAL(static_cast<uint8_t>(type.numeric_precision()),
                                  static_cast<uint8_t>(type.numeric_scale()));
    case TypeKind::kBytea:
      return LogicalType::BLOB;
    case TypeKind::kDate:
      return LogicalType::DATE;
    case TypeKind::kTime:
      return LogicalType::TIME;
    case TypeKind::kTimestamp:
      return LogicalType::TIMESTAMP;
    case TypeKind::kTimestampTz:
      return LogicalType::TIMESTAMP_TZ;
    case TypeKind::kInterval:
      return LogicalType::INTERVAL;
    case TypeKind::kUuid:
      return LogicalType::UUID;
    case TypeKind::kJson:
      return LogicalType::JSON();
    case TypeKind::kJsonb:
      return JsonbType();
    case TypeKind::kOid:
      return LogicalType::UINTEGER;
    case TypeKind::kRegclass:
      return Aliased(LogicalType::UINTEGER, kRegclassAlias);
    case TypeKind::kRegtype:
      return Aliased(LogicalType::UINTEGER, kRegtypeAlias);
    case TypeKind::kRegproc:
      return Aliased(LogicalType::UINTEGER, kRegprocAlias);
    case TypeKind::kRegnamespace:
      return Aliased(LogicalType::UINTEGER, kRegnamespaceAlias);
    case TypeKind::kInt2vector:
      return LogicalType::LIST(LogicalType::SMALLINT);
    case TypeKind::kOidvector:
      return LogicalType::LIST(LogicalType::UINTEGER);
    case TypeKind::kBpchar:
      return BpcharType(type.typmod);
    case TypeKind::kUnknown:
    case TypeKind::kText:
    case TypeKind::kVarchar:
    case TypeKind::kName:
    case TypeKind::kChar:
    case TypeKind::kVoid:
    case TypeKind::kRecord:
      return LogicalType::VARCHAR;
  }
  return LogicalType::VARCHAR;
}

TypeKind UnsignedKind(const LogicalType& type) {
  const std::string alias = type.HasAlias() ? type.GetAlias() : "";
  if (alias == kRegclassAlias) return TypeKind::kRegclass;
  if (alias == kRegtypeAlias) return TypeKind::kRegtype;
  if (alias == kRegprocAlias) return TypeKind::kRegproc;
  if (alias == kRegnamespaceAlias) return TypeKind::kRegnamespace;
  return TypeKind::kOid;
}

int32_t BpcharModifier(const LogicalType& type) {
  if (!type.HasExtensionInfo()) return -1;
  const auto& properties = type.GetExtensionInfo()->properties;
  return properties.empty() ? -1 : std::stoi(properties.begin()->first);
}

}  // namespace

std::optional<SqlType> ElementOf(const SqlType& type) {
  if (type.is_array) return type.element();
  if (type.kind == TypeKind::kInt2vector) return SqlType{TypeKind::kInt2};
  if (type.kind == TypeKind::kOidvector) return SqlType{TypeKind::kOid};
  return std::nullopt;
}

LogicalType BigNumericType() { return Aliased(LogicalType::BLOB, kNumericAlias); }
bool IsBigNumeric(const LogicalType& type) {
  return type.id() == LogicalTypeId::BLOB && type.HasAlias() && type.GetAlias() == kNumericAlias;
}
LogicalType JsonbType() { return Aliased(LogicalType::VARCHAR, kJsonbAlias); }
bool IsJsonb(const LogicalType& type) {
  return type.id() == LogicalTypeId::VARCHAR && type.HasAlias() && type.GetAlias() == kJsonbAlias;
}
bool IsJson(const LogicalType& type) { return type.IsJSONType(); }
LogicalType BpcharType(int32_t typmod) {
  LogicalType type = Aliased(LogicalType::VARCHAR, kBpcharAlias);
  if (typmod < 0) return type;
  // DuckDB compares the properties that both types have: the length is the name of one.
  auto info = duckdb::make_uniq<duckdb::ExtensionTypeInfo>();
  info->properties.emplace(std::to_string(typmod), duckdb::Value::BOOLEAN(true));
  type.SetExtensionInfo(std::move(info));
  return type;
}
bool IsBpchar(const LogicalType& type) {
  return type.id() == LogicalTypeId::VARCHAR && type.HasAlias() && type.GetAlias() == kBpcharAlias;
}

LogicalType ToLogicalType(const SqlType& type) {
  if (type.is_array) return LogicalType::LIST(ScalarType(type.element()));
  return ScalarType(type);
}

SqlType ToSqlType(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::BOOLEAN:
      return {TypeKind::kBool};
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::SMALLINT:
      return {TypeKind::kInt2};
    case LogicalTypeId::UTINYINT:
      return {TypeKind::kInt2};
    case LogicalTypeId::USMALLINT:
    case LogicalTypeId::INTEGER_LITERAL:
    case LogicalTypeId::INTEGER:
      return {TypeKind::kInt4};
    case LogicalTypeId::UINTEGER:
      return {UnsignedKind(type)};
    case LogicalTypeId::BIGINT:
      return {TypeKind::kInt8};
    case LogicalTypeId::UBIGINT:
    case LogicalTypeId::HUGEINT:
    case LogicalTypeId::UHUGEINT:
      return types::NumericType(38, 0);
    case LogicalTypeId::FLOAT:
      return {TypeKind::kFloat4};
    case LogicalTypeId::DOUBLE:
      return {TypeKind::kFloat8};
    case LogicalTypeId::DECIMAL: {
      const int width = duckdb::DecimalType::GetWidth(type);
      const int scale = duckdb::DecimalType::GetScale(type);
      return types::NumericType(width, scale);
    }
    case LogicalTypeId::BLOB:
      return {IsBigNumeric(type) ? TypeKind::kNumeric : TypeKind::kBytea};
    case LogicalTypeId::DATE:
      return {TypeKind::kDate};
    case LogicalTypeId::TIME:
      return {TypeKind::kTime};
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_MS:
    case LogicalTypeId::TIMESTAMP_NS:
      return {TypeKind::kTimestamp};
    case LogicalTypeId::TIMESTAMP_TZ:
      return {TypeKind::kTimestampTz};
    case LogicalTypeId::INTERVAL:
      return {TypeKind::kInterval};
    case LogicalTypeId::UUID:
      return {TypeKind::kUuid};
    case LogicalTypeId::VARCHAR:
      if (IsJsonb(type)) return {TypeKind::kJsonb};
      if (IsJson(type)) return {TypeKind::kJson};
      if (IsBpchar(type)) return {TypeKind::kBpchar, false, BpcharModifier(type)};
      return {TypeKind::kText};
    case LogicalTypeId::LIST: {
      SqlType element = ToSqlType(duckdb::ListType::GetChildType(type));
      if (element.is_array) return {TypeKind::kText};
      element.is_array = true;
      return element;
    }
    default:
      return {TypeKind::kText};
  }
}

bool HasSameLayout(const LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::BOOLEAN:
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::INTEGER:
    case LogicalTypeId::UINTEGER:
    case LogicalTypeId::BIGINT:
    case LogicalTypeId::HUGEINT:
    case LogicalTypeId::FLOAT:
    case LogicalTypeId::DOUBLE:
    case LogicalTypeId::DECIMAL:
    case LogicalTypeId::BLOB:
    case LogicalTypeId::DATE:
    case LogicalTypeId::TIME:
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_TZ:
    case LogicalTypeId::INTERVAL:
    case LogicalTypeId::UUID:
    case LogicalTypeId::VARCHAR:
      return true;
    default:
      return false;
  }
}

duckdb::Value ToDuckValue(const SqlType& type, const Value& value) {
  const LogicalType logical = ToLogicalType(type);
  if (value.is_null) return duckdb::Value(logical);
  if (const auto element = ElementOf(type)) {
    types::ArrayReader reader(*element, value.str());
    duckdb::vector<duckdb::Value> children;
    for (uint32_t i = 0; i < reader.size(); ++i) {
      children.push_back(ToDuckValue(*element, reader.IsNull(i) ? Value::Null() : reader.At(i)));
    }
    return duckdb::Value::LIST(ToLogicalType(*element), std::move(children));
  }
  // A one-row vector has the same bytes as a page cell, whatever the type.
  duckdb::Vector vector(logical, 1);
  StoreVectorCell(vector, 0, type, value);
  return vector.GetValue(0);
}

Value FromDuckValue(const duckdb::Value& value, const SqlType& type, types::Arena& arena) {
  if (value.IsNull()) return Value::Null();
  duckdb::Vector vector(value);
  duckdb::UnifiedVectorFormat format;
  vector.ToUnifiedFormat(1, format);
  if (const auto element = ElementOf(type)) {
    auto& child = duckdb::ListVector::GetEntry(vector);
    duckdb::UnifiedVectorFormat child_format;
    child.ToUnifiedFormat(duckdb::ListVector::GetListSize(vector), child_format);
    const auto entry = duckdb::UnifiedVectorFormat::GetData<duckdb::list_entry_t>(
        format)[format.sel->get_index(0)];
    return EncodeList(child, child_format, entry, *element, arena);
  }
  const auto physical = types::PhysicalTypeOf(type);
  return Padded(type, types::CopyTo(arena, physical, LoadVectorCell(format, physical, 0)), arena);
}

Value EncodeList(duckdb::Vector& child, const duckdb::UnifiedVectorFormat& child_format,
                 duckdb::list_entry_t entry, const SqlType& element, types::Arena& arena) {
  (void)child;
  types::ArrayBuilder builder(element);
  const auto physical = types::PhysicalTypeOf(element);
  for (duckdb::idx_t i = 0; i < entry.length; ++i) {
    builder.Append(
        Padded(element, LoadVectorCell(child_format, physical, entry.offset + i), arena));
  }
  return builder.Finish(arena);
}

duckdb::list_entry_t DecodeList(std::string_view bytes, const SqlType& element,
                                duckdb::Vector& list) {
  types::ArrayReader reader(element, bytes);
  const duckdb::idx_t offset = duckdb::ListVector::GetListSize(list);
  duckdb::ListVector::Reserve(list, offset + reader.size());
  auto& child = duckdb::ListVector::GetEntry(list);
  for (uint32_t i = 0; i < reader.size(); ++i) {
    StoreVectorCell(child, offset + i, element, reader.IsNull(i) ? Value::Null() : reader.At(i));
  }
  duckdb::ListVector::SetListSize(list, offset + reader.size());
  return {offset, reader.size()};
}

Value Padded(const SqlType& type, const Value& value, types::Arena& arena) {
  if (type.kind != TypeKind::kBpchar || type.is_array || value.is_null || type.typmod < 0) {
    return value;
  }
  const auto length = static_cast<size_t>(type.typmod - kCharModifierHeader);
  const std::string_view text = value.str();
  const size_t have = types::Utf8Length(text);
  if (have >= length) return value;
  std::string padded(text);
  padded.append(length - have, ' ');
  return Value::String(arena.Copy(padded));
}

Value LoadVectorCell(const duckdb::UnifiedVectorFormat& format, types::PhysicalType physical,
                     duckdb::idx_t row) {
  const auto cell = format.sel->get_index(row);
  if (!format.validity.RowIsValid(cell)) return Value::Null();
  return types::LoadCell(physical, reinterpret_cast<const char*>(format.data) +
                                       cell * static_cast<size_t>(types::PhysicalSize(physical)));
}

void StoreVectorCell(duckdb::Vector& vector, duckdb::idx_t row, const SqlType& type,
                     const Value& value) {
  if (value.is_null) {
    duckdb::FlatVector::SetNull(vector, row, true);
    return;
  }
  if (const auto element = ElementOf(type)) {
    duckdb::FlatVector::GetData<duckdb::list_entry_t>(vector)[row] =
        DecodeList(value.str(), *element, vector);
    return;
  }
  const auto physical = types::PhysicalTypeOf(type);
  if (physical == types::PhysicalType::kString) {
    const bool padded = type.kind == TypeKind::kBpchar;
    const std::string_view text = padded ? types::TrimBlanks(value.str()) : value.str();
    duckdb::FlatVector::GetData<duckdb::string_t>(vector)[row] =
        duckdb::StringVector::AddStringOrBlob(vector, text.data(), text.size());
    return;
  }
  types::StoreCell(physical,
                   duckdb::FlatVector::GetData(vector) +
                       row * static_cast<size_t>(types::PhysicalSize(physical)),
                   value);
}

}  // namespace omendb::duck
