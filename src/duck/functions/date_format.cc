#include "duck/functions/date_format.h"

#include <array>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <vector>

#include "base/sqlstate.h"

namespace omendb::duck {

namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;

constexpr std::array<const char*, 12> kMonths{"January",   "February", "March",    "April",
                                              "May",       "June",     "July",     "August",
                                              "September", "October",  "November", "December"};
constexpr std::array<const char*, 7> kDays{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                           "Thursday", "Friday", "Saturday"};

struct Civil {
  int64_t year;
  int month;
  int day;
};

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

struct Moment {
  Civil date;
  int64_t days;
  int hour, minute, second, micros;
  int weekday;      // 0 = Sunday
  int day_of_year;  // from 1
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
  m.hour = static_cast<int>(rest / 3600);
  m.weekday = static_cast<int>(((m.days % 7) + 11) % 7);
  m.day_of_year = static_cast<int>(m.days - DaysOf(m.date.year, 1, 1)) + 1;
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

enum class Field {
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
  kMonthName,
  kMonthShort,
  kMonth,
  kDayName,
  kDayShort,
  kDay,
  kDayOfYear,
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
  kEra,
  kRomanMonth,
};

struct Keyword {
  const char* name;  // Upper case; longer ones before their prefixes.
  Field field;
};

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
    {"YYY", Field::kYear3},
    {"YY", Field::kYear2},
    {"Y", Field::kYear1},
    {"MONTH", Field::kMonthName},
    {"MON", Field::kMonthShort},
    {"MM", Field::kMonth},
    {"DAY", Field::kDayName},
    {"DY", Field::kDayShort},
    {"DDD", Field::kDayOfYear},
    {"DD", Field::kDay},
    {"D", Field::kWeekday},
    {"IW", Field::kIsoWeek},
    {"ID", Field::kIsoWeekday},
    {"WW", Field::kWeekOfYear},
    {"W", Field::kWeekOfMonth},
    {"CC", Field::kCentury},
    {"J", Field::kJulian},
    {"Q", Field::kQuarter},
    {"TZ", Field::kZone},
    {"OF", Field::kOffset},
    {"BC", Field::kEra},
    {"AD", Field::kEra},
    {"B.C.", Field::kEra},
    {"A.D.", Field::kEra},
    {"RM", Field::kRomanMonth},
};

// One piece of a template: a field in the case it was written in, or text.
struct Piece {
  const Keyword* keyword = nullptr;
  std::string text;   // As written.
  bool fill = false;  // FM
  bool ordinal = false;
  bool ordinal_upper = false;
};

const Keyword* MatchKeyword(std::string_view pattern) {
  for (const Keyword& keyword : kKeywords) {
    const size_t length = std::strlen(keyword.name);
    if (pattern.size() < length) continue;
    bool same = true;
    for (size_t i = 0; i < length && same; ++i) {
      same = std::toupper(static_cast<unsigned char>(pattern[i])) == keyword.name[i];
    }
    if (same) return &keyword;
  }
  return nullptr;
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
    if (rest.size() >= 2 && (rest.substr(0, 2) == "FX" || rest.substr(0, 2) == "fx")) {
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
      }
    } else {
      piece.text = rest.substr(0, 1);
      ++i;
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
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
  const bool upper = std::isupper(static_cast<unsigned char>(piece.text[0])) != 0;
  const bool dots = piece.text.size() > 2;
  std::string text = m.hour >= 12 ? (dots ? "P.M." : "PM") : (dots ? "A.M." : "AM");
  if (!upper) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

std::string FieldText(const Moment& m, const Piece& piece, const types::TimeZone::Offset* zone) {
  static constexpr std::array<const char*, 12> kRoman{"I",   "II",   "III", "IV", "V",  "VI",
                                                      "VII", "VIII", "IX",  "X",  "XI", "XII"};
  const auto number = [&](int64_t value, int width) {
    std::string text = Number(value, width, piece.fill);
    if (piece.ordinal) text += OrdinalSuffix(value, piece.ordinal_upper);
    return text;
  };
  const int64_t year = m.date.year <= 0 ? 1 - m.date.year : m.date.year;
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
      return number(IsoWeekOf(m).year, 4);
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
    case Field::kIsoWeekday:
      return number(m.weekday == 0 ? 7 : m.weekday, 1);
    case Field::kWeekOfMonth:
      return number((m.date.day - 1) / 7 + 1, 1);
    case Field::kWeekOfYear:
      return number((m.day_of_year - 1) / 7 + 1, 2);
    case Field::kIsoWeek:
      return number(IsoWeekOf(m).week, 2);
    case Field::kCentury:
      return number((year + 99) / 100, 2);
    case Field::kJulian:
      return number(m.days + 2440588, 1);
    case Field::kQuarter:
      return number((m.date.month - 1) / 3 + 1, 1);
    case Field::kZone:
      return zone == nullptr ? "" : std::string(zone->abbreviation);
    case Field::kOffset:
      return Offset(zone == nullptr ? 0 : zone->seconds_east, false);
    case Field::kEra:
      return m.date.year <= 0 ? "BC" : "AD";
    case Field::kRomanMonth:
      return Name(kRoman[static_cast<size_t>(m.date.month - 1)], piece, 4);
  }
  return "";
}

// ---- Reading ----------------------------------------------------------------------------------

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Status Read(const std::vector<Piece>& pieces) {
    for (size_t i = 0; i < pieces.size(); ++i) {
      const Piece& piece = pieces[i];
      if (piece.keyword == nullptr) {
        SkipSeparator(piece.text);
        continue;
      }
      // Digits of a field end where the next field begins, when nothing stands between them.
      const bool tight = i + 1 < pieces.size() && pieces[i + 1].keyword != nullptr;
      OMEN_TRY(ReadField(piece, tight));
    }
    return Status::Ok();
  }

  Result<int64_t> Micros() const {
    if (month_ < 1 || month_ > 12) return OutOfRange();
    int64_t hour = hour_;
    if (half_day_) {
      if (hour < 1 || hour > 12) {
        return Status(sqlstate::kInvalidDatetimeFormat,
                      "hour \"" + std::to_string(hour) + "\" is invalid for the 12-hour clock");
      }
      hour = hour % 12 + (afternoon_ ? 12 : 0);
    }
    if (hour > 23 || minute_ > 59 || second_ > 59) return OutOfRange();
    int64_t days;
    if (day_of_year_ > 0) {
      days = DaysOf(year_, 1, 1) + day_of_year_ - 1;
    } else {
      const int64_t next = month_ == 12 ? DaysOf(year_ + 1, 1, 1) : DaysOf(year_, month_ + 1, 1);
      if (day_ < 1 || DaysOf(year_, month_, day_) >= next) return OutOfRange();
      days = DaysOf(year_, month_, day_);
    }
    return days * kMicrosPerDay + ((hour * 60 + minute_) * 60 + second_) * kMicrosPerSecond +
           micros_;
  }

 private:
  Status OutOfRange() const {
    return Status(sqlstate::kDatetimeFieldOverflow,
                  "date/time field value out of range: \"" + std::string(text_) + "\"");
  }

  void SkipSeparator(const std::string& text) {
    if (position_ >= text_.size()) return;
    const auto c = static_cast<unsigned char>(text_[position_]);
    if (std::isspace(static_cast<unsigned char>(text[0])) != 0) {
      while (position_ < text_.size() &&
             std::isspace(static_cast<unsigned char>(text_[position_])) != 0) {
        ++position_;
      }
    } else if (std::isdigit(c) == 0) {
      position_ += std::min(text.size(), text_.size() - position_);
    }
  }

  Result<int64_t> ReadNumber(const Piece& piece, size_t digits_max) {
    while (position_ < text_.size() &&
           std::isspace(static_cast<unsigned char>(text_[position_])) != 0) {
      ++position_;
    }
    const size_t start = position_;
    int64_t value = 0;
    while (position_ < text_.size() && position_ - start < digits_max &&
           std::isdigit(static_cast<unsigned char>(text_[position_])) != 0) {
      value = value * 10 + (text_[position_++] - '0');
    }
    if (position_ == start) {
      return Status(sqlstate::kInvalidDatetimeFormat, "invalid value \"" +
                                                          std::string(text_.substr(start, 4)) +
                                                          "\" for \"" + piece.text + "\"")
          .WithDetail("Value must be an integer.");
    }
    return value;
  }

  template <size_t N>
  Status ReadName(const std::array<const char*, N>& names, size_t length, const Piece& piece,
                  int* index) {
    for (size_t i = 0; i < N; ++i) {
      const std::string_view name =
          length == 0 ? std::string_view(names[i]) : std::string_view(names[i]).substr(0, length);
      if (text_.size() - position_ < name.size()) continue;
      bool same = true;
      for (size_t k = 0; k < name.size() && same; ++k) {
        same = std::tolower(static_cast<unsigned char>(text_[position_ + k])) ==
               std::tolower(static_cast<unsigned char>(name[k]));
      }
      if (!same) continue;
      position_ += name.size();
      *index = static_cast<int>(i);
      return Status::Ok();
    }
    return Status(sqlstate::kInvalidDatetimeFormat, "invalid value \"" +
                                                        std::string(text_.substr(position_, 3)) +
                                                        "\" for \"" + piece.text + "\"")
        .WithDetail("The given value did not match any of the allowed values for this field.");
  }

  Status ReadInto(const Piece& piece, size_t digits, int64_t* target) {
    OMEN_ASSIGN(*target, ReadNumber(piece, digits));
    return Status::Ok();
  }

  Status ReadFraction(const Piece& piece, size_t digits) {
    const size_t start = position_;
    OMEN_ASSIGN(int64_t value, ReadNumber(piece, digits));
    for (size_t have = position_ - start; have < 6; ++have) value *= 10;
    micros_ = value;
    return Status::Ok();
  }

  Status ReadField(const Piece& piece, bool tight) {
    int index = 0;
    switch (piece.keyword->field) {
      case Field::kHour12:
        half_day_ = true;
        [[fallthrough]];
      case Field::kHour24:
        return ReadInto(piece, 2, &hour_);
      case Field::kMinute:
        return ReadInto(piece, 2, &minute_);
      case Field::kSecond:
        return ReadInto(piece, 2, &second_);
      case Field::kMillisecond:
        return ReadFraction(piece, 3);
      case Field::kMicrosecond:
        return ReadFraction(piece, 6);
      case Field::kMeridiem:
        half_day_ = true;
        afternoon_ = position_ < text_.size() &&
                     std::tolower(static_cast<unsigned char>(text_[position_])) == 'p';
        position_ = std::min(text_.size(), position_ + piece.text.size());
        return Status::Ok();
      case Field::kYear:
        return ReadInto(piece, tight ? 4 : 9, &year_);
      case Field::kYear2: {
        int64_t value = 0;
        OMEN_TRY(ReadInto(piece, 2, &value));
        year_ = value < 70 ? 2000 + value : 1900 + value;
        return Status::Ok();
      }
      case Field::kMonth: {
        int64_t value = 0;
        OMEN_TRY(ReadInto(piece, 2, &value));
        month_ = static_cast<int>(value);
        return Status::Ok();
      }
      case Field::kMonthName:
        OMEN_TRY(ReadName(kMonths, 0, piece, &index));
        month_ = index + 1;
        return Status::Ok();
      case Field::kMonthShort:
        OMEN_TRY(ReadName(kMonths, 3, piece, &index));
        month_ = index + 1;
        return Status::Ok();
      case Field::kDayName:
        return ReadName(kDays, 0, piece, &index);
      case Field::kDayShort:
        return ReadName(kDays, 3, piece, &index);
      case Field::kDay: {
        int64_t value = 0;
        OMEN_TRY(ReadInto(piece, 2, &value));
        day_ = static_cast<int>(value);
        return Status::Ok();
      }
      case Field::kDayOfYear:
        return ReadInto(piece, 3, &day_of_year_);
      default:
        return NotSupported("the pattern \"" + piece.text + "\" in to_timestamp");
    }
  }

  const std::string_view text_;
  size_t position_ = 0;
  int64_t year_ = 1;
  int month_ = 1;
  int day_ = 1;
  int64_t day_of_year_ = 0;
  int64_t hour_ = 0;
  int64_t minute_ = 0;
  int64_t second_ = 0;
  int64_t micros_ = 0;
  bool half_day_ = false;
  bool afternoon_ = false;
};

}  // namespace

std::string FormatDateTime(int64_t micros, std::string_view pattern,
                           const types::TimeZone::Offset* zone) {
  const Moment moment = MomentOf(micros);
  std::string out;
  for (const Piece& piece : SplitPattern(pattern)) {
    out += piece.keyword == nullptr ? piece.text : FieldText(moment, piece, zone);
  }
  return out;
}

Result<int64_t> ParseDateTime(std::string_view text, std::string_view pattern) {
  Reader reader(text);
  OMEN_TRY(reader.Read(SplitPattern(pattern)));
  return reader.Micros();
}

}  // namespace omendb::duck
