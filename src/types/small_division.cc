// Quotients of numerics of at most 38 digits, without an allocation: what averages are made of.
#include <algorithm>
#include <optional>

#include "types/big_math.h"
#include "types/numeric.h"
#include "types/quotient_scale.h"

namespace omendb::types {
namespace {

constexpr int kSmallDigitsMax = 38;

int DigitsOf(UInt128 units) {
  int digits = 1;
  while (digits < kSmallDigitsMax && units >= static_cast<UInt128>(PowerOfTen(digits))) ++digits;
  return digits;
}

// nullopt when the group cannot be had within 38 digits.
std::optional<NumericHead> HeadOf(UInt128 units, int scale) {
  if (units == 0) return NumericHead{};
  NumericHead head;
  head.weight = GroupWeight(DigitsOf(units) - 1 - scale);
  const int cut = scale + head.weight * kGroupDigits;
  if (std::abs(cut) > kSmallDigitsMax) return std::nullopt;
  const auto power = static_cast<UInt128>(PowerOfTen(std::abs(cut)));
  head.group = static_cast<int>(cut >= 0 ? units / power : units * power);
  return head;
}

// units * 10^exponent, where that has at most 38 digits.
std::optional<UInt128> Scaled(UInt128 units, int exponent) {
  if (units == 0) return units;
  if (exponent > kSmallDigitsMax || DigitsOf(units) + exponent > kSmallDigitsMax) {
    return std::nullopt;
  }
  return units * static_cast<UInt128>(PowerOfTen(exponent));
}

NumericHead HeadOf(uint32_t whole) {
  if (whole < 10'000) return {0, static_cast<int>(whole)};
  if (whole < 100'000'000) return {1, static_cast<int>(whole / 10'000)};
  return {2, static_cast<int>(whole / 100'000'000)};
}

// Averages of one row, or of one value: both whole, of 32 bits, and the quotient too.
bool AppendWholeQuotient(SmallNumeric a, SmallNumeric b, std::string& out) {
  if (a.scale != 0 || b.scale != 0 || b.units <= 0) return false;
  if (a.units > UINT32_MAX || a.units < -Int128{UINT32_MAX} || b.units > UINT32_MAX) return false;
  const auto dividend = static_cast<int64_t>(a.units);
  const auto divisor = static_cast<int64_t>(b.units);
  if (dividend % divisor != 0) return false;
  const int scale = QuotientScale(HeadOf(static_cast<uint32_t>(std::abs(dividend))), 0,
                                  HeadOf(static_cast<uint32_t>(divisor)), 0);
  AppendWholeBytes(dividend / divisor, scale, out);
  return true;
}

}  // namespace

std::optional<SmallNumeric> DivideSmall(SmallNumeric a, SmallNumeric b) {
  const UInt128 dividend = Magnitude(a.units);
  const UInt128 divisor = Magnitude(b.units);
  if (divisor == 0) return std::nullopt;
  const auto left = HeadOf(dividend, a.scale);
  const auto right = HeadOf(divisor, b.scale);
  if (!left || !right) return std::nullopt;
  const int scale = QuotientScale(*left, a.scale, *right, b.scale);
  const int shift = scale - a.scale + b.scale;
  const auto numerator = Scaled(dividend, std::max(shift, 0));
  const auto denominator = Scaled(divisor, std::max(-shift, 0));
  if (!numerator || !denominator) return std::nullopt;
  UInt128 quotient = *numerator / *denominator;
  const UInt128 rest = *numerator % *denominator;
  if (rest >= *denominator - rest) ++quotient;
  const auto units = static_cast<Int128>(quotient);
  return SmallNumeric{(a.units < 0) == (b.units < 0) ? units : -units, scale};
}

Status AppendQuotient(SmallNumeric a, SmallNumeric b, std::string& out) {
  if (AppendWholeQuotient(a, b, out)) return Status::Ok();
  if (const auto small = DivideSmall(a, b)) {
    AppendBigBytes(small->units, small->scale, out);
    return Status::Ok();
  }
  OMEN_ASSIGN(const BigNumeric quotient,
              DivideBig(BigNumeric::Of(a.units, a.scale), BigNumeric::Of(b.units, b.scale)));
  AppendBigBytes(quotient, out);
  return Status::Ok();
}

}  // namespace omendb::types
