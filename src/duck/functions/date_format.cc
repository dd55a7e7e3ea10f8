#include "duck/functions/date_format.h"

#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>

#include "base/sqlstate.h"
#include "duck/functions/date_pattern.h"

namespace omendb::duck {

namespace {

using Field = PatternField;
using Piece = PatternPiece;

struct Moment {
  Civil date;
  int64_t days;
  int64_t hour;
  int minute, second, micros;
  int weekday;      // 0 = Sunday
  int day_of_year;  // from 1
  bool is_interval;
};

Moment MomentOf(int64_t micros) {
  Moment m{};
  m.days = micros >= 0 ? micros / kMicrosPerDay : -((-micros + kMicrosPerDay - 1) / kMicrosPerDay);
  int64_t rest = micros - m.days * kMicrosPerDay;
  m.date = CivilOf(m.days);
  m.micros = static_cast<int>(rest % kMicrosPerSecond);
  rest /= kMicrosPerSecond;
  m.second = static_cast<int>(rest % 60);
  m.minute = static_cast<int>(rest / 60 % 60);
  m.hour = rest / 3600;
  m.weekday = static_cast<int>(((m.days % 7) + 11) % 7);
  m.day_of_year = static_cast<int>(m.days - DaysOf(m.date.year, 1, 1)) + 1;
  return m;
}

// An interval's fields; each may be negative.
Moment MomentOf(const types::Interval& interval) {
  Moment m{};
  m.is_interval = true;
  m.date = {interval.months / 12, interval.months % 12, interval.days};
  m.micros = static_cast<int>(interval.micros % kMicrosPerSecond);
  const int64_t seconds = interval.micros / kMicrosPerSecond;
  m.second = static_cast<int>(seconds % 60);
  m.minute = static_cast<int>(seconds / 60 % 60);
  m.hour = seconds / 3600;
  m.day_of_year = static_cast<int>(interval.months * 30 + interval.days);
  m.days = DaysOf(m.date.year, m.date.month, m.date.day);
  return m;
}

struct IsoWeek {
  int64_t year;
  int week;
};

IsoWeek IsoWeekOf(const Moment& m) {
  const int iso_day = m.weekday == 0 ? 7 : m.weekday;
  // The week belongs to the year that has its Thursday.
  const int64_t thursday = m.days + 4 - iso_day;
  const int64_t year = CivilOf(thursday).year;
  return {year, static_cast<int>((thursday - DaysOf(year, 1, 1)) / 7) + 1};
}

std::string LowerIf(bool lower, std::string text) {
  if (!lower) return text;
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string Number(int64_t value, int width, bool fill) {
  char text[32];
  if (fill) {
    std::snprintf(text, sizeof(text), "%lld", static_cast<long long>(value));
  } else {
    std::snprintf(text, sizeof(text), "%0*lld", width, static_cast<long long>(value));
  }
  return text;
}

// The name in the case of the pattern: MONTH, Month, month.
std::string Name(std::string name, const Piece& piece, size_t width) {
  const bool first_upper = std::isupper(static_cast<unsigned char>(piece.text[0])) != 0;
  const bool second_upper =
      piece.text.size() > 1 && std::isupper(static_cast<unsigned char>(piece.text[1])) != 0;
  for (size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    const bool upper = i == 0 ? first_upper : first_upper && second_upper;
    name[i] = static_cast<char>(upper ? std::toupper(byte) : std::tolower(byte));
  }
  if (!piece.fill && name.size() < width) name.append(width - name.size(), ' ');
  return name;
}

std::string Offset(int32_t seconds_east, bool colon_minutes_always) {
  char text[16];
  const int32_t absolute = seconds_east < 0 ? -seconds_east : seconds_east;
  const char sign = seconds_east < 0 ? '-' : '+';
  if (absolute % 3600 != 0 || colon_minutes_always) {
    std::snprintf(text, sizeof(text), "%c%02d:%02d", sign, absolute / 3600, absolute / 60 % 60);
  } else {
    std::snprintf(text, sizeof(text), "%c%02d", sign, absolute / 3600);
  }
  return text;
}

const char* OrdinalSuffix(int64_t value, bool upper) {
  const int64_t tens = value % 100;
  if (tens < 11 || tens > 13) {
    switch (value % 10) {
      case 1:
        return upper ? "ST" : "st";
      case 2:
        return upper ? "ND" : "nd";
      case 3:
        return upper ? "RD" : "rd";
      default:
        break;
    }
  }
  return upper ? "TH" : "th";
}

std::string Meridiem(const Moment& m, const Piece& piece) {
  const bool lower = std::islower(static_cast<unsigned char>(piece.text[0])) != 0;
  const bool dots = piece.text.size() > 2;
  const bool afternoon = m.hour % 24 >= 12;
  return LowerIf(lower, afternoon ? (dots ? "P.M." : "PM") : (dots ? "A.M." : "AM"));
}

std::string Era(const Moment& m, const Piece& piece) {
  const bool lower = std::islower(static_cast<unsigned char>(piece.text[0])) != 0;
  const bool dots = piece.text.size() > 2;
  const bool before = m.date.year <= 0;
  return LowerIf(lower, before ? (dots ? "B.C." : "BC") : (dots ? "A.D." : "AD"));
}

// What has no meaning without a date.
bool NeedsDate(Field field) {
  switch (field) {
    case Field::kMonthName:
    case Field::kMonthShort:
    case Field::kDayName:
    case Field::kDayShort:
    case Field::kWeekday:
    case Field::kIsoWeekday:
    case Field::kZone:
    case Field::kOffset:
    case Field::kOffsetHours:
    case Field::kOffsetMinutes:
    case Field::kEra:
      return true;
    default:
      return false;
  }
}

std::string FieldText(const Moment& m, const Piece& piece, const types::TimeZone::Offset* zone) {
  static constexpr std::array<const char*, 12> kRoman{"I",   "II",   "III", "IV", "V",  "VI",
                                                      "VII", "VIII", "IX",  "X",  "XI", "XII"};
  const int32_t east = zone == nullptr ? 0 : zone->seconds_east;
  const auto number = [&](int64_t value, int width) {
    if (value < 0) ++width;  // The sign comes on top.
    std::string text = Number(value, width, piece.fill);
    if (piece.ordinal) text += OrdinalSuffix(value, piece.ordinal_upper);
    return text;
  };
  const int64_t year = m.date.year <= 0 && !m.is_interval ? 1 - m.date.year : m.date.year;
  const auto iso_year = [&m] {
    const int64_t iso = m.is_interval ? m.date.year : IsoWeekOf(m).year;
    return iso <= 0 && !m.is_interval ? 1 - iso : iso;
  };
  switch (piece.keyword->field) {
    case Field::kHour24:
      return number(m.hour, 2);
    case Field::kHour12:
      return number(m.hour % 12 == 0 ? 12 : m.hour % 12, 2);
    case Field::kMinute:
      return number(m.minute, 2);
    case Field::kSecond:
      return number(m.second, 2);
    case Field::kMillisecond:
      return number(m.micros / 1000, 3);
    case Field::kMicrosecond:
      return number(m.micros, 6);
    case Field::kSecondsOfDay:
      return number(m.hour * 3600 + m.minute * 60 + m.second, 1);
    case Field::kMeridiem:
      return Meridiem(m, piece);
    case Field::kYear:
      return number(year, 4);
    case Field::kYear3:
      return number(year % 1000, 3);
    case Field::kYear2:
      return number(year % 100, 2);
    case Field::kYear1:
      return number(year % 10, 1);
    case Field::kYearComma:
      return Number(year / 1000, 1, false) + "," + Number(year % 1000, 3, false);
    case Field::kIsoYear:
      return number(iso_year(), 4);
    case Field::kIsoYear3:
      return number(iso_year() % 1000, 3);
    case Field::kIsoYear2:
      return number(iso_year() % 100, 2);
    case Field::kIsoYear1:
      return number(iso_year() % 10, 1);
    case Field::kFraction: {
      const int digits = piece.text[2] - '0';
      int64_t value = m.micros;
      for (int i = digits; i < 6; ++i) value /= 10;
      return number(value, digits);
    }
    case Field::kMonthName:
      return Name(kMonths[static_cast<size_t>(m.date.month - 1)], piece, 9);
    case Field::kMonthShort:
      return Name(std::string(kMonths[static_cast<size_t>(m.date.month - 1)]).substr(0, 3), piece,
                  3);
    case Field::kMonth:
      return number(m.date.month, 2);
    case Field::kDayName:
      return Name(kDays[static_cast<size_t>(m.weekday)], piece, 9);
    case Field::kDayShort:
      return Name(std::string(kDays[static_cast<size_t>(m.weekday)]).substr(0, 3), piece, 3);
    case Field::kDay:
      return number(m.date.day, 2);
    case Field::kDayOfYear:
      return number(m.day_of_year, 3);
    case Field::kWeekday:
      return number(m.weekday + 1, 1);
    case Field::kIsoDayOfYear:
      return number((IsoWeekOf(m).week - 1) * 7 + (m.weekday == 0 ? 7 : m.weekday), 3);
    case Field::kIsoWeekday:
      return number(m.weekday == 0 ? 7 : m.weekday, 1);
    case Field::kWeekOfMonth:
      return number((m.date.day - 1) / 7 + 1, 1);
    case Field::kWeekOfYear:
      return number((m.day_of_year - 1) / 7 + 1, 2);
    case Field::kIsoWeek:
      return number(IsoWeekOf(m).week, 2);
    case Field::kCentury:
      if (m.is_interval) return number(year / 100, 2);
      return number(m.date.year > 0 ? (year - 1) / 100 + 1 : m.date.year / 100 - 1, 2);
    case Field::kJulian:
      return number(m.days + 2440588, 1);
    case Field::kQuarter:
      return m.date.month == 0 ? "" : number((m.date.month - 1) / 3 + 1, 1);
    case Field::kZone:
      return zone == nullptr ? "" : LowerIf(piece.text[0] == 't', std::string(zone->abbreviation));
    case Field::kOffset:
      return Offset(east, false);
    case Field::kOffsetHours:
      return (east < 0 ? "-" : "+") + Number(std::abs(east) / 3600, 2, false);
    case Field::kOffsetMinutes:
      return Number(std::abs(east) / 60 % 60, 2, false);
    case Field::kEra:
      return Era(m, piece);
    case Field::kRomanMonth:
      if (m.date.month < 1) return "";
      return Name(kRoman[static_cast<size_t>(m.date.month - 1)], piece, 4);
  }
  return "";
}

}  // namespace

Result<std::string> FormatInterval(const types::Interval& interval, std::string_view pattern) {
  const Moment moment = MomentOf(interval);
  std::string out;
  for (const Piece& piece : SplitPattern(pattern)) {
    if (piece.keyword != nullptr && NeedsDate(piece.keyword->field)) {
      return Status(sqlstate::kInvalidDatetimeFormat,
                    "invalid format specification for an interval value")
          .WithHint("Intervals are not tied to specific calendar dates.");
    }
    out += piece.keyword == nullptr ? piece.text : FieldText(moment, piece, nullptr);
  }
  return out;
}

std::string FormatDateTime(int64_t micros, std::string_view pattern,
                           const types::TimeZone::Offset* zone) {
  const Moment moment = MomentOf(micros);
  std::string out;
  for (const Piece& piece : SplitPattern(pattern)) {
    out += piece.keyword == nullptr ? piece.text : FieldText(moment, piece, zone);
  }
  return out;
}

}  // namespace omendb::duck
