// datetime_math.h - rounding, conversions and sums of dates, times and intervals.
//
// Thread safety  Pure functions.
// Units          Microseconds and days from 1970-01-01 (calendar.h).
// Errors         22008 "timestamp out of range" and its kin, as PostgreSQL's functions.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "types/time_zone.h"
#include "types/type.h"
#include "types/value.h"

namespace omendb::types {

// To `precision` digits of a second, half away from zero; unchanged for 6 or none (< 0).
int64_t RoundMicros(int64_t micros, int precision);
int64_t RoundTimestamp(int64_t micros, int precision);
// What an interval's modifier leaves of it: its fields, its precision.
Result<Interval> CoerceInterval(Interval interval, int32_t typmod);

Result<int64_t> DateToTimestamp(int32_t date);
int32_t TimestampToDate(int64_t timestamp);
// The instant at which `zone`'s clocks show the timestamp, and back.
Result<int64_t> LocalToUtc(int64_t timestamp, const TimeZone& zone);
Result<int64_t> UtcToLocal(int64_t timestamptz, const TimeZone& zone);

Result<int64_t> AddInterval(int64_t timestamp, const Interval& interval);
// Days and months move the clock of `zone`, the rest the instant.
Result<int64_t> AddIntervalTz(int64_t timestamptz, const Interval& interval, const TimeZone& zone);
// a - b in days and microseconds (no months), as PostgreSQL's timestamp_mi.
Result<Interval> SubtractTimestamps(int64_t a, int64_t b);
Result<Interval> AddIntervals(const Interval& a, const Interval& b);
Result<Interval> NegateInterval(const Interval& interval);
Result<Interval> MultiplyInterval(const Interval& interval, double factor);
Result<Interval> DivideInterval(const Interval& interval, double divisor);

}  // namespace omendb::types
