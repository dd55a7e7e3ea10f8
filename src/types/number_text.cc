#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "base/sqlstate.h"
#include "types/text_parsers.h"

namespace omendb::types {
namespace {

Status OutOfRange(std::string_view type, std::string_view text) {
  return Status(
      sqlstate::kNumericValueOutOfRange,
      "value \"" + std::string(text) + "\" is out of range for type " + std::string(type));
}

template <typename T>
struct Parsed {
  enum class Outcome { kOk, kSyntax, kRange } outcome;
  T value;
};

// As PostgreSQL's pg_strtoint: too many digits are out of range even before garbage.
template <typename T>
Parsed<T> ScanInteger(std::string_view text) {
  using Outcome = typename Parsed<T>::Outcome;
  const char* p = text.data();
  const char* end = p + text.size();
  while (p < end && IsSpace(*p)) ++p;
  bool negative = p < end && *p == '-';
  if (p < end && (*p == '-' || *p == '+')) ++p;
  if (p == end || !IsDigit(*p)) return {Outcome::kSyntax, 0};
  // Negative, so that the smallest value needs no case of its own.
  T value = 0;
  for (; p < end && IsDigit(*p); ++p) {
    if (__builtin_mul_overflow(value, T{10}, &value) ||
        __builtin_sub_overflow(value, static_cast<T>(*p - '0'), &value)) {
      return {Outcome::kRange, 0};
    }
  }
  while (p < end && IsSpace(*p)) ++p;
  if (p != end) return {Outcome::kSyntax, 0};
  if (negative) return {Outcome::kOk, value};
  if (value == std::numeric_limits<T>::min()) return {Outcome::kRange, 0};
  return {Outcome::kOk, static_cast<T>(-value)};
}

// Few enough digits that nothing can overflow, and nothing else but a minus: nearly every integer.
template <typename T>
bool ScanShortInteger(std::string_view text, T& value) {
  bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > static_cast<size_t>(std::numeric_limits<T>::digits10)) {
    return false;
  }
  uint64_t sum = 0;
  for (char c : text) {
    auto digit = static_cast<uint64_t>(c - '0');
    if (digit > 9) return false;
    sum = sum * 10 + digit;
  }
  auto magnitude = static_cast<T>(sum);
  value = negative ? static_cast<T>(-magnitude) : magnitude;
  return true;
}

template <typename T>
Result<T> IntegerOrError(std::string_view text, std::string_view type) {
  T value = 0;
  if (ScanShortInteger(text, value)) [[likely]]
    return value;
  Parsed<T> parsed = ScanInteger<T>(text);
  if (parsed.outcome == Parsed<T>::Outcome::kOk) [[likely]]
    return parsed.value;
  if (parsed.outcome == Parsed<T>::Outcome::kRange) return OutOfRange(type, text);
  return InvalidInput(type, text);
}

float ParseWithStrtod(const char* s, char** end, float) { return std::strtof(s, end); }
double ParseWithStrtod(const char* s, char** end, double) { return std::strtod(s, end); }

// The C library's reading, for what from_chars does not take: blanks, plus signs, hexadecimal, and
// the limits of the range.
template <typename T>
Result<T> ParseFloatSlow(std::string_view text, std::string_view type) {
  std::string copy(TrimSpace(text));
  if (copy.empty() || copy.find('\0') != std::string::npos) return InvalidInput(type, text);
  char* end = nullptr;
  errno = 0;
  T value = ParseWithStrtod(copy.c_str(), &end, T{});
  if (end != copy.c_str() + copy.size()) return InvalidInput(type, text);
  if (errno == ERANGE && (value == 0 || std::isinf(value))) {
    return Status(sqlstate::kNumericValueOutOfRange,
                  "\"" + copy + "\" is out of range for type " + std::string(type));
  }
  return value;
}

template <typename T>
Result<T> ParseFloat(std::string_view text, std::string_view type) {
  T value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value != 0 &&
      std::isfinite(value)) [[likely]] {
    return value;
  }
  return ParseFloatSlow<T>(text, type);
}

// Whether `digits` * 10^power lies exactly between `value` and a neighbour. PostgreSQL does not
// trust readers to round such a text to even, and writes more digits.
template <typename T>
bool IsMidpoint(T value, std::string_view text, int exponent) {
  constexpr int kExponentMax = 37;  // 128 bits hold what is below.
  if (exponent < std::numeric_limits<T>::digits10 || exponent > kExponentMax) return false;
  __int128 decimal = 0;
  int digits = 0;
  for (char c : text) {
    if (c == 'e') break;
    if (!IsDigit(c)) continue;
    decimal = decimal * 10 + (c - '0');
    ++digits;
  }
  for (; digits <= exponent; ++digits) decimal *= 10;
  T magnitude = std::fabs(value);
  auto exact = static_cast<__int128>(magnitude);
  T neighbour = std::nextafter(magnitude, decimal > exact ? std::numeric_limits<T>::max() : T{0});
  __int128 distance = decimal > exact ? decimal - exact : exact - decimal;
  __int128 gap = static_cast<__int128>(neighbour) - exact;
  return distance * 2 == (gap < 0 ? -gap : gap);
}

int ExponentOf(std::string_view scientific) {
  std::string_view power = scientific.substr(scientific.find('e') + 1);
  if (power.front() == '+') power.remove_prefix(1);
  int exponent = 0;
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  return exponent;
}

// "d.ddde+xx" without its exponent; Requires: -5 < exponent < 16.
void AppendFixed(std::string_view scientific, int exponent, std::string& out) {
  if (scientific.front() == '-') {
    out += '-';
    scientific.remove_prefix(1);
  }
  char digits[20];
  int count = 0;
  for (char c : scientific.substr(0, scientific.find('e'))) {
    if (c != '.') digits[count++] = c;
  }
  if (exponent < 0) {
    out.append("0.0000", static_cast<size_t>(1 - exponent));
    out.append(digits, static_cast<size_t>(count));
    return;
  }
  int whole = exponent + 1;
  out.append(digits, static_cast<size_t>(std::min(whole, count)));
  if (count <= whole) {
    out.append(static_cast<size_t>(whole - count), '0');
    return;
  }
  out += '.';
  out.append(digits + whole, static_cast<size_t>(count - whole));
}

// Shortest digits as PostgreSQL lays them out: exponent form below 10^-4 and from 10^`digits` on.
template <typename T>
void AppendShortest(T value, int digits, std::string& out) {
  char buffer[40];
  char* limit = buffer + sizeof(buffer);
  char* end = std::to_chars(buffer, limit, value, std::chars_format::scientific).ptr;
  std::string_view text(buffer, static_cast<size_t>(end - buffer));
  int exponent = ExponentOf(text);
  if (exponent < -4 || exponent >= digits) {
    auto precision = static_cast<int>(text.find('e')) - (value < 0 ? 3 : 2);
    while (precision < digits + 2 && IsMidpoint(value, text, exponent)) {
      end = std::to_chars(buffer, limit, value, std::chars_format::scientific, ++precision).ptr;
      text = std::string_view(buffer, static_cast<size_t>(end - buffer));
    }
    out.append(text);
    return;
  }
  AppendFixed(text, exponent, out);
}

template <typename T>
void AppendFloat(T value, int extra_float_digits, int decimal_digits, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "Infinity" : "-Infinity";
  } else if (extra_float_digits > 0) {
    AppendShortest(value, decimal_digits, out);
  } else {
    char buffer[64];
    int precision = std::max(1, decimal_digits + extra_float_digits);
    int size = std::snprintf(buffer, sizeof(buffer), "%.*g", precision, static_cast<double>(value));
    out.append(buffer, static_cast<size_t>(size));
  }
}

}  // namespace

Status InvalidInput(std::string_view type, std::string_view text) {
  return Status(
      sqlstate::kInvalidTextRepresentation,
      "invalid input syntax for type " + std::string(type) + ": \"" + std::string(text) + "\"");
}

Result<Value> ParseBool(std::string_view text) {
  std::string_view s = TrimSpace(text);
  auto is_prefix_of = [s](std::string_view word) {
    return !s.empty() && s.size() <= word.size() && EqualsIgnoreCase(s, word.substr(0, s.size()));
  };
  if (is_prefix_of("true") || is_prefix_of("yes") || EqualsIgnoreCase(s, "on") || s == "1") {
    return Value::Bool(true);
  }
  if (is_prefix_of("false") || is_prefix_of("no") || s == "0" ||
      (s.size() >= 2 && is_prefix_of("off"))) {
    return Value::Bool(false);
  }
  return InvalidInput("boolean", text);
}

Result<Value> ParseInteger(const SqlType& type, std::string_view text) {
  switch (type.kind) {
    case TypeKind::kInt2: {
      OMEN_ASSIGN(int16_t value, IntegerOrError<int16_t>(text, "smallint"));
      return Value::Int16(value);
    }
    case TypeKind::kInt4: {
      OMEN_ASSIGN(int32_t value, IntegerOrError<int32_t>(text, "integer"));
      return Value::Int32(value);
    }
    default: {
      OMEN_ASSIGN(int64_t value, IntegerOrError<int64_t>(text, "bigint"));
      return Value::Int64(value);
    }
  }
}

Result<Value> ParseOid(std::string_view text) {
  // PostgreSQL reads with strtoul: a signed 32-bit value is taken as its bits.
  Parsed<int64_t> parsed = ScanInteger<int64_t>(text);
  using Outcome = Parsed<int64_t>::Outcome;
  if (parsed.outcome == Outcome::kSyntax) return InvalidInput("oid", text);
  if (parsed.outcome == Outcome::kRange || parsed.value > UINT32_MAX || parsed.value < INT32_MIN) {
    return OutOfRange("oid", text);
  }
  return Value::Int32(static_cast<int32_t>(parsed.value));
}

Result<Value> ParseFloat4(std::string_view text) {
  OMEN_ASSIGN(float value, ParseFloat<float>(text, "real"));
  return Value::Float32(value);
}

Result<Value> ParseFloat8(std::string_view text) {
  OMEN_ASSIGN(double value, ParseFloat<double>(text, "double precision"));
  return Value::Float64(value);
}

void AppendInteger(int64_t value, std::string& out) {
  char buffer[24];
  auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out.append(buffer, static_cast<size_t>(end - buffer));
}

void AppendFloat4(float value, int extra_float_digits, std::string& out) {
  AppendFloat(value, extra_float_digits, std::numeric_limits<float>::digits10, out);
}

void AppendFloat8(double value, int extra_float_digits, std::string& out) {
  AppendFloat(value, extra_float_digits, std::numeric_limits<double>::digits10, out);
}

}  // namespace omendb::types
