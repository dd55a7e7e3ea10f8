#include <cstdlib>

#include "base/sqlstate.h"
#include "types/calendar.h"
#include "types/datetime_fields.h"
#include "types/datetime_math.h"
#include "types/interval_parser.h"
#include "types/text_parsers.h"

namespace omendb::types {
namespace {

// Fields by sign and magnitude, as every style prints them.
struct IntervalParts {
  int64_t years, months, days, hours, minutes, seconds, micros;

  explicit IntervalParts(const Interval& interval)
      : years(interval.months / 12),
        months(interval.months % 12),
        days(interval.days),
        hours(interval.micros / kMicrosPerHour),
        minutes(interval.micros / kMicrosPerMinute % 60),
        seconds(interval.micros / kMicrosPerSecond % 60),
        micros(interval.micros % kMicrosPerSecond) {}
  bool has_time() const { return hours != 0 || minutes != 0 || seconds != 0 || micros != 0; }
  bool time_negative() const { return hours < 0 || minutes < 0 || seconds < 0 || micros < 0; }
};

void AppendTwo(int64_t value, std::string& out) {
  value = std::abs(value);
  if (value < 10) out += '0';
  out += std::to_string(value);
}

// "6.789" without trailing zeros; `pad` to two digits before the point.
void AppendSeconds(int64_t seconds, int64_t micros, bool pad, std::string& out) {
  if (pad) {
    AppendTwo(seconds, out);
  } else {
    out += std::to_string(std::abs(seconds));
  }
  if (micros == 0) return;
  char digits[24];
  std::snprintf(digits, sizeof(digits), "%06lld", static_cast<long long>(std::abs(micros)));
  std::string_view shown(digits, 6);
  out += '.';
  out.append(shown, 0, shown.find_last_not_of('0') + 1);
}

void AppendClock(const IntervalParts& p, std::string& out) {
  AppendTwo(p.hours, out);
  out += ':';
  AppendTwo(p.minutes, out);
  out += ':';
  AppendSeconds(p.seconds, p.micros, true, out);
}

void AppendPostgres(const IntervalParts& p, std::string& out) {
  bool is_empty = true;
  bool was_negative = false;
  auto part = [&](int64_t value, const char* unit) {
    if (value == 0) return;
    if (!is_empty) out += ' ';
    if (was_negative && value > 0) out += '+';
    out += std::to_string(value) + " " + unit + (value != 1 ? "s" : "");
    was_negative = value < 0;
    is_empty = false;
  };
  part(p.years, "year");
  part(p.months, "mon");
  part(p.days, "day");
  if (!is_empty && !p.has_time()) return;
  if (!is_empty) out += ' ';
  if (p.time_negative()) {
    out += '-';
  } else if (was_negative) {
    out += '+';
  }
  AppendClock(p, out);
}

void AppendVerbose(const IntervalParts& p, std::string& out) {
  bool is_empty = true;
  bool is_before = false;
  auto part = [&](int64_t value, const char* unit) {
    if (value == 0) return;
    if (is_empty) {
      is_before = value < 0;
      value = std::abs(value);
    } else if (is_before) {
      value = -value;
    }
    out += " " + std::to_string(value) + " " + unit + (value != 1 ? "s" : "");
    is_empty = false;
  };
  out += '@';
  part(p.years, "year");
  part(p.months, "mon");
  part(p.days, "day");
  part(p.hours, "hour");
  part(p.minutes, "min");
  if (p.seconds != 0 || p.micros != 0) {
    bool negative = p.seconds < 0 || p.micros < 0;
    if (is_empty) {
      is_before = negative;
      negative = false;
    } else if (is_before) {
      negative = !negative;
    }
    out += negative ? " -" : " ";
    AppendSeconds(p.seconds, p.micros, false, out);
    out += std::abs(p.seconds) != 1 || p.micros != 0 ? " secs" : " sec";
    is_empty = false;
  }
  if (is_empty) out += " 0";
  if (is_before) out += " ago";
}

void AppendIso8601(const IntervalParts& p, std::string& out) {
  auto part = [&](int64_t value, char unit) {
    if (value != 0) out += std::to_string(value) + unit;
  };
  if (p.years == 0 && p.months == 0 && p.days == 0 && !p.has_time()) {
    out += "PT0S";
    return;
  }
  out += 'P';
  part(p.years, 'Y');
  part(p.months, 'M');
  part(p.days, 'D');
  if (!p.has_time()) return;
  out += 'T';
  part(p.hours, 'H');
  part(p.minutes, 'M');
  if (p.seconds == 0 && p.micros == 0) return;
  if (p.seconds < 0 || p.micros < 0) out += '-';
  AppendSeconds(p.seconds, p.micros, false, out);
  out += 'S';
}

void AppendSqlStandard(const IntervalParts& p, std::string& out) {
  bool negative = p.years < 0 || p.months < 0 || p.days < 0 || p.time_negative();
  bool positive = p.years > 0 || p.months > 0 || p.days > 0 || p.hours > 0 || p.minutes > 0 ||
                  p.seconds > 0 || p.micros > 0;
  bool has_year_month = p.years != 0 || p.months != 0;
  bool has_day_time = p.days != 0 || p.has_time();
  bool has_day = p.days != 0;
  bool standard = !(negative && positive) && !(has_year_month && has_day_time);
  if (!has_year_month && !has_day_time) {
    out += '0';
  } else if (!standard) {
    // Not a standard value: every part with its sign.
    auto sign = [](bool minus) { return minus ? '-' : '+'; };
    out += sign(p.years < 0 || p.months < 0);
    out += std::to_string(std::abs(p.years)) + "-" + std::to_string(std::abs(p.months)) + " ";
    out += sign(p.days < 0);
    out += std::to_string(std::abs(p.days)) + " ";
    out += sign(p.time_negative());
    out += std::to_string(std::abs(p.hours)) + ":";
    AppendTwo(p.minutes, out);
    out += ':';
    AppendSeconds(p.seconds, p.micros, true, out);
  } else {
    if (negative) out += '-';
    if (has_year_month) {
      out += std::to_string(std::abs(p.years)) + "-" + std::to_string(std::abs(p.months));
      return;
    }
    if (has_day) out += std::to_string(std::abs(p.days)) + " ";
    out += std::to_string(std::abs(p.hours)) + ":";
    AppendTwo(p.minutes, out);
    out += ':';
    AppendSeconds(p.seconds, p.micros, true, out);
  }
}

}  // namespace

Result<Value> ParseInterval(const SqlType& type, std::string_view text,
                            const IoSettings& settings) {
  DateTimeTokens tokens;
  IntervalFields fields;
  DateTimeError error = tokens.Split(text);
  if (error == DateTimeError::kNone) {
    error = DecodeInterval(tokens, IntervalRange(type.typmod), settings.interval_style, fields);
  }
  if (error == DateTimeError::kBadFormat) {
    fields = {};
    error = DecodeIso8601Interval(text, fields);
  }
  if (error == DateTimeError::kFieldOverflow) error = DateTimeError::kIntervalOverflow;
  if (error != DateTimeError::kNone) return DateTimeStatus(error, "interval", text);
  int64_t months = 0;
  if (__builtin_mul_overflow(fields.years, int64_t{12}, &months) ||
      __builtin_add_overflow(months, fields.months, &months) || months > INT32_MAX ||
      months < INT32_MIN || fields.days > INT32_MAX || fields.days < INT32_MIN) {
    return Status(sqlstate::kDatetimeFieldOverflow, "interval out of range");
  }
  Interval interval{static_cast<int32_t>(months), static_cast<int32_t>(fields.days), fields.micros};
  OMEN_ASSIGN(interval, CoerceInterval(interval, type.typmod));
  return Value::OfInterval(interval);
}

void AppendInterval(const Interval& interval, IntervalStyle style, std::string& out) {
  IntervalParts parts(interval);
  switch (style) {
    case IntervalStyle::kPostgres:
      return AppendPostgres(parts, out);
    case IntervalStyle::kPostgresVerbose:
      return AppendVerbose(parts, out);
    case IntervalStyle::kSqlStandard:
      return AppendSqlStandard(parts, out);
    case IntervalStyle::kIso8601:
      return AppendIso8601(parts, out);
  }
}

}  // namespace omendb::types
