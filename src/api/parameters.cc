#include "api/parameters.h"

#include <charconv>

namespace omendb::api {
namespace {

// The text of a number at `out`, which has room for it.
template <typename Number>
std::string_view NumberText(Number number, char* out, size_t room) {
  return {out, static_cast<size_t>(std::to_chars(out, out + room, number).ptr - out)};
}

void AppendEscaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        out += c;
    }
  }
}

}  // namespace

void BindParameters(std::span<const Parameter> parameters, std::vector<sql::BoundParameter>& out) {
  out.assign(parameters.size(), {});
  for (size_t i = 0; i < parameters.size(); ++i) {
    sql::BoundParameter& bound = out[i];
    const Parameter& parameter = parameters[i];
    if (const auto* text = std::get_if<std::string_view>(&parameter)) {
      bound.bytes = *text;
    } else if (const auto* integer = std::get_if<int64_t>(&parameter)) {
      bound.kind = types::TypeKind::kInt8;
      bound.value = types::Value::Int64(*integer);
    } else if (const auto* number = std::get_if<double>(&parameter)) {
      bound.kind = types::TypeKind::kFloat8;
      bound.value = types::Value::Float64(*number);
    } else if (const auto* truth = std::get_if<bool>(&parameter)) {
      bound.kind = types::TypeKind::kBool;
      bound.value = types::Value::Bool(*truth);
    } else {
      bound.is_null = true;
    }
  }
}

void AppendCopyLine(std::span<const Parameter> row, std::string& out) {
  char room[32];
  for (size_t i = 0; i < row.size(); ++i) {
    if (i > 0) out += '\t';
    if (const auto* text = std::get_if<std::string_view>(&row[i])) {
      AppendEscaped(*text, out);
    } else if (const auto* integer = std::get_if<int64_t>(&row[i])) {
      out += NumberText(*integer, room, sizeof(room));
    } else if (const auto* number = std::get_if<double>(&row[i])) {
      out += NumberText(*number, room, sizeof(room));
    } else if (const auto* truth = std::get_if<bool>(&row[i])) {
      out += *truth ? 't' : 'f';
    } else {
      out += "\\N";
    }
  }
  out += '\n';
}

}  // namespace omendb::api
