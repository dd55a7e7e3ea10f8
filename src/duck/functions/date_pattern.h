// date_pattern.h - PostgreSQL's template patterns for dates and times, read: 'YYYY-MM-DD
// HH24:MI:SS'.
//
// Thread safety  Pure functions.
// See            PostgreSQL 15, section 9.8, tables 9.26 and 9.27.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace omendb::duck {

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

inline constexpr std::array<const char*, 12> kMonths{
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
inline constexpr std::array<const char*, 7> kDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                  "Thursday", "Friday", "Saturday"};

struct Civil {
  int64_t year;
  int month;
  int day;
};
int64_t DaysOf(int64_t year, int month, int day);
Civil CivilOf(int64_t days);

enum class PatternField : uint8_t {
  kHour24,
  kHour12,
  kMinute,
  kSecond,
  kMillisecond,
  kMicrosecond,
  kSecondsOfDay,
  kMeridiem,
  kYear,
  kYear3,
  kYear2,
  kYear1,
  kYearComma,
  kIsoYear,
  kIsoYear3,
  kIsoYear2,
  kIsoYear1,
  kFraction,
  kMonthName,
  kMonthShort,
  kMonth,
  kDayName,
  kDayShort,
  kDay,
  kDayOfYear,
  kIsoDayOfYear,
  kWeekday,
  kIsoWeekday,
  kWeekOfMonth,
  kWeekOfYear,
  kIsoWeek,
  kCentury,
  kJulian,
  kQuarter,
  kZone,
  kOffset,
  kOffsetHours,
  kOffsetMinutes,
  kEra,
  kRomanMonth,
};

struct PatternKeyword {
  const char* name;  // Upper case; longer ones before their prefixes.
  PatternField field;
};

// One piece of a template: a field in the case it was written in, or text.
struct PatternPiece {
  const PatternKeyword* keyword = nullptr;
  std::string text;   // As written.
  bool fill = false;  // FM
  bool ordinal = false;
  bool ordinal_upper = false;
};

std::vector<PatternPiece> SplitPattern(std::string_view pattern);

}  // namespace omendb::duck
