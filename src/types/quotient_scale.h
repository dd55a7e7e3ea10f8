// quotient_scale.h - PostgreSQL's choice of a quotient's scale, for numerics of any length and for
// those within 128 bits; internal to types.
#pragma once

#include <algorithm>

namespace omendb::types {

// PostgreSQL's digits are groups of four.
inline constexpr int kGroupDigits = 4;
// Significant digits that quotients have at least.
inline constexpr int kQuotientDigits = 16;
// The digits behind the point that no function shows more of.
inline constexpr int kDisplayScaleMax = 1000;

// Where the first group of digits lies, and its value.
struct NumericHead {
  int weight = 0;
  int group = 0;
};

// Of the group that holds the digit of 10^exponent.
inline int GroupWeight(int exponent) {
  return exponent >= 0 ? exponent / kGroupDigits : -((-exponent - 1) / kGroupDigits) - 1;
}

inline int QuotientScale(NumericHead a, int a_scale, NumericHead b, int b_scale) {
  const int weight = a.weight - b.weight - (a.group <= b.group ? 1 : 0);
  const int scale = std::max({kQuotientDigits - weight * kGroupDigits, a_scale, b_scale, 0});
  return std::min(scale, kDisplayScaleMax);
}

}  // namespace omendb::types
