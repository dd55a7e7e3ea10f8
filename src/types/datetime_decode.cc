#include <algorithm>
#include <vector>

#include "types/calendar.h"
#include "types/datetime_decoder.h"
#include "types/text_parsers.h"

namespace omendb::types {

using Error = DateTimeError;

bool DateTimeDecoder::TimeAllowsDate(size_t i) const {
  return i == 0 && tokens_.size() >= 2 &&
         (tokens_[tokens_.size() - 1].kind == TokenKind::kDate ||
          tokens_[1].kind == TokenKind::kTime);
}

Error DateTimeDecoder::SetOffset(std::string_view text) {
  found_ = kZone;
  fields_.has_offset = true;
  return ParseZoneOffset(text, fields_.seconds_east);
}

Error DateTimeDecoder::DecodeZoneName(std::string_view text) {
  Result<std::shared_ptr<const TimeZone>> zone = TimeZone::Find(text);
  if (!zone.ok()) {
    unknown_zone_ = text;
    return Error::kUnknownZone;
  }
  found_ = kZone;
  fields_.zone = zone.value();
  return Error::kNone;
}

Error DateTimeDecoder::DecodeDateToken(size_t i, std::string_view text) {
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

Error DateTimeDecoder::DecodeDate(std::string_view text, Mask seen) {
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

Error DateTimeDecoder::DecodeTime(std::string_view text) {
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

Error DateTimeDecoder::ValidateTime() {
  bool past_midnight =
      fields_.hour == 24 && (fields_.minute > 0 || fields_.second > 0 || fields_.micros > 0);
  return fields_.hour > 24 || past_midnight ? Error::kFieldOverflow : Error::kNone;
}

Error DateTimeDecoder::DecodeToken(size_t i) {
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

Error DateTimeDecoder::ValidateDate() {
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

Error DateTimeDecoder::Validate() {
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

Error DateTimeDecoder::Run() {
  for (size_t i = 0; i < tokens_.size(); ++i) {
    found_ = 0;
    Error error = DecodeToken(i);
    if (error != Error::kNone) return error;
    if ((found_ & seen_) != 0) return Error::kBadFormat;
    seen_ |= found_;
  }
  return Validate();
}

int64_t DateTimeFields::TimeMicros() const {
  return ((hour * int64_t{60} + minute) * 60 + second) * kMicrosPerSecond + micros;
}

int64_t DateTimeFields::Days() const { return DaysFromCivil(year, month, day); }

DateTimeError DecodeDateTime(const DateTimeTokens& tokens, DateTimeShape shape,
                             const IoSettings& settings, DateTimeFields& fields,
                             std::string& unknown_zone) {
  return DateTimeDecoder(tokens, shape, settings, fields, unknown_zone).Run();
}

}  // namespace omendb::types
