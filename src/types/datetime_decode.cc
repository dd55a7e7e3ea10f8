#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "types/calendar.h"
#include "types/datetime_fields.h"
#include "types/text_parsers.h"
#include "types/zone_abbreviations.h"

namespace omendb::types {
namespace {

using Error = DateTimeError;

// Which fields a token is, or all tokens so far are: a field twice is an error.
using Mask = uint32_t;
constexpr Mask kYear = 1u << 0, kMonth = 1u << 1, kDay = 1u << 2, kDayOfYear = 1u << 3,
               kHour = 1u << 4, kMinute = 1u << 5, kSecond = 1u << 6, kZone = 1u << 7,
               kDaylightZone = 1u << 8, kAmPm = 1u << 9, kAdBc = 1u << 10, kDayOfWeek = 1u << 11,
               kReservedWord = 1u << 12;
constexpr Mask kDate = kYear | kMonth | kDay;
constexpr Mask kTime = kHour | kMinute | kSecond;

int ToInt(std::string_view digits) {
  int value = 0;
  for (char c : digits) value = value * 10 + (c - '0');
  return value;
}

// A Julian day number of the Gregorian calendar to days from 1970.
constexpr int64_t kJulianOf1970 = 2440588;

class Decoder {
 public:
  Decoder(const DateTimeTokens& tokens, DateTimeShape shape, const IoSettings& settings,
          DateTimeFields& fields, std::string& unknown_zone)
      : tokens_(tokens),
        time_only_(shape == DateTimeShape::kTimeOnly),
        settings_(settings),
        fields_(fields),
        unknown_zone_(unknown_zone) {}

  Error Run();

 private:
  enum class Meridian : uint8_t { kNone, kAm, kPm };

  Error DecodeToken(size_t i);
  Error DecodeDateToken(size_t i, std::string_view text);
  Error DecodeDate(std::string_view text, Mask seen);
  Error DecodeTime(std::string_view text);
  Error DecodeNumberToken(size_t i, std::string_view text);
  Error DecodeTimeOnlyNumber(size_t i, std::string_view text);
  Error DecodeAfterUnit(std::string_view text);
  Error DecodeNumber(std::string_view text, bool text_month, Mask seen);
  Error DecodeRunTogether(std::string_view text, Mask seen);
  Error DecodeWord(std::string_view text);
  Error DecodeReserved(Reserved word);
  Error DecodeMonthWord(int month);
  Error DecodeZoneName(std::string_view text);
  Error SetOffset(std::string_view text);
  void SetLocalNow(int64_t day_shift);
  Error Validate();
  Error ValidateDate();
  Error ValidateTime();
  // Where a date may stand in the text of a time.
  bool TimeAllowsDate(size_t i) const;

  const DateTimeTokens& tokens_;
  const bool time_only_;
  const IoSettings& settings_;
  DateTimeFields& fields_;
  std::string& unknown_zone_;
  Mask seen_ = 0;
  Mask found_ = 0;  // By the token at hand.
  int unit_ = 0;    // The letter of a unit word before a number; 't' for ISO time.
  bool text_month_ = false;
  bool two_digits_ = false;
  bool julian_ = false;
  bool bc_ = false;
  int day_of_year_ = 0;
  Meridian meridian_ = Meridian::kNone;
};

bool Decoder::TimeAllowsDate(size_t i) const {
  return i == 0 && tokens_.size() >= 2 &&
         (tokens_[tokens_.size() - 1].kind == TokenKind::kDate ||
          tokens_[1].kind == TokenKind::kTime);
}

Error Decoder::SetOffset(std::string_view text) {
  found_ = kZone;
  fields_.has_offset = true;
  return ParseZoneOffset(text, fields_.seconds_east);
}

Error Decoder::DecodeZoneName(std::string_view text) {
  Result<std::shared_ptr<const TimeZone>> zone = TimeZone::Find(text);
  if (!zone.ok()) {
    unknown_zone_ = text;
    return Error::kUnknownZone;
  }
  found_ = kZone;
  fields_.zone = zone.value();
  return Error::kNone;
}

Error Decoder::DecodeDateToken(size_t i, std::string_view text) {
  if (unit_ == 'j') {
    // "J2451187-08:00".
    size_t end = std::min(text.find_first_of("+-"), text.size());
    Error error = DecodeAfterUnit(text.substr(0, end));
    if (error != Error::kNone) return error;
    Mask date = found_;
    error = SetOffset(text.substr(end));
    found_ |= date;
    return error;
  }
  bool date_known = time_only_ ? !TimeAllowsDate(i) : (seen_ & (kMonth | kDay)) == (kMonth | kDay);
  if (unit_ == 0 && !date_known) return DecodeDate(text, seen_);
  if (!IsDigit(text.front()) && unit_ == 0) return DecodeZoneName(text);
  // A time with its offset, run together: "040506-08".
  if (unit_ != 0 && unit_ != 't') return Error::kBadFormat;
  unit_ = 0;
  if (!time_only_ && (seen_ & kTime) == kTime) return Error::kBadFormat;
  size_t dash = text.find('-');
  if (dash == std::string_view::npos) return Error::kBadFormat;
  Error error = SetOffset(text.substr(dash));
  if (error != Error::kNone) return error;
  error = DecodeRunTogether(text.substr(0, dash), seen_ | kDate);
  found_ |= kZone;
  return error;
}

Error Decoder::DecodeDate(std::string_view text, Mask seen) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    bool digits = IsDigit(text.front());
    if (!digits && !IsAlpha(text.front())) {
      text.remove_prefix(1);
      continue;
    }
    size_t size = 0;
    while (size < text.size() && (digits ? IsDigit(text[size]) : IsAlpha(text[size]))) ++size;
    parts.push_back(text.substr(0, size));
    text.remove_prefix(size);
    if (!text.empty()) text.remove_prefix(1);  // The delimiter, whatever it is.
  }
  bool text_month = false;
  Mask mask = 0;
  for (std::string_view& part : parts) {
    if (!IsAlpha(part.front())) continue;
    WordMeaning word = FindDateWord(part);
    if (word.kind != WordKind::kIgnored) {
      if (word.kind != WordKind::kMonth || ((seen | mask) & kMonth) != 0) return Error::kBadFormat;
      fields_.month = word.value;
      mask |= kMonth;
      text_month = true;
    }
    part = {};
  }
  for (std::string_view part : parts) {
    if (part.empty()) continue;
    Error error = DecodeNumber(part, text_month, seen | mask);
    if (error != Error::kNone) return error;
    if (((seen | mask) & found_) != 0) return Error::kBadFormat;
    mask |= found_;
  }
  found_ = mask;
  Mask all = (seen | mask) & ~(kDayOfYear | kZone);
  return all == kDate ? Error::kNone : Error::kBadFormat;
}

Error Decoder::DecodeTime(std::string_view text) {
  found_ = kTime;
  int64_t hour = 0, minute = 0, second = 0;
  int32_t micros = 0;
  Error error = TakeInt(text, hour);
  if (error != Error::kNone) return error;
  if (!text.starts_with(':')) return Error::kBadFormat;
  text.remove_prefix(1);
  if ((error = TakeIntOrZero(text, minute)) != Error::kNone) return error;
  if (text.starts_with('.')) {
    // Minutes and seconds.
    if ((error = ParseFractionalSecond(text, micros)) != Error::kNone) return error;
    second = minute;
    minute = hour;
    hour = 0;
  } else if (text.starts_with(':')) {
    text.remove_prefix(1);
    if ((error = TakeIntOrZero(text, second)) != Error::kNone) return error;
    if (text.starts_with('.')) {
      if ((error = ParseFractionalSecond(text, micros)) != Error::kNone) return error;
    } else if (!text.empty()) {
      return Error::kBadFormat;
    }
  } else if (!text.empty()) {
    return Error::kBadFormat;
  }
  if (minute > 59 || second > 60) return Error::kFieldOverflow;
  fields_.hour = static_cast<int>(hour);
  fields_.minute = static_cast<int>(minute);
  fields_.second = static_cast<int>(second);
  fields_.micros = micros;
  return time_only_ ? Error::kNone : ValidateTime();
}

Error Decoder::ValidateTime() {
  bool past_midnight =
      fields_.hour == 24 && (fields_.minute > 0 || fields_.second > 0 || fields_.micros > 0);
  return fields_.hour > 24 || past_midnight ? Error::kFieldOverflow : Error::kNone;
}

Error Decoder::DecodeNumberToken(size_t i, std::string_view text) {
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

Error Decoder::DecodeTimeOnlyNumber(size_t i, std::string_view text) {
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
Error Decoder::DecodeAfterUnit(std::string_view text) {
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
Error Decoder::DecodeNumber(std::string_view text, bool text_month, Mask seen) {
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
Error Decoder::DecodeRunTogether(std::string_view text, Mask seen) {
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

void Decoder::SetLocalNow(int64_t day_shift) {
  int64_t utc_seconds = FloorDiv(settings_.now_micros, kMicrosPerSecond);
  TimeZone::Offset offset = settings_.time_zone->AtUtc(utc_seconds);
  int64_t local = settings_.now_micros + offset.seconds_east * kMicrosPerSecond;
  int64_t day = FloorDiv(local, kMicrosPerDay);
  CivilDate date = CivilFromDays(day + day_shift);
  fields_.year = date.year;
  fields_.month = date.month;
  fields_.day = date.day;
  int64_t time = local - day * kMicrosPerDay;
  fields_.hour = static_cast<int>(time / kMicrosPerHour);
  fields_.minute = static_cast<int>(time / kMicrosPerMinute % 60);
  fields_.second = static_cast<int>(time / kMicrosPerSecond % 60);
  fields_.micros = static_cast<int32_t>(time % kMicrosPerSecond);
  fields_.seconds_east = offset.seconds_east;
}

Error Decoder::DecodeReserved(Reserved word) {
  auto set_day = [&](int64_t shift) {
    DateTimeFields before = fields_;
    SetLocalNow(shift);
    fields_.hour = before.hour;
    fields_.minute = before.minute;
    fields_.second = before.second;
    fields_.micros = before.micros;
    fields_.seconds_east = before.seconds_east;
    found_ = kDate;
  };
  if (time_only_ && word != Reserved::kNow && word != Reserved::kAllBalls) {
    return Error::kBadFormat;
  }
  switch (word) {
    case Reserved::kNow:
      SetLocalNow(0);
      fields_.has_offset = true;
      found_ = time_only_ ? kTime : kDate | kTime | kZone;
      break;
    case Reserved::kToday:
      set_day(0);
      break;
    case Reserved::kTomorrow:
      set_day(1);
      break;
    case Reserved::kYesterday:
      set_day(-1);
      break;
    case Reserved::kAllBalls:
      fields_.hour = fields_.minute = fields_.second = 0;
      fields_.has_offset = true;
      fields_.seconds_east = 0;
      found_ = kTime | kZone;
      break;
    case Reserved::kEpoch:
      fields_.kind = DateTimeFields::Kind::kEpoch;
      break;
    case Reserved::kInfinity:
      fields_.kind = DateTimeFields::Kind::kInfinity;
      break;
    case Reserved::kMinusInfinity:
      fields_.kind = DateTimeFields::Kind::kMinusInfinity;
      break;
  }
  if (fields_.kind != DateTimeFields::Kind::kFields) found_ = kDate | kTime | kZone;
  return Error::kNone;
}

Error Decoder::DecodeMonthWord(int month) {
  found_ = kMonth;
  // A number taken for the month was the day: "31 jan".
  bool swap = (seen_ & kMonth) != 0 && !text_month_ && (seen_ & kDay) == 0 && fields_.month >= 1 &&
              fields_.month <= 31;
  if (swap) {
    fields_.day = fields_.month;
    found_ = kDay;
  }
  text_month_ = true;
  fields_.month = month;
  return Error::kNone;
}

Error Decoder::DecodeWord(std::string_view text) {
  if (const ZoneAbbreviation* zone = FindZoneAbbreviation(text)) {
    if (!zone->zone.empty()) return DecodeZoneName(zone->zone);
    found_ = kZone;
    fields_.has_offset = true;
    fields_.seconds_east = zone->seconds_east;
    return Error::kNone;
  }
  WordMeaning word = FindDateWord(text);
  found_ = 0;
  switch (word.kind) {
    case WordKind::kIgnored:
      return Error::kNone;
    case WordKind::kReserved:
      return DecodeReserved(static_cast<Reserved>(word.value));
    case WordKind::kMonth:
      return time_only_ ? Error::kBadFormat : DecodeMonthWord(word.value);
    case WordKind::kDayOfWeek:
      found_ = kDayOfWeek;
      return time_only_ ? Error::kBadFormat : Error::kNone;
    case WordKind::kAmPm:
      found_ = kAmPm;
      meridian_ = word.value == 0 ? Meridian::kAm : Meridian::kPm;
      return Error::kNone;
    case WordKind::kAdBc:
      found_ = kAdBc;
      bc_ = word.value == 1;
      return Error::kNone;
    case WordKind::kUnit:
      unit_ = word.value;
      return Error::kNone;
    case WordKind::kDaylight:
      // "MET DST".
      found_ = kDaylightZone;
      fields_.seconds_east += word.value;
      return Error::kNone;
    case WordKind::kIsoTime:
      if (!time_only_ && (seen_ & kDate) != kDate) return Error::kBadFormat;
      unit_ = 't';
      return Error::kNone;
    case WordKind::kUnknown:
      break;
  }
  // Perhaps the name of a zone, all letters: "Japan". If not, PostgreSQL blames the format.
  Error error = DecodeZoneName(text);
  return error == Error::kUnknownZone ? Error::kBadFormat : error;
}

Error Decoder::DecodeToken(size_t i) {
  const DateTimeToken& token = tokens_[i];
  switch (token.kind) {
    case TokenKind::kDate:
      return DecodeDateToken(i, token.text);
    case TokenKind::kTime:
      if (unit_ != 0 && unit_ != 't') return Error::kBadFormat;
      unit_ = 0;
      return DecodeTime(token.text);
    case TokenKind::kZone:
      return SetOffset(token.text);
    case TokenKind::kNumber:
      return DecodeNumberToken(i, token.text);
    case TokenKind::kWord:
    case TokenKind::kSpecial:
      return DecodeWord(token.text);
  }
  return Error::kBadFormat;
}

Error Decoder::ValidateDate() {
  if ((seen_ & kYear) != 0 && !julian_) {
    if (bc_) {
      if (fields_.year <= 0) return Error::kFieldOverflow;
      fields_.year = -(fields_.year - 1);
    } else if (two_digits_) {
      if (fields_.year < 0) return Error::kFieldOverflow;
      fields_.year += fields_.year < 70 ? 2000 : (fields_.year < 100 ? 1900 : 0);
    } else if (fields_.year <= 0) {
      return Error::kFieldOverflow;
    }
  }
  if ((seen_ & kDayOfYear) != 0) {
    CivilDate date = CivilFromDays(DaysFromCivil(fields_.year, 1, 1) + day_of_year_ - 1);
    fields_.year = date.year;
    fields_.month = date.month;
    fields_.day = date.day;
  }
  if ((seen_ & kMonth) != 0 && (fields_.month < 1 || fields_.month > 12)) {
    return Error::kMonthDayOverflow;
  }
  if ((seen_ & kDay) != 0 && (fields_.day < 1 || fields_.day > 31)) {
    return Error::kMonthDayOverflow;
  }
  if ((seen_ & kDate) == kDate && fields_.day > DaysInMonth(fields_.year, fields_.month)) {
    return Error::kFieldOverflow;
  }
  return Error::kNone;
}

Error Decoder::Validate() {
  if (fields_.kind != DateTimeFields::Kind::kFields) return Error::kNone;
  if (Error error = ValidateDate(); error != Error::kNone) return error;
  if (meridian_ != Meridian::kNone && fields_.hour > 12) return Error::kFieldOverflow;
  if (meridian_ == Meridian::kAm && fields_.hour == 12) fields_.hour = 0;
  if (meridian_ == Meridian::kPm && fields_.hour != 12) fields_.hour += 12;
  if (time_only_) {
    bool in_range = fields_.minute <= 59 && fields_.second <= 60;
    if (!in_range || ValidateTime() != Error::kNone) return Error::kFieldOverflow;
    // The offset of a zone depends on the date.
    bool zone_without_date =
        fields_.zone != nullptr && !fields_.zone->is_fixed() && (seen_ & kDate) != kDate;
    return (seen_ & kTime) == kTime && !zone_without_date ? Error::kNone : Error::kBadFormat;
  }
  return (seen_ & kDate) == kDate ? Error::kNone : Error::kBadFormat;
}

Error Decoder::Run() {
  for (size_t i = 0; i < tokens_.size(); ++i) {
    found_ = 0;
    Error error = DecodeToken(i);
    if (error != Error::kNone) return error;
    if ((found_ & seen_) != 0) return Error::kBadFormat;
    seen_ |= found_;
  }
  return Validate();
}

}  // namespace

int64_t DateTimeFields::TimeMicros() const {
  return ((hour * int64_t{60} + minute) * 60 + second) * kMicrosPerSecond + micros;
}

int64_t DateTimeFields::Days() const { return DaysFromCivil(year, month, day); }

DateTimeError DecodeDateTime(const DateTimeTokens& tokens, DateTimeShape shape,
                             const IoSettings& settings, DateTimeFields& fields,
                             std::string& unknown_zone) {
  return Decoder(tokens, shape, settings, fields, unknown_zone).Run();
}

}  // namespace omendb::types
