// to_timestamp and to_date: a text read along a template.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

#include "base/sqlstate.h"
#include "duck/functions/date_format.h"
#include "duck/functions/date_pattern.h"

namespace omendb::duck {

namespace {

using Field = PatternField;
using Piece = PatternPiece;

constexpr std::array<const char*, 12> kRomanMonths{"I",   "II",   "III", "IV", "V",  "VI",
                                                   "VII", "VIII", "IX",  "X",  "XI", "XII"};
constexpr size_t kAnyDigits = 17;
constexpr int64_t kJulianOfEpoch = 2440588;

bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
char Lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

bool IsNumber(Field field) {
  switch (field) {
    case Field::kMeridiem:
    case Field::kMonthName:
    case Field::kMonthShort:
    case Field::kDayName:
    case Field::kDayShort:
    case Field::kZone:
    case Field::kOffset:
    case Field::kOffsetHours:
    case Field::kEra:
    case Field::kRomanMonth:
      return false;
    default:
      return true;
  }
}

// A year of fewer than four digits is the one nearest to 2020.
int64_t NearYear(int64_t year) {
  if (year < 70) return year + 2000;
  if (year < 100) return year + 1900;
  if (year < 520) return year + 2000;
  return year < 1000 ? year + 1000 : year;
}

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
      // Digits of a field end where the next number begins, when nothing stands between them.
      tight_ = !piece.fill && i + 1 < pieces.size() && pieces[i + 1].keyword != nullptr &&
               IsNumber(pieces[i + 1].keyword->field);
      OMEN_TRY(ReadField(piece));
    }
    return Status::Ok();
  }

  Result<ReadDateTime> Finish() const {
    OMEN_ASSIGN(const int64_t days, Days());
    OMEN_ASSIGN(const int64_t seconds, Seconds());
    ReadDateTime read;
    read.micros = days * kMicrosPerDay + seconds * kMicrosPerSecond + micros_;
    if (has_offset_) {
      read.seconds_east = static_cast<int32_t>((offset_hours_ * 60 + offset_minutes_) * 60);
      if (offset_is_negative_) read.seconds_east = -*read.seconds_east;
    }
    return read;
  }

 private:
  Status OutOfRange() const {
    return Status(sqlstate::kDatetimeFieldOverflow,
                  "date/time field value out of range: \"" + std::string(text_) + "\"");
  }

  Result<int64_t> Seconds() const {
    int64_t hour = hour_;
    if (half_day_) {
      if (hour < 1 || hour > 12) {
        return Status(sqlstate::kInvalidDatetimeFormat,
                      "hour \"" + std::to_string(hour) + "\" is invalid for the 12-hour clock")
            .WithHint("Use the 24-hour clock, or give an hour between 1 and 12.");
      }
      hour = hour % 12 + (afternoon_ ? 12 : 0);
    }
    if (seconds_of_day_ >= 0) {
      if (seconds_of_day_ >= 86'400) return OutOfRange();
      return seconds_of_day_;
    }
    if (hour > 23 || minute_ > 59 || second_ > 59) return OutOfRange();
    return (hour * 60 + minute_) * 60 + second_;
  }

  Result<int64_t> Days() const {
    if (julian_ >= 0) return julian_ - kJulianOfEpoch;
    const int64_t year = before_christ_ ? 1 - year_ : year_;
    if (iso_) {
      // The week that has January 4th is the first.
      const int64_t fourth = DaysOf(year, 1, 4);
      const int64_t monday = fourth - (((fourth % 7) + 10) % 7);
      if (day_of_year_ > 0) return monday + day_of_year_ - 1;
      if (week_ < 1 || week_ > 53 || weekday_ < 1 || weekday_ > 7) return OutOfRange();
      return monday + (week_ - 1) * 7 + weekday_ - 1;
    }
    if (day_of_year_ > 0) return DaysOf(year, 1, 1) + day_of_year_ - 1;
    if (week_ > 0) return DaysOf(year, 1, 1) + (week_ - 1) * 7;
    if (month_ < 1 || month_ > 12) return OutOfRange();
    const int month = static_cast<int>(month_);
    const int64_t first = DaysOf(year, month, 1);
    const int64_t next = month == 12 ? DaysOf(year + 1, 1, 1) : DaysOf(year, month + 1, 1);
    if (day_ < 1 || first + day_ > next) return OutOfRange();
    return first + day_ - 1;
  }

  void SkipSeparator(const std::string& text) {
    if (position_ >= text_.size()) return;
    if (IsSpace(text[0])) {
      while (position_ < text_.size() && IsSpace(text_[position_])) ++position_;
    } else if (!IsDigit(text_[position_])) {
      position_ += std::min(text.size(), text_.size() - position_);
    }
  }

  // At most `digits` digits when another number follows, else all there are.
  Result<int64_t> ReadNumber(const Piece& piece, size_t digits) {
    while (position_ < text_.size() && IsSpace(text_[position_])) ++position_;
    const size_t limit = tight_ ? digits : kAnyDigits;
    const size_t start = position_;
    int64_t value = 0;
    while (position_ < text_.size() && position_ - start < limit && IsDigit(text_[position_])) {
      value = value * 10 + (text_[position_++] - '0');
    }
    digits_read_ = position_ - start;
    if (digits_read_ > 0) return value;
    return Status(sqlstate::kInvalidDatetimeFormat, "invalid value \"" +
                                                        std::string(text_.substr(start, digits)) +
                                                        "\" for \"" + piece.text + "\"")
        .WithDetail("Value must be an integer.");
  }

  template <size_t N>
  Status ReadName(const std::array<const char*, N>& names, size_t length, const Piece& piece,
                  size_t* index) {
    size_t longest = 0;
    for (size_t i = 0; i < N; ++i) {
      const std::string_view name = std::string_view(names[i]).substr(0, length);
      const std::string_view here = text_.substr(std::min(position_, text_.size()), name.size());
      const bool same = std::equal(name.begin(), name.end(), here.begin(), here.end(),
                                   [](char a, char b) { return Lower(a) == Lower(b); });
      if (!same || name.size() <= longest) continue;
      longest = name.size();
      *index = i;
    }
    position_ += longest;
    if (longest > 0) return Status::Ok();
    const std::string_view rest = text_.substr(std::min(position_, text_.size()));
    const size_t end = std::min(rest.find_first_of(" \t\n"), rest.size());
    return Status(sqlstate::kInvalidDatetimeFormat, "invalid value \"" +
                                                        std::string(rest.substr(0, end)) +
                                                        "\" for \"" + piece.text + "\"")
        .WithDetail("The given value did not match any of the allowed values for this field.");
  }

  Status ReadInto(const Piece& piece, size_t digits, int64_t* target) {
    OMEN_ASSIGN(*target, ReadNumber(piece, digits));
    return Status::Ok();
  }

  Status ReadYear(const Piece& piece, size_t digits, bool iso) {
    OMEN_TRY(ReadInto(piece, digits, &year_));
    if (digits < 4 && digits_read_ < 4) year_ = NearYear(year_);
    iso_ = iso_ || iso;
    return Status::Ok();
  }

  Status ReadMonth(const std::array<const char*, 12>& names, size_t length, const Piece& piece) {
    size_t index = 0;
    OMEN_TRY(ReadName(names, length, piece, &index));
    month_ = static_cast<int64_t>(index) + 1;
    return Status::Ok();
  }

  Status ReadFraction(const Piece& piece, size_t digits) {
    OMEN_ASSIGN(int64_t value, ReadNumber(piece, digits));
    for (size_t have = digits_read_; have < 6; ++have) value *= 10;
    for (size_t have = digits_read_; have > 6; --have) value /= 10;
    micros_ = value;
    return Status::Ok();
  }

  Status ReadOffsetHours(const Piece& piece) {
    has_offset_ = true;
    if (position_ < text_.size() && (text_[position_] == '+' || text_[position_] == '-')) {
      offset_is_negative_ = text_[position_++] == '-';
    }
    tight_ = true;
    return ReadInto(piece, 2, &offset_hours_);
  }

  // AM, p.m., BC: whether its first letter is `letter`.
  bool ReadMark(const Piece& piece, char letter) {
    const bool found = position_ < text_.size() && Lower(text_[position_]) == letter;
    position_ = std::min(text_.size(), position_ + piece.text.size());
    return found;
  }

  Status ReadClock(const Piece& piece) {
    switch (piece.keyword->field) {
      case Field::kHour12:
        half_day_ = true;
        return ReadInto(piece, 2, &hour_);
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
      case Field::kFraction:
        return ReadFraction(piece, static_cast<size_t>(piece.text[2] - '0'));
      case Field::kSecondsOfDay:
        return ReadInto(piece, piece.text.size(), &seconds_of_day_);
      case Field::kMeridiem:
        half_day_ = true;
        afternoon_ = ReadMark(piece, 'p');
        return Status::Ok();
      case Field::kOffsetHours:
        return ReadOffsetHours(piece);
      case Field::kOffsetMinutes:
        has_offset_ = true;
        return ReadInto(piece, 2, &offset_minutes_);
      default:
        return Status(sqlstate::kFeatureNotSupported,
                      "formatting field \"" + piece.text + "\" is only supported in to_char");
    }
  }

  Status ReadField(const Piece& piece) {
    size_t ignored = 0;
    int64_t unused = 0;
    switch (piece.keyword->field) {
      case Field::kYear:
        return ReadYear(piece, 4, false);
      case Field::kYear3:
        return ReadYear(piece, 3, false);
      case Field::kYear2:
        return ReadYear(piece, 2, false);
      case Field::kYear1:
        return ReadYear(piece, 1, false);
      case Field::kIsoYear:
        return ReadYear(piece, 4, true);
      case Field::kIsoYear3:
        return ReadYear(piece, 3, true);
      case Field::kIsoYear2:
        return ReadYear(piece, 2, true);
      case Field::kIsoYear1:
        return ReadYear(piece, 1, true);
      case Field::kMonth:
        return ReadInto(piece, 2, &month_);
      case Field::kMonthName:
        return ReadMonth(kMonths, std::string_view::npos, piece);
      case Field::kMonthShort:
        return ReadMonth(kMonths, 3, piece);
      case Field::kRomanMonth:
        return ReadMonth(kRomanMonths, std::string_view::npos, piece);
      case Field::kDayName:
        return ReadName(kDays, std::string_view::npos, piece, &ignored);
      case Field::kDayShort:
        return ReadName(kDays, 3, piece, &ignored);
      case Field::kDay:
        return ReadInto(piece, 2, &day_);
      case Field::kDayOfYear:
        return ReadInto(piece, 3, &day_of_year_);
      case Field::kIsoDayOfYear:
        iso_ = true;
        return ReadInto(piece, 3, &day_of_year_);
      case Field::kWeekday:
      case Field::kQuarter:
        return ReadInto(piece, 1, &unused);
      case Field::kIsoWeekday:
        iso_ = true;
        return ReadInto(piece, 1, &weekday_);
      case Field::kIsoWeek:
        iso_ = true;
        return ReadInto(piece, 2, &week_);
      case Field::kWeekOfYear:
        return ReadInto(piece, 2, &week_);
      case Field::kWeekOfMonth:
        OMEN_TRY(ReadInto(piece, 1, &day_));
        day_ = (day_ - 1) * 7 + 1;
        return Status::Ok();
      case Field::kJulian:
        return ReadInto(piece, kAnyDigits, &julian_);
      case Field::kEra:
        before_christ_ = ReadMark(piece, 'b');
        return Status::Ok();
      case Field::kCentury:
      case Field::kYearComma:
        return NotSupported("the pattern \"" + piece.text + "\" in to_timestamp");
      default:
        return ReadClock(piece);
    }
  }

  const std::string_view text_;
  size_t position_ = 0;
  size_t digits_read_ = 0;
  bool tight_ = false;
  int64_t year_ = 0;  // The year 1 BC.
  int64_t month_ = 1;
  int64_t day_ = 1;
  int64_t day_of_year_ = 0;
  int64_t week_ = 0;
  int64_t weekday_ = 1;
  int64_t julian_ = -1;
  int64_t hour_ = 0;
  int64_t minute_ = 0;
  int64_t second_ = 0;
  int64_t seconds_of_day_ = -1;
  int64_t micros_ = 0;
  int64_t offset_hours_ = 0;
  int64_t offset_minutes_ = 0;
  bool has_offset_ = false;
  bool offset_is_negative_ = false;
  bool iso_ = false;
  bool before_christ_ = false;
  bool half_day_ = false;
  bool afternoon_ = false;
};

}  // namespace

Result<ReadDateTime> ParseDateTime(std::string_view text, std::string_view pattern) {
  Reader reader(text);
  OMEN_TRY(reader.Read(SplitPattern(pattern)));
  return reader.Finish();
}

}  // namespace omendb::duck
