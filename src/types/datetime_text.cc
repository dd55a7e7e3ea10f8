#include <cstring>

#include "base/sqlstate.h"
#include "types/calendar.h"
#include "types/datetime_fields.h"
#include "types/datetime_math.h"
#include "types/text_parsers.h"

namespace omendb::types {
namespace {

Status TypeOutOfRange(std::string_view type, std::string_view text) {
  return Status(sqlstate::kDatetimeFieldOverflow,
                std::string(type) + " out of range: \"" + std::string(text) + "\"");
}

Result<DateTimeFields> ReadFields(std::string_view text, DateTimeShape shape, std::string_view type,
                                  const IoSettings& settings) {
  DateTimeTokens tokens;
  DateTimeFields fields;
  std::string zone;
  DateTimeError error = tokens.Split(text);
  if (error == DateTimeError::kNone) {
    error = DecodeDateTime(tokens, shape, settings, fields, zone);
  }
  if (error != DateTimeError::kNone) return DateTimeStatus(error, type, text, zone);
  return fields;
}

// The number of `count` digits at `p`, or -1.
int FixedDigits(const char* p, int count) {
  int value = 0;
  for (int i = 0; i < count; ++i) {
    if (!IsDigit(p[i])) return -1;
    value = value * 10 + (p[i] - '0');
  }
  return value;
}

// "YYYY-MM-DD" in front of `text`, which moves behind it.
bool TakeIsoDate(std::string_view& text, int64_t& days) {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return false;
  int year = FixedDigits(text.data(), 4);
  int month = FixedDigits(text.data() + 5, 2);
  int day = FixedDigits(text.data() + 8, 2);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month)) {
    return false;
  }
  days = DaysFromCivil(year, month, day);
  text.remove_prefix(10);
  return true;
}

// "HH:MM:SS" with at most six digits of fraction.
bool TakeIsoTime(std::string_view& text, int64_t& micros) {
  if (text.size() < 8 || text[2] != ':' || text[5] != ':') return false;
  int hour = FixedDigits(text.data(), 2);
  int minute = FixedDigits(text.data() + 3, 2);
  int second = FixedDigits(text.data() + 6, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
    return false;
  }
  text.remove_prefix(8);
  micros = (hour * int64_t{60} + minute) * 60 + second;
  int64_t unit = kMicrosPerSecond;
  micros *= unit;
  if (text.empty() || text.front() != '.') return true;
  text.remove_prefix(1);
  while (!text.empty() && IsDigit(text.front())) {
    if (unit == 1) return false;
    unit /= 10;
    micros += (text.front() - '0') * unit;
    text.remove_prefix(1);
  }
  return true;
}

// "+HH", "+HH:MM" or "Z", to the end.
bool TakeIsoOffset(std::string_view text, int32_t& seconds_east) {
  if (text == "Z") {
    seconds_east = 0;
    return true;
  }
  bool sized = text.size() == 3 || (text.size() == 6 && text[3] == ':');
  if (!sized || (text[0] != '+' && text[0] != '-')) return false;
  int hour = FixedDigits(text.data() + 1, 2);
  int minute = text.size() == 6 ? FixedDigits(text.data() + 4, 2) : 0;
  if (hour < 0 || hour > 15 || minute < 0 || minute > 59) return false;
  seconds_east = hour * 3600 + minute * 60;
  if (text[0] == '-') seconds_east = -seconds_east;
  return true;
}

// What almost every client sends; false leaves it to the full reader.
bool ParseIsoTimestamp(std::string_view text, const TimeZone* zone, int64_t& micros) {
  int64_t days = 0;
  int64_t time = 0;
  if (!TakeIsoDate(text, days)) return false;
  if (!text.empty()) {
    if (text.front() != ' ' && text.front() != 'T') return false;
    text.remove_prefix(1);
    if (!TakeIsoTime(text, time)) return false;
  }
  micros = days * kMicrosPerDay + time;
  int32_t seconds_east = 0;
  if (!text.empty()) {
    if (!TakeIsoOffset(text, seconds_east)) return false;
    if (zone == nullptr) return true;  // timestamp: the offset is read and dropped.
  } else if (zone != nullptr) {
    seconds_east = zone->AtLocal(FloorDiv(micros, kMicrosPerSecond)).seconds_east;
  }
  micros -= seconds_east * kMicrosPerSecond;
  return true;
}

// Microseconds of the fields as wall-clock time; false beyond what 64 bits hold.
bool LocalMicros(const DateTimeFields& fields, int64_t& micros) {
  int64_t days = fields.Days();
  // Three weeks before the first timestamp: the zone may bring it back into range.
  if (days < DaysFromCivil(-4713, 11, 1)) return false;
  return !__builtin_mul_overflow(days, kMicrosPerDay, &micros) &&
         !__builtin_add_overflow(micros, fields.TimeMicros(), &micros);
}

bool FieldsToTimestamp(const DateTimeFields& fields, bool with_zone, const IoSettings& settings,
                       int64_t& micros) {
  if (!LocalMicros(fields, micros)) return false;
  if (with_zone) {
    int32_t seconds_east = fields.seconds_east;
    if (!fields.has_offset) {
      const TimeZone& zone = fields.zone != nullptr ? *fields.zone : *settings.time_zone;
      seconds_east += zone.AtLocal(FloorDiv(micros, kMicrosPerSecond)).seconds_east;
    }
    if (__builtin_sub_overflow(micros, seconds_east * kMicrosPerSecond, &micros)) return false;
  }
  return micros >= kTimestampMin && IsFinite(micros);
}

char* PutTwo(char* p, int64_t value) {
  p[0] = static_cast<char>('0' + value / 10 % 10);
  p[1] = static_cast<char>('0' + value % 10);
  return p + 2;
}

// At least four digits.
char* PutYear(char* p, int64_t year) {
  char digits[12];
  int count = 0;
  for (; year > 0 || count < 4; year /= 10) digits[count++] = static_cast<char>('0' + year % 10);
  while (count > 0) *p++ = digits[--count];
  return p;
}

int64_t ShownYear(const CivilDate& date) { return date.year > 0 ? date.year : 1 - date.year; }

char* PutDate(char* p, const CivilDate& date, char separator, DateOrder order) {
  int first = order == DateOrder::kDmy ? date.day : date.month;
  int second = order == DateOrder::kDmy ? date.month : date.day;
  p = PutTwo(p, first);
  *p++ = separator;
  p = PutTwo(p, second);
  *p++ = separator;
  return PutYear(p, ShownYear(date));
}

char* PutIsoDate(char* p, const CivilDate& date) {
  p = PutYear(p, ShownYear(date));
  *p++ = '-';
  p = PutTwo(p, date.month);
  *p++ = '-';
  return PutTwo(p, date.day);
}

// The date alone, in the style of settings.
char* PutStyledDate(char* p, const CivilDate& date, const IoSettings& settings) {
  switch (settings.date_style) {
    case DateStyle::kSql:
      return PutDate(p, date, '/', settings.date_order);
    case DateStyle::kPostgres:
      return PutDate(p, date, '-', settings.date_order);
    case DateStyle::kGerman:
      return PutDate(p, date, '.', DateOrder::kDmy);
    default:
      return PutIsoDate(p, date);
  }
}

// "04:05:06.789", the fraction without trailing zeros.
char* PutTime(char* p, int64_t micros) {
  p = PutTwo(p, micros / kMicrosPerHour);
  *p++ = ':';
  p = PutTwo(p, micros / kMicrosPerMinute % 60);
  *p++ = ':';
  p = PutTwo(p, micros / kMicrosPerSecond % 60);
  int64_t fraction = micros % kMicrosPerSecond;
  if (fraction == 0) return p;
  *p++ = '.';
  for (int64_t unit = kMicrosPerSecond / 10; fraction > 0; unit /= 10) {
    *p++ = static_cast<char>('0' + fraction / unit);
    fraction %= unit;
  }
  return p;
}

char* PutOffset(char* p, int32_t seconds_east) {
  *p++ = seconds_east < 0 ? '-' : '+';
  int32_t magnitude = seconds_east < 0 ? -seconds_east : seconds_east;
  p = PutTwo(p, magnitude / 3600);
  if (magnitude % 3600 == 0) return p;
  *p++ = ':';
  p = PutTwo(p, magnitude / 60 % 60);
  if (magnitude % 60 == 0) return p;
  *p++ = ':';
  return PutTwo(p, magnitude % 60);
}

char* PutText(char* p, std::string_view text) {
  std::memcpy(p, text.data(), text.size());
  return p + text.size();
}

// "Wed Dec 17 07:37:16 1997".
char* PutPostgresTimestamp(char* p, int64_t days, int64_t time, DateOrder order) {
  static constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  CivilDate date = CivilFromDays(days);
  p = PutText(p, kDays[DayOfWeek(days)]);
  *p++ = ' ';
  if (order == DateOrder::kDmy) {
    p = PutTwo(p, date.day);
    *p++ = ' ';
    p = PutText(p, kMonths[date.month - 1]);
  } else {
    p = PutText(p, kMonths[date.month - 1]);
    *p++ = ' ';
    p = PutTwo(p, date.day);
  }
  *p++ = ' ';
  p = PutTime(p, time);
  *p++ = ' ';
  return PutYear(p, ShownYear(date));
}

// Of local time; `offset` null for a timestamp without time zone.
void AppendLocal(int64_t local, const TimeZone::Offset* offset, const IoSettings& settings,
                 std::string& out) {
  int64_t days = FloorDiv(local, kMicrosPerDay);
  int64_t time = local - days * kMicrosPerDay;
  CivilDate date = CivilFromDays(days);
  char buffer[96];
  char* p = buffer;
  bool iso = settings.date_style == DateStyle::kIso;
  if (settings.date_style == DateStyle::kPostgres) {
    p = PutPostgresTimestamp(p, days, time, settings.date_order);
  } else {
    p = iso ? PutIsoDate(p, date) : PutStyledDate(p, date, settings);
    *p++ = ' ';
    p = PutTime(p, time);
  }
  if (offset != nullptr && iso) p = PutOffset(p, offset->seconds_east);
  if (offset != nullptr && !iso) {
    *p++ = ' ';
    p = PutText(p, offset->abbreviation.substr(0, 10));
  }
  if (date.year <= 0) p = PutText(p, " BC");
  out.append(buffer, static_cast<size_t>(p - buffer));
}

}  // namespace

int64_t RoundMicros(int64_t micros, int precision) {
  static constexpr int64_t kUnits[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
  if (precision < 0 || precision >= 6) return micros;
  int64_t unit = kUnits[precision];
  int64_t half = unit / 2;
  int64_t rounded = micros >= 0 ? (micros + half) / unit : -((half - micros) / unit);
  return rounded * unit;
}

int64_t RoundTimestamp(int64_t micros, int precision) {
  if (precision < 0 || precision >= 6 || !IsFinite(micros)) return micros;
  // PostgreSQL rounds half away from its own epoch, 2000-01-01.
  constexpr int64_t kEpoch2000 = 10957 * kMicrosPerDay;
  int64_t relative = 0;
  if (__builtin_sub_overflow(micros, kEpoch2000, &relative)) return micros;
  int64_t rounded = 0;
  bool overflow = __builtin_add_overflow(RoundMicros(relative, precision), kEpoch2000, &rounded);
  return overflow ? micros : rounded;
}

Result<Value> ParseDate(std::string_view text, const IoSettings& settings) {
  std::string_view rest = text;
  int64_t days = 0;
  if (TakeIsoDate(rest, days) && rest.empty()) return Value::Int32(static_cast<int32_t>(days));
  OMEN_ASSIGN(DateTimeFields fields, ReadFields(text, DateTimeShape::kDateTime, "date", settings));
  switch (fields.kind) {
    case DateTimeFields::Kind::kEpoch:
      return Value::Int32(0);
    case DateTimeFields::Kind::kInfinity:
      return Value::Int32(kDateInfinity);
    case DateTimeFields::Kind::kMinusInfinity:
      return Value::Int32(kDateMinusInfinity);
    case DateTimeFields::Kind::kFields:
      break;
  }
  days = fields.Days();
  if (days < kDateMin || days > kDateMax) return TypeOutOfRange("date", text);
  return Value::Int32(static_cast<int32_t>(days));
}

Result<Value> ParseTime(const SqlType& type, std::string_view text, const IoSettings& settings) {
  std::string_view rest = text;
  int64_t micros = 0;
  if (!TakeIsoTime(rest, micros) || !rest.empty()) {
    OMEN_ASSIGN(DateTimeFields fields,
                ReadFields(text, DateTimeShape::kTimeOnly, "time", settings));
    micros = fields.TimeMicros();
  }
  return Value::Int64(RoundMicros(micros, type.typmod));
}

Result<Value> ParseTimestamp(const SqlType& type, std::string_view text,
                             const IoSettings& settings) {
  bool with_zone = type.kind == TypeKind::kTimestampTz;
  int64_t micros = 0;
  if (ParseIsoTimestamp(text, with_zone ? settings.time_zone.get() : nullptr, micros)) {
    return Value::Int64(RoundTimestamp(micros, type.typmod));
  }
  std::string_view name = with_zone ? "timestamp with time zone" : "timestamp";
  OMEN_ASSIGN(DateTimeFields fields, ReadFields(text, DateTimeShape::kDateTime, name, settings));
  switch (fields.kind) {
    case DateTimeFields::Kind::kEpoch:
      return Value::Int64(0);
    case DateTimeFields::Kind::kInfinity:
      return Value::Int64(kTimestampInfinity);
    case DateTimeFields::Kind::kMinusInfinity:
      return Value::Int64(kTimestampMinusInfinity);
    case DateTimeFields::Kind::kFields:
      break;
  }
  if (!FieldsToTimestamp(fields, with_zone, settings, micros)) {
    return TypeOutOfRange("timestamp", text);
  }
  return Value::Int64(RoundTimestamp(micros, type.typmod));
}

void AppendDate(int32_t days, const IoSettings& settings, std::string& out) {
  if (!IsFiniteDate(days)) {
    out += days == kDateInfinity ? "infinity" : "-infinity";
    return;
  }
  char buffer[32];
  CivilDate date = CivilFromDays(days);
  char* p = PutStyledDate(buffer, date, settings);
  if (date.year <= 0) p = PutText(p, " BC");
  out.append(buffer, static_cast<size_t>(p - buffer));
}

void AppendTime(int64_t micros, std::string& out) {
  char buffer[32];
  char* p = PutTime(buffer, micros);
  out.append(buffer, static_cast<size_t>(p - buffer));
}

void AppendTimestamp(int64_t micros, const IoSettings& settings, std::string& out) {
  if (!IsFinite(micros)) {
    out += micros == kTimestampInfinity ? "infinity" : "-infinity";
    return;
  }
  AppendLocal(micros, nullptr, settings, out);
}

void AppendTimestampTz(int64_t micros, const IoSettings& settings, std::string& out) {
  if (!IsFinite(micros)) return AppendTimestamp(micros, settings, out);
  TimeZone::Offset offset = settings.time_zone->AtUtc(FloorDiv(micros, kMicrosPerSecond));
  int64_t local = 0;
  if (__builtin_add_overflow(micros, offset.seconds_east * kMicrosPerSecond, &local)) {
    // Beyond what a local time can be: PostgreSQL shows UTC too.
    offset = {0, false, "UTC"};
    local = micros;
  }
  AppendLocal(local, &offset, settings, out);
}

}  // namespace omendb::types
