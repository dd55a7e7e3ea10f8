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

std::span<const sql::BoundParameter> ParameterText::Of(std::span<const Parameter> parameters) {
  bound_.assign(parameters.size(), {});
  numbers_.resize(parameters.size() * kNumberBytesMax);
  for (size_t i = 0; i < parameters.size(); ++i) {
    sql::BoundParameter& bound = bound_[i];
    char* room = numbers_.data() + i * kNumberBytesMax;
    const Parameter& parameter = parameters[i];
    if (const auto* text = std::get_if<std::string_view>(&parameter)) {
      bound.bytes = *text;
    } else if (const auto* integer = std::get_if<int64_t>(&parameter)) {
      bound.bytes = NumberText(*integer, room, kNumberBytesMax);
    } else if (const auto* number = std::get_if<double>(&parameter)) {
      bound.bytes = NumberText(*number, room, kNumberBytesMax);
    } else if (const auto* truth = std::get_if<bool>(&parameter)) {
      bound.bytes = *truth ? "t" : "f";
    } else {
      bound.is_null = true;
    }
  }
  return bound_;
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
