// date_format.h - PostgreSQL's template patterns for dates and times: to_char and to_timestamp.
//
// Thread safety  Pure functions.
// Errors         22007 for text that does not match its template, 22008 for fields out of range.
// See            PostgreSQL 15, section 9.8, tables 9.26 and 9.27.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "types/time_zone.h"
#include "types/value.h"

namespace omendb::duck {

// `micros` is wall-clock time since 1970-01-01; `zone` (may be null) answers TZ and OF.
std::string FormatDateTime(int64_t micros, std::string_view pattern,
                           const types::TimeZone::Offset* zone);
// 22007 for patterns that need a date.
Result<std::string> FormatInterval(const types::Interval& interval, std::string_view pattern);
struct ReadDateTime {
  int64_t micros = 0;                   // wall-clock time since 1970-01-01
  std::optional<int32_t> seconds_east;  // TZH, TZM
};
Result<ReadDateTime> ParseDateTime(std::string_view text, std::string_view pattern);

}  // namespace omendb::duck
