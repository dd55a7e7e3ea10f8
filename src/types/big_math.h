// big_math.h - operators and functions of numerics without precision.
//
// A result has the scale that PostgreSQL gives it: of sums the greater of the operands', of
// products their sum, of quotients, roots and logarithms at least sixteen significant digits.
//
// Thread safety  Pure functions.
// Errors         22012, 22003 "value overflows numeric format", 2201E, 2201F.
// See            PostgreSQL 15, sections 8.1.2 and 9.3.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/status.h"
#include "types/big_numeric.h"

namespace omendb::types {

// <0, 0, >0; NaN is greater than every other value and equal to itself.
int CompareBig(const BigNumeric& a, const BigNumeric& b);

Result<BigNumeric> AddBig(const BigNumeric& a, const BigNumeric& b);
Result<BigNumeric> SubtractBig(const BigNumeric& a, const BigNumeric& b);
Result<BigNumeric> MultiplyBig(const BigNumeric& a, const BigNumeric& b);
Result<BigNumeric> DivideBig(const BigNumeric& a, const BigNumeric& b);
// The quotient's whole part, as div() answers it.
Result<BigNumeric> DivideWhole(const BigNumeric& a, const BigNumeric& b);
Result<BigNumeric> ModuloBig(const BigNumeric& a, const BigNumeric& b);
BigNumeric NegateBig(BigNumeric a);
BigNumeric AbsBig(BigNumeric a);
BigNumeric SignBig(const BigNumeric& a);

// `digits` behind the point, or before it when negative.
Result<BigNumeric> RoundBig(const BigNumeric& a, int32_t digits);
BigNumeric TruncateBig(const BigNumeric& a, int32_t digits);
BigNumeric CeilBig(const BigNumeric& a);
BigNumeric FloorBig(const BigNumeric& a);
// The fewest digits behind the point that show the value.
int MinScale(const BigNumeric& a);
BigNumeric TrimScale(BigNumeric a);

Result<BigNumeric> SqrtBig(const BigNumeric& a);
Result<BigNumeric> ExpBig(const BigNumeric& a);
Result<BigNumeric> LnBig(const BigNumeric& a);
Result<BigNumeric> LogBig(const BigNumeric& base, const BigNumeric& a);
Result<BigNumeric> PowerBig(const BigNumeric& base, const BigNumeric& exponent);

Result<BigNumeric> GcdBig(const BigNumeric& a, const BigNumeric& b);
Result<BigNumeric> LcmBig(const BigNumeric& a, const BigNumeric& b);
Result<BigNumeric> FactorialBig(int64_t n);

// DivideBig's answer where 38 digits hold it and all on the way to it; nullopt elsewhere and for a
// divisor of zero. Requires: at most 38 digits in each.
std::optional<SmallNumeric> DivideSmall(SmallNumeric a, SmallNumeric b);
// Appends the encoding of a / b. Requires: at most 38 digits in each.
Status AppendQuotient(SmallNumeric a, SmallNumeric b, std::string& out);

// The scale of a / b for finite operands, as PostgreSQL selects it.
int QuotientScale(const BigNumeric& a, const BigNumeric& b);
// a / b rounded to `scale`. Requires: both finite, b not zero.
Result<BigNumeric> QuotientAt(const BigNumeric& a, const BigNumeric& b, int scale);
// The square root rounded to `scale`. Requires: finite, not negative.
BigNumeric SqrtAt(const BigNumeric& a, int scale);
// The scale of a square root.
int SqrtScale(const BigNumeric& a);

}  // namespace omendb::types
