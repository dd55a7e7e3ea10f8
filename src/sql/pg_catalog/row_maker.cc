#include "sql/pg_catalog/row_maker.h"

#include "base/check.h"
#include "catalog/privileges.h"
#include "types/array.h"

namespace omendb::sql {

bool SeesSessionsOf(const SystemContext& c, Oid role) {
  return c.session == nullptr || c.session->is_superuser() ||
         catalog::HasPrivilegesOf(c.catalog, c.session->current_role(), role);
}

RowMaker& RowMaker::Begin() {
  rows_.emplace_back(table_.columns.size(), types::Value::Null());
  return *this;
}

types::Value* RowMaker::Cell(std::string_view column, types::SqlType* type) {
  for (size_t i = 0; i < table_.columns.size(); ++i) {
    if (table_.columns[i].name != column) continue;
    *type = table_.columns[i].type;
    return &rows_.back()[i];
  }
  OMEN_DCHECK(false);
  return nullptr;
}

RowMaker& RowMaker::Set(std::string_view column, std::string_view text) {
  types::SqlType type;
  types::Value* cell = Cell(column, &type);
  if (cell != nullptr) *cell = types::Value::String(arena_.Copy(text));
  return *this;
}

RowMaker& RowMaker::Set(std::string_view column, bool value) {
  types::SqlType type;
  types::Value* cell = Cell(column, &type);
  if (cell != nullptr) *cell = types::Value::Bool(value);
  return *this;
}

RowMaker& RowMaker::Set(std::string_view column, int64_t value) {
  types::SqlType type;
  types::Value* cell = Cell(column, &type);
  if (cell == nullptr) return *this;
  switch (types::PhysicalTypeOf(type)) {
    case types::PhysicalType::kInt16:
      *cell = types::Value::Int16(static_cast<int16_t>(value));
      break;
    case types::PhysicalType::kInt32:
      *cell = types::Value::Int32(static_cast<int32_t>(value));
      break;
    case types::PhysicalType::kInt64:
      *cell = types::Value::Int64(value);
      break;
    case types::PhysicalType::kFloat32:
      *cell = types::Value::Float32(static_cast<float>(value));
      break;
    case types::PhysicalType::kFloat64:
      *cell = types::Value::Float64(static_cast<double>(value));
      break;
    case types::PhysicalType::kString:
      *cell = types::Value::String(arena_.Copy(std::to_string(value)));
      break;
    default:
      break;
  }
  return *this;
}

RowMaker& RowMaker::Set(std::string_view column, double value) {
  types::SqlType type;
  types::Value* cell = Cell(column, &type);
  if (cell != nullptr) *cell = types::Value::Float64(value);
  return *this;
}

RowMaker& RowMaker::SetList(std::string_view column, const std::vector<int64_t>& values) {
  types::SqlType type;
  types::Value* cell = Cell(column, &type);
  if (cell == nullptr) return *this;
  types::SqlType element = type.is_array ? type.element()
                           : type.kind == types::TypeKind::kInt2vector
                               ? types::SqlType{types::TypeKind::kInt2}
                               : types::SqlType{types::TypeKind::kOid};
  types::ArrayBuilder builder(element);
  for (int64_t value : values) {
    builder.Append(types::PhysicalTypeOf(element) == types::PhysicalType::kInt16
                       ? types::Value::Int16(static_cast<int16_t>(value))
                       : types::Value::Int32(static_cast<int32_t>(value)));
  }
  *cell = builder.Finish(arena_);
  return *this;
}

RowMaker& RowMaker::SetTexts(std::string_view column, const std::vector<std::string>& values) {
  types::SqlType type;
  types::Value* cell = Cell(column, &type);
  if (cell == nullptr) return *this;
  types::ArrayBuilder builder(types::SqlType{types::TypeKind::kText});
  for (const std::string& value : values) builder.Append(types::Value::String(value));
  *cell = builder.Finish(arena_);
  return *this;
}

void SetAcl(SystemContext& c, std::string_view column, const std::optional<catalog::Acl>& acl) {
  if (acl) c.row.SetTexts(column, catalog::AclTexts(c.catalog, *acl));
}

}  // namespace omendb::sql
