// interval_parser.h - the text of an interval taken apart into fields.
//
// Internal to this folder. Thread safety: pure. See PostgreSQL 15, section 8.5.4.
#pragma once

#include <cstdint>
#include <string_view>

#include "types/datetime_fields.h"
#include "types/text_io.h"

namespace omendb::types {

struct IntervalFields {
  int64_t years = 0;
  int64_t months = 0;
  int64_t days = 0;
  int64_t micros = 0;
};

// The bits of an interval modifier's fields: PostgreSQL's INTERVAL_MASK of each.
inline constexpr int32_t kRangeMonth = 1 << 1, kRangeYear = 1 << 2, kRangeDay = 1 << 3,
                         kRangeHour = 1 << 10, kRangeMinute = 1 << 11, kRangeSecond = 1 << 12,
                         kRangeFull = 0x7FFF;
inline constexpr int32_t kIntervalPrecisionNone = 0xFFFF;
inline int32_t IntervalRange(int32_t typmod) {
  return typmod < 0 ? kRangeFull : (typmod >> 16) & kRangeFull;
}
inline int32_t IntervalPrecision(int32_t typmod) {
  return typmod < 0 ? kIntervalPrecisionNone : typmod & 0xFFFF;
}

// "1 year 2 mons -3 days 04:05:06.7", "1-2 3 4:05:06", "@ 1 hour ago".
DateTimeError DecodeInterval(const DateTimeTokens& tokens, int32_t range, IntervalStyle style,
                             IntervalFields& fields);
// "P1Y2M3DT4H5M6.7S", "P0001-02-03T04:05:06".
DateTimeError DecodeIso8601Interval(std::string_view text, IntervalFields& fields);

}  // namespace omendb::types
