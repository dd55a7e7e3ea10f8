#include "types/datetime_math.h"

#include <algorithm>
#include <cmath>

#include "base/sqlstate.h"
#include "types/calendar.h"
#include "types/interval_parser.h"

namespace omendb::types {
namespace {

Status TimestampOutOfRange() {
  return Status(sqlstate::kDatetimeFieldOverflow, "timestamp out of range");
}
Status IntervalOutOfRange() {
  return Status(sqlstate::kDatetimeFieldOverflow, "interval out of range");
}

bool IsTimestamp(int64_t micros) { return micros >= kTimestampMin && IsFinite(micros); }

// What a range like "day to minute" keeps of the microseconds; 0 drops them all.
int64_t ClockUnit(int32_t range) {
  if ((range & kRangeSecond) != 0) return 1;
  if ((range & kRangeMinute) != 0) return kMicrosPerMinute;
  return (range & kRangeHour) != 0 ? kMicrosPerHour : 0;
}

// Adds months, keeping the day within the month.
Result<int64_t> AddMonths(int64_t timestamp, int32_t months) {
  int64_t days = FloorDiv(timestamp, kMicrosPerDay);
  int64_t time = timestamp - days * kMicrosPerDay;
  CivilDate date = CivilFromDays(days);
  int64_t month = date.year * 12 + date.month - 1 + months;
  int64_t year = FloorDiv(month, 12);
  auto month_of_year = static_cast<int>(month - year * 12) + 1;
  int day = std::min(date.day, DaysInMonth(year, month_of_year));
  int64_t shifted = DaysFromCivil(year, month_of_year, day);
  int64_t result = 0;
  if (__builtin_mul_overflow(shifted, kMicrosPerDay, &result) ||
      __builtin_add_overflow(result, time, &result) || !IsTimestamp(result)) {
    return TimestampOutOfRange();
  }
  return result;
}

Result<int64_t> AddMicros(int64_t timestamp, int64_t micros) {
  int64_t result = 0;
  if (__builtin_add_overflow(timestamp, micros, &result) || !IsTimestamp(result)) {
    return TimestampOutOfRange();
  }
  return result;
}

Result<int64_t> AddDays(int64_t timestamp, int32_t days) {
  return AddMicros(timestamp, 0).ok() && days != 0 ? AddMicros(timestamp, days * kMicrosPerDay)
                                                   : Result<int64_t>(timestamp);
}

// PostgreSQL's TSROUND: to microseconds, so that binary fractions do not show.
double RoundToMicros(double seconds) { return std::rint(seconds * 1e6) / 1e6; }

bool FitsInt32(double value) { return value >= INT32_MIN && value <= INT32_MAX; }

// Fractions of months become days, fractions of days microseconds, and never the other way.
Result<Interval> ScaledInterval(double months, double days, double micros) {
  if (!FitsInt32(months) || !FitsInt32(days)) return IntervalOutOfRange();
  auto whole_months = static_cast<int32_t>(months);
  auto whole_days = static_cast<int64_t>(days);
  double rest_days = RoundToMicros((months - whole_months) * 30);
  auto whole_rest_days = static_cast<int64_t>(rest_days);
  double seconds = RoundToMicros(
      (days - static_cast<double>(whole_days) + rest_days - static_cast<double>(whole_rest_days)) *
      86400);
  if (std::fabs(seconds) >= 86400) {
    auto carried = static_cast<int64_t>(seconds / 86400);
    whole_days += carried;
    seconds -= static_cast<double>(carried) * 86400.0;
  }
  whole_days += whole_rest_days;
  double total = std::rint(micros + seconds * 1e6);
  constexpr double kLimit = 9223372036854775808.0;
  bool fits = total >= -kLimit && total < kLimit;  // False for NaN.
  if (!fits || !FitsInt32(static_cast<double>(whole_days))) return IntervalOutOfRange();
  return Interval{whole_months, static_cast<int32_t>(whole_days), static_cast<int64_t>(total)};
}

}  // namespace

Result<Interval> CoerceInterval(Interval interval, int32_t typmod) {
  if (typmod < 0) return interval;
  int32_t range = IntervalRange(typmod);
  if (range == kRangeYear) {
    return Interval{interval.months / 12 * 12, 0, 0};
  }
  if ((range & (kRangeYear | kRangeMonth)) != 0 && range != kRangeFull) {
    return Interval{interval.months, 0, 0};
  }
  if (range == kRangeDay) return Interval{interval.months, interval.days, 0};
  if (range != kRangeFull) {
    int64_t unit = ClockUnit(range);
    interval.micros = unit == 0 ? 0 : interval.micros / unit * unit;
  }
  int32_t precision = IntervalPrecision(typmod);
  if (precision != kIntervalPrecisionNone && precision < 6) {
    int64_t micros = interval.micros;
    if (micros > INT64_MAX - kMicrosPerSecond || micros < INT64_MIN + kMicrosPerSecond) {
      return IntervalOutOfRange();
    }
    interval.micros = RoundMicros(micros, precision);
  }
  return interval;
}

Result<int64_t> DateToTimestamp(int32_t date) {
  if (date == kDateInfinity) return kTimestampInfinity;
  if (date == kDateMinusInfinity) return kTimestampMinusInfinity;
  int64_t micros = 0;
  if (__builtin_mul_overflow(int64_t{date}, kMicrosPerDay, &micros)) {
    return Status(sqlstate::kDatetimeFieldOverflow, "date out of range for timestamp");
  }
  return micros;
}

int32_t TimestampToDate(int64_t timestamp) {
  if (timestamp == kTimestampInfinity) return kDateInfinity;
  if (timestamp == kTimestampMinusInfinity) return kDateMinusInfinity;
  return static_cast<int32_t>(FloorDiv(timestamp, kMicrosPerDay));
}

Result<int64_t> LocalToUtc(int64_t timestamp, const TimeZone& zone) {
  if (!IsFinite(timestamp)) return timestamp;
  int32_t seconds_east = zone.AtLocal(FloorDiv(timestamp, kMicrosPerSecond)).seconds_east;
  return AddMicros(timestamp, -seconds_east * kMicrosPerSecond);
}

Result<int64_t> UtcToLocal(int64_t timestamptz, const TimeZone& zone) {
  if (!IsFinite(timestamptz)) return timestamptz;
  int32_t seconds_east = zone.AtUtc(FloorDiv(timestamptz, kMicrosPerSecond)).seconds_east;
  return AddMicros(timestamptz, seconds_east * kMicrosPerSecond);
}

Result<int64_t> AddInterval(int64_t timestamp, const Interval& interval) {
  if (!IsFinite(timestamp)) return timestamp;
  if (interval.months != 0) {
    OMEN_ASSIGN(timestamp, AddMonths(timestamp, interval.months));
  }
  OMEN_ASSIGN(timestamp, AddDays(timestamp, interval.days));
  return AddMicros(timestamp, interval.micros);
}

Result<int64_t> AddIntervalTz(int64_t timestamptz, const Interval& interval, const TimeZone& zone) {
  if (!IsFinite(timestamptz)) return timestamptz;
  if (interval.months != 0) {
    OMEN_ASSIGN(int64_t local, UtcToLocal(timestamptz, zone));
    OMEN_ASSIGN(local, AddMonths(local, interval.months));
    OMEN_ASSIGN(timestamptz, LocalToUtc(local, zone));
  }
  if (interval.days != 0) {
    OMEN_ASSIGN(int64_t local, UtcToLocal(timestamptz, zone));
    OMEN_ASSIGN(local, AddDays(local, interval.days));
    OMEN_ASSIGN(timestamptz, LocalToUtc(local, zone));
  }
  return AddMicros(timestamptz, interval.micros);
}

Result<Interval> SubtractTimestamps(int64_t a, int64_t b) {
  if (!IsFinite(a) || !IsFinite(b)) {
    return Status(sqlstate::kDatetimeFieldOverflow, "cannot subtract infinite timestamps");
  }
  int64_t micros = 0;
  if (__builtin_sub_overflow(a, b, &micros)) return IntervalOutOfRange();
  // As interval_justify_hours: whole days apart.
  auto days = static_cast<int32_t>(micros / kMicrosPerDay);
  return Interval{0, days, micros % kMicrosPerDay};
}

Result<Interval> AddIntervals(const Interval& a, const Interval& b) {
  Interval sum{};
  if (__builtin_add_overflow(a.months, b.months, &sum.months) ||
      __builtin_add_overflow(a.days, b.days, &sum.days) ||
      __builtin_add_overflow(a.micros, b.micros, &sum.micros)) {
    return IntervalOutOfRange();
  }
  return sum;
}

Result<Interval> NegateInterval(const Interval& interval) {
  Interval result{};
  if (__builtin_sub_overflow(0, interval.months, &result.months) ||
      __builtin_sub_overflow(0, interval.days, &result.days) ||
      __builtin_sub_overflow(int64_t{0}, interval.micros, &result.micros)) {
    return IntervalOutOfRange();
  }
  return result;
}

Result<Interval> MultiplyInterval(const Interval& interval, double factor) {
  return ScaledInterval(interval.months * factor, interval.days * factor,
                        static_cast<double>(interval.micros) * factor);
}

Result<Interval> DivideInterval(const Interval& interval, double divisor) {
  if (divisor == 0) return Status(sqlstate::kDivisionByZero, "division by zero");
  return ScaledInterval(interval.months / divisor, interval.days / divisor,
                        static_cast<double>(interval.micros) / divisor);
}

}  // namespace omendb::types
