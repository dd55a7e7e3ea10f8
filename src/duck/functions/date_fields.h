// date_fields.h - one field of a date, time or interval, and the start of the one it lies in.
//
// Thread safety  Pure functions.
// Units          Microseconds since 1970-01-01 on the wall clock; intervals as types::Interval.
// Errors         22023 and 0A000, in PostgreSQL's words.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/status.h"
#include "types/value.h"

namespace omendb::duck {

enum class DateField : uint8_t {
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
  kIsoYear,
  kJulian,
  kDayOfWeek,
  kIsoDayOfWeek,
  kDayOfYear,
  kEpoch,
  kTimezone,
  kTimezoneHour,
  kTimezoneMinute,
};

// "year", "YEARS", "mon", ...; nullopt when there is no such field.
std::optional<DateField> DateFieldOf(std::string_view name);
// The field of a value of the type, or why it has none.
Result<DateField> DateFieldFor(std::string_view name, const types::SqlType& type);
// Digits behind the point of EXTRACT's answer.
int DateFieldScale(DateField field, const types::SqlType& type);

// In units of 10^-scale. Requires: DateFieldFor() allows the field; a finite timestamp.
types::Int128 FieldOfTimestamp(DateField field, int64_t local, int scale, int32_t seconds_east);
types::Int128 FieldOfTime(DateField field, int64_t micros, int scale);
types::Int128 FieldOfInterval(DateField field, const types::Interval& interval, int scale);
// Whether the field of an infinite timestamp is infinite too; else it is NULL.
bool GrowsForever(DateField field);

// date_trunc. Requires: a field that it knows, as TruncField() says.
Result<DateField> TruncField(std::string_view name, const types::SqlType& type);
int64_t TruncTimestamp(DateField field, int64_t local);
types::Interval TruncInterval(DateField field, const types::Interval& interval);

}  // namespace omendb::duck
