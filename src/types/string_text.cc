#include <array>
#include <cstring>

#include "base/bytes.h"
#include "base/sqlstate.h"
#include "types/text_parsers.h"

namespace omendb::types {
namespace {

constexpr size_t kNameBytesMax = 63;  // NAMEDATALEN - 1
constexpr int32_t kModifierHeader = 4;

// Length of the valid UTF-8 sequence at `p`, or 0. NUL is not valid in PostgreSQL's text.
size_t ValidSequence(const unsigned char* p, size_t available) {
  auto continues = [&](size_t i) { return i < available && (p[i] & 0xC0) == 0x80; };
  unsigned char lead = p[0];
  if (lead == 0) return 0;
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return continues(1) ? 2 : 0;
  if (lead < 0xF0) {
    if (!continues(1) || !continues(2)) return 0;
    if (lead == 0xE0 && p[1] < 0xA0) return 0;
    if (lead == 0xED && p[1] > 0x9F) return 0;  // Surrogates.
    return 3;
  }
  if (lead > 0xF4 || !continues(1) || !continues(2) || !continues(3)) return 0;
  if (lead == 0xF0 && p[1] < 0x90) return 0;
  if (lead == 0xF4 && p[1] > 0x8F) return 0;
  return 4;
}

size_t NominalLength(unsigned char lead) {
  if ((lead & 0xE0) == 0xC0) return 2;
  if ((lead & 0xF0) == 0xE0) return 3;
  return (lead & 0xF8) == 0xF0 ? 4 : 1;
}

Status InvalidSequence(const unsigned char* p, size_t available) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string message = "invalid byte sequence for encoding \"UTF8\":";
  size_t shown = std::min(NominalLength(p[0]), available);
  for (size_t i = 0; i < shown; ++i) {
    message += " 0x";
    message += kHex[p[i] >> 4];
    message += kHex[p[i] & 15];
  }
  return Status(sqlstate::kCharacterNotInRepertoire, std::move(message));
}

// Eight bytes at a time: all ASCII and none zero.
bool IsPlainAsciiWord(uint64_t word) {
  constexpr uint64_t kHigh = 0x8080808080808080;
  constexpr uint64_t kOnes = 0x0101010101010101;
  return (word & kHigh) == 0 && ((word - kOnes) & ~word & kHigh) == 0;
}

constexpr std::array<int8_t, 256> MakeHexTable() {
  std::array<int8_t, 256> table{};
  for (auto& entry : table) entry = -1;
  for (int i = 0; i < 10; ++i) table[static_cast<size_t>('0' + i)] = static_cast<int8_t>(i);
  for (int i = 0; i < 6; ++i) {
    table[static_cast<size_t>('a' + i)] = static_cast<int8_t>(10 + i);
    table[static_cast<size_t>('A' + i)] = static_cast<int8_t>(10 + i);
  }
  return table;
}
constexpr std::array<int8_t, 256> kHexValues = MakeHexTable();

int HexValue(char c) { return kHexValues[static_cast<unsigned char>(c)]; }

Status BadHexDigit(std::string_view rest) {
  return Status(sqlstate::kInvalidParameterValue,
                "invalid hexadecimal digit: \"" + std::string(Utf8Prefix(rest, 1)) + "\"");
}

Result<Value> ParseByteaHex(std::string_view digits, Arena& arena) {
  char* out = arena.Allocate(digits.size() / 2 + 1);
  size_t size = 0;
  for (size_t i = 0; i < digits.size();) {
    if (IsSpace(digits[i])) {
      ++i;
      continue;
    }
    int high = HexValue(digits[i]);
    if (high < 0) return BadHexDigit(digits.substr(i));
    if (++i == digits.size()) {
      return Status(sqlstate::kInvalidParameterValue,
                    "invalid hexadecimal data: odd number of digits");
    }
    int low = HexValue(digits[i]);
    if (low < 0) return BadHexDigit(digits.substr(i));
    ++i;
    out[size++] = static_cast<char>(high << 4 | low);
  }
  return Value::String({out, size});
}

bool IsOctalEscape(std::string_view s) {
  return s.size() >= 4 && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
         s[3] <= '7';
}

Result<Value> ParseByteaEscape(std::string_view text, Arena& arena) {
  char* out = arena.Allocate(text.size());
  size_t size = 0;
  while (!text.empty()) {
    if (text[0] != '\\') {
      out[size++] = text[0];
      text.remove_prefix(1);
    } else if (IsOctalEscape(text)) {
      out[size++] =
          static_cast<char>((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
      text.remove_prefix(4);
    } else if (text.size() >= 2 && text[1] == '\\') {
      out[size++] = '\\';
      text.remove_prefix(2);
    } else {
      return Status(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type bytea");
    }
  }
  return Value::String({out, size});
}

void AppendByteaEscape(std::string_view bytes, std::string& out) {
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '\\') {
      out += "\\\\";
    } else if (byte < 0x20 || byte > 0x7E) {
      out += '\\';
      out += static_cast<char>('0' + (byte >> 6));
      out += static_cast<char>('0' + ((byte >> 3) & 7));
      out += static_cast<char>('0' + (byte & 7));
    } else {
      out += c;
    }
  }
}

std::string_view ClipName(std::string_view text) {
  if (text.size() <= kNameBytesMax) return text;
  size_t size = kNameBytesMax;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

Result<Value> PadToLength(std::string_view text, size_t missing, Arena& arena) {
  if (missing == 0) return Value::String(text);
  char* out = arena.Allocate(text.size() + missing);
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  std::memset(out + text.size(), ' ', missing);
  return Value::String({out, text.size() + missing});
}

}  // namespace

Status ValidateUtf8(std::string_view text) {
  auto p = reinterpret_cast<const unsigned char*>(text.data());
  size_t left = text.size();
  while (left > 0) {
    while (left >= 8 && IsPlainAsciiWord(LoadLe<uint64_t>(p))) {
      p += 8;
      left -= 8;
    }
    if (left == 0) break;
    size_t size = ValidSequence(p, left);
    if (size == 0) return InvalidSequence(p, left);
    p += size;
    left -= size;
  }
  return Status::Ok();
}

size_t Utf8Length(std::string_view text) {
  size_t count = 0;
  for (char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

std::string_view Utf8Prefix(std::string_view text, size_t characters) {
  size_t size = 0;
  while (size < text.size() && characters > 0) {
    ++size;
    while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) ++size;
    --characters;
  }
  return text.substr(0, size);
}

Result<Value> CoerceString(const SqlType& type, std::string_view text, Overlong overlong,
                           Arena& arena) {
  if (type.kind == TypeKind::kName) return Value::String(ClipName(text));
  if (type.kind == TypeKind::kChar) return Value::String(Utf8Prefix(text, 1));
  bool has_limit = (type.kind == TypeKind::kVarchar || type.kind == TypeKind::kBpchar) &&
                   type.typmod >= kModifierHeader;
  if (!has_limit) return Value::String(text);
  auto limit = static_cast<size_t>(type.typmod - kModifierHeader);
  bool pads = type.kind == TypeKind::kBpchar;
  if (!pads && text.size() <= limit) return Value::String(text);
  size_t length = Utf8Length(text);
  if (length <= limit) return PadToLength(text, pads ? limit - length : 0, arena);
  std::string_view kept = Utf8Prefix(text, limit);
  if (overlong == Overlong::kRefuseUnlessBlanks &&
      text.find_first_not_of(' ', kept.size()) != std::string_view::npos) {
    return Status(sqlstate::kStringDataRightTruncation,
                  "value too long for type " + FormatType(type.element()));
  }
  return Value::String(kept);
}

Result<Value> ParseString(const SqlType& type, std::string_view text, Arena& arena) {
  OMEN_TRY(ValidateUtf8(text));
  if (type.kind == TypeKind::kText) return Value::String(text);
  return CoerceString(type, text, Overlong::kRefuseUnlessBlanks, arena);
}

Result<Value> ParseBytea(std::string_view text, Arena& arena) {
  if (text.size() >= 2 && text[0] == '\\' && text[1] == 'x') {
    return ParseByteaHex(text.substr(2), arena);
  }
  return ParseByteaEscape(text, arena);
}

void AppendBytea(std::string_view bytes, ByteaOutput output, std::string& out) {
  if (output == ByteaOutput::kEscape) return AppendByteaEscape(bytes, out);
  static constexpr char kHex[] = "0123456789abcdef";
  size_t start = out.size();
  out.resize(start + 2 + bytes.size() * 2);
  char* p = out.data() + start;
  *p++ = '\\';
  *p++ = 'x';
  for (char c : bytes) {
    auto byte = static_cast<unsigned char>(c);
    *p++ = kHex[byte >> 4];
    *p++ = kHex[byte & 15];
  }
}

Result<Value> ParseUuid(std::string_view text) {
  std::string_view s = text;
  bool braces = !s.empty() && s.front() == '{';
  if (braces) s.remove_prefix(1);
  unsigned __int128 bits = 0;
  for (int byte = 0; byte < 16; ++byte) {
    if (s.size() < 2 || HexValue(s[0]) < 0 || HexValue(s[1]) < 0) {
      return InvalidInput("uuid", text);
    }
    bits = bits << 8 | static_cast<unsigned>(HexValue(s[0]) << 4 | HexValue(s[1]));
    s.remove_prefix(2);
    // A hyphen may follow every group of four digits but the last.
    if (!s.empty() && s[0] == '-' && byte % 2 == 1 && byte < 15) s.remove_prefix(1);
  }
  if (braces) {
    if (s.empty() || s.front() != '}') return InvalidInput("uuid", text);
    s.remove_prefix(1);
  }
  if (!s.empty()) return InvalidInput("uuid", text);
  return Value::I128(static_cast<Int128>(bits ^ (static_cast<unsigned __int128>(1) << 127)));
}

void AppendUuid(Int128 value, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  auto bits = static_cast<unsigned __int128>(value) ^ (static_cast<unsigned __int128>(1) << 127);
  for (int byte = 0; byte < 16; ++byte) {
    if (byte == 4 || byte == 6 || byte == 8 || byte == 10) out += '-';
    auto b = static_cast<unsigned>(bits >> (120 - 8 * byte)) & 0xFF;
    out += kHex[b >> 4];
    out += kHex[b & 15];
  }
}

}  // namespace omendb::types
