#include "duck/functions/json_writer.h"

#include "duck/logical_types.h"
#include "types/json.h"

namespace omendb::duck {

namespace {

using duckdb::LogicalTypeId;
using types::TypeKind;

// ISO 8601: a T between date and time, minutes in the offset.
void ToIsoTimestamp(std::string& text, bool has_zone) {
  const size_t blank = text.find(' ');
  if (blank == std::string::npos) return;  // infinity
  text[blank] = 'T';
  const size_t sign = text.find_last_of("+-");
  if (has_zone && sign != std::string::npos && sign > blank && text.size() == sign + 3) {
    text += ":00";
  }
}

}  // namespace

JsonColumn::JsonColumn(duckdb::Vector& vector, duckdb::idx_t count,
                       const types::IoSettings& settings)
    : vector_(vector), type_(vector.GetType()), sql_type_(ToSqlType(type_)), settings_(settings) {
  settings_.date_style = types::DateStyle::kIso;
  vector.Flatten(count);
  vector.ToUnifiedFormat(count, format_);
  if (type_.id() == LogicalTypeId::STRUCT) {
    auto& entries = duckdb::StructVector::GetEntries(vector);
    for (size_t i = 0; i < entries.size(); ++i) {
      children_.push_back(std::make_unique<JsonColumn>(*entries[i], count, settings));
      std::string name = duckdb::StructType::GetChildName(type_, i);
      names_.push_back(name.empty() ? "f" + std::to_string(i + 1) : std::move(name));
    }
  } else if (type_.id() == LogicalTypeId::LIST) {
    children_.push_back(std::make_unique<JsonColumn>(
        duckdb::ListVector::GetEntry(vector), duckdb::ListVector::GetListSize(vector), settings));
  }
}

bool JsonColumn::IsNull(duckdb::idx_t row) const {
  return !format_.validity.RowIsValid(format_.sel->get_index(row));
}

duckdb::list_entry_t JsonColumn::ListEntry(duckdb::idx_t row) const {
  return duckdb::UnifiedVectorFormat::GetData<duckdb::list_entry_t>(
      format_)[format_.sel->get_index(row)];
}

std::string JsonColumn::Text(duckdb::idx_t row) const {
  if (!HasSameLayout(type_)) return vector_.GetValue(row).ToString();
  std::string text;
  types::Arena arena;
  const types::Value value = LoadVectorCell(format_, types::PhysicalTypeOf(sql_type_), row);
  types::FormatText(sql_type_, Padded(sql_type_, value, arena), settings_, text);
  return text;
}

void JsonColumn::AppendScalar(duckdb::idx_t row, std::string& out) const {
  std::string text = Text(row);
  switch (sql_type_.kind) {
    case TypeKind::kBool:
      out += text[0] == 't' ? "true" : "false";
      return;
    case TypeKind::kJson:
    case TypeKind::kJsonb:
      out += text;
      return;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampTz:
      ToIsoTimestamp(text, sql_type_.kind == TypeKind::kTimestampTz);
      break;
    default:
      // NaN and infinity are strings.
      if (types::NumberRank(sql_type_.kind) && text.find_first_of("Nf") == std::string::npos) {
        out += text;
        return;
      }
      break;
  }
  types::AppendJsonString(text, out);
}

void JsonColumn::AppendJson(duckdb::idx_t row, std::string& out) const {
  if (IsNull(row)) {
    out += "null";
    return;
  }
  if (is_struct()) {
    out += '{';
    for (size_t i = 0; i < children_.size(); ++i) {
      if (i > 0) out += ',';
      types::AppendJsonString(names_[i], out);
      out += ':';
      children_[i]->AppendJson(row, out);
    }
    out += '}';
    return;
  }
  if (type_.id() == LogicalTypeId::LIST) {
    const duckdb::list_entry_t entry = ListEntry(row);
    out += '[';
    for (duckdb::idx_t i = 0; i < entry.length; ++i) {
      if (i > 0) out += ',';
      children_[0]->AppendJson(entry.offset + i, out);
    }
    out += ']';
    return;
  }
  AppendScalar(row, out);
}

void JsonColumn::AppendKey(duckdb::idx_t row, std::string& out) const {
  std::string text = Text(row);
  if (sql_type_.kind == TypeKind::kBool) text = text[0] == 't' ? "true" : "false";
  types::AppendJsonString(text, out);
}

}  // namespace omendb::duck
