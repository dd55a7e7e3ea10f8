// Words in the text of a date or time.
#include "types/calendar.h"
#include "types/datetime_decoder.h"
#include "types/zone_abbreviations.h"

namespace omendb::types {

using Error = DateTimeError;

void DateTimeDecoder::SetLocalNow(int64_t day_shift) {
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

Error DateTimeDecoder::DecodeReserved(Reserved word) {
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

Error DateTimeDecoder::DecodeMonthWord(int month) {
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

Error DateTimeDecoder::DecodeWord(std::string_view text) {
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

}  // namespace omendb::types
