// numeric_operators.h - products, quotients and remainders of numerics, exact in 256 bits.
//
// Thread safety  Pure functions.
// Errors         22012, 22003 "value overflows numeric format".
// See            PostgreSQL 15, section 8.1.2.
#pragma once

#include "base/status.h"
#include "types/value.h"

namespace omendb::duck {

// Digits behind the point of a quotient: PostgreSQL's for operands of ordinary size.
inline constexpr int kQuotientScale = 16;

// Operands and results are value * 10^scale. Halves round away from zero.
Result<types::Int128> MultiplyNumeric(types::Int128 a, int a_scale, types::Int128 b, int b_scale,
                                      int result_scale);
// Requires: result_scale >= a_scale.
Result<types::Int128> DivideNumeric(types::Int128 a, int a_scale, types::Int128 b, int b_scale,
                                    int result_scale);
// The result has the greater of the scales.
Result<types::Int128> ModuloNumeric(types::Int128 a, int a_scale, types::Int128 b, int b_scale);

}  // namespace omendb::duck
