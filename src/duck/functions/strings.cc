#include "duck/functions/strings.h"

#include <cctype>

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/functions/row_function.h"
#include "duck/logical_types.h"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "types/text_io.h"

namespace omendb::duck {

namespace {

using types::Arena;
using types::SqlType;
using types::TypeKind;
using types::Value;
using Arguments = std::span<const Value>;

constexpr SqlType kText{TypeKind::kText};
constexpr SqlType kInt4{TypeKind::kInt4};
constexpr SqlType kBytea{TypeKind::kBytea};

Value Own(Arena& arena, std::string_view text) { return Value::String(arena.Copy(text)); }

Result<Value> InitCap(Arguments args, SessionState&, Arena& arena) {
  std::string text(args[0].str());
  bool start = true;
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      c = static_cast<char>(start ? std::toupper(byte) : std::tolower(byte));
      start = std::isalnum(byte) == 0;
    } else {
      start = false;
    }
  }
  return Own(arena, text);
}

// lpad and rpad count characters; the fill defaults to a blank.
Result<Value> Pad(Arguments args, Arena& arena, bool left) {
  const std::string_view text = args[0].str();
  const std::string_view fill = args.size() > 2 ? args[2].str() : std::string_view(" ");
  const size_t wanted = args[1].i32 < 0 ? 0 : static_cast<size_t>(args[1].i32);
  const size_t have = types::Utf8Length(text);
  if (have >= wanted || fill.empty()) return Own(arena, types::Utf8Prefix(text, wanted));
  size_t missing = wanted - have;
  const size_t fill_length = types::Utf8Length(fill);
  std::string padding;
  for (; missing >= fill_length; missing -= fill_length) padding += fill;
  padding += types::Utf8Prefix(fill, missing);
  return Own(arena, left ? padding + std::string(text) : std::string(text) + padding);
}

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string ToBase64(std::string_view bytes) {
  std::string out;
  size_t line = 0;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    const size_t have = std::min<size_t>(3, bytes.size() - i);
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0);
    }
    for (size_t k = 0; k < 4; ++k) {
      out += k <= have ? kBase64[group >> (18 - 6 * k) & 63] : '=';
    }
    // PostgreSQL breaks lines after 76 characters, as MIME does.
    if ((line += 4) == 76 && i + 3 < bytes.size()) {
      out += '\n';
      line = 0;
    }
  }
  return out;
}

Result<std::string> FromBase64(std::string_view text) {
  std::string out;
  uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) continue;
    if (c == '=') break;
    const char* found = std::strchr(kBase64, c);
    if (found == nullptr || c == '\0') {
      return Status(
          sqlstate::kInvalidParameterValue,
          std::string("invalid symbol \"") + c + "\" found while decoding base64 sequence");
    }
    group = group << 6 | static_cast<uint32_t>(found - kBase64);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(group >> bits & 0xFF);
    }
  }
  return out;
}

Result<std::string> FromHex(std::string_view text) {
  std::string out;
  int high = -1;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) != 0) continue;
    const int digit = std::isdigit(static_cast<unsigned char>(c)) ? c - '0'
                      : c >= 'a' && c <= 'f'                      ? c - 'a' + 10
                      : c >= 'A' && c <= 'F'                      ? c - 'A' + 10
                                                                  : -1;
    if (digit < 0) {
      return Status(sqlstate::kInvalidParameterValue,
                    std::string("invalid hexadecimal digit: \"") + c + "\"");
    }
    if (high < 0) {
      high = digit;
    } else {
      out += static_cast<char>(high << 4 | digit);
      high = -1;
    }
  }
  if (high >= 0) {
    return Status(sqlstate::kInvalidParameterValue,
                  "invalid hexadecimal data: odd number of digits");
  }
  return out;
}

// Backslashes doubled, other bytes as \\ooo.
Result<std::string> FromEscape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const std::string_view rest = text.substr(i + 1);
    const auto octal = [&](size_t k, char most) { return rest[k] >= '0' && rest[k] <= most; };
    if (rest.starts_with('\\')) {
      out += '\\';
      i += 1;
    } else if (rest.size() >= 3 && octal(0, '3') && octal(1, '7') && octal(2, '7')) {
      out += static_cast<char>((rest[0] - '0') << 6 | (rest[1] - '0') << 3 | (rest[2] - '0'));
      i += 3;
    } else {
      return Status(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type bytea");
    }
  }
  return out;
}

Status UnknownEncoding(std::string_view name) {
  return Status(sqlstate::kInvalidParameterValue,
                "unrecognized encoding: \"" + std::string(name) + "\"");
}

Result<Value> Encode(Arguments args, SessionState&, Arena& arena) {
  const std::string_view format = args[1].str();
  if (format == "hex") return Own(arena, Hex(args[0].str()));
  if (format == "base64") return Own(arena, ToBase64(args[0].str()));
  if (format == "escape") {
    std::string out;
    for (const char c : args[0].str()) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte == '\\') {
        out += "\\\\";
      } else if (byte == 0 || byte >= 0x80) {
        char octal[5];
        std::snprintf(octal, sizeof(octal), "\\%03o", byte);
        out += octal;
      } else {
        out += c;
      }
    }
    return Own(arena, out);
  }
  return UnknownEncoding(format);
}

Result<Value> Decode(Arguments args, SessionState&, Arena& arena) {
  const std::string_view format = args[1].str();
  if (format == "hex") {
    OMEN_ASSIGN(const std::string bytes, FromHex(args[0].str()));
    return Own(arena, bytes);
  }
  if (format == "base64") {
    OMEN_ASSIGN(const std::string bytes, FromBase64(args[0].str()));
    return Own(arena, bytes);
  }
  if (format == "escape") {
    OMEN_ASSIGN(const std::string bytes, FromEscape(args[0].str()));
    return Own(arena, bytes);
  }
  return UnknownEncoding(format);
}

// pg_typeof: the name of the type an expression was bound with.
duckdb::unique_ptr<duckdb::Expression> BindTypeOf(duckdb::FunctionBindExpressionInput& input) {
  const auto& argument = *input.children[0];
  std::string name = "unknown";
  if (argument.return_type.id() != duckdb::LogicalTypeId::SQLNULL) {
    SqlType type = ToSqlType(argument.return_type);
    type.typmod = -1;
    name = types::FormatType(type);
  }
  return duckdb::make_uniq<duckdb::BoundConstantExpression>(duckdb::Value(name));
}

}  // namespace

void RegisterStrings(Registry& registry) {
  RegisterRowFunction(registry, {"initcap", {kText}, kText, InitCap});
  RegisterRowFunction(
      registry, {"lpad",
                 {kText, kInt4, kText},
                 kText,
                 [](Arguments args, SessionState&, Arena& arena) { return Pad(args, arena, true); },
                 duckdb::FunctionStability::CONSISTENT,
                 true,
                 1});
  RegisterRowFunction(registry, {"rpad",
                                 {kText, kInt4, kText},
                                 kText,
                                 [](Arguments args, SessionState&, Arena& arena) {
                                   return Pad(args, arena, false);
                                 },
                                 duckdb::FunctionStability::CONSISTENT,
                                 true,
                                 1});
  RegisterRowFunction(registry, {"encode", {kBytea, kText}, kText, Encode});
  RegisterRowFunction(registry, {"decode", {kText, kText}, kBytea, Decode});

  duckdb::ScalarFunction type_of("pg_typeof", {duckdb::LogicalType::ANY},
                                 duckdb::LogicalType::VARCHAR, nullptr);
  type_of.bind_expression = BindTypeOf;
  type_of.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  registry.Replace(std::move(type_of));
}

}  // namespace omendb::duck
