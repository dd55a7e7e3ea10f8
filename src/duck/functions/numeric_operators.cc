#include "duck/functions/numeric_operators.h"

#include <array>

#include "base/sqlstate.h"
#include "types/numeric.h"

namespace omendb::duck {

namespace {

using types::Int128;
using types::Magnitude;
using types::UInt128;

Status Overflow() {
  return Status(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
}
Status DivisionByZero() { return Status(sqlstate::kDivisionByZero, "division by zero"); }

constexpr UInt128 kGreatest = ~UInt128{0} >> 1;

Result<Int128> Signed(UInt128 magnitude, bool negative) {
  if (magnitude > kGreatest) return Overflow();
  const auto value = static_cast<Int128>(magnitude);
  return negative ? -value : value;
}

// Four 64-bit limbs, the least first.
using Limbs = std::array<uint64_t, 4>;

Limbs Product(UInt128 a, UInt128 b) {
  const std::array<uint64_t, 2> x{static_cast<uint64_t>(a), static_cast<uint64_t>(a >> 64)};
  const std::array<uint64_t, 2> y{static_cast<uint64_t>(b), static_cast<uint64_t>(b >> 64)};
  Limbs out{};
  for (size_t i = 0; i < 2; ++i) {
    uint64_t carry = 0;
    for (size_t k = 0; k < 2; ++k) {
      const UInt128 sum = UInt128{x[i]} * y[k] + out[i + k] + carry;
      out[i + k] = static_cast<uint64_t>(sum);
      carry = static_cast<uint64_t>(sum >> 64);
    }
    out[i + 2] = carry;
  }
  return out;
}

void Divide(Limbs& limbs, uint64_t divisor) {
  UInt128 rest = 0;
  for (size_t i = 4; i-- > 0;) {
    const UInt128 current = rest << 64 | limbs[i];
    limbs[i] = static_cast<uint64_t>(current / divisor);
    rest = current % divisor;
  }
}

void Add(Limbs& limbs, uint64_t value) {
  for (size_t i = 0; i < 4 && value != 0; ++i) {
    limbs[i] += value;
    value = limbs[i] < value ? 1 : 0;
  }
}

Result<Int128> Scaled(Int128 value, int digits) {
  for (int i = 0; i < digits; ++i) {
    if (__builtin_mul_overflow(value, Int128{10}, &value)) return Overflow();
  }
  return value;
}

}  // namespace

Result<Int128> MultiplyNumeric(Int128 a, int a_scale, Int128 b, int b_scale, int result_scale) {
  Limbs product = Product(Magnitude(a), Magnitude(b));
  int surplus = a_scale + b_scale - result_scale;
  if (surplus > 0) {
    for (; surplus > 1; --surplus) Divide(product, 10);
    Add(product, 5);
    Divide(product, 10);
  }
  if (product[2] != 0 || product[3] != 0) return Overflow();
  OMEN_ASSIGN(const Int128 value,
              Signed(UInt128{product[1]} << 64 | product[0], (a < 0) != (b < 0)));
  return surplus < 0 ? Scaled(value, -surplus) : value;
}

Result<Int128> DivideNumeric(Int128 a, int a_scale, Int128 b, int b_scale, int result_scale) {
  if (b == 0) return DivisionByZero();
  const UInt128 divisor = Magnitude(b);
  // The rest times ten must fit.
  if (divisor > ~UInt128{0} / 10) return Overflow();
  UInt128 quotient = Magnitude(a) / divisor;
  UInt128 rest = Magnitude(a) % divisor;
  for (int digits = result_scale - a_scale + b_scale; digits > 0; --digits) {
    rest *= 10;
    if (quotient > kGreatest / 10 - 1) return Overflow();
    quotient = quotient * 10 + rest / divisor;
    rest %= divisor;
  }
  if (rest >= divisor - rest) ++quotient;
  return Signed(quotient, (a < 0) != (b < 0));
}

Result<Int128> ModuloNumeric(Int128 a, int a_scale, Int128 b, int b_scale) {
  if (b == 0) return DivisionByZero();
  OMEN_ASSIGN(const Int128 left, Scaled(a, std::max(0, b_scale - a_scale)));
  OMEN_ASSIGN(const Int128 right, Scaled(b, std::max(0, a_scale - b_scale)));
  return left % right;
}

}  // namespace omendb::duck
