// numeric.h - numerics with precision: units of 10^-scale in 16 to 128 bits, by the precision.
//
// Thread safety  Pure functions.
// Errors         22003 "numeric field overflow" with PostgreSQL's detail for a numeric(p,s); for
//                the numeric of older databases (kLegacyNumericTypmod), 22003 naming its 38 digits,
//                10 behind the point.
// Invariants     |units| < 10^precision <= 10^38 for every stored value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "types/type.h"
#include "types/value.h"

namespace omendb::types {

using UInt128 = unsigned __int128;

inline UInt128 Magnitude(Int128 units) {
  return units < 0 ? UInt128{0} - static_cast<UInt128>(units) : static_cast<UInt128>(units);
}
// 10^exponent. Requires: 0 <= exponent <= 38.
Int128 PowerOfTen(int exponent);

// Units of 10^-numeric_scale(). Requires: a numeric with precision or an integer type,
// !value.is_null.
Int128 NumericUnits(const SqlType& type, const Value& value);
// Requires: |units| < 10^numeric_precision().
Value NumericFromUnits(const SqlType& type, Int128 units);
// `units` of 10^-scale as a value of `to`, rounded half away from zero; 22003 when it does not fit.
Result<Value> NumericRescale(Int128 units, int scale, const SqlType& to);
// units / 10^digits, rounded half away from zero.
Int128 DivideRounded(Int128 units, Int128 divisor);
// The error of a value that `type` cannot hold.
Status NumericOverflow(const SqlType& type);

// "-12.50", "1e3", surrounding blanks allowed, rounded for `to`. 22P02, 22003; 0A000 for NaN and
// the infinities.
Result<Value> ParseNumeric(std::string_view text, const SqlType& to);
// The same number with the fewest digits behind the point.
void TrimZeros(Int128& units, int& scale);
// Appends with `scale` digits behind the point.
void AppendDecimal(Int128 units, int scale, std::string& out);
// Appends as FormatText does: of an older database, without trailing zeros.
void AppendNumeric(const SqlType& type, const Value& value, std::string& out);
double NumericToDouble(Int128 units, int scale);

}  // namespace omendb::types
