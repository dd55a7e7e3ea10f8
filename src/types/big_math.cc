#include "types/big_math.h"

#include <algorithm>

#include "base/sqlstate.h"
#include "types/quotient_scale.h"

namespace omendb::types {
namespace {

constexpr int kRoundDigitsMax = 2000;

Status DivisionByZero() { return Status(sqlstate::kDivisionByZero, "division by zero"); }
Status Overflow() {
  return Status(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
}

bool EitherNaN(const BigNumeric& a, const BigNumeric& b) { return a.is_nan() || b.is_nan(); }
bool BothFinite(const BigNumeric& a, const BigNumeric& b) { return a.is_finite() && b.is_finite(); }

mpz_class UnitsOf(const BigNumeric& a, int scale) {
  return scale == a.scale ? a.units : mpz_class(a.units * BigPowerOfTen(scale - a.scale));
}

BigNumeric Finite(mpz_class units, int scale) {
  BigNumeric value;
  value.scale = scale;
  value.units = std::move(units);
  return value;
}

NumericHead HeadOf(const BigNumeric& a) {
  NumericHead head;
  if (a.units == 0) return head;
  head.weight = GroupWeight(DigitCount(a.units) - 1 - a.scale);
  const int cut = a.scale + head.weight * kGroupDigits;
  const mpz_class group = cut >= 0 ? mpz_class(abs(a.units) / BigPowerOfTen(cut))
                                   : mpz_class(abs(a.units) * BigPowerOfTen(-cut));
  head.group = static_cast<int>(group.get_si());
  return head;
}

// Cuts the digits behind `digits` from the point off. `round` gets what was cut and the unit.
template <typename Round>
BigNumeric CutAt(const BigNumeric& a, int32_t digits, Round round) {
  if (!a.is_finite()) return a;
  digits = std::clamp(digits, -kRoundDigitsMax * 100, kRoundDigitsMax);
  const int scale = std::max(digits, 0);
  if (digits >= a.scale) return Finite(UnitsOf(a, scale), scale);
  const int cut = a.scale - digits;
  if (cut > DigitCount(a.units) + 1) return Finite(round(a.units, mpz_class(0), cut), scale);
  mpz_class kept = round(a.units, BigPowerOfTen(cut), cut);
  if (digits < 0) kept *= BigPowerOfTen(-digits);
  return Finite(std::move(kept), scale);
}

}  // namespace

int CompareBig(const BigNumeric& a, const BigNumeric& b) {
  if (a.is_nan() || b.is_nan()) return static_cast<int>(a.is_nan()) - static_cast<int>(b.is_nan());
  if (!BothFinite(a, b)) {
    const auto rank = [](const BigNumeric& x) { return x.is_infinite() ? x.sign() : 0; };
    return rank(a) - rank(b);
  }
  const int scale = std::max(a.scale, b.scale);
  return cmp(UnitsOf(a, scale), UnitsOf(b, scale));
}

Result<BigNumeric> AddBig(const BigNumeric& a, const BigNumeric& b) {
  if (EitherNaN(a, b)) return BigNumeric::NaN();
  if (!BothFinite(a, b)) {
    if (a.is_infinite() && b.is_infinite() && a.kind != b.kind) return BigNumeric::NaN();
    return a.is_infinite() ? a : b;
  }
  const int scale = std::max(a.scale, b.scale);
  return InRange(Finite(UnitsOf(a, scale) + UnitsOf(b, scale), scale));
}

Result<BigNumeric> SubtractBig(const BigNumeric& a, const BigNumeric& b) {
  return AddBig(a, NegateBig(b));
}

Result<BigNumeric> MultiplyBig(const BigNumeric& a, const BigNumeric& b) {
  if (EitherNaN(a, b)) return BigNumeric::NaN();
  if (!BothFinite(a, b)) {
    const int sign = a.sign() * b.sign();
    return sign == 0 ? BigNumeric::NaN() : BigNumeric::Infinity(sign < 0);
  }
  BigNumeric product = Finite(a.units * b.units, a.scale + b.scale);
  if (product.scale > kBigScaleMax) {
    product.units = DivideHalfAway(product.units, BigPowerOfTen(product.scale - kBigScaleMax));
    product.scale = kBigScaleMax;
  }
  return InRange(std::move(product));
}

int QuotientScale(const BigNumeric& a, const BigNumeric& b) {
  return QuotientScale(HeadOf(a), a.scale, HeadOf(b), b.scale);
}

Result<BigNumeric> QuotientAt(const BigNumeric& a, const BigNumeric& b, int scale) {
  mpz_class numerator = a.units;
  mpz_class denominator = b.units;
  const int shift = scale - a.scale + b.scale;
  (shift >= 0 ? numerator : denominator) *= BigPowerOfTen(std::abs(shift));
  if (denominator < 0) {
    denominator = -denominator;
    numerator = -numerator;
  }
  return InRange(Finite(DivideHalfAway(numerator, denominator), scale));
}

Result<BigNumeric> DivideBig(const BigNumeric& a, const BigNumeric& b) {
  if (EitherNaN(a, b)) return BigNumeric::NaN();
  if (b.is_finite() && b.units == 0) return DivisionByZero();
  if (a.is_infinite()) {
    if (b.is_infinite()) return BigNumeric::NaN();
    return BigNumeric::Infinity(a.sign() * b.sign() < 0);
  }
  if (b.is_infinite()) return BigNumeric();
  return QuotientAt(a, b, QuotientScale(a, b));
}

Result<BigNumeric> DivideWhole(const BigNumeric& a, const BigNumeric& b) {
  if (!BothFinite(a, b)) return DivideBig(a, b);
  if (b.units == 0) return DivisionByZero();
  const int scale = std::max(a.scale, b.scale);
  return Finite(UnitsOf(a, scale) / UnitsOf(b, scale), 0);
}

Result<BigNumeric> ModuloBig(const BigNumeric& a, const BigNumeric& b) {
  if (EitherNaN(a, b)) return BigNumeric::NaN();
  if (b.is_finite() && b.units == 0) return DivisionByZero();
  if (a.is_infinite()) return BigNumeric::NaN();
  if (b.is_infinite()) return a;
  const int scale = std::max(a.scale, b.scale);
  return Finite(UnitsOf(a, scale) % UnitsOf(b, scale), scale);
}

BigNumeric NegateBig(BigNumeric a) {
  if (a.is_infinite()) return BigNumeric::Infinity(a.sign() > 0);
  a.units = -a.units;
  return a;
}

BigNumeric AbsBig(BigNumeric a) {
  return !a.is_nan() && a.sign() < 0 ? NegateBig(std::move(a)) : a;
}

BigNumeric SignBig(const BigNumeric& a) { return a.is_nan() ? a : BigNumeric::Of(a.sign()); }

Result<BigNumeric> RoundBig(const BigNumeric& a, int32_t digits) {
  return InRange(CutAt(a, digits, [](const mpz_class& units, const mpz_class& unit, int) {
    return unit == 0 ? mpz_class(0) : DivideHalfAway(units, unit);
  }));
}

BigNumeric TruncateBig(const BigNumeric& a, int32_t digits) {
  return CutAt(a, digits, [](const mpz_class& units, const mpz_class& unit, int) {
    return unit == 0 ? mpz_class(0) : mpz_class(units / unit);
  });
}

BigNumeric CeilBig(const BigNumeric& a) {
  if (!a.is_finite()) return a;
  BigNumeric result = Finite({}, 0);
  const mpz_class unit = BigPowerOfTen(a.scale);
  mpz_cdiv_q(result.units.get_mpz_t(), a.units.get_mpz_t(), unit.get_mpz_t());
  return result;
}

BigNumeric FloorBig(const BigNumeric& a) { return NegateBig(CeilBig(NegateBig(a))); }

int MinScale(const BigNumeric& a) { return TrimScale(a).scale; }

BigNumeric TrimScale(BigNumeric a) {
  if (!a.is_finite()) return a;
  if (a.units == 0) a.scale = 0;
  while (a.scale > 0 && mpz_divisible_ui_p(a.units.get_mpz_t(), 10) != 0) {
    mpz_divexact_ui(a.units.get_mpz_t(), a.units.get_mpz_t(), 10);
    --a.scale;
  }
  return a;
}

int SqrtScale(const BigNumeric& a) {
  // The root has half of the digits before the point.
  const int weight = HeadOf(a).weight;
  const int half =
      weight >= 0 ? weight * kGroupDigits / 2 + 1 : 1 - (1 - weight * kGroupDigits) / 2;
  return std::min(std::max({kQuotientDigits - half, a.scale, 0}), kDisplayScaleMax);
}

BigNumeric SqrtAt(const BigNumeric& a, int scale) {
  // One digit more than asked for rounds: a root is never exactly half of a unit.
  const int wanted = 2 * (scale + 1);
  const mpz_class radicand = wanted >= a.scale
                                 ? mpz_class(a.units * BigPowerOfTen(wanted - a.scale))
                                 : mpz_class(a.units / BigPowerOfTen(a.scale - wanted));
  return Finite(DivideHalfAway(sqrt(radicand), 10), scale);
}

Result<BigNumeric> SqrtBig(const BigNumeric& a) {
  if (a.is_nan()) return a;
  if (a.sign() < 0) {
    return Status(SqlState("2201F"), "cannot take square root of a negative number");
  }
  return a.is_infinite() ? a : SqrtAt(a, SqrtScale(a));
}

Result<BigNumeric> GcdBig(const BigNumeric& a, const BigNumeric& b) {
  if (!BothFinite(a, b)) return BigNumeric::NaN();
  const int scale = std::max(a.scale, b.scale);
  return Finite(gcd(UnitsOf(a, scale), UnitsOf(b, scale)), scale);
}

Result<BigNumeric> LcmBig(const BigNumeric& a, const BigNumeric& b) {
  if (!BothFinite(a, b)) return BigNumeric::NaN();
  const int scale = std::max(a.scale, b.scale);
  return InRange(Finite(lcm(UnitsOf(a, scale), UnitsOf(b, scale)), scale));
}

Result<BigNumeric> FactorialBig(int64_t n) {
  if (n < 0) {
    return Status(sqlstate::kNumericValueOutOfRange, "factorial of a negative number is undefined");
  }
  // The factorial of the next number is too long.
  constexpr int64_t kLargest = 32177;
  if (n > kLargest) return Overflow();
  BigNumeric product;
  mpz_fac_ui(product.units.get_mpz_t(), static_cast<unsigned long>(n));
  return InRange(std::move(product));
}

}  // namespace omendb::types
