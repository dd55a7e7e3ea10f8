#include "duck/functions/date_part.h"

#include <algorithm>
#include <limits>

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/functions/any_function.h"
#include "duck/functions/date_fields.h"
#include "duck/functions/row_function.h"
#include "duck/logical_types.h"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "types/calendar.h"
#include "types/datetime_math.h"

namespace omendb::duck {

namespace {

using types::Arena;
using types::Int128;
using types::SqlType;
using types::TypeKind;
using types::Value;
using Arguments = std::span<const Value>;

constexpr SqlType kText{TypeKind::kText};
constexpr SqlType kDouble{TypeKind::kFloat8};
constexpr SqlType kTimestampTz{TypeKind::kTimestampTz};
constexpr TypeKind kSources[] = {TypeKind::kDate, TypeKind::kTimestamp, TypeKind::kTimestampTz,
                                 TypeKind::kTime, TypeKind::kInterval};

struct Part {
  Int128 units = 0;
  enum { kFinite, kNull, kInfinite } state = kFinite;
  bool negative = false;  // Of an infinite one.
};

Part Infinite(DateField field, bool negative) {
  return {0, GrowsForever(field) ? Part::kInfinite : Part::kNull, negative};
}

Part PartOf(DateField field, const SqlType& type, const Value& value, int scale,
            const types::TimeZone& zone) {
  switch (type.kind) {
    case TypeKind::kDate:
      if (!types::IsFiniteDate(value.i32)) return Infinite(field, value.i32 < 0);
      return {FieldOfTimestamp(field, int64_t{value.i32} * types::kMicrosPerDay, scale, 0)};
    case TypeKind::kTime:
      return {FieldOfTime(field, value.i64, scale)};
    case TypeKind::kInterval:
      return {FieldOfInterval(field, value.interval, scale)};
    default:
      break;
  }
  if (!types::IsFinite(value.i64)) return Infinite(field, value.i64 < 0);
  if (type.kind == TypeKind::kTimestamp) return {FieldOfTimestamp(field, value.i64, scale, 0)};
  const int32_t east = zone.AtUtc(types::FloorDiv(value.i64, types::kMicrosPerSecond)).seconds_east;
  return {FieldOfTimestamp(field, value.i64 + east * types::kMicrosPerSecond, scale, east)};
}

// date_part as it is declared: the field is any text, the answer a double.
Result<Value> DatePart(const SqlType& type, Arguments args, SessionState& state) {
  // A date is a timestamp here, with a clock at midnight.
  const SqlType seen = type.kind == TypeKind::kDate ? SqlType{TypeKind::kTimestamp} : type;
  OMEN_ASSIGN(const DateField field, DateFieldFor(args[0].str(), seen));
  const int scale = field == DateField::kJulian ? 12 : DateFieldScale(field, seen);
  Value value = args[1];
  if (type.kind == TypeKind::kDate) {
    OMEN_ASSIGN(const int64_t timestamp, types::DateToTimestamp(value.i32));
    value = Value::Int64(timestamp);
  }
  const Part part = PartOf(field, seen, value, scale, *state.io_settings().time_zone);
  if (part.state == Part::kNull) return Value::Null();
  if (part.state == Part::kInfinite) {
    const double infinity = std::numeric_limits<double>::infinity();
    return Value::Float64(part.negative ? -infinity : infinity);
  }
  double divisor = 1;
  for (int i = 0; i < scale; ++i) divisor *= 10;
  return Value::Float64(static_cast<double>(part.units) / divisor);
}

// ---- EXTRACT: the field is known when it is bound, the answer exact
// ------------------------------

struct ExtractData : public duckdb::FunctionData {
  ExtractData(DateField f, SqlType t, int s) : field(f), type(t), scale(s) {}
  DateField field;
  SqlType type;
  int scale;
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<ExtractData>(field, type, scale);
  }
  bool Equals(const duckdb::FunctionData& other) const override {
    const auto& data = other.Cast<ExtractData>();
    return data.field == field && data.type == type;
  }
};

template <typename T>
T Units(Int128 units) {
  if constexpr (std::is_same_v<T, int64_t>) {
    return static_cast<int64_t>(units);
  } else {
    return duckdb::hugeint_t(static_cast<int64_t>(units >> 64), static_cast<uint64_t>(units));
  }
}

template <typename IN, typename OUT>
void Extract(duckdb::DataChunk& args, duckdb::ExpressionState& state, duckdb::Vector& result) {
  const auto& data =
      state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info->Cast<ExtractData>();
  const types::TimeZone& zone = *SessionState::Get(state.GetContext()).io_settings().time_zone;
  const types::PhysicalType physical = types::PhysicalTypeOf(data.type);
  duckdb::UnaryExecutor::ExecuteWithNulls<IN, OUT>(
      args.data[1], result, args.size(),
      [&](const IN& input, duckdb::ValidityMask& mask, duckdb::idx_t row) {
        const Part part =
            PartOf(data.field, data.type, types::LoadCell(physical, &input), data.scale, zone);
        if (part.state == Part::kInfinite) {
          ThrowStatus(NotSupported("an infinite numeric"));
        }
        if (part.state == Part::kNull) mask.SetInvalid(row);
        return Units<OUT>(part.units);
      });
}

template <typename OUT>
duckdb::scalar_function_t ExtractFrom(const SqlType& type) {
  switch (type.kind) {
    case TypeKind::kDate:
      return Extract<duckdb::date_t, OUT>;
    case TypeKind::kTime:
      return Extract<duckdb::dtime_t, OUT>;
    case TypeKind::kInterval:
      return Extract<duckdb::interval_t, OUT>;
    default:
      return Extract<duckdb::timestamp_t, OUT>;
  }
}

duckdb::unique_ptr<duckdb::FunctionData> BindExtract(
    duckdb::ClientContext& context, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  const auto& name = arguments[0]->Cast<duckdb::BoundConstantExpression>();
  SqlType type = GivenType(*arguments[1]);
  type.typmod = -1;
  const bool unknown = type.kind == TypeKind::kUnknown && !type.is_array;
  if (unknown) type = kTimestampTz;
  if (std::find(std::begin(kSources), std::end(kSources), type.kind) == std::end(kSources)) {
    ThrowStatus(NoSuchFunction("pg_catalog.extract", {"unknown", GivenTypeName(*arguments[1])}));
  }
  const DateField field = ValueOrThrow(DateFieldFor(name.value.ToString(), type));
  const int scale = DateFieldScale(field, type);
  const int width = scale == 20 ? 38 : field == DateField::kEpoch ? 20 : 18;
  function.arguments = {duckdb::LogicalType::VARCHAR, ToLogicalType(type)};
  if (unknown) {
    arguments[1] = duckdb::BoundCastExpression::AddCastToType(context, std::move(arguments[1]),
                                                              function.arguments[1]);
  }
  function.return_type =
      duckdb::LogicalType::DECIMAL(static_cast<uint8_t>(width), static_cast<uint8_t>(scale));
  function.function =
      width > 18 ? ExtractFrom<duckdb::hugeint_t>(type) : ExtractFrom<int64_t>(type);
  return duckdb::make_uniq<ExtractData>(field, type, scale);
}

// ---- date_trunc
// ----------------------------------------------------------------------------------

Result<int64_t> TruncInZone(DateField field, int64_t instant, const types::TimeZone& zone) {
  if (!types::IsFinite(instant)) return instant;
  OMEN_ASSIGN(const int64_t local, types::UtcToLocal(instant, zone));
  const int64_t cut = TruncTimestamp(field, local);
  // Within a day the offset stays as it is.
  if (field <= DateField::kHour) return instant - (local - cut);
  return types::LocalToUtc(cut, zone);
}

Result<int64_t> TruncDate(DateField field, int32_t date, const types::TimeZone& zone) {
  OMEN_ASSIGN(const int64_t local, types::DateToTimestamp(date));
  if (!types::IsFinite(local)) return local;
  return types::LocalToUtc(TruncTimestamp(field, local), zone);
}

// Vectorized: grouping by date_trunc() is what analytics does. The field is looked up once.
template <TypeKind KIND, typename IN>
void Trunc(duckdb::DataChunk& args, duckdb::ExpressionState& state, duckdb::Vector& result) {
  const types::TimeZone& zone = *SessionState::Get(state.GetContext()).io_settings().time_zone;
  const SqlType type = KIND == TypeKind::kDate ? kTimestampTz : SqlType{KIND};
  std::string last;
  DateField field = DateField::kDay;
  duckdb::BinaryExecutor::Execute<duckdb::string_t, IN, duckdb::timestamp_t>(
      args.data[0], args.data[1], result, args.size(),
      [&](const duckdb::string_t& name, const IN& input) {
        const std::string_view text(name.GetData(), name.GetSize());
        if (last.empty() || text != last) {
          field = ValueOrThrow(TruncField(text, type));
          last = text;
        }
        if constexpr (KIND == TypeKind::kDate) {
          return duckdb::timestamp_t(ValueOrThrow(TruncDate(field, input.days, zone)));
        } else if constexpr (KIND == TypeKind::kTimestamp) {
          return types::IsFinite(input.value)
                     ? duckdb::timestamp_t(TruncTimestamp(field, input.value))
                     : input;
        } else {
          return duckdb::timestamp_t(ValueOrThrow(TruncInZone(field, input.value, zone)));
        }
      });
}

Result<Value> TruncOfInterval(Arguments args, SessionState&, Arena&) {
  OMEN_ASSIGN(const DateField field, TruncField(args[0].str(), {TypeKind::kInterval}));
  return Value::OfInterval(TruncInterval(field, args[1].interval));
}

Result<Value> TruncInNamedZone(Arguments args, SessionState&, Arena&) {
  OMEN_ASSIGN(const DateField field, TruncField(args[0].str(), kTimestampTz));
  OMEN_ASSIGN(const auto zone, types::TimeZone::Find(args[2].str()));
  OMEN_ASSIGN(const int64_t cut, TruncInZone(field, args[1].i64, *zone));
  return Value::Int64(cut);
}

// DuckDB's optimizer turns comparisons of what is called date_trunc into ranges, by its own rules
// for dates and time zones.
duckdb::unique_ptr<duckdb::FunctionData> HideFromOptimizer(
    duckdb::ClientContext&, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>&) {
  function.name = "omendb_date_trunc";
  return nullptr;
}

void RegisterTrunc(Registry& registry) {
  const duckdb::LogicalType text = duckdb::LogicalType::VARCHAR;
  const duckdb::LogicalType timestamp = duckdb::LogicalType::TIMESTAMP;
  const duckdb::LogicalType zoned = duckdb::LogicalType::TIMESTAMP_TZ;
  duckdb::ScalarFunctionSet set("date_trunc");
  set.AddFunction({{text, timestamp}, timestamp, Trunc<TypeKind::kTimestamp, duckdb::timestamp_t>});
  set.AddFunction({{text, zoned}, zoned, Trunc<TypeKind::kTimestampTz, duckdb::timestamp_t>});
  set.AddFunction(
      {{text, duckdb::LogicalType::DATE}, zoned, Trunc<TypeKind::kDate, duckdb::date_t>});
  for (duckdb::ScalarFunction& function : set.functions) {
    if (function.arguments[1] != timestamp) function.bind = HideFromOptimizer;
    function.stability = duckdb::FunctionStability::CONSISTENT_WITHIN_QUERY;
    function.errors = duckdb::FunctionErrors::CAN_THROW_RUNTIME_ERROR;
  }
  AddRowFunction(
      set, {"date_trunc", {kText, {TypeKind::kInterval}}, {TypeKind::kInterval}, TruncOfInterval});
  AddRowFunction(set, {"date_trunc", {kText, kTimestampTz, kText}, kTimestampTz, TruncInNamedZone});
  registry.Replace(std::move(set));
}

}  // namespace

void RegisterDateParts(Registry& registry) {
  const auto stable = duckdb::FunctionStability::CONSISTENT_WITHIN_QUERY;
  // The rewriter names the second: DuckDB's optimizer takes the first for its own.
  for (const char* name : {"date_part", "omendb_date_part"}) {
    duckdb::ScalarFunctionSet date_part(name);
    for (const TypeKind kind : kSources) {
      const SqlType type{kind};
      AddRowFunction(date_part, {name,
                                 {kText, type},
                                 kDouble,
                                 [type](Arguments args, SessionState& state, Arena&) {
                                   return DatePart(type, args, state);
                                 },
                                 stable});
    }
    registry.Replace(std::move(date_part));
  }
  RegisterTrunc(registry);
  duckdb::ScalarFunction extract("omendb_extract",
                                 {duckdb::LogicalType::VARCHAR, duckdb::LogicalType::ANY},
                                 duckdb::LogicalType::ANY, nullptr, BindExtract);
  extract.stability = stable;
  registry.Replace(std::move(extract));
}

}  // namespace omendb::duck
