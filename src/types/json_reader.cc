#include "types/json_reader.h"

#include <algorithm>

#include "types/text_parsers.h"

namespace omendb::types {
namespace {

bool IsWordCharacter(char c) {
  return IsAlpha(c) || IsDigit(c) || c == '_' || (static_cast<unsigned char>(c) & 0x80) != 0;
}

Status JsonError(std::string detail) {
  return Status(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type json")
      .WithDetail(std::move(detail));
}

void AppendUtf8(uint32_t code, std::string& out) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | code >> 6));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | code >> 12));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out.push_back(static_cast<char>(0xF0 | code >> 18));
    out.push_back(static_cast<char>(0x80 | (code >> 12 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3F)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

Status OrphanSurrogate() {
  return JsonError("Unicode low surrogate must follow a high surrogate.");
}

size_t SkipDigits(std::string_view s, size_t pos) {
  while (pos < s.size() && IsDigit(s[pos])) ++pos;
  return pos;
}

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  char lower = ToLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

Status JsonReader::Unexpected(std::string_view expected) const {
  if (token_ == JsonToken::kEnd) return JsonError("The input string ended unexpectedly.");
  return JsonError(std::string(expected) + ", but found \"" + std::string(token_text_) + "\".");
}

Status JsonReader::InvalidToken(size_t size) const {
  return JsonError("Token \"" + std::string(rest_.substr(0, size)) + "\" is invalid.");
}

void JsonReader::Take(JsonToken token, size_t size) {
  token_ = token;
  token_text_ = rest_.substr(0, size);
  rest_.remove_prefix(size);
}

Status JsonReader::Next() {
  auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  if (rest_.empty()) {
    Take(JsonToken::kEnd, 0);
    return Status::Ok();
  }
  switch (rest_.front()) {
    case '{':
      Take(JsonToken::kObjectBegin, 1);
      return Status::Ok();
    case '}':
      Take(JsonToken::kObjectEnd, 1);
      return Status::Ok();
    case '[':
      Take(JsonToken::kArrayBegin, 1);
      return Status::Ok();
    case ']':
      Take(JsonToken::kArrayEnd, 1);
      return Status::Ok();
    case ',':
      Take(JsonToken::kComma, 1);
      return Status::Ok();
    case ':':
      Take(JsonToken::kColon, 1);
      return Status::Ok();
    case '"':
      return ReadString();
    case '-':
      return ReadNumber();
    default:
      return IsDigit(rest_.front()) ? ReadNumber() : ReadWord();
  }
}

Status JsonReader::ReadWord() {
  size_t size = 0;
  while (size < rest_.size() && IsWordCharacter(rest_[size])) ++size;
  if (size == 0) return InvalidToken(1);
  std::string_view word = rest_.substr(0, size);
  if (word == "true") {
    Take(JsonToken::kTrue, size);
  } else if (word == "false") {
    Take(JsonToken::kFalse, size);
  } else if (word == "null") {
    Take(JsonToken::kNull, size);
  } else {
    return InvalidToken(size);
  }
  return Status::Ok();
}

Status JsonReader::ReadNumber() {
  size_t pos = rest_.front() == '-' ? 1 : 0;
  size_t start = pos;
  bool bad = false;
  if (pos < rest_.size() && rest_[pos] == '0') {
    ++pos;
  } else {
    pos = SkipDigits(rest_, pos);
    bad = pos == start;
  }
  if (!bad && pos < rest_.size() && rest_[pos] == '.') {
    start = ++pos;
    pos = SkipDigits(rest_, pos);
    bad = pos == start;
  }
  if (!bad && pos < rest_.size() && (rest_[pos] == 'e' || rest_[pos] == 'E')) {
    ++pos;
    if (pos < rest_.size() && (rest_[pos] == '+' || rest_[pos] == '-')) ++pos;
    start = pos;
    pos = SkipDigits(rest_, pos);
    bad = pos == start;
  }
  while (pos < rest_.size() && IsWordCharacter(rest_[pos])) {
    bad = true;
    ++pos;
  }
  if (bad) return InvalidToken(pos);
  Take(JsonToken::kNumber, pos);
  return Status::Ok();
}

Status JsonReader::ReadString() {
  decoded_.clear();
  high_surrogate_ = 0;
  size_t pos = 1;
  while (true) {
    if (pos >= rest_.size()) return InvalidToken(rest_.size());
    char c = rest_[pos];
    if (c == '\\') {
      OMEN_TRY(ReadEscape(pos));
      continue;
    }
    if (high_surrogate_ != 0) return OrphanSurrogate();
    if (c == '"') break;
    if (static_cast<unsigned char>(c) < 0x20) {
      static constexpr char kHex[] = "0123456789abcdef";
      auto byte = static_cast<unsigned char>(c);
      return JsonError(std::string("Character with value 0x") + kHex[byte >> 4] + kHex[byte & 15] +
                       " must be escaped.");
    }
    if (strings_ == JsonStrings::kDecode) decoded_.push_back(c);
    ++pos;
  }
  Take(JsonToken::kString, pos + 1);
  return Status::Ok();
}

// `pos` is at the backslash, then behind the escape.
Status JsonReader::ReadEscape(size_t& pos) {
  if (pos + 1 >= rest_.size()) return InvalidToken(rest_.size());
  char c = rest_[pos + 1];
  if (c == 'u') return ReadUnicodeEscape(pos);
  if (high_surrogate_ != 0) return OrphanSurrogate();
  static constexpr std::string_view kLetters = "\"\\/bfnrt";
  static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  size_t index = kLetters.find(c);
  if (index == std::string_view::npos) {
    std::string_view shown = Utf8Prefix(rest_.substr(pos + 1), 1);
    return JsonError("Escape sequence \"\\" + std::string(shown) + "\" is invalid.");
  }
  if (strings_ == JsonStrings::kDecode) decoded_.push_back(kMeanings[index]);
  pos += 2;
  return Status::Ok();
}

Status JsonReader::ReadUnicodeEscape(size_t& pos) {
  uint32_t unit = 0;
  pos += 2;
  for (int i = 0; i < 4; ++i, ++pos) {
    if (pos >= rest_.size()) return InvalidToken(rest_.size());
    int digit = HexDigit(rest_[pos]);
    if (digit < 0) {
      return JsonError("\"\\u\" must be followed by four hexadecimal digits.");
    }
    unit = unit << 4 | static_cast<uint32_t>(digit);
  }
  if (strings_ == JsonStrings::kValidate) return Status::Ok();
  return FinishCodePoint(unit);
}

Status JsonReader::FinishCodePoint(uint32_t unit) {
  bool high = unit >= 0xD800 && unit <= 0xDBFF;
  bool low = unit >= 0xDC00 && unit <= 0xDFFF;
  if (high) {
    if (high_surrogate_ != 0) {
      return JsonError("Unicode high surrogate must not follow a high surrogate.");
    }
    high_surrogate_ = unit;
    return Status::Ok();
  }
  if (low != (high_surrogate_ != 0)) return OrphanSurrogate();
  if (low) {
    unit = 0x10000 + ((high_surrogate_ & 0x3FF) << 10) + (unit & 0x3FF);
    high_surrogate_ = 0;
  }
  if (unit == 0) {
    return Status(sqlstate::kUntranslatableCharacter, "unsupported Unicode escape sequence")
        .WithDetail("\\u0000 cannot be converted to text.");
  }
  AppendUtf8(unit, decoded_);
  return Status::Ok();
}

}  // namespace omendb::types
