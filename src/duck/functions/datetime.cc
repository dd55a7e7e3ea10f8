#include "duck/functions/datetime.h"

#include <cmath>

#include "base/sqlstate.h"
#include "duck/functions/date_format.h"
#include "duck/functions/number_format.h"
#include "duck/functions/row_function.h"

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
constexpr SqlType kDouble{TypeKind::kFloat8};
constexpr SqlType kBigint{TypeKind::kInt8};
constexpr SqlType kNumeric{TypeKind::kNumeric};
constexpr int64_t kMicrosPerSecond = 1'000'000;

int64_t FloorSeconds(int64_t micros) {
  return micros >= 0 ? micros / kMicrosPerSecond
                     : -((-micros + kMicrosPerSecond - 1) / kMicrosPerSecond);
}

Result<Value> ZonedToChar(Arguments args, SessionState& state, Arena& arena) {
  const auto& zone = state.io_settings().time_zone;
  const auto offset = zone->AtUtc(FloorSeconds(args[0].i64));
  const int64_t local = args[0].i64 + int64_t{offset.seconds_east} * kMicrosPerSecond;
  return Value::String(arena.Copy(FormatDateTime(local, args[1].str(), &offset)));
}

Result<Value> LocalToChar(Arguments args, SessionState&, Arena& arena) {
  return Value::String(arena.Copy(FormatDateTime(args[0].i64, args[1].str(), nullptr)));
}

Result<Value> NumberToChar(const SqlType& type, Arguments args, Arena& arena) {
  std::string text;
  types::FormatText(type, args[0], types::IoSettings(), text);
  OMEN_ASSIGN(const std::string formatted, FormatNumber(text, args[1].str()));
  return Value::String(arena.Copy(formatted));
}

Result<Value> ToDate(Arguments args, SessionState&, Arena&) {
  OMEN_ASSIGN(const int64_t micros, ParseDateTime(args[0].str(), args[1].str()));
  return Value::Int32(static_cast<int32_t>(FloorSeconds(micros) / 86'400 -
                                           (FloorSeconds(micros) % 86'400 < 0 ? 1 : 0)));
}

Result<Value> TextToTimestamp(Arguments args, SessionState& state, Arena&) {
  OMEN_ASSIGN(const int64_t local, ParseDateTime(args[0].str(), args[1].str()));
  const auto offset = state.io_settings().time_zone->AtLocal(FloorSeconds(local));
  return Value::Int64(local - int64_t{offset.seconds_east} * kMicrosPerSecond);
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
  for (const SqlType& type : {kBigint, kNumeric, kDouble}) {
    AddRowFunction(
        to_char,
        {"to_char", {type, kText}, kText, [type](Arguments args, SessionState&, Arena& arena) {
           return NumberToChar(type, args, arena);
         }});
  }
  registry.Replace(std::move(to_char));
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
