// Numbers in the text of a date or time.
#include <algorithm>

#include "types/calendar.h"
#include "types/datetime_decoder.h"
#include "types/text_parsers.h"

namespace omendb::types {
namespace {

int ToInt(std::string_view digits) {
  int value = 0;
  for (char c : digits) value = value * 10 + (c - '0');
  return value;
}

// A Julian day number of the Gregorian calendar to days from 1970.
constexpr int64_t kJulianOf1970 = 2440588;

}  // namespace

using Error = DateTimeError;

Error DateTimeDecoder::DecodeNumberToken(size_t i, std::string_view text) {
  if (unit_ != 0) return DecodeAfterUnit(text);
  if (time_only_) return DecodeTimeOnlyNumber(i, text);
  size_t point = text.find('.');
  bool has_point = point != std::string_view::npos;
  if (has_point && (seen_ & kDate) == 0) return DecodeDate(text, seen_);
  if (has_point && point > 2) return DecodeRunTogether(text, seen_);
  bool complete = (seen_ & kDate) != 0 && (seen_ & kTime) != 0;
  if (!has_point && text.size() >= 6 && !complete) return DecodeRunTogether(text, seen_);
  return DecodeNumber(text, text_month_, seen_);
}

Error DateTimeDecoder::DecodeTimeOnlyNumber(size_t i, std::string_view text) {
  size_t point = text.find('.');
  if (point != std::string_view::npos) {
    bool date_follows =
        i == 0 && tokens_.size() >= 2 && tokens_[tokens_.size() - 1].kind == TokenKind::kDate;
    if (date_follows) return DecodeDate(text, seen_);
    if (point > 2) return DecodeRunTogether(text, seen_ | kDate);
    return Error::kBadFormat;
  }
  if (text.size() > 4) return DecodeRunTogether(text, seen_ | kDate);
  return DecodeNumber(text, false, seen_ | kDate);
}

// The number behind "y", "m", "d", "h", "mm", "s", "j" or "t".
Error DateTimeDecoder::DecodeAfterUnit(std::string_view text) {
  int unit = unit_;
  unit_ = 0;
  std::string_view rest = text;
  int64_t value = 0;
  Error error = TakeInt(rest, value);
  if (error != Error::kNone) return error;
  bool has_fraction = rest.starts_with('.');
  if (!rest.empty() && !(has_fraction && (unit == 'j' || unit == 't' || unit == 's'))) {
    return Error::kBadFormat;
  }
  switch (unit) {
    case 'y':
      fields_.year = value;
      found_ = kYear;
      return Error::kNone;
    case 'm':
      if ((seen_ & kMonth) == 0 || (seen_ & kHour) == 0) {
        fields_.month = static_cast<int>(value);
        found_ = kMonth;
        return Error::kNone;
      }
      [[fallthrough]];
    case 'n':
      fields_.minute = static_cast<int>(value);
      found_ = kMinute;
      return Error::kNone;
    case 'd':
      fields_.day = static_cast<int>(value);
      found_ = kDay;
      return Error::kNone;
    case 'h':
      fields_.hour = static_cast<int>(value);
      found_ = kHour;
      return Error::kNone;
    case 's':
      fields_.second = static_cast<int>(value);
      found_ = kSecond;
      return has_fraction ? ParseFractionalSecond(rest, fields_.micros) : Error::kNone;
    case 'j': {
      CivilDate date = CivilFromDays(value - kJulianOf1970);
      fields_.year = date.year;
      fields_.month = date.month;
      fields_.day = date.day;
      julian_ = true;
      found_ = kDate;
      if (!has_fraction) return Error::kNone;
      double fraction = std::strtod(std::string(rest).c_str(), nullptr);
      auto micros = static_cast<int64_t>(fraction * static_cast<double>(kMicrosPerDay));
      fields_.hour = static_cast<int>(micros / kMicrosPerHour);
      fields_.minute = static_cast<int>(micros / kMicrosPerMinute % 60);
      fields_.second = static_cast<int>(micros / kMicrosPerSecond % 60);
      fields_.micros = static_cast<int32_t>(micros % kMicrosPerSecond);
      found_ |= kTime;
      return Error::kNone;
    }
    case 't':
      error = DecodeRunTogether(text, seen_ | kDate);
      if (error != Error::kNone) return error;
      return found_ == kTime ? Error::kNone : Error::kBadFormat;
    default:
      return Error::kBadFormat;
  }
}

// One number of a date, by what came before it and DateOrder.
Error DateTimeDecoder::DecodeNumber(std::string_view text, bool text_month, Mask seen) {
  std::string_view rest = text;
  int64_t value = 0;
  found_ = 0;
  Error error = TakeInt(rest, value);
  if (error != Error::kNone) return error;
  if (rest.starts_with('.')) {
    if (text.size() - rest.size() > 2) return DecodeRunTogether(text, seen | kDate);
    if ((error = ParseFractionalSecond(rest, fields_.micros)) != Error::kNone) return error;
  } else if (!rest.empty()) {
    return Error::kBadFormat;
  }
  auto number = static_cast<int>(value);
  auto set_year = [&] {
    fields_.year = value;
    two_digits_ = text.size() <= 2;
    found_ = kYear;
  };
  auto set_month = [&] {
    fields_.month = number;
    found_ = kMonth;
  };
  auto set_day = [&] {
    fields_.day = number;
    found_ = kDay;
  };
  bool year_like = text.size() >= 3 || settings_.date_order == DateOrder::kYmd;
  if (text.size() == 3 && (seen & kDate) == kYear && number >= 1 && number <= 366) {
    day_of_year_ = number;
    found_ = kDayOfYear | kMonth | kDay;
    return Error::kNone;
  }
  switch (seen & kDate) {
    case 0:
      if (year_like) {
        set_year();
      } else if (settings_.date_order == DateOrder::kDmy) {
        set_day();
      } else {
        set_month();
      }
      break;
    case kYear:
      set_month();
      break;
    case kMonth:
      if (text_month && year_like) {
        set_year();
      } else {
        set_day();
      }
      break;
    case kYear | kMonth:
      if (text_month && text.size() >= 3 && two_digits_) {
        // The first number was the day after all: "31 jan 2024" in year-first order.
        fields_.day = static_cast<int>(fields_.year);
        fields_.year = value;
        two_digits_ = false;
        found_ = kDay;
      } else {
        set_day();
      }
      break;
    case kDay:
      set_month();
      break;
    case kMonth | kDay:
      set_year();
      break;
    case kDate:
      return DecodeRunTogether(text, seen);
    default:
      return Error::kBadFormat;
  }
  return Error::kNone;
}

// "20240131", "040506.789", "0405".
Error DateTimeDecoder::DecodeRunTogether(std::string_view text, Mask seen) {
  found_ = 0;
  size_t point = text.find('.');
  std::string_view digits = text.substr(0, point);
  if (!std::all_of(digits.begin(), digits.end(), IsDigit)) return Error::kBadFormat;
  if (point != std::string_view::npos) {
    Error error = ParseFractionalSecond(text.substr(point), fields_.micros);
    if (error != Error::kNone) return error;
  } else if ((seen & kDate) != kDate && digits.size() >= 6) {
    size_t size = digits.size();
    if (size > 4 + 9) return Error::kFieldOverflow;
    fields_.day = ToInt(digits.substr(size - 2));
    fields_.month = ToInt(digits.substr(size - 4, 2));
    fields_.year = ToInt(digits.substr(0, size - 4));
    if (size - 4 == 2) two_digits_ = true;
    found_ = kDate;
    return Error::kNone;
  }
  if ((seen & kTime) == kTime) return Error::kBadFormat;
  if (digits.size() != 6 && digits.size() != 4) return Error::kBadFormat;
  found_ = kTime;
  fields_.hour = ToInt(digits.substr(0, 2));
  fields_.minute = ToInt(digits.substr(2, 2));
  fields_.second = digits.size() == 6 ? ToInt(digits.substr(4)) : 0;
  return Error::kNone;
}

}  // namespace omendb::types
