#include "duck/functions/datetime.h"

#include <cfloat>
#include <cmath>
#include <optional>

#include "base/sqlstate.h"
#include "duck/functions/date_format.h"
#include "duck/functions/number_format.h"
#include "duck/functions/row_function.h"
#include "types/big_math.h"
#include "types/calendar.h"

namespace omendb::duck {

namespace {

using types::Arena;
using types::SqlType;
using types::TypeKind;
using types::Value;
using Arguments = std::span<const Value>;

constexpr SqlType kText{TypeKind::kText};
constexpr SqlType kDate{TypeKind::kDate};
constexpr SqlType kTimestamp{TypeKind::kTimestamp};
constexpr SqlType kTimestampTz{TypeKind::kTimestampTz};
constexpr SqlType kInterval{TypeKind::kInterval};
constexpr SqlType kTime{TypeKind::kTime};
constexpr SqlType kReal{TypeKind::kFloat4};
constexpr SqlType kInteger{TypeKind::kInt4};
constexpr SqlType kDouble{TypeKind::kFloat8};
constexpr SqlType kBigint{TypeKind::kInt8};
constexpr SqlType kNumeric{TypeKind::kNumeric};
constexpr int64_t kMicrosPerSecond = 1'000'000;

int64_t FloorSeconds(int64_t micros) {
  return micros >= 0 ? micros / kMicrosPerSecond
                     : -((-micros + kMicrosPerSecond - 1) / kMicrosPerSecond);
}

Result<Value> ZonedToChar(Arguments args, SessionState& state, Arena& arena) {
  if (!types::IsFinite(args[0].i64)) return Value::Null();
  const auto& zone = state.io_settings().time_zone;
  const auto offset = zone->AtUtc(FloorSeconds(args[0].i64));
  const int64_t local = args[0].i64 + int64_t{offset.seconds_east} * kMicrosPerSecond;
  return Value::String(arena.Copy(FormatDateTime(local, args[1].str(), &offset)));
}

Result<Value> LocalToChar(Arguments args, SessionState&, Arena& arena) {
  if (!types::IsFinite(args[0].i64)) return Value::Null();
  return Value::String(arena.Copy(FormatDateTime(args[0].i64, args[1].str(), nullptr)));
}

Result<Value> IntervalToChar(Arguments args, SessionState&, Arena& arena) {
  if (args[1].str().empty()) return Value::Null();
  OMEN_ASSIGN(const std::string text, FormatInterval(args[0].interval, args[1].str()));
  return Value::String(arena.Copy(text));
}

Result<Value> TimeToChar(Arguments args, SessionState& state, Arena& arena) {
  const Value interval[] = {Value::OfInterval({0, 0, args[0].i64}), args[1]};
  return IntervalToChar(interval, state, arena);
}

// to_number keeps the digits behind the point that were read, and refuses more before it than the
// pattern has.
Result<Value> ToNumber(Arguments args, SessionState& state, Arena& arena) {
  OMEN_ASSIGN(const ReadNumber read, ParseNumber(args[0].str(), args[1].str()));
  OMEN_ASSIGN(Value value, types::ParseText(kNumeric, read.text.empty() ? " " : read.text, arena,
                                            state.io_settings()));
  types::BigNumeric number = types::DecodeBig(value.str());
  if (types::DigitCount(number.units) > read.precision) {
    return Status(sqlstate::kNumericValueOutOfRange, "numeric field overflow")
        .WithDetail("A field with precision " + std::to_string(read.precision) + ", scale " +
                    std::to_string(read.scale) + " must round to an absolute value less than 10^" +
                    std::to_string(read.precision - read.scale) + ".");
  }
  if (read.shifted > 0) {
    OMEN_ASSIGN(const types::BigNumeric factor,
                types::PowerBig(types::BigNumeric::Of(10), types::BigNumeric::Of(-read.shifted)));
    OMEN_ASSIGN(number, types::MultiplyBig(number, factor));
  }
  return types::ToValue(number, arena);
}

Result<Value> NumberToChar(const SqlType& type, Arguments args, Arena& arena) {
  // PostgreSQL takes an integer for a float where it is written with an exponent.
  const std::string_view pattern = args[1].str();
  const bool exponent = pattern.ends_with("EEEE") || pattern.ends_with("eeee");
  std::optional<double> number;
  if (type.kind == TypeKind::kFloat8) number = args[0].f64;
  if (type.kind == TypeKind::kFloat4) number = args[0].f32;
  if (type.kind == TypeKind::kInt4 && exponent) number = args[0].i32;
  if (number) {
    const int digits = type.kind == TypeKind::kFloat4 ? FLT_DIG : DBL_DIG;
    OMEN_ASSIGN(const std::string formatted, FormatNumber(*number, pattern, digits));
    return Value::String(arena.Copy(formatted));
  }
  std::string text;
  types::FormatText(type, args[0], types::IoSettings(), text);
  OMEN_ASSIGN(const std::string formatted, FormatNumber(text, pattern));
  return Value::String(arena.Copy(formatted));
}

Result<Value> ToDate(Arguments args, SessionState&, Arena&) {
  OMEN_ASSIGN(const ReadDateTime read, ParseDateTime(args[0].str(), args[1].str()));
  const int64_t micros = read.micros;
  return Value::Int32(static_cast<int32_t>(FloorSeconds(micros) / 86'400 -
                                           (FloorSeconds(micros) % 86'400 < 0 ? 1 : 0)));
}

Result<Value> TextToTimestamp(Arguments args, SessionState& state, Arena&) {
  OMEN_ASSIGN(const ReadDateTime read, ParseDateTime(args[0].str(), args[1].str()));
  const auto& zone = *state.io_settings().time_zone;
  const int64_t seconds_east =
      read.seconds_east ? *read.seconds_east : zone.AtLocal(FloorSeconds(read.micros)).seconds_east;
  return Value::Int64(read.micros - seconds_east * kMicrosPerSecond);
}

Result<Value> EpochToTimestamp(Arguments args, SessionState&, Arena&) {
  const double micros = args[0].f64 * 1e6;
  if (!(std::fabs(micros) < 9e18)) {
    return Status(sqlstate::kDatetimeFieldOverflow, "timestamp out of range");
  }
  return Value::Int64(static_cast<int64_t>(std::llround(micros)));
}

}  // namespace

void RegisterDateTime(Registry& registry) {
  duckdb::ScalarFunctionSet to_char("to_char");
  AddRowFunction(to_char, {"to_char", {kTimestamp, kText}, kText, LocalToChar});
  AddRowFunction(to_char, {"to_char",
                           {kTimestampTz, kText},
                           kText,
                           ZonedToChar,
                           duckdb::FunctionStability::CONSISTENT_WITHIN_QUERY});
  AddRowFunction(to_char, {"to_char", {kInterval, kText}, kText, IntervalToChar});
  AddRowFunction(to_char, {"to_char", {kTime, kText}, kText, TimeToChar});
  for (const SqlType& type : {kInteger, kBigint, kNumeric, kReal, kDouble}) {
    AddRowFunction(
        to_char,
        {"to_char", {type, kText}, kText, [type](Arguments args, SessionState&, Arena& arena) {
           return NumberToChar(type, args, arena);
         }});
  }
  registry.Replace(std::move(to_char));
  RegisterRowFunction(registry, {"to_number", {kText, kText}, kNumeric, ToNumber});
  RegisterRowFunction(registry, {"to_date", {kText, kText}, kDate, ToDate});
  duckdb::ScalarFunctionSet to_timestamp("to_timestamp");
  AddRowFunction(to_timestamp, {"to_timestamp",
                                {kText, kText},
                                kTimestampTz,
                                TextToTimestamp,
                                duckdb::FunctionStability::CONSISTENT_WITHIN_QUERY});
  AddRowFunction(to_timestamp, {"to_timestamp", {kDouble}, kTimestampTz, EpochToTimestamp});
  registry.Replace(std::move(to_timestamp));
}

}  // namespace omendb::duck
