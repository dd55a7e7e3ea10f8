// big_transcendental.cc - exponentials, logarithms and powers of numerics.
//
// They are computed in binary fixed point, numbers of units of 2^-bits, with so many guard digits
// that rounding to the wanted scale gives the digits of the exact result.
#include <algorithm>
#include <cmath>

#include "base/sqlstate.h"
#include "types/big_math.h"

namespace omendb::types {
namespace {

constexpr int kSignificantDigits = 16;
constexpr int kDisplayScaleMax = 1000;
constexpr int kResultScaleMax = 2000;
constexpr int kGroupDigits = 4;
constexpr double kLog10OfE = 0.434294481903252;
constexpr double kLn10 = 2.302585092994046;
constexpr double kBitsPerDigit = 3.3219280948873623;
constexpr int kGuardDigits = 24;

Status Overflow() {
  return Status(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
}
Status BadPower(const char* message) { return Status(SqlState("2201F"), message); }

int ShownScale(int scale) { return std::clamp(scale, 0, kDisplayScaleMax); }

unsigned long BitsOf(int digits) {
  return static_cast<unsigned long>(std::ceil((digits + kGuardDigits) * kBitsPerDigit));
}

mpz_class ToFixed(const BigNumeric& a, unsigned long bits) {
  return DivideHalfAway(a.units << bits, BigPowerOfTen(a.scale));
}

BigNumeric FromFixed(const mpz_class& fixed, unsigned long bits, int scale) {
  BigNumeric result;
  result.scale = scale;
  result.units = DivideHalfAway(fixed * BigPowerOfTen(scale), mpz_class(1) << bits);
  return result;
}

// 2 * atanh(numerator / denominator)
mpz_class TwiceAtanh(const mpz_class& numerator, const mpz_class& denominator, unsigned long bits) {
  const mpz_class y = (numerator << bits) / denominator;
  const mpz_class square = (y * y) >> bits;
  mpz_class power = y;
  mpz_class sum = y;
  for (unsigned long n = 3; power != 0; n += 2) {
    power = power * square;
    // Towards zero, or a negative power would never get there.
    mpz_tdiv_q_2exp(power.get_mpz_t(), power.get_mpz_t(), bits);
    sum += power / n;
  }
  return sum * 2;
}

mpz_class LnOfTwo(unsigned long bits) { return TwiceAtanh(1, 3, bits); }

// The natural logarithm of a positive number, in fixed point.
mpz_class LnFixed(const BigNumeric& a, unsigned long bits) {
  // a = mantissa * 2^shift with a mantissa near 1.
  const mpz_class denominator = BigPowerOfTen(a.scale);
  const long shift = static_cast<long>(mpz_sizeinbase(a.units.get_mpz_t(), 2)) -
                     static_cast<long>(mpz_sizeinbase(denominator.get_mpz_t(), 2));
  mpz_class numerator = a.units;
  mpz_class divisor = denominator;
  if (shift >= 0) {
    divisor <<= static_cast<unsigned long>(shift);
  } else {
    numerator <<= static_cast<unsigned long>(-shift);
  }
  mpz_class result = TwiceAtanh(numerator - divisor, numerator + divisor, bits);
  if (shift != 0) result += LnOfTwo(bits) * shift;
  return result;
}

BigNumeric LnAt(const BigNumeric& a, int scale) {
  // Bits before the point hold the logarithm of the greatest numeric.
  const unsigned long bits = BitsOf(std::max(scale, 0)) + 32;
  return FromFixed(LnFixed(a, bits), bits, scale);
}

double ToDouble(const BigNumeric& a) {
  std::string text;
  AppendBig(a, text);
  return std::strtod(text.c_str(), nullptr);
}

// e^x of a fixed-point number, rounded to `scale`. Requires: |x| < 2^24.
BigNumeric ExpFixed(const mpz_class& x, unsigned long bits, int scale) {
  const mpz_class ln2 = LnOfTwo(bits);
  mpz_class times;
  mpz_fdiv_q(times.get_mpz_t(), x.get_mpz_t(), ln2.get_mpz_t());
  // Halved until its powers fall fast, squared as often afterwards.
  constexpr unsigned long kHalvings = 12;
  const mpz_class rest = (x - times * ln2) >> kHalvings;
  const mpz_class one = mpz_class(1) << bits;
  mpz_class sum = one;
  mpz_class term = one;
  for (unsigned long n = 1; term != 0; ++n) {
    term = term * rest;
    term >>= bits;
    term /= n;
    sum += term;
  }
  for (unsigned long i = 0; i < kHalvings; ++i) {
    sum = sum * sum;
    sum >>= bits;
  }
  const long shift = times.get_si();
  if (shift >= 0) return FromFixed(sum << static_cast<unsigned long>(shift), bits, scale);
  return FromFixed(sum >> static_cast<unsigned long>(-shift), bits, scale);
}

// Bits that e^x needs when the result has `scale` digits behind the point and 10^weight is its
// size.
unsigned long ExpBits(int scale, double weight) {
  return BitsOf(scale + static_cast<int>(std::max(weight, 0.0)) + 8) + 32;
}

Result<BigNumeric> ExpAt(const BigNumeric& a, int scale) {
  const double value = ToDouble(a);
  if (std::fabs(value) >= kResultScaleMax * 3) {
    if (value > 0) return Overflow();
    return BigNumeric::Of(0, scale);
  }
  const unsigned long bits = ExpBits(scale, value * kLog10OfE);
  return ExpFixed(ToFixed(a, bits), bits, scale);
}

// The power of ten that the logarithm begins with.
int LnWeight(const BigNumeric& a) {
  const BigNumeric one = BigNumeric::Of(1);
  if (CompareBig(a, BigNumeric::Of(9, 1)) >= 0 && CompareBig(a, BigNumeric::Of(11, 1)) <= 0) {
    // ln(1 + x) is nearly x there.
    const BigNumeric x = SubtractBig(a, one).value();
    return x.units == 0 ? 0 : DigitCount(x.units) - 1 - x.scale;
  }
  // Of the first digits: enough so far from 1.
  const int digits = DigitCount(a.units);
  const int cut = std::max(0, digits - 8);
  const double head = mpz_class(a.units / BigPowerOfTen(cut)).get_d();
  const double ln = std::log(head) + (cut - a.scale) * kLn10;
  return static_cast<int>(std::log10(std::fabs(ln)));
}

bool IsWhole(const BigNumeric& a) { return a.is_infinite() || MinScale(a) == 0; }

Result<BigNumeric> PowerOfInfinities(const BigNumeric& base, const BigNumeric& exponent) {
  const BigNumeric one = BigNumeric::Of(1);
  const int sign = exponent.sign();
  if (base.is_finite() && CompareBig(base, one) == 0) return one;
  if (sign == 0) return one;
  if (base.is_finite() && base.units == 0) return BigNumeric();
  if (exponent.is_infinite()) {
    if (base.is_finite() && CompareBig(base, BigNumeric::Of(-1)) == 0) return one;
    const bool grows = base.is_infinite() || CompareBig(AbsBig(base), one) > 0;
    return grows == (sign > 0) ? BigNumeric::Infinity() : BigNumeric();
  }
  if (sign < 0) return BigNumeric();
  const BigNumeric whole = TrimScale(exponent);
  const bool odd = mpz_odd_p(whole.units.get_mpz_t()) != 0;
  return BigNumeric::Infinity(base.sign() < 0 && odd);
}

// base^exponent through logarithms, rounded. Requires: base > 0.
Result<BigNumeric> PowerAt(const BigNumeric& base, const BigNumeric& exponent, int scale,
                           double weight) {
  // The product's error is the logarithm's times the exponent.
  const unsigned long bits = ExpBits(scale, weight) + mpz_sizeinbase(exponent.units.get_mpz_t(), 2);
  const mpz_class product =
      DivideHalfAway(LnFixed(base, bits) * exponent.units, BigPowerOfTen(exponent.scale));
  return InRange(ExpFixed(product, bits, scale));
}

// Exact powers up to this many digits are multiplied out.
constexpr double kExactDigitsMax = 20000;

Result<BigNumeric> WholePower(const BigNumeric& base, long exponent) {
  double weight = 0;
  if (base.units != 0) {
    const int digits = DigitCount(base.units);
    const int cut = std::max(0, digits - 16);
    const double head = mpz_class(abs(base.units) / BigPowerOfTen(cut)).get_d();
    weight = static_cast<double>(exponent) * (std::log10(head) + cut - base.scale);
  }
  if (weight > kBigIntegerDigitsMax) return Overflow();
  const int scale = ShownScale(std::max(kSignificantDigits, base.scale));
  // Far behind the last digit shown.
  if (weight + 1 < -kDisplayScaleMax) return BigNumeric::Of(0, scale);
  if (base.units == 0) {
    if (exponent < 0) return Status(sqlstate::kDivisionByZero, "division by zero");
    return exponent == 0 ? RoundBig(BigNumeric::Of(1), scale) : BigNumeric::Of(0, scale);
  }
  const auto times = static_cast<unsigned long>(std::labs(exponent));
  if (DigitCount(base.units) * static_cast<double>(times) > kExactDigitsMax) {
    const BigNumeric whole = BigNumeric::Of(exponent);
    OMEN_ASSIGN(BigNumeric result, PowerAt(AbsBig(base), whole, scale, weight));
    return base.units < 0 && times % 2 == 1 ? NegateBig(std::move(result)) : std::move(result);
  }
  mpz_class units;
  mpz_pow_ui(units.get_mpz_t(), base.units.get_mpz_t(), times);
  mpz_class unit = BigPowerOfTen(base.scale * static_cast<int>(times));
  if (exponent < 0) std::swap(units, unit);
  if (unit < 0) {
    unit = -unit;
    units = -units;
  }
  BigNumeric result;
  result.scale = scale;
  result.units = DivideHalfAway(units * BigPowerOfTen(scale), unit);
  return InRange(std::move(result));
}

}  // namespace

Result<BigNumeric> ExpBig(const BigNumeric& a) {
  if (a.is_nan()) return a;
  if (a.is_infinite()) return a.sign() > 0 ? a : BigNumeric();
  const double weight =
      std::clamp<double>(ToDouble(a) * kLog10OfE, -kResultScaleMax, kResultScaleMax);
  return ExpAt(a, ShownScale(std::max(kSignificantDigits - static_cast<int>(weight), a.scale)));
}

Result<BigNumeric> LnBig(const BigNumeric& a) {
  if (a.is_nan()) return a;
  if (a.sign() <= 0) {
    return Status(SqlState("2201E"), a.sign() == 0 ? "cannot take logarithm of zero"
                                                   : "cannot take logarithm of a negative number");
  }
  if (a.is_infinite()) return a;
  return LnAt(a, ShownScale(std::max(kSignificantDigits - LnWeight(a), a.scale)));
}

Result<BigNumeric> LogBig(const BigNumeric& base, const BigNumeric& a) {
  if (base.is_nan() || a.is_nan()) return BigNumeric::NaN();
  for (const BigNumeric* operand : {&base, &a}) {
    if (operand->sign() <= 0) return LnBig(*operand);  // The error.
  }
  if (base.is_infinite()) return a.is_infinite() ? BigNumeric::NaN() : BigNumeric();
  if (a.is_infinite()) return a;
  const int base_weight = LnWeight(base);
  const int weight = LnWeight(a);
  const int scale =
      ShownScale(std::max({kSignificantDigits - (weight - base_weight), base.scale, a.scale}));
  const BigNumeric divisor = LnAt(base, std::max(0, scale + weight - 2 * base_weight + 8));
  if (divisor.units == 0) return Status(sqlstate::kDivisionByZero, "division by zero");
  return QuotientAt(LnAt(a, std::max(0, scale - base_weight + 8)), divisor, scale);
}

Result<BigNumeric> PowerBig(const BigNumeric& base, const BigNumeric& exponent) {
  const BigNumeric one = BigNumeric::Of(1);
  if (base.is_nan()) {
    return exponent.is_finite() && exponent.units == 0 ? one : BigNumeric::NaN();
  }
  if (exponent.is_nan()) return base.is_finite() && CompareBig(base, one) == 0 ? one : exponent;
  if (base.sign() == 0 && exponent.sign() < 0) {
    return BadPower("zero raised to a negative power is undefined");
  }
  const bool whole = IsWhole(exponent);
  if (base.sign() < 0 && !whole) {
    return BadPower("a negative number raised to a non-integer power yields a complex result");
  }
  if (!base.is_finite() || !exponent.is_finite()) return PowerOfInfinities(base, exponent);
  const BigNumeric trimmed = TrimScale(exponent);
  if (whole && trimmed.units <= INT32_MAX && trimmed.units >= INT32_MIN) {
    return WholePower(base, trimmed.units.get_si());
  }
  if (base.units == 0) return BigNumeric::Of(0, kSignificantDigits);
  const BigNumeric magnitude = AbsBig(base);
  // A first look at the size of the result, with some eight digits.
  const int first_scale = std::max(0, 8 - LnWeight(magnitude));
  OMEN_ASSIGN(const BigNumeric product, MultiplyBig(LnAt(magnitude, first_scale), exponent));
  OMEN_ASSIGN(const BigNumeric estimate, RoundBig(product, first_scale));
  const double value = ToDouble(estimate);
  if (std::fabs(value) > kResultScaleMax * 3.01) {
    if (value > 0) return Overflow();
    return BigNumeric::Of(0, kDisplayScaleMax);
  }
  const double weight = value * kLog10OfE;
  const int scale = ShownScale(
      std::max({kSignificantDigits - static_cast<int>(weight), base.scale, exponent.scale}));
  OMEN_ASSIGN(BigNumeric result, PowerAt(magnitude, exponent, scale, weight));
  const bool odd = mpz_odd_p(trimmed.units.get_mpz_t()) != 0;
  return base.units < 0 && odd ? NegateBig(std::move(result)) : std::move(result);
}

}  // namespace omendb::types
