// number_pattern.h - PostgreSQL's template patterns for numbers, read: '9,999.99', 'FM0', 'S99th'.
//
// Thread safety  Pure functions.
// Errors         42601 for patterns that contradict themselves, in PostgreSQL's words.
// See            PostgreSQL 15, section 9.8, table 9.29.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace omendb::duck {

struct NumberPattern {
  enum class Part : uint8_t {
    kNine,
    kZero,
    kPoint,
    kComma,
    kGroup,     // G
    kCurrency,  // L
    kMinus,     // MI
    kPlus,      // PL
    kSign,      // SG
    kOrdinal,   // TH
    kRoman,     // RN
    kHidden,    // S, PR, V, FM, EEEE: they change how others are written
    kText,
  };
  struct Piece {
    Part part;
    std::string text;    // kText
    bool lower = false;  // kOrdinal, kRoman
  };
  // Where S is written: before the first digit or behind the last one.
  enum class Sign : uint8_t { kNone, kBefore, kBehind };

  std::vector<Piece> pieces;
  int whole = 0;       // digits before the point
  int fraction = 0;    // digits behind it
  int shifted = 0;     // digits behind V
  int zero_start = 0;  // the digit, counted from one, from which on zeros are written; 0 = none
  int zero_end = 0;
  int whole_at_sign = 0;  // digits before S
  Sign sign = Sign::kNone;
  bool point = false;
  bool fill = false;      // FM
  bool minus = false;     // MI, SG
  bool plus = false;      // PL, SG
  bool brackets = false;  // PR
  bool roman = false;     // RN
  bool shift = false;     // V
  bool exponent = false;  // EEEE
  bool blank = false;     // B
};

Result<NumberPattern> ParseNumberPattern(std::string_view pattern);

}  // namespace omendb::duck
