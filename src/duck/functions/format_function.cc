#include "duck/functions/format_function.h"

#include <cctype>

#include "base/sqlstate.h"
#include "duck/functions/any_function.h"
#include "duckdb/parser/parser.hpp"
#include "types/text_io.h"

namespace omendb::duck {

namespace {

using types::SqlType;
using types::TypeKind;
using types::Value;

Status Invalid(std::string message) {
  return Status(sqlstate::kInvalidParameterValue, std::move(message));
}

bool IsPlainIdentifier(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0) return false;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::islower(byte) == 0 && std::isdigit(byte) == 0 && c != '_') return false;
  }
  const auto category = duckdb::Parser::IsKeyword(std::string(name));
  return category == duckdb::KeywordCategory::KEYWORD_NONE ||
         category == duckdb::KeywordCategory::KEYWORD_UNRESERVED;
}

std::string QuoteIdentifier(std::string_view name) {
  if (IsPlainIdentifier(name)) return std::string(name);
  std::string quoted = "\"";
  for (const char c : name) {
    quoted += c;
    if (c == '"') quoted += '"';
  }
  return quoted + "\"";
}

std::string QuoteLiteral(std::string_view text) {
  const bool escape = text.find('\\') != std::string_view::npos;
  std::string quoted = escape ? " E'" : "'";
  for (const char c : text) {
    quoted += c;
    if (c == '\'' || c == '\\') quoted += c;
  }
  return quoted + "'";
}

// One run of format() over its pattern.
class Formatter {
 public:
  Formatter(std::span<const Value> args, const std::vector<SqlType>& types,
            const types::IoSettings& settings)
      : pattern_(args[0].str()), args_(args), types_(types), settings_(settings) {}

  Result<std::string> Run() {
    while (at_ < pattern_.size()) {
      if (pattern_[at_] != '%') {
        out_ += pattern_[at_++];
        continue;
      }
      ++at_;
      OMEN_TRY(Specifier());
    }
    return std::move(out_);
  }

 private:
  char Peek() const { return at_ < pattern_.size() ? pattern_[at_] : '\0'; }

  // Digits here; -1 when there are none.
  Result<int64_t> Number() {
    if (std::isdigit(static_cast<unsigned char>(Peek())) == 0) return int64_t{-1};
    int64_t number = 0;
    while (std::isdigit(static_cast<unsigned char>(Peek())) != 0) {
      number = number * 10 + (pattern_[at_++] - '0');
      if (number > INT32_MAX) {
        return Status(sqlstate::kNumericValueOutOfRange, "number is out of range");
      }
    }
    return number;
  }

  Status CheckPosition(int64_t position) const {
    if (position != 0) return Status::Ok();
    return Invalid("format specifies argument 0, but arguments are numbered from 1");
  }

  // Takes argument `position`, or the next one (-1).
  Result<size_t> Take(int64_t position) {
    const size_t index = position > 0 ? static_cast<size_t>(position) : next_;
    if (index >= args_.size()) return Invalid("too few arguments for format()");
    next_ = index + 1;
    return index;
  }

  Status Specifier() {
    if (Peek() == '%') {
      out_ += pattern_[at_++];
      return Status::Ok();
    }
    OMEN_ASSIGN(int64_t number, Number());
    int64_t position = -1;
    if (number >= 0 && Peek() == '$') {
      ++at_;
      position = number;
      OMEN_TRY(CheckPosition(position));
      number = -1;
    }
    bool left = false;
    if (number < 0) {
      while (Peek() == '-') {
        left = true;
        ++at_;
      }
      OMEN_TRY(Width(&number, &left));
    }
    if (at_ >= pattern_.size()) {
      return Invalid("unterminated format() type specifier")
          .WithHint("For a single \"%\" use \"%%\".");
    }
    return Append(pattern_[at_++], position, left, number < 0 ? 0 : static_cast<size_t>(number));
  }

  // A width: digits, * or *n$.
  Status Width(int64_t* width, bool* left) {
    if (Peek() != '*') {
      OMEN_ASSIGN(*width, Number());
      return Status::Ok();
    }
    ++at_;
    OMEN_ASSIGN(const int64_t position, Number());
    if (position >= 0) {
      if (Peek() != '$') {
        return Invalid("width argument position must be ended by \"$\"");
      }
      ++at_;
      OMEN_TRY(CheckPosition(position));
    }
    OMEN_ASSIGN(const size_t index, Take(position));
    if (args_[index].is_null) return Status::Ok();
    *width = std::atoll(Text(index).c_str());
    if (*width < 0) {
      *left = true;
      *width = -*width;
    }
    return Status::Ok();
  }

  std::string Text(size_t index) const {
    std::string text;
    types::FormatText(types_[index], args_[index], settings_, text);
    return text;
  }

  Status Append(char kind, int64_t position, bool left, size_t width) {
    if (kind != 's' && kind != 'I' && kind != 'L') {
      return Invalid(std::string("unrecognized format() type specifier \"") + kind + "\"")
          .WithHint("For a single \"%\" use \"%%\".");
    }
    OMEN_ASSIGN(const size_t index, Take(position));
    std::string piece;
    if (args_[index].is_null) {
      if (kind == 'I') {
        return Status(sqlstate::kNullValueNotAllowed,
                      "null values cannot be formatted as an SQL identifier");
      }
      if (kind == 'L') piece = "NULL";
    } else {
      piece = Text(index);
      if (kind == 'I') piece = QuoteIdentifier(piece);
      if (kind == 'L') piece = QuoteLiteral(piece);
    }
    const size_t length = types::Utf8Length(piece);
    const std::string padding(width > length ? width - length : 0, ' ');
    out_ += left ? piece + padding : padding + piece;
    return Status::Ok();
  }

  const std::string_view pattern_;
  const std::span<const Value> args_;
  const std::vector<SqlType>& types_;
  const types::IoSettings& settings_;
  std::string out_;
  size_t at_ = 0;
  size_t next_ = 1;
};

}  // namespace

void RegisterFormat(Registry& registry) {
  AnyFunction format{"format",
                     1,
                     SIZE_MAX,
                     nullptr,
                     nullptr,
                     false,
                     duckdb::FunctionStability::CONSISTENT_WITHIN_QUERY};
  format.resolve = [](const std::vector<SqlType>& given) -> std::optional<AnySignature> {
    AnySignature signature{given, {TypeKind::kText}};
    for (SqlType& type : signature.arguments) {
      if (type.kind == TypeKind::kUnknown) type = {TypeKind::kText};
    }
    signature.arguments[0] = {TypeKind::kText};
    return signature;
  };
  format.body = [](std::span<const Value> args, const AnySignature& signature, SessionState& state,
                   types::Arena& arena) -> Result<Value> {
    if (args[0].is_null) return Value::Null();
    OMEN_ASSIGN(const std::string text,
                Formatter(args, signature.arguments, state.io_settings()).Run());
    return Value::String(arena.Copy(text));
  };
  RegisterAnyFunction(registry, format);
}

}  // namespace omendb::duck
