#include "duck/functions/date_pattern.h"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace omendb::duck {

namespace {

using Field = PatternField;
using Keyword = PatternKeyword;
using Piece = PatternPiece;

constexpr Keyword kKeywords[] = {
    {"HH24", Field::kHour24},
    {"HH12", Field::kHour12},
    {"HH", Field::kHour12},
    {"MI", Field::kMinute},
    {"SSSSS", Field::kSecondsOfDay},
    {"SSSS", Field::kSecondsOfDay},
    {"SS", Field::kSecond},
    {"MS", Field::kMillisecond},
    {"US", Field::kMicrosecond},
    {"A.M.", Field::kMeridiem},
    {"P.M.", Field::kMeridiem},
    {"AM", Field::kMeridiem},
    {"PM", Field::kMeridiem},
    {"Y,YYY", Field::kYearComma},
    {"YYYY", Field::kYear},
    {"IYYY", Field::kIsoYear},
    {"IYY", Field::kIsoYear3},
    {"IY", Field::kIsoYear2},
    {"FF1", Field::kFraction},
    {"FF2", Field::kFraction},
    {"FF3", Field::kFraction},
    {"FF4", Field::kFraction},
    {"FF5", Field::kFraction},
    {"FF6", Field::kFraction},
    {"YYY", Field::kYear3},
    {"YY", Field::kYear2},
    {"Y", Field::kYear1},
    {"MONTH", Field::kMonthName},
    {"MON", Field::kMonthShort},
    {"MM", Field::kMonth},
    {"DAY", Field::kDayName},
    {"DY", Field::kDayShort},
    {"IDDD", Field::kIsoDayOfYear},
    {"DDD", Field::kDayOfYear},
    {"DD", Field::kDay},
    {"D", Field::kWeekday},
    {"IW", Field::kIsoWeek},
    {"ID", Field::kIsoWeekday},
    {"I", Field::kIsoYear1},
    {"WW", Field::kWeekOfYear},
    {"W", Field::kWeekOfMonth},
    {"CC", Field::kCentury},
    {"J", Field::kJulian},
    {"Q", Field::kQuarter},
    {"TZH", Field::kOffsetHours},
    {"TZM", Field::kOffsetMinutes},
    {"TZ", Field::kZone},
    {"OF", Field::kOffset},
    {"BC", Field::kEra},
    {"AD", Field::kEra},
    {"B.C.", Field::kEra},
    {"A.D.", Field::kEra},
    {"RM", Field::kRomanMonth},
};

// Names may also be written with a capital.
bool IsCapitalized(Field field) {
  return field == Field::kMonthName || field == Field::kMonthShort || field == Field::kDayName ||
         field == Field::kDayShort;
}

const Keyword* MatchKeyword(std::string_view pattern) {
  for (const Keyword& keyword : kKeywords) {
    const std::string_view upper(keyword.name);
    std::string lower(upper);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (pattern.starts_with(upper) || pattern.starts_with(lower)) return &keyword;
    lower[0] = upper[0];
    if (IsCapitalized(keyword.field) && pattern.starts_with(lower)) return &keyword;
  }
  return nullptr;
}

}  // namespace

int64_t DaysOf(int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719468;
}

Civil CivilOf(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const int64_t day_of_era = days - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted = (5 * day_of_year + 2) / 153;
  const int day = static_cast<int>(day_of_year - (153 * shifted + 2) / 5 + 1);
  const int month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

std::vector<Piece> SplitPattern(std::string_view pattern) {
  std::vector<Piece> pieces;
  bool fill = false;
  for (size_t i = 0; i < pattern.size();) {
    const std::string_view rest = pattern.substr(i);
    if (rest.size() >= 2 && (rest.substr(0, 2) == "FM" || rest.substr(0, 2) == "fm")) {
      fill = true;
      i += 2;
      continue;
    }
    if (rest.starts_with("TM") || rest.starts_with("tm")) {  // Localized names, without blanks.
      fill = true;
      i += 2;
      continue;
    }
    if (rest.starts_with("FX") || rest.starts_with("fx")) {
      i += 2;
      continue;
    }
    Piece piece;
    if (rest[0] == '"') {
      size_t end = 1;
      for (; end < rest.size() && rest[end] != '"'; ++end) {
        if (rest[end] == '\\' && end + 1 < rest.size()) ++end;
        piece.text += rest[end];
      }
      i += std::min(end + 1, rest.size());
    } else if (const Keyword* keyword = MatchKeyword(rest)) {
      piece.keyword = keyword;
      piece.text = rest.substr(0, std::strlen(keyword->name));
      piece.fill = fill;
      fill = false;
      i += piece.text.size();
      const std::string_view suffix = pattern.substr(i);
      if (suffix.size() >= 2 && (suffix.substr(0, 2) == "TH" || suffix.substr(0, 2) == "th")) {
        piece.ordinal = true;
        piece.ordinal_upper = suffix[0] == 'T';
        i += 2;
      } else if (suffix.starts_with("SP")) {  // Spelled: not implemented in PostgreSQL either.
        i += 2;
      }
    } else {
      if (rest.starts_with("\\\"")) ++i;
      piece.text = pattern.substr(i, 1);
      ++i;
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

}  // namespace omendb::duck
