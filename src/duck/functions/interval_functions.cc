#include "duck/functions/interval_functions.h"

#include <cmath>

#include "base/sqlstate.h"
#include "duck/functions/row_function.h"
#include "types/calendar.h"
#include "types/datetime_math.h"

namespace omendb::duck {

namespace {

using types::Arena;
using types::Interval;
using types::kMicrosPerDay;
using types::SqlType;
using types::TypeKind;
using types::Value;
using Arguments = std::span<const Value>;
using Body = Result<Value> (*)(Arguments args, SessionState& state, Arena& arena);

constexpr SqlType kInterval{TypeKind::kInterval};
constexpr SqlType kDate{TypeKind::kDate};
constexpr SqlType kTime{TypeKind::kTime};
constexpr SqlType kTimestamp{TypeKind::kTimestamp};
constexpr SqlType kTimestampTz{TypeKind::kTimestampTz};
constexpr SqlType kInt4{TypeKind::kInt4};
constexpr SqlType kDouble{TypeKind::kFloat8};
constexpr SqlType kText{TypeKind::kText};
constexpr SqlType kBool{TypeKind::kBool};
constexpr int32_t kDaysPerMonth = 30;

Status OutOfRange(const char* what) {
  return Status(sqlstate::kDatetimeFieldOverflow, std::string(what) + " out of range");
}

// ---- justify_*
// ------------------------------------------------------------------------------------

// Takes one unit back from `upper`, or gives it one, where what is below has the other sign.
template <typename Lower>
void Carry(Lower& lower, int32_t& upper, Lower units, bool rest_negative, bool rest_positive) {
  if (upper > 0 && rest_negative) {
    lower += units;
    --upper;
  } else if (upper < 0 && rest_positive) {
    lower -= units;
    ++upper;
  }
}
void HoursToDays(Interval& i) {
  i.days += static_cast<int32_t>(i.micros / kMicrosPerDay);
  i.micros %= kMicrosPerDay;
  Carry(i.micros, i.days, kMicrosPerDay, i.micros<0, i.micros> 0);
}
void DaysToMonths(Interval& i) {
  i.months += i.days / kDaysPerMonth;
  i.days %= kDaysPerMonth;
  Carry(i.days, i.months, kDaysPerMonth, i.days<0, i.days> 0);
}

Result<Value> JustifyDays(Arguments args, SessionState&, Arena&) {
  Interval i = args[0].interval;
  DaysToMonths(i);
  return Value::OfInterval(i);
}
Result<Value> JustifyHours(Arguments args, SessionState&, Arena&) {
  Interval i = args[0].interval;
  HoursToDays(i);
  return Value::OfInterval(i);
}
Result<Value> JustifyInterval(Arguments args, SessionState&, Arena&) {
  Interval i = args[0].interval;
  i.days += static_cast<int32_t>(i.micros / kMicrosPerDay);
  i.micros %= kMicrosPerDay;
  i.months += i.days / kDaysPerMonth;
  i.days %= kDaysPerMonth;
  const bool rest_negative = i.days < 0 || (i.days == 0 && i.micros < 0);
  const bool rest_positive = i.days > 0 || (i.days == 0 && i.micros > 0);
  Carry(i.days, i.months, kDaysPerMonth, rest_negative, rest_positive);
  Carry(i.micros, i.days, kMicrosPerDay, i.micros<0, i.micros> 0);
  return Value::OfInterval(i);
}

// ---- make_*
// ---------------------------------------------------------------------------------------

Result<Value> MakeInterval(Arguments args, SessionState&, Arena&) {
  const int64_t months = int64_t{args[0].i32} * 12 + args[1].i32;
  const int64_t days = int64_t{args[2].i32} * 7 + args[3].i32;
  const double micros = std::rint(args[6].f64 * 1e6);
  if (months != static_cast<int32_t>(months) || days != static_cast<int32_t>(days) ||
      !(std::fabs(micros) < 9e18)) {
    return OutOfRange("interval");
  }
  const int64_t minutes = int64_t{args[4].i32} * 60 + args[5].i32;
  return Value::OfInterval({static_cast<int32_t>(months), static_cast<int32_t>(days),
                            minutes * types::kMicrosPerMinute + static_cast<int64_t>(micros)});
}

Result<int64_t> DayOf(int32_t year, int32_t month, int32_t day) {
  const int64_t astronomical = year < 0 ? int64_t{year} + 1 : year;
  if (year == 0 || month < 1 || month > 12 || day < 1 ||
      day > types::DaysInMonth(astronomical, month)) {
    char text[48];
    std::snprintf(text, sizeof(text), year == 0 ? "%d-%02d-%02d" : "%04d-%02d-%02d", year, month,
                  day);
    return Status(sqlstate::kDatetimeFieldOverflow,
                  std::string("date field value out of range: ") + text);
  }
  const int64_t days = types::DaysFromCivil(astronomical, month, day);
  if (days < types::kDateMin || days > types::kDateMax) return OutOfRange("date");
  return days;
}

Result<int64_t> ClockOf(int32_t hour, int32_t minute, double second) {
  const double micros = std::rint(second * 1e6);
  const bool midnight = hour == 24 && minute == 0 && micros == 0;
  if (hour < 0 || minute < 0 || minute > 59 || !(micros >= 0) || micros > 60e6 ||
      (hour > 23 && !midnight)) {
    char text[64];
    std::snprintf(text, sizeof(text), "%d:%02d:%02g", hour, minute, second);
    return Status(sqlstate::kDatetimeFieldOverflow,
                  std::string("time field value out of range: ") + text);
  }
  return (int64_t{hour} * 60 + minute) * types::kMicrosPerMinute + static_cast<int64_t>(micros);
}

Result<Value> MakeDate(Arguments args, SessionState&, Arena&) {
  OMEN_ASSIGN(const int64_t days, DayOf(args[0].i32, args[1].i32, args[2].i32));
  return Value::Int32(static_cast<int32_t>(days));
}
Result<Value> MakeTime(Arguments args, SessionState&, Arena&) {
  OMEN_ASSIGN(const int64_t micros, ClockOf(args[0].i32, args[1].i32, args[2].f64));
  return Value::Int64(micros);
}
Result<int64_t> TimestampOf(Arguments args) {
  OMEN_ASSIGN(const int64_t days, DayOf(args[0].i32, args[1].i32, args[2].i32));
  OMEN_ASSIGN(const int64_t micros, ClockOf(args[3].i32, args[4].i32, args[5].f64));
  OMEN_ASSIGN(const int64_t date, types::DateToTimestamp(static_cast<int32_t>(days)));
  return date + micros;
}
Result<Value> MakeTimestamp(Arguments args, SessionState&, Arena&) {
  OMEN_ASSIGN(const int64_t local, TimestampOf(args));
  return Value::Int64(local);
}
Result<Value> MakeTimestampTz(Arguments args, SessionState& state, Arena&) {
  OMEN_ASSIGN(const int64_t local, TimestampOf(args));
  std::shared_ptr<const types::TimeZone> zone = state.io_settings().time_zone;
  if (args.size() > 6) {
    OMEN_ASSIGN(zone, types::TimeZone::Find(args[6].str()));
  }
  OMEN_ASSIGN(const int64_t instant, types::LocalToUtc(local, *zone));
  return Value::Int64(instant);
}

// ---- Others
// ---------------------------------------------------------------------------------------

Result<Value> DateBin(Arguments args, SessionState&, Arena&) {
  const Interval& stride = args[0].interval;
  if (stride.months != 0) {
    return Status(sqlstate::kFeatureNotSupported,
                  "timestamps cannot be binned into intervals containing months or years");
  }
  if (!types::IsFinite(args[1].i64)) return args[1];
  if (!types::IsFinite(args[2].i64))
    return Status(sqlstate::kDatetimeFieldOverflow, "origin out of range");
  int64_t micros = 0;
  if (__builtin_mul_overflow(int64_t{stride.days}, kMicrosPerDay, &micros) ||
      __builtin_add_overflow(micros, stride.micros, &micros)) {
    return OutOfRange("interval");
  }
  if (micros <= 0) {
    return Status(sqlstate::kDatetimeFieldOverflow, "stride must be greater than zero");
  }
  const int64_t bins = types::FloorDiv(args[1].i64 - args[2].i64, micros);
  return Value::Int64(args[2].i64 + bins * micros);
}

Result<Value> RoundTime(Arguments args, SessionState&, Arena&) {
  return Value::Int64(types::IsFinite(args[0].i64)
                          ? types::RoundTimestamp(args[0].i64, std::min(args[1].i32, 6))
                          : args[0].i64);
}

// The clock of `zone` for an instant, and the instant for a clock: AT TIME ZONE interval.
Result<Value> ToIntervalZone(Arguments args, SessionState&, Arena&) {
  const Interval& zone = args[0].interval;
  if (zone.months != 0 || zone.days != 0) {
    return Status(sqlstate::kInvalidParameterValue,
                  "interval time zone must not include months or days");
  }
  return Value::Int64(args[1].i64 + zone.micros);
}
Result<Value> FromIntervalZone(Arguments args, SessionState& state, Arena& arena) {
  const Value negated[] = {
      Value::OfInterval({args[0].interval.months, args[0].interval.days, -args[0].interval.micros}),
      args[1]};
  return ToIntervalZone(negated, state, arena);
}

Result<Value> ToNamedZone(Arguments args, SessionState&, Arena&) {
  OMEN_ASSIGN(const auto zone, types::TimeZone::Find(args[0].str()));
  OMEN_ASSIGN(const int64_t local, types::UtcToLocal(args[1].i64, *zone));
  return Value::Int64(local);
}
Result<Value> FromNamedZone(Arguments args, SessionState&, Arena&) {
  OMEN_ASSIGN(const auto zone, types::TimeZone::Find(args[0].str()));
  OMEN_ASSIGN(const int64_t instant, types::LocalToUtc(args[1].i64, *zone));
  return Value::Int64(instant);
}

// (start, end) OVERLAPS (start, end), each pair in either order.
Result<Value> Overlaps(const SqlType& type, Arguments args) {
  for (const Value& value : args) {
    if (value.is_null) return Value::Null();
  }
  const auto less = [&](const Value& a, const Value& b) { return types::Compare(type, a, b) < 0; };
  Value from[] = {args[0], args[2]};
  Value to[] = {args[1], args[3]};
  for (size_t i = 0; i < 2; ++i) {
    if (less(to[i], from[i])) std::swap(from[i], to[i]);
  }
  if (types::Compare(type, from[0], from[1]) == 0) return Value::Bool(true);
  const size_t first = less(from[0], from[1]) ? 0 : 1;
  return Value::Bool(less(from[1 - first], to[first]));
}

void Register(Registry& registry, const char* name, std::vector<SqlType> arguments, SqlType result,
              Body body, int optional = 0) {
  RegisterRowFunction(registry,
                      {name, std::move(arguments), result, body,
                       duckdb::FunctionStability::CONSISTENT_WITHIN_QUERY, true, optional});
}

void RegisterMakers(Registry& registry) {
  Register(registry, "make_interval", {kInt4, kInt4, kInt4, kInt4, kInt4, kInt4, kDouble},
           kInterval, MakeInterval);
  Register(registry, "make_date", {kInt4, kInt4, kInt4}, kDate, MakeDate);
  Register(registry, "make_time", {kInt4, kInt4, kDouble}, kTime, MakeTime);
  Register(registry, "make_timestamp", {kInt4, kInt4, kInt4, kInt4, kInt4, kDouble}, kTimestamp,
           MakeTimestamp);
  Register(registry, "make_timestamptz", {kInt4, kInt4, kInt4, kInt4, kInt4, kDouble, kText},
           kTimestampTz, MakeTimestampTz, 1);
}

void RegisterZones(Registry& registry) {
  duckdb::ScalarFunctionSet set("timezone");
  AddRowFunction(set, {"timezone", {kText, kTimestampTz}, kTimestamp, ToNamedZone});
  AddRowFunction(set, {"timezone", {kText, kTimestamp}, kTimestampTz, FromNamedZone});
  AddRowFunction(set, {"timezone", {kInterval, kTimestampTz}, kTimestamp, ToIntervalZone});
  AddRowFunction(set, {"timezone", {kInterval, kTimestamp}, kTimestampTz, FromIntervalZone});
  registry.Replace(std::move(set));
}

}  // namespace

void RegisterIntervals(Registry& registry) {
  Register(registry, "justify_days", {kInterval}, kInterval, JustifyDays);
  Register(registry, "justify_hours", {kInterval}, kInterval, JustifyHours);
  Register(registry, "justify_interval", {kInterval}, kInterval, JustifyInterval);
  RegisterMakers(registry);
  RegisterZones(registry);
  duckdb::ScalarFunctionSet bin("date_bin");
  duckdb::ScalarFunctionSet round("omendb_round_time");
  duckdb::ScalarFunctionSet overlaps("omendb_overlaps");
  for (const SqlType& type : {kTimestamp, kTimestampTz}) {
    AddRowFunction(bin, {"date_bin", {kInterval, type, type}, type, DateBin});
  }
  for (const SqlType& type : {kTime, kTimestamp, kTimestampTz}) {
    AddRowFunction(round, {"omendb_round_time", {type, kInt4}, type, RoundTime});
  }
  for (const SqlType& type : {kTimestamp, kTimestampTz, kTime, kDate}) {
    AddRowFunction(
        overlaps, {"overlaps",
                   {type, type, type, type},
                   kBool,
                   [type](Arguments args, SessionState&, Arena&) { return Overlaps(type, args); }});
  }
  registry.Replace(std::move(bin));
  registry.Replace(std::move(round));
  registry.Replace(std::move(overlaps));
}

}  // namespace omendb::duck
