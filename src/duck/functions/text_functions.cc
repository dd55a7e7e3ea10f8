#include "duck/functions/text_functions.h"

#include <algorithm>
#include <cctype>

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/functions/row_function.h"
#include "types/array.h"
#include "types/text_io.h"

namespace omendb::duck {

namespace {

using duckdb::LogicalType;
using duckdb::string_t;
using types::Arena;
using types::ArrayBuilder;
using types::SqlType;
using types::TypeKind;
using types::Value;
using Arguments = std::span<const Value>;
using Body = Result<Value> (*)(Arguments args, SessionState& state, Arena& arena);

constexpr SqlType kText{TypeKind::kText};
constexpr SqlType kTexts{TypeKind::kText, true};
constexpr SqlType kBool{TypeKind::kBool};
constexpr SqlType kInt4{TypeKind::kInt4};
constexpr SqlType kInt8{TypeKind::kInt8};

Value Own(Arena& arena, std::string_view text) { return Value::String(arena.Copy(text)); }
Status Invalid(std::string message) {
  return Status(sqlstate::kInvalidParameterValue, std::move(message));
}

std::string_view View(const string_t& text) { return {text.GetData(), text.GetSize()}; }

// ---- Vectorized: these stand in queries over many rows
// -------------------------------------------

void Length(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::UnaryExecutor::Execute<string_t, int32_t>(
      args.data[0], result, args.size(),
      [](string_t text) { return static_cast<int32_t>(types::Utf8Length(View(text))); });
}

void Position(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::BinaryExecutor::Execute<string_t, string_t, int32_t>(
      args.data[0], args.data[1], result, args.size(), [](string_t text, string_t part) {
        const size_t found = View(text).find(View(part));
        if (found == std::string_view::npos) return 0;
        return static_cast<int32_t>(types::Utf8Length(View(text).substr(0, found))) + 1;
      });
}

// Characters [start, start + length) of those there are, counted from one.
std::string_view Substring(std::string_view text, int64_t start, int64_t length) {
  if (length < 0) {
    ThrowStatus(Status(SqlState("22011"), "negative substring length not allowed"));
  }
  const int64_t end = std::min<int64_t>(start + length, INT32_MAX);
  if (start < 1) start = 1;
  if (end <= start) return {};
  text.remove_prefix(types::Utf8Prefix(text, static_cast<size_t>(start - 1)).size());
  return types::Utf8Prefix(text, static_cast<size_t>(end - start));
}

void SubstringFrom(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::BinaryExecutor::Execute<string_t, int32_t, string_t>(
      args.data[0], args.data[1], result, args.size(), [&](string_t text, int32_t start) {
        const std::string_view part = Substring(View(text), start, INT32_MAX);
        return duckdb::StringVector::AddString(result, part.data(), part.size());
      });
}

void SubstringFor(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::TernaryExecutor::Execute<string_t, int32_t, int32_t, string_t>(
      args.data[0], args.data[1], args.data[2], result, args.size(),
      [&](string_t text, int32_t start, int32_t length) {
        const std::string_view part = Substring(View(text), start, length);
        return duckdb::StringVector::AddString(result, part.data(), part.size());
      });
}

void RegisterVectorized(Registry& registry) {
  const LogicalType text = LogicalType::VARCHAR;
  const LogicalType integer = LogicalType::INTEGER;
  for (const char* name : {"length", "char_length", "character_length"}) {
    registry.Replace(duckdb::ScalarFunction(name, {text}, integer, Length));
  }
  registry.Replace(duckdb::ScalarFunction("strpos", {text, text}, integer, Position));
  for (const char* name : {"substring", "substr"}) {
    duckdb::ScalarFunctionSet set(name);
    duckdb::ScalarFunction from({text, integer}, text, SubstringFrom);
    duckdb::ScalarFunction from_for({text, integer, integer}, text, SubstringFor);
    for (duckdb::ScalarFunction* function : {&from, &from_for}) {
      function->errors = duckdb::FunctionErrors::CAN_THROW_RUNTIME_ERROR;
      set.AddFunction(*function);
    }
    registry.Replace(std::move(set));
  }
}

// ---- Row by row ---------------------------------------------------------------------------------

Result<Value> ToHex(Arguments args, Arena& arena, bool wide) {
  char text[24];
  if (wide) {
    std::snprintf(text, sizeof(text), "%llx", static_cast<unsigned long long>(args[0].i64));
  } else {
    std::snprintf(text, sizeof(text), "%x", static_cast<unsigned>(args[0].i32));
  }
  return Own(arena, text);
}

Result<Value> Chr(Arguments args, SessionState&, Arena& arena) {
  const int32_t code = args[0].i32;
  if (code < 0) return Invalid("character number must be positive");
  if (code == 0) return Status(SqlState("54000"), "null character not permitted");
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
    return Status(SqlState("54000"),
                  (code > 0x10FFFF ? "requested character too large for encoding: "
                                   : "requested character not valid for encoding: ") +
                      std::to_string(code));
  }
  std::string text;
  const auto bits = static_cast<uint32_t>(code);
  if (bits < 0x80) {
    text += static_cast<char>(bits);
  } else if (bits < 0x800) {
    text += static_cast<char>(0xC0 | bits >> 6);
  } else if (bits < 0x10000) {
    text += static_cast<char>(0xE0 | bits >> 12);
    text += static_cast<char>(0x80 | (bits >> 6 & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | bits >> 18);
    text += static_cast<char>(0x80 | (bits >> 12 & 0x3F));
    text += static_cast<char>(0x80 | (bits >> 6 & 0x3F));
  }
  if (bits >= 0x80) text += static_cast<char>(0x80 | (bits & 0x3F));
  return Own(arena, text);
}

// The pieces of `text` between separators; one empty separator splits nothing.
std::vector<std::string_view> SplitAt(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> pieces;
  while (!separator.empty()) {
    const size_t found = text.find(separator);
    if (found == std::string_view::npos) break;
    pieces.push_back(text.substr(0, found));
    text.remove_prefix(found + separator.size());
  }
  pieces.push_back(text);
  return pieces;
}

Result<Value> SplitPart(Arguments args, SessionState&, Arena&) {
  if (args[2].i32 == 0) return Invalid("field position must not be zero");
  const auto pieces = SplitAt(args[0].str(), args[1].str());
  int64_t number = args[2].i32;
  if (number < 0) number += static_cast<int64_t>(pieces.size()) + 1;
  if (number < 1 || number > static_cast<int64_t>(pieces.size())) return Value::String("");
  return Value::String(pieces[static_cast<size_t>(number - 1)]);
}

// string_to_array(text, separator [, text for NULL]); a NULL separator splits into characters.
Result<Value> StringToArray(Arguments args, SessionState&, Arena& arena) {
  if (args[0].is_null) return Value::Null();
  std::string_view text = args[0].str();
  std::vector<std::string_view> pieces;
  if (args[1].is_null) {
    while (!text.empty()) {
      pieces.push_back(types::Utf8Prefix(text, 1));
      text.remove_prefix(pieces.back().size());
    }
  } else if (!text.empty()) {
    pieces = SplitAt(text, args[1].str());
  }
  ArrayBuilder builder(kText);
  for (const std::string_view piece : pieces) {
    const bool is_null = args.size() > 2 && !args[2].is_null && piece == args[2].str();
    builder.Append(is_null ? Value::Null() : Value::String(piece));
  }
  return builder.Finish(arena);
}

// overlay(text placing new from start [for count])
Result<Value> Overlay(Arguments args, SessionState&, Arena& arena) {
  const std::string_view text = args[0].str();
  const std::string_view replacement = args[1].str();
  const int64_t start = args[2].i32;
  const int64_t count =
      args.size() > 3 ? args[3].i32 : static_cast<int64_t>(types::Utf8Length(replacement));
  if (start <= 0) return Status(SqlState("22011"), "negative substring length not allowed");
  std::string out(types::Utf8Prefix(text, static_cast<size_t>(start - 1)));
  out += replacement;
  const auto skipped = static_cast<size_t>(std::max<int64_t>(start - 1 + count, 0));
  out += text.substr(types::Utf8Prefix(text, skipped).size());
  return Own(arena, out);
}

// unistr('\0041 \+01F600 \u0041 \U0001F600')
Result<Value> Unistr(Arguments args, SessionState& state, Arena& arena) {
  const std::string_view text = args[0].str();
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    size_t digits = 4;
    size_t at = i + 1;
    if (at < text.size() && text[at] == '\\') {
      out += '\\';
      i = at;
      continue;
    }
    if (at < text.size() && (text[at] == '+' || text[at] == 'u' || text[at] == 'U')) {
      digits = text[at] == '+' ? 6 : text[at] == 'u' ? 4 : 8;
      ++at;
    }
    const std::string number(text.substr(std::min(at, text.size()), digits));
    if (number.size() < digits ||
        number.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
      return Status(sqlstate::kSyntaxError, "invalid Unicode escape")
          .WithHint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.");
    }
    const Value code = Value::Int32(static_cast<int32_t>(std::stoul(number, nullptr, 16)));
    OMEN_ASSIGN(const Value character, Chr(std::span(&code, 1), state, arena));
    out += character.str();
    i = at + digits - 1;
  }
  return Own(arena, out);
}

bool IsIdentifierStart(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalpha(byte) != 0 || c == '_' || byte >= 0x80;
}
bool IsIdentifierPart(char c) {
  return IsIdentifierStart(c) || c == '$' || std::isdigit(static_cast<unsigned char>(c)) != 0;
}

// parse_ident('"A".b'): the parts of a qualified name; what follows them is an error if strict.
class NameParser {
 public:
  explicit NameParser(std::string_view text) : text_(text), rest_(text) {}

  Result<Value> Run(bool strict, Arena& arena) {
    ArrayBuilder builder(kText);
    bool behind_dot = false;
    SkipBlanks();
    for (;;) {
      OMEN_ASSIGN(const std::string part, TakePart(behind_dot));
      builder.Append(Own(arena, part));
      SkipBlanks();
      if (!rest_.starts_with('.')) break;
      behind_dot = true;
      rest_.remove_prefix(1);
      SkipBlanks();
    }
    if (strict && !rest_.empty()) return Wrong(nullptr);
    return builder.Finish(arena);
  }

 private:
  Status Wrong(const char* detail) const {
    Status status = Invalid("string is not a valid identifier: \"" + std::string(text_) + "\"");
    return detail == nullptr ? std::move(status) : std::move(status).WithDetail(detail);
  }

  void SkipBlanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n\r\f"), rest_.size()));
  }

  Result<std::string> TakePart(bool behind_dot) {
    if (rest_.starts_with('"')) return TakeQuoted();
    std::string part;
    while (!rest_.empty() &&
           (part.empty() ? IsIdentifierStart(rest_[0]) : IsIdentifierPart(rest_[0]))) {
      part += static_cast<char>(std::tolower(static_cast<unsigned char>(rest_[0])));
      rest_.remove_prefix(1);
    }
    if (!part.empty()) return part;
    if (rest_.starts_with('.')) return Wrong("No valid identifier before \".\".");
    return Wrong(behind_dot ? "No valid identifier after \".\"." : nullptr);
  }

  Result<std::string> TakeQuoted() {
    std::string part;
    for (size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] != '"') {
        part += rest_[i];
      } else if (i + 1 < rest_.size() && rest_[i + 1] == '"') {
        part += rest_[i++];
      } else {
        if (part.empty()) return Wrong("Quoted identifier must not be empty.");
        rest_.remove_prefix(i + 1);
        return part;
      }
    }
    return Wrong("String has unclosed double quotes.");
  }

  const std::string_view text_;
  std::string_view rest_;
};

Result<Value> ParseIdent(Arguments args, SessionState&, Arena& arena) {
  return NameParser(args[0].str()).Run(args.size() < 2 || args[1].boolean, arena);
}

void Register(Registry& registry, const char* name, std::vector<SqlType> arguments, SqlType result,
              Body body, int optional = 0, bool strict = true) {
  RegisterRowFunction(registry, {name, std::move(arguments), result, body,
                                 duckdb::FunctionStability::CONSISTENT, strict, optional});
}

}  // namespace

void RegisterTextFunctions(Registry& registry) {
  RegisterVectorized(registry);
  duckdb::ScalarFunctionSet to_hex("to_hex");
  for (const bool wide : {false, true}) {
    AddRowFunction(to_hex, {"to_hex",
                            {wide ? kInt8 : kInt4},
                            kText,
                            [wide](Arguments args, SessionState&, Arena& arena) {
                              return ToHex(args, arena, wide);
                            }});
  }
  registry.Replace(std::move(to_hex));
  Register(registry, "chr", {kInt4}, kText, Chr);
  Register(registry, "split_part", {kText, kText, kInt4}, kText, SplitPart);
  Register(registry, "string_to_array", {kText, kText, kText}, kTexts, StringToArray, 1, false);
  Register(registry, "overlay", {kText, kText, kInt4, kInt4}, kText, Overlay, 1);
  Register(registry, "unistr", {kText}, kText, Unistr);
  Register(registry, "parse_ident", {kText, kBool}, kTexts, ParseIdent, 1);
}

}  // namespace omendb::duck
