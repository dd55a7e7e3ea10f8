#include "types/big_numeric.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/sqlstate.h"
#include "types/numeric.h"
#include "types/text_parsers.h"

namespace omendb::types {
namespace {

Status Overflow() {
  return Status(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
}
Status Syntax(std::string_view text) { return InvalidInput("numeric", text); }

// PostgreSQL reads no exponent beyond half of INT_MAX; long before, the value overflows or is zero.
constexpr int64_t kExponentMax = 1'000'000;

// NaN has no sign; the infinities may.
std::optional<BigNumeric> ParseSpecial(std::string_view text) {
  if (EqualsIgnoreCase(text, "nan")) return BigNumeric::NaN();
  const bool negative = !text.empty() && text.front() == '-';
  if (negative || (!text.empty() && text.front() == '+')) text.remove_prefix(1);
  if (EqualsIgnoreCase(text, "infinity") || EqualsIgnoreCase(text, "inf")) {
    return BigNumeric::Infinity(negative);
  }
  return std::nullopt;
}

struct Scanned {
  bool negative = false;
  std::string digits;  // without leading zeros
  int64_t scale = 0;
};

Result<int64_t> ScanExponent(std::string_view text, std::string_view rest) {
  rest.remove_prefix(1);
  const bool negative = !rest.empty() && rest.front() == '-';
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
  if (rest.empty()) return Syntax(text);
  int64_t exponent = 0;
  for (const char c : rest) {
    if (!IsDigit(c)) return Syntax(text);
    exponent = std::min<int64_t>(exponent * 10 + (c - '0'), kExponentMax);
  }
  return negative ? -exponent : exponent;
}

Result<Scanned> Scan(std::string_view text, std::string_view rest) {
  Scanned scanned;
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) {
    scanned.negative = rest.front() == '-';
    rest.remove_prefix(1);
  }
  bool any = false;
  bool point = false;
  for (; !rest.empty(); rest.remove_prefix(1)) {
    const char c = rest.front();
    if (c == '.' && !point) {
      point = true;
    } else if (IsDigit(c)) {
      any = true;
      if (point) ++scanned.scale;
      if (c != '0' || !scanned.digits.empty()) scanned.digits.push_back(c);
    } else {
      break;
    }
  }
  if (!any) return Syntax(text);
  if (rest.empty()) return scanned;
  if (rest.front() != 'e' && rest.front() != 'E') return Syntax(text);
  OMEN_ASSIGN(const int64_t exponent, ScanExponent(text, rest));
  scanned.scale -= exponent;
  return scanned;
}

}  // namespace

BigNumeric BigNumeric::Of(Int128 units, int scale) {
  BigNumeric value;
  value.scale = scale;
  if (units == static_cast<int64_t>(units)) {
    value.units = static_cast<long>(units);
    return value;
  }
  auto magnitude = static_cast<unsigned __int128>(units < 0 ? -units : units);
  value.units = static_cast<unsigned long>(magnitude >> 64);
  value.units <<= 64;
  value.units += static_cast<unsigned long>(magnitude);
  if (units < 0) value.units = -value.units;
  return value;
}

int BigNumeric::sign() const {
  switch (kind) {
    case Kind::kInfinity:
      return 1;
    case Kind::kMinusInfinity:
      return -1;
    default:
      return sgn(units);
  }
}

mpz_class BigPowerOfTen(int exponent) {
  mpz_class power;
  mpz_ui_pow_ui(power.get_mpz_t(), 10, static_cast<unsigned long>(exponent));
  return power;
}

mpz_class DivideHalfAway(const mpz_class& numerator, const mpz_class& denominator) {
  mpz_class quotient;
  mpz_class rest;
  mpz_tdiv_qr(quotient.get_mpz_t(), rest.get_mpz_t(), numerator.get_mpz_t(),
              denominator.get_mpz_t());
  rest *= 2;
  if (mpz_cmpabs(rest.get_mpz_t(), denominator.get_mpz_t()) >= 0) {
    quotient += numerator < 0 ? -1 : 1;
  }
  return quotient;
}

int DigitCount(const mpz_class& units) {
  if (units == 0) return 0;
  const auto estimate = static_cast<int>(mpz_sizeinbase(units.get_mpz_t(), 10));
  const mpz_class least = BigPowerOfTen(estimate - 1);
  return mpz_cmpabs(units.get_mpz_t(), least.get_mpz_t()) < 0 ? estimate - 1 : estimate;
}

Result<BigNumeric> InRange(BigNumeric value) {
  if (!value.is_finite()) return value;
  if (value.scale > kBigScaleMax) return Overflow();
  // A cheap bound first: a digit takes more than three bits.
  const size_t bits = mpz_sizeinbase(value.units.get_mpz_t(), 2);
  if (bits > size_t{3} * kBigIntegerDigitsMax &&
      DigitCount(value.units) - value.scale > kBigIntegerDigitsMax) {
    return Overflow();
  }
  return value;
}

Result<BigNumeric> ParseBig(std::string_view text) {
  const std::string_view trimmed = TrimSpace(text);
  if (auto special = ParseSpecial(trimmed)) return *special;
  OMEN_ASSIGN(Scanned scanned, Scan(text, trimmed));
  // Checked before a long run of zeros is made.
  const int64_t before = static_cast<int64_t>(scanned.digits.size()) - scanned.scale;
  if (scanned.scale > kBigScaleMax) return Overflow();
  if (!scanned.digits.empty() && before > kBigIntegerDigitsMax) return Overflow();
  BigNumeric value;
  value.scale = static_cast<int>(std::max<int64_t>(scanned.scale, 0));
  if (scanned.digits.empty()) return value;
  value.units = mpz_class(scanned.digits, 10);
  if (scanned.scale < 0) value.units *= BigPowerOfTen(static_cast<int>(-scanned.scale));
  if (scanned.negative) value.units = -value.units;
  return value;
}

void AppendBig(const BigNumeric& value, std::string& out) {
  switch (value.kind) {
    case BigNumeric::Kind::kNaN:
      out += "NaN";
      return;
    case BigNumeric::Kind::kInfinity:
      out += "Infinity";
      return;
    case BigNumeric::Kind::kMinusInfinity:
      out += "-Infinity";
      return;
    case BigNumeric::Kind::kFinite:
      break;
  }
  std::string digits = mpz_class(abs(value.units)).get_str();
  const auto scale = static_cast<size_t>(value.scale);
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  if (scale > 0) digits.insert(digits.size() - scale, 1, '.');
  if (value.units < 0) out += '-';
  out += digits;
}

void AppendBig(std::string_view bytes, std::string& out) {
  // AppendDecimal's buffer holds 38 digits and as many zeros in front as fit a short scale.
  const auto small = DecodeSmall(bytes);
  if (small && small->scale <= kNumericPrecisionMax) {
    return AppendDecimal(small->units, small->scale, out);
  }
  AppendBig(DecodeBig(bytes), out);
}

std::optional<Int128> UnitsAt(const BigNumeric& value, int scale) {
  mpz_class units = value.units;
  if (scale > value.scale) units *= BigPowerOfTen(scale - value.scale);
  if (scale < value.scale) units = DivideHalfAway(units, BigPowerOfTen(value.scale - scale));
  if (mpz_sizeinbase(units.get_mpz_t(), 2) > 127) return std::nullopt;
  const mpz_class magnitude = abs(units);
  const mpz_class high = magnitude >> 64;
  const mpz_class low = magnitude - (high << 64);
  const auto bits = (static_cast<unsigned __int128>(high.get_ui()) << 64) | low.get_ui();
  const auto result = static_cast<Int128>(bits);
  if (result >= PowerOfTen(kNumericPrecisionMax)) return std::nullopt;
  return units < 0 ? -result : result;
}

std::optional<Int128> UnitsAt(SmallNumeric value, int scale) {
  if (scale < value.scale) {
    const int cut = value.scale - scale;
    return cut > kNumericPrecisionMax ? 0 : DivideRounded(value.units, PowerOfTen(cut));
  }
  const int grow = scale - value.scale;
  if (value.units == 0) return 0;
  if (grow > kNumericPrecisionMax) return std::nullopt;
  Int128 units = 0;
  const Int128 limit = PowerOfTen(kNumericPrecisionMax);
  if (__builtin_mul_overflow(value.units, PowerOfTen(grow), &units)) return std::nullopt;
  if (units >= limit || units <= -limit) return std::nullopt;
  return units;
}

namespace {

template <typename T, typename Read>
Result<T> ToFloating(std::string_view bytes, const char* type, Read read) {
  std::string text;
  AppendBig(bytes, text);
  const T number = read(text.c_str());
  const bool finite = text.back() >= '0' && text.back() <= '9';
  const bool zero = number == 0 && text.find_first_of("123456789") != std::string::npos;
  if (finite && (std::isinf(number) || zero)) {
    return Status(sqlstate::kNumericValueOutOfRange,
                  "\"" + text + "\" is out of range for type " + type);
  }
  return number;
}

}  // namespace

Result<double> BigToDouble(std::string_view bytes) {
  const auto small = DecodeSmall(bytes);
  if (small && small->scale <= kNumericPrecisionMax) {
    return NumericToDouble(small->units, small->scale);
  }
  return ToFloating<double>(bytes, "double precision",
                            [](const char* text) { return std::strtod(text, nullptr); });
}

Result<float> BigToFloat(std::string_view bytes) {
  return ToFloating<float>(bytes, "real",
                           [](const char* text) { return std::strtof(text, nullptr); });
}

}  // namespace omendb::types
