// number_format.h - PostgreSQL's template patterns for numbers: to_char(number, 'FM999,990.00').
//
// Thread safety  Pure functions.
// Errors         0A000 for patterns that are not among 9 0 . , D G S MI PL SG PR L FM.
// See            PostgreSQL 15, section 9.8, table 9.29.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace omendb::duck {

// `number` is a number's text, without exponent.
Result<std::string> FormatNumber(std::string_view number, std::string_view pattern);

}  // namespace omendb::duck
