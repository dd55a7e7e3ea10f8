// number_format.h - PostgreSQL's template patterns for numbers: to_char(number, 'FM999,990.00') and
// to_number(text, pattern).
//
// Thread safety  Pure functions.
// Errors         As number_pattern.h; 22P02 for a text without a number, 22003 for one with more
//                digits than the pattern.
// See            PostgreSQL 15, section 9.8, table 9.29.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace omendb::duck {

// `number` is a number's text, without exponent.
Result<std::string> FormatNumber(std::string_view number, std::string_view pattern);
// `digits_max`: how many a float of its type has.
Result<std::string> FormatNumber(double number, std::string_view pattern, int digits_max);
// The number's text, and how many digits it may have in all and behind the point.
struct ReadNumber {
  std::string text;
  int precision = 0;
  int scale = 0;
  int shifted = 0;  // It is to be divided by ten to this power.
};
Result<ReadNumber> ParseNumber(std::string_view text, std::string_view pattern);

}  // namespace omendb::duck
