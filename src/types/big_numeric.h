// big_numeric.h - numeric without precision: any number of digits, NaN and the infinities.
//
// A value is units * 10^-scale with 0 <= scale <= 16383; the scale is how many digits are shown
// behind the point. 1.5 and 1.50 are equal and differ only in it.
//
// Encoding       What pages, segments, the log and DuckDB hold, a byte string: the value's order
//                key, then the scale as two big-endian bytes. memcmp of two keys orders as the
//                values do, and equal values have the same key:
//                  0x10 -Infinity, 0x20 negative, 0x40 zero, 0x60 positive, 0x80 Infinity, 0xA0
//                  NaN; negative and positive: the weight of the first group of four digits (in
//                  groups)
//                  + 0x4000, then each group + 0x4000, all as two big-endian bytes, without groups
//                  of zeros at the end. A negative has these inverted, and 0xFFFF behind them.
//                The whole encoding orders as the values do, too: equal ones by their scale.
//                It reaches the disk (docs/formats): never change it.
// Thread safety  Pure functions.
// Errors         22P02, 22003 "value overflows numeric format" past 131,072 digits before the point
//                or 16,383 behind it.
// See            PostgreSQL 15, section 8.1.2.
#pragma once

#include <gmpxx.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "types/value.h"

namespace omendb::types {

inline constexpr int kBigScaleMax = 16383;
inline constexpr int kBigIntegerDigitsMax = 131072;

struct BigNumeric {
  enum class Kind : uint8_t { kFinite, kNaN, kInfinity, kMinusInfinity };
  Kind kind = Kind::kFinite;
  int scale = 0;
  mpz_class units;

  static BigNumeric Of(Int128 units, int scale = 0);
  static BigNumeric NaN() { return {Kind::kNaN, 0, {}}; }
  static BigNumeric Infinity(bool negative = false) {
    return {negative ? Kind::kMinusInfinity : Kind::kInfinity, 0, {}};
  }
  bool is_finite() const { return kind == Kind::kFinite; }
  bool is_nan() const { return kind == Kind::kNaN; }
  bool is_infinite() const { return !is_finite() && !is_nan(); }
  // -1, 0 or 1. Requires: !is_nan().
  int sign() const;
};

// A finite value of at most 38 digits: the common case, without an allocation.
struct SmallNumeric {
  Int128 units;
  int scale;
};

// ---- The encoding -----------------------------------------------------------------------------

void AppendBigBytes(const BigNumeric& value, std::string& out);
// Requires: |units| < 10^38, scale <= kBigScaleMax.
void AppendBigBytes(Int128 units, int scale, std::string& out);
// The same of a whole number (above INT64_MIN), shown with `scale` digits behind the point.
void AppendWholeBytes(int64_t whole, int scale, std::string& out);
BigNumeric DecodeBig(std::string_view bytes);
std::optional<SmallNumeric> DecodeSmall(std::string_view bytes);
// The part of the encoding that is equal for equal values and orders as they do.
std::string_view BigKey(std::string_view bytes);
int BigScale(std::string_view bytes);
// Whether the bytes could have been written by AppendBigBytes: of data that comes from a disk.
bool IsBigEncoding(std::string_view bytes);

Value ToValue(const BigNumeric& value, Arena& arena);
Value ToValue(Int128 units, int scale, Arena& arena);

// ---- Text and other numbers -------------------------------------------------------------------

Result<BigNumeric> ParseBig(std::string_view text);
void AppendBig(const BigNumeric& value, std::string& out);
void AppendBig(std::string_view bytes, std::string& out);

// 22003 when the value has more digits than PostgreSQL's numeric.
Result<BigNumeric> InRange(BigNumeric value);
// Units of 10^-scale, rounded half away from zero; nullopt when they need more than 38 digits.
// Requires: value.is_finite().
std::optional<Int128> UnitsAt(const BigNumeric& value, int scale);
std::optional<Int128> UnitsAt(SmallNumeric value, int scale);
// 22003 when a finite value is out of the type's range.
Result<double> BigToDouble(std::string_view bytes);
Result<float> BigToFloat(std::string_view bytes);

// 10^exponent. Requires: exponent >= 0.
mpz_class BigPowerOfTen(int exponent);
// numerator / denominator, rounded half away from zero. Requires: denominator > 0.
mpz_class DivideHalfAway(const mpz_class& numerator, const mpz_class& denominator);
// Decimal digits of |units|; 0 of zero.
int DigitCount(const mpz_class& units);

}  // namespace omendb::types
