#include "types/numeric.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/check.h"
#include "base/sqlstate.h"
#include "types/text_parsers.h"

namespace omendb::types {
namespace {

constexpr std::array<Int128, 39> MakePowers() {
  std::array<Int128, 39> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}
constexpr std::array<Int128, 39> kPowers = MakePowers();

bool Fits(Int128 units, const SqlType& type) {
  return Magnitude(units) < static_cast<UInt128>(kPowers[type.numeric_precision()]);
}

// Digits of a literal without leading zeros, and where its point is.
struct Literal {
  bool negative = false;
  std::string digits;
  int64_t scale = 0;  // value = digits * 10^-scale; may be negative.
};

Status Syntax(std::string_view text) { return InvalidInput("numeric", text); }

// An exponent past this is beyond any numeric; PostgreSQL's own limit is half of INT_MAX.
constexpr int64_t kExponentMax = 1000000;

Status ParseExponent(std::string_view text, std::string_view& rest, int64_t& exponent) {
  rest.remove_prefix(1);
  bool negative = !rest.empty() && rest.front() == '-';
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
  if (rest.empty() || !IsDigit(rest.front())) return Syntax(text);
  int64_t value = 0;
  while (!rest.empty() && IsDigit(rest.front())) {
    value = std::min<int64_t>(value * 10 + (rest.front() - '0'), kExponentMax);
    rest.remove_prefix(1);
  }
  exponent = negative ? -value : value;
  return Status::Ok();
}

Status ScanDigits(std::string_view text, std::string_view& rest, Literal& literal) {
  bool any = false;
  bool point = false;
  for (; !rest.empty(); rest.remove_prefix(1)) {
    char c = rest.front();
    if (c == '.') {
      if (point) return Syntax(text);
      point = true;
      continue;
    }
    if (!IsDigit(c)) break;
    any = true;
    if (point) ++literal.scale;
    if (c != '0' || !literal.digits.empty()) literal.digits.push_back(c);
  }
  return any ? Status::Ok() : Syntax(text);
}

bool IsSpecial(std::string_view s) {
  if (!s.empty() && (s.front() == '+' || s.front() == '-')) s.remove_prefix(1);
  return EqualsIgnoreCase(s, "nan") || EqualsIgnoreCase(s, "infinity") ||
         EqualsIgnoreCase(s, "inf");
}

Result<Literal> ScanLiteral(std::string_view text) {
  std::string_view rest = TrimSpace(text);
  Literal literal;
  if (IsSpecial(rest)) {
    return NotSupported("numeric value \"" + std::string(rest) + "\"");
  }
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) {
    literal.negative = rest.front() == '-';
    rest.remove_prefix(1);
  }
  OMEN_TRY(ScanDigits(text, rest, literal));
  if (!rest.empty() && (rest.front() == 'e' || rest.front() == 'E')) {
    int64_t exponent = 0;
    OMEN_TRY(ParseExponent(text, rest, exponent));
    literal.scale -= exponent;
  }
  if (!rest.empty()) return Syntax(text);
  return literal;
}

// Up to 18 digits, an optional point, nothing else: what COPY and clients send nearly always.
bool ParseShort(std::string_view text, Int128& units, int& scale) {
  bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > 18) return false;
  uint64_t value = 0;
  int digits = 0;
  int point = -1;
  for (char c : text) {
    if (IsDigit(c)) {
      value = value * 10 + static_cast<uint64_t>(c - '0');
      ++digits;
    } else if (c == '.' && point < 0) {
      point = digits;
    } else {
      return false;
    }
  }
  if (digits == 0) return false;
  scale = point < 0 ? 0 : digits - point;
  units = negative ? -Int128{value} : Int128{value};
  return true;
}

Status ScaleLimit() {
  return Status(sqlstate::kNumericValueOutOfRange, "value overflows numeric format")
      .WithDetail("A numeric without precision of an older database holds at most " +
                  std::to_string(kLegacyNumericScale) + " digits behind the decimal point and " +
                  std::to_string(kNumericPrecisionMax - kLegacyNumericScale) + " before it.");
}

// Moves the literal's point to `to`'s scale; digits behind it round.
Result<Value> FromLiteral(Literal literal, const SqlType& to) {
  int target = to.numeric_scale();
  int64_t shift = target - literal.scale;
  size_t kept = literal.digits.size();
  bool round_up = false;
  if (shift < 0) {
    uint64_t cut = static_cast<uint64_t>(-shift);
    kept = cut >= literal.digits.size() ? 0 : literal.digits.size() - cut;
    if (to.numeric_legacy() && literal.digits.find_first_not_of('0', kept) != std::string::npos) {
      return ScaleLimit();
    }
    if (cut <= literal.digits.size() && cut > 0 && kept < literal.digits.size()) {
      round_up = literal.digits[kept] >= '5';
    }
    shift = 0;
  }
  if (literal.digits.empty()) return NumericFromUnits(to, 0);
  if (kept + static_cast<uint64_t>(shift) > kNumericPrecisionMax) return NumericOverflow(to);
  Int128 units = 0;
  for (size_t i = 0; i < kept; ++i) units = units * 10 + (literal.digits[i] - '0');
  units *= PowerOfTen(static_cast<int>(shift));
  if (round_up) ++units;
  if (!Fits(units, to)) return NumericOverflow(to);
  return NumericFromUnits(to, literal.negative ? -units : units);
}

}  // namespace

Int128 PowerOfTen(int exponent) {
  OMEN_DCHECK(exponent >= 0 && exponent <= 38);
  return kPowers[static_cast<size_t>(exponent)];
}

Int128 NumericUnits(const SqlType& type, const Value& value) {
  switch (PhysicalTypeOf(type)) {
    case PhysicalType::kInt16:
      return value.i16;
    case PhysicalType::kInt32:
      return value.i32;
    case PhysicalType::kInt64:
      return value.i64;
    default:
      return value.i128;
  }
}

Value NumericFromUnits(const SqlType& type, Int128 units) {
  OMEN_DCHECK(Fits(units, type));
  switch (PhysicalTypeOf(type)) {
    case PhysicalType::kInt16:
      return Value::Int16(static_cast<int16_t>(units));
    case PhysicalType::kInt32:
      return Value::Int32(static_cast<int32_t>(units));
    case PhysicalType::kInt64:
      return Value::Int64(static_cast<int64_t>(units));
    default:
      return Value::I128(units);
  }
}

Int128 DivideRounded(Int128 units, Int128 divisor) {
  Int128 quotient = units / divisor;
  UInt128 rest = Magnitude(units % divisor);
  UInt128 limit = Magnitude(divisor);
  if (rest >= limit - rest) quotient += (units < 0) == (divisor < 0) ? 1 : -1;
  return quotient;
}

Result<Value> NumericRescale(Int128 units, int scale, const SqlType& to) {
  int target = to.numeric_scale();
  if (scale > target) {
    int cut = scale - target;
    units = cut > 38 ? 0 : DivideRounded(units, PowerOfTen(cut));
  } else if (scale < target && units != 0) {
    int grow = target - scale;
    if (grow > 38 || __builtin_mul_overflow(units, PowerOfTen(grow), &units)) {
      return NumericOverflow(to);
    }
  }
  if (!Fits(units, to)) return NumericOverflow(to);
  return NumericFromUnits(to, units);
}

Status NumericOverflow(const SqlType& type) {
  if (type.numeric_legacy()) return ScaleLimit();
  int integer_digits = type.numeric_precision() - type.numeric_scale();
  std::string bound = integer_digits == 0 ? "1" : "10^" + std::to_string(integer_digits);
  return Status(sqlstate::kNumericValueOutOfRange, "numeric field overflow")
      .WithDetail("A field with precision " + std::to_string(type.numeric_precision()) +
                  ", scale " + std::to_string(type.numeric_scale()) +
                  " must round to an absolute value less than " + bound + ".");
}

Result<Value> ParseNumeric(std::string_view text, const SqlType& to) {
  Int128 units = 0;
  int scale = 0;
  if (ParseShort(text, units, scale) && scale <= to.numeric_scale()) {
    return NumericRescale(units, scale, to);
  }
  OMEN_ASSIGN(Literal literal, ScanLiteral(text));
  return FromLiteral(std::move(literal), to);
}

void AppendDecimal(Int128 units, int scale, std::string& out) {
  char buffer[48];
  char* end = buffer + sizeof(buffer);
  char* p = end;
  UInt128 rest = Magnitude(units);
  int digits = 0;
  auto put = [&](unsigned digit) {
    if (digits == scale && scale > 0) *--p = '.';
    *--p = static_cast<char>('0' + digit);
    ++digits;
  };
  while (rest > UINT64_MAX) {
    put(static_cast<unsigned>(rest % 10));
    rest /= 10;
  }
  for (auto low = static_cast<uint64_t>(rest); low != 0 || digits <= scale; low /= 10) {
    put(static_cast<unsigned>(low % 10));
  }
  if (units < 0) *--p = '-';
  out.append(p, static_cast<size_t>(end - p));
}

void TrimZeros(Int128& units, int& scale) {
  // 64-bit division is ten times as fast, and enough for nearly every number.
  auto narrow = static_cast<int64_t>(units);
  if (narrow == units) {
    for (; scale > 0 && narrow % 10 == 0; --scale) narrow /= 10;
    units = narrow;
    return;
  }
  for (; scale > 0 && units % 10 == 0; --scale) units /= 10;
}

void AppendNumeric(const SqlType& type, const Value& value, std::string& out) {
  Int128 units = NumericUnits(type, value);
  int scale = type.numeric_scale();
  if (type.numeric_legacy()) TrimZeros(units, scale);
  AppendDecimal(units, scale, out);
}

double NumericToDouble(Int128 units, int scale) {
  constexpr Int128 kExactMax = Int128{1} << 53;
  // Both exact, so that one division rounds once.
  if (units > -kExactMax && units < kExactMax && scale <= 22) {
    return static_cast<double>(units) / static_cast<double>(PowerOfTen(scale));
  }
  std::string text;
  AppendDecimal(units, scale, text);
  return std::strtod(text.c_str(), nullptr);
}

}  // namespace omendb::types
