#include "duck/functions/date_fields.h"

#include <algorithm>
#include <cctype>

#include "base/sqlstate.h"
#include "types/calendar.h"

namespace omendb::duck {

namespace {

using types::CivilDate;
using types::Int128;
using types::kMicrosPerDay;
using types::kMicrosPerHour;
using types::kMicrosPerMinute;
using types::kMicrosPerSecond;
using types::SqlType;
using types::TypeKind;

struct FieldName {
  std::string_view name;
  DateField field;
};

constexpr FieldName kNames[] = {
    {"microsecond", DateField::kMicrosecond},
    {"microseconds", DateField::kMicrosecond},
    {"us", DateField::kMicrosecond},
    {"usec", DateField::kMicrosecond},
    {"usecs", DateField::kMicrosecond},
    {"millisecond", DateField::kMillisecond},
    {"milliseconds", DateField::kMillisecond},
    {"ms", DateField::kMillisecond},
    {"msec", DateField::kMillisecond},
    {"msecs", DateField::kMillisecond},
    {"second", DateField::kSecond},
    {"seconds", DateField::kSecond},
    {"sec", DateField::kSecond},
    {"secs", DateField::kSecond},
    {"s", DateField::kSecond},
    {"minute", DateField::kMinute},
    {"minutes", DateField::kMinute},
    {"min", DateField::kMinute},
    {"mins", DateField::kMinute},
    {"m", DateField::kMinute},
    {"hour", DateField::kHour},
    {"hours", DateField::kHour},
    {"hr", DateField::kHour},
    {"hrs", DateField::kHour},
    {"h", DateField::kHour},
    {"day", DateField::kDay},
    {"days", DateField::kDay},
    {"d", DateField::kDay},
    {"week", DateField::kWeek},
    {"weeks", DateField::kWeek},
    {"w", DateField::kWeek},
    {"month", DateField::kMonth},
    {"months", DateField::kMonth},
    {"mon", DateField::kMonth},
    {"mons", DateField::kMonth},
    {"quarter", DateField::kQuarter},
    {"qtr", DateField::kQuarter},
    {"year", DateField::kYear},
    {"years", DateField::kYear},
    {"yr", DateField::kYear},
    {"yrs", DateField::kYear},
    {"y", DateField::kYear},
    {"decade", DateField::kDecade},
    {"decades", DateField::kDecade},
    {"dec", DateField::kDecade},
    {"century", DateField::kCentury},
    {"centuries", DateField::kCentury},
    {"cent", DateField::kCentury},
    {"c", DateField::kCentury},
    {"millennium", DateField::kMillennium},
    {"millennia", DateField::kMillennium},
    {"mil", DateField::kMillennium},
    {"mils", DateField::kMillennium},
    {"isoyear", DateField::kIsoYear},
    {"julian", DateField::kJulian},
    {"jd", DateField::kJulian},
    {"j", DateField::kJulian},
    {"dow", DateField::kDayOfWeek},
    {"isodow", DateField::kIsoDayOfWeek},
    {"doy", DateField::kDayOfYear},
    {"epoch", DateField::kEpoch},
    {"timezone", DateField::kTimezone},
    {"timezone_hour", DateField::kTimezoneHour},
    {"timezone_h", DateField::kTimezoneHour},
    {"timezone_minute", DateField::kTimezoneMinute},
    {"timezone_m", DateField::kTimezoneMinute},
};

std::string Lower(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

Status Unit(const char* problem, std::string_view name, const SqlType& type) {
  const bool unknown = std::string_view(problem) == "not recognized";
  return Status(
      unknown ? sqlstate::kInvalidParameterValue : sqlstate::kFeatureNotSupported,
      "unit \"" + Lower(name) + "\" " + problem + " for type " + types::FormatType({type.kind}));
}

bool IsClock(DateField field) { return field <= DateField::kHour; }
bool IsZone(DateField field) { return field >= DateField::kTimezone; }

bool Has(const SqlType& type, DateField field) {
  switch (type.kind) {
    case TypeKind::kDate:
      return !IsClock(field) && !IsZone(field);
    case TypeKind::kTimestamp:
      return !IsZone(field);
    case TypeKind::kTime:
      return IsClock(field) || field == DateField::kEpoch;
    case TypeKind::kInterval:
      return (field <= DateField::kMillennium && field != DateField::kWeek) ||
             field == DateField::kEpoch;
    default:
      return true;
  }
}

Int128 Scaled(Int128 value, int scale) {
  for (int i = 0; i < scale; ++i) value *= 10;
  return value;
}

// A field of the clock from the microseconds of a minute, an hour, a day.
Int128 ClockField(DateField field, int64_t micros, int scale) {
  const int64_t of_minute = micros % kMicrosPerMinute;
  switch (field) {
    case DateField::kMicrosecond:
      return of_minute;
    case DateField::kMillisecond:  // Scale 3.
    case DateField::kSecond:       // Scale 6.
      return of_minute;
    case DateField::kMinute:
      return micros / kMicrosPerMinute % 60;
    case DateField::kHour:
      return micros / kMicrosPerHour;
    default:
      return Scaled(micros, scale - 6);
  }
}

int64_t IsoThursday(int64_t days) {
  const int weekday = types::DayOfWeek(days);
  return days + 4 - (weekday == 0 ? 7 : weekday);
}

// Years count without a year 0.
int64_t ShownYear(int64_t year) { return year > 0 ? year : year - 1; }
int64_t DecadeOf(int64_t year) { return year >= 0 ? year / 10 : -((8 - (year - 1)) / 10); }
int64_t CenturyOf(int64_t year) {
  return year > 0 ? (year + 99) / 100 : -((99 - (year - 1)) / 100);
}
int64_t MillenniumOf(int64_t year) {
  return year > 0 ? (year + 999) / 1000 : -((999 - (year - 1)) / 1000);
}

int64_t DateFieldValue(DateField field, int64_t days) {
  const CivilDate date = types::CivilFromDays(days);
  switch (field) {
    case DateField::kDay:
      return date.day;
    case DateField::kWeek: {
      const int64_t thursday = IsoThursday(days);
      return (thursday - types::DaysFromCivil(types::CivilFromDays(thursday).year, 1, 1)) / 7 + 1;
    }
    case DateField::kMonth:
      return date.month;
    case DateField::kQuarter:
      return (date.month - 1) / 3 + 1;
    case DateField::kYear:
      return ShownYear(date.year);
    case DateField::kDecade:
      return DecadeOf(date.year);
    case DateField::kCentury:
      return CenturyOf(date.year);
    case DateField::kMillennium:
      return MillenniumOf(date.year);
    case DateField::kIsoYear:
      return ShownYear(types::CivilFromDays(IsoThursday(days)).year);
    case DateField::kDayOfWeek:
      return types::DayOfWeek(days);
    case DateField::kIsoDayOfWeek: {
      const int weekday = types::DayOfWeek(days);
      return weekday == 0 ? 7 : weekday;
    }
    default:
      return days - types::DaysFromCivil(date.year, 1, 1) + 1;
  }
}

// Days behind the start of the Julian calendar, with `scale` digits of the day.
Int128 JulianOf(int64_t days, int64_t of_day, int scale) {
  const Int128 rest = Scaled(of_day, scale);
  const Int128 half = kMicrosPerDay / 2;
  return Scaled(days + 2440588, scale) + (rest + half) / kMicrosPerDay;
}

}  // namespace

std::optional<DateField> DateFieldOf(std::string_view name) {
  const std::string lower = Lower(name);
  for (const FieldName& known : kNames) {
    if (known.name == lower) return known.field;
  }
  return std::nullopt;
}

Result<DateField> DateFieldFor(std::string_view name, const SqlType& type) {
  const auto field = DateFieldOf(name);
  if (!field) return Unit("not recognized", name, type);
  if (!Has(type, *field)) return Unit("not supported", name, type);
  return *field;
}

int DateFieldScale(DateField field, const SqlType& type) {
  if (type.kind == TypeKind::kDate) return 0;
  switch (field) {
    case DateField::kSecond:
    case DateField::kEpoch:
      return 6;
    case DateField::kMillisecond:
      return 3;
    case DateField::kJulian:
      return 20;
    default:
      return 0;
  }
}

Int128 FieldOfTimestamp(DateField field, int64_t local, int scale, int32_t seconds_east) {
  const int64_t days = types::FloorDiv(local, kMicrosPerDay);
  const int64_t of_day = local - days * kMicrosPerDay;
  switch (field) {
    case DateField::kMicrosecond:
    case DateField::kMillisecond:
    case DateField::kSecond:
    case DateField::kMinute:
    case DateField::kHour:
      return ClockField(field, of_day, scale);
    case DateField::kEpoch: {
      const Int128 micros = Int128{local} - Int128{seconds_east} * kMicrosPerSecond;
      return scale == 0 ? micros / kMicrosPerSecond : micros;
    }
    case DateField::kJulian:
      return JulianOf(days, of_day, scale);
    case DateField::kTimezone:
      return seconds_east;
    case DateField::kTimezoneHour:
      return seconds_east / 3600;
    case DateField::kTimezoneMinute:
      return seconds_east / 60 % 60;
    default:
      return DateFieldValue(field, days);
  }
}

Int128 FieldOfTime(DateField field, int64_t micros, int scale) {
  return ClockField(field, micros, scale);
}

Int128 FieldOfInterval(DateField field, const types::Interval& interval, int scale) {
  const int64_t years = interval.months / 12;
  const int64_t months = interval.months % 12;
  switch (field) {
    case DateField::kDay:
      return interval.days;
    case DateField::kMonth:
      return months;
    case DateField::kQuarter:
      return months / 3 + 1;
    case DateField::kYear:
      return years;
    case DateField::kDecade:
      return years / 10;
    case DateField::kCentury:
      return years / 100;
    case DateField::kMillennium:
      return years / 1000;
    case DateField::kEpoch: {
      // A year has 365.25 days, a month 30.
      const Int128 quarter_days =
          Int128{1461} * years + Int128{120} * months + Int128{4} * interval.days;
      return quarter_days * (kMicrosPerDay / 4) + interval.micros;
    }
    default:
      return ClockField(field, interval.micros, scale);
  }
}

bool GrowsForever(DateField field) {
  switch (field) {
    case DateField::kYear:
    case DateField::kDecade:
    case DateField::kCentury:
    case DateField::kMillennium:
    case DateField::kIsoYear:
    case DateField::kJulian:
    case DateField::kEpoch:
      return true;
    default:
      return false;
  }
}

Result<DateField> TruncField(std::string_view name, const SqlType& type) {
  const auto field = DateFieldOf(name);
  if (!field) return Unit("not recognized", name, type);
  if (*field > DateField::kMillennium ||
      (type.kind == TypeKind::kInterval && *field == DateField::kWeek)) {
    return Unit("not supported", name, type);
  }
  return *field;
}

int64_t TruncTimestamp(DateField field, int64_t local) {
  constexpr int64_t kClock[] = {
      1, 1000, kMicrosPerSecond, kMicrosPerMinute, kMicrosPerHour, kMicrosPerDay};
  if (field <= DateField::kDay) {
    const int64_t unit = kClock[static_cast<size_t>(field)];
    return types::FloorDiv(local, unit) * unit;
  }
  const int64_t days = types::FloorDiv(local, kMicrosPerDay);
  if (field == DateField::kWeek) return (IsoThursday(days) - 3) * kMicrosPerDay;
  const CivilDate date = types::CivilFromDays(days);
  int64_t year = date.year;
  int month = 1;
  switch (field) {
    case DateField::kMonth:
      month = date.month;
      break;
    case DateField::kQuarter:
      month = (date.month - 1) / 3 * 3 + 1;
      break;
    case DateField::kDecade:
      year = DecadeOf(year) * 10;
      break;
    case DateField::kCentury:
      year = year > 0 ? CenturyOf(year) * 100 - 99 : CenturyOf(year) * 100 + 1;
      break;
    case DateField::kMillennium:
      year = year > 0 ? MillenniumOf(year) * 1000 - 999 : MillenniumOf(year) * 1000 + 1;
      break;
    default:
      break;
  }
  return types::DaysFromCivil(year, month, 1) * kMicrosPerDay;
}

types::Interval TruncInterval(DateField field, const types::Interval& interval) {
  constexpr int64_t kClock[] = {1, 1000, kMicrosPerSecond, kMicrosPerMinute, kMicrosPerHour};
  types::Interval cut = interval;
  if (field <= DateField::kHour) {
    const int64_t unit = kClock[static_cast<size_t>(field)];
    cut.micros = cut.micros / unit * unit;
    return cut;
  }
  cut.micros = 0;
  if (field == DateField::kDay) return cut;
  cut.days = 0;
  const int32_t months = field == DateField::kMonth     ? 1
                         : field == DateField::kQuarter ? 3
                         : field == DateField::kYear    ? 12
                         : field == DateField::kDecade  ? 120
                         : field == DateField::kCentury ? 1200
                                                        : 12000;
  cut.months = cut.months / months * months;
  return cut;
}

}  // namespace omendb::duck
