#include "server/http/json_writer.h"

#include <cmath>
#include <cstdint>
#include <cstdio>

namespace omendb::server {
namespace {

// The two-character escape of a control character, or none.
const char* ShortEscape(char c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return nullptr;
  }
}

bool IsJsonNumber(const types::SqlType& type, const types::Value& value) {
  if (type.is_array) return false;
  switch (type.kind) {
    case types::TypeKind::kInt2:
    case types::TypeKind::kInt4:
    case types::TypeKind::kInt8:
    case types::TypeKind::kOid:
      return true;
    case types::TypeKind::kFloat4:
      return std::isfinite(value.f32);
    case types::TypeKind::kFloat8:
      return std::isfinite(value.f64);
    default:
      return false;
  }
}

void AppendField(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  if (out.back() != '{') out += ',';
  AppendJsonString(out, name);
  out += ':';
  AppendJsonString(out, text);
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  size_t copied = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<uint8_t>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text.substr(copied, i - copied));
    copied = i + 1;
    if (const char* escape = ShortEscape(c)) {
      out += escape;
    } else {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
      out += code;
    }
  }
  out.append(text.substr(copied));
  out += '"';
}

void AppendJsonValue(std::string& out, const types::SqlType& type, const types::Value& value,
                     const types::IoSettings& settings) {
  if (value.is_null) {
    out += "null";
    return;
  }
  const bool is_json = !type.is_array && (type.kind == types::TypeKind::kJson ||
                                          type.kind == types::TypeKind::kJsonb);
  if (is_json || IsJsonNumber(type, value)) {
    types::FormatText(type, value, settings, out);
  } else if (!type.is_array && type.kind == types::TypeKind::kBool) {
    out += value.boolean ? "true" : "false";
  } else {
    std::string text;
    types::FormatText(type, value, settings, text);
    AppendJsonString(out, text);
  }
}

std::string ErrorJson(const ErrorInfo& error) {
  std::string out = "{\"error\":{";
  AppendField(out, "sqlstate", error.sqlstate.view());
  AppendField(out, "message", error.message);
  AppendField(out, "detail", error.detail);
  AppendField(out, "hint", error.hint);
  AppendField(out, "context", error.context);
  AppendField(out, "schema", error.schema_name);
  AppendField(out, "table", error.table_name);
  AppendField(out, "column", error.column_name);
  AppendField(out, "constraint", error.constraint_name);
  if (error.position > 0) out += ",\"position\":" + std::to_string(error.position);
  out += "}}\n";
  return out;
}

}  // namespace omendb::server
