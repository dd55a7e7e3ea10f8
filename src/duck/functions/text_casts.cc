#include "duck/functions/text_casts.h"

#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duck/session_state.h"
#include "duckdb/function/cast/default_casts.hpp"
#include "types/calendar.h"
#include "types/json.h"
#include "types/text_io.h"

namespace omendb::duck {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;

// Nothing becomes text unasked: array_extract of a list would take it for a string.
constexpr int64_t kNotImplicit = -1;
constexpr int64_t kAliasCost = 1;
constexpr int64_t kAliasTextCost = 20;
constexpr int64_t kOidCost = 500;

struct TextCastData : public duckdb::BoundCastData {
  TextCastData(types::SqlType t, types::IoSettings s) : type(t), settings(std::move(s)) {}
  types::SqlType type;
  types::IoSettings settings;
  duckdb::unique_ptr<duckdb::BoundCastData> Copy() const override {
    return duckdb::make_uniq<TextCastData>(type, settings);
  }
};

types::IoSettings SettingsOf(duckdb::BindCastInput& input) {
  if (!input.context) return {};
  SessionState* state = SessionState::TryGet(*input.context);
  return state == nullptr ? types::IoSettings() : state->io_settings();
}

// Rows of a cast: once for a constant, else all.
duckdb::idx_t Prepare(duckdb::Vector& source, duckdb::Vector& result, duckdb::idx_t count,
                      bool& constant) {
  constant = source.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR;
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  return constant ? 1 : count;
}

bool FormatCells(duckdb::Vector& source, duckdb::Vector& result, duckdb::idx_t count,
                 duckdb::CastParameters& parameters) {
  const auto& data = parameters.cast_data->Cast<TextCastData>();
  bool constant = false;
  const duckdb::idx_t rows = Prepare(source, result, count, constant);
  duckdb::UnifiedVectorFormat format;
  source.ToUnifiedFormat(count, format);
  duckdb::UnifiedVectorFormat child;
  const std::optional<types::SqlType> element = ElementOf(data.type);
  if (element) {
    duckdb::ListVector::GetEntry(source).ToUnifiedFormat(duckdb::ListVector::GetListSize(source),
                                                         child);
  }
  types::Arena arena;
  std::string text;
  for (duckdb::idx_t i = 0; i < rows; ++i) {
    const auto cell = format.sel->get_index(i);
    if (!format.validity.RowIsValid(cell)) {
      duckdb::FlatVector::SetNull(result, i, true);
      continue;
    }
    const types::Value value =
        element
            ? EncodeList(duckdb::ListVector::GetEntry(source), child,
                         duckdb::UnifiedVectorFormat::GetData<duckdb::list_entry_t>(format)[cell],
                         *element, arena)
            : LoadVectorCell(format, types::PhysicalTypeOf(data.type), i);
    text.clear();
    types::FormatText(data.type, value, data.settings, text);
    duckdb::FlatVector::GetData<duckdb::string_t>(result)[i] =
        duckdb::StringVector::AddString(result, text);
    if (i % 256 == 255) arena.Reset();
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  return true;
}

bool ParseCells(duckdb::Vector& source, duckdb::Vector& result, duckdb::idx_t count,
                duckdb::CastParameters& parameters) {
  const auto& data = parameters.cast_data->Cast<TextCastData>();
  bool constant = false;
  const duckdb::idx_t rows = Prepare(source, result, count, constant);
  duckdb::UnifiedVectorFormat format;
  source.ToUnifiedFormat(count, format);
  types::Arena arena;
  bool all_read = true;
  for (duckdb::idx_t i = 0; i < rows; ++i) {
    const types::Value text = LoadVectorCell(format, types::PhysicalType::kString, i);
    if (text.is_null) {
      duckdb::FlatVector::SetNull(result, i, true);
      continue;
    }
    auto value = types::ParseText(data.type, text.str(), arena, data.settings);
    if (!value.ok()) {
      if (parameters.error_message == nullptr) ThrowStatus(value.status());
      if (parameters.error_message->empty()) {
        *parameters.error_message = value.status().error().message;
      }
      duckdb::FlatVector::SetNull(result, i, true);
      all_read = false;
      continue;
    }
    StoreVectorCell(result, i, data.type, *value);
    if (i % 256 == 255) arena.Reset();
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  return all_read;
}

duckdb::BoundCastInfo DefaultCast(duckdb::BindCastInput& input, const LogicalType& source,
                                  const LogicalType& target) {
  return duckdb::DefaultCasts::GetDefaultCastFunction(input, source, target);
}

duckdb::BoundCastInfo BindFormat(duckdb::BindCastInput& input, const LogicalType& source,
                                 const LogicalType& target) {
  const types::SqlType type = ToSqlType(source);
  // Lists of what has no type of ours keep DuckDB's form.
  if (ToLogicalType(type) != source) return DefaultCast(input, source, target);
  return duckdb::BoundCastInfo(FormatCells,
                               duckdb::make_uniq<TextCastData>(type, SettingsOf(input)));
}

duckdb::BoundCastInfo BindParse(duckdb::BindCastInput& input, const LogicalType& source,
                                const LogicalType& target) {
  const types::SqlType type = ToSqlType(target);
  if (ToLogicalType(type) != target) return DefaultCast(input, source, target);
  return duckdb::BoundCastInfo(ParseCells,
                               duckdb::make_uniq<TextCastData>(type, SettingsOf(input)));
}

bool TimeToInterval(duckdb::Vector& source, duckdb::Vector& result, duckdb::idx_t count,
                    duckdb::CastParameters&) {
  duckdb::UnaryExecutor::Execute<duckdb::dtime_t, duckdb::interval_t>(
      source, result, count, [](duckdb::dtime_t time) {
        return duckdb::interval_t{0, 0, time.micros};
      });
  return true;
}

// What is left of the day.
bool IntervalToTime(duckdb::Vector& source, duckdb::Vector& result, duckdb::idx_t count,
                    duckdb::CastParameters&) {
  duckdb::UnaryExecutor::Execute<duckdb::interval_t, duckdb::dtime_t>(
      source, result, count, [](duckdb::interval_t interval) {
        const int64_t rest = interval.micros % types::kMicrosPerDay;
        return duckdb::dtime_t(rest < 0 ? rest + types::kMicrosPerDay : rest);
      });
  return true;
}

}  // namespace

void FormatAs(const types::SqlType& type, duckdb::BoundCastInfo& cast) {
  if (cast.function == FormatCells) cast.cast_data->Cast<TextCastData>().type = type;
}

void RegisterTextCasts(Registry& registry) {
  const LogicalType text = LogicalType::VARCHAR;
  const LogicalType bpchar = BpcharType(-1);
  const LogicalType list = LogicalType::LIST(LogicalType::ANY);
  for (const LogicalType& type : std::vector<LogicalType>{
           LogicalType::FLOAT, LogicalType::DOUBLE, LogicalType::INTERVAL, LogicalType::BLOB,
           LogicalType::TIMESTAMP_TZ, LogicalType::DATE, LogicalType::TIME, LogicalType::TIMESTAMP,
           list, LogicalType(LogicalTypeId::DECIMAL), BigNumericType()}) {
    for (const LogicalType& to : {text, bpchar}) {
      registry.CastBind(type, to, BindFormat, kNotImplicit);
    }
  }
  registry.CastBind(text, BigNumericType(), BindParse);
  registry.CastBind(bpchar, BigNumericType(), BindParse, kNotImplicit);
  for (const LogicalType& type : std::vector<LogicalType>{
           LogicalType::BOOLEAN, LogicalType::SMALLINT, LogicalType::INTEGER, LogicalType::BIGINT,
           LogicalType::FLOAT, LogicalType::DOUBLE, LogicalType::INTERVAL, LogicalType::BLOB,
           LogicalType::DATE, LogicalType::TIME, LogicalType::TIMESTAMP, LogicalType::TIMESTAMP_TZ,
           LogicalType::UUID, list}) {
    registry.CastBind(text, type, BindParse);
    registry.CastBind(bpchar, type, BindParse, kNotImplicit);
  }

  registry.Cast(LogicalType::TIME, LogicalType::INTERVAL, duckdb::BoundCastInfo(TimeToInterval));
  registry.Cast(LogicalType::INTERVAL, LogicalType::TIME, duckdb::BoundCastInfo(IntervalToTime));

  const LogicalType json = LogicalType::JSON();
  const LogicalType jsonb = JsonbType();
  registry.Cast(jsonb, text, duckdb::DefaultCasts::ReinterpretCast, kAliasTextCost);
  registry.Cast(jsonb, json, duckdb::DefaultCasts::ReinterpretCast, kAliasCost);
  registry.CastBind(text, jsonb, BindParse);
  registry.CastBind(bpchar, jsonb, BindParse, kNotImplicit);
  registry.CastBind(json, jsonb, BindParse, kAliasCost);

  const LogicalType oid = LogicalType::UINTEGER;
  for (const types::TypeKind kind : {types::TypeKind::kRegclass, types::TypeKind::kRegtype,
                                     types::TypeKind::kRegproc, types::TypeKind::kRegnamespace}) {
    const LogicalType reg = ToLogicalType({kind});
    registry.Cast(reg, oid, duckdb::DefaultCasts::ReinterpretCast, kAliasCost);
    registry.Cast(oid, reg, duckdb::DefaultCasts::ReinterpretCast, kAliasCost);
    registry.CastBind(
        reg, LogicalType::BIGINT,
        [](duckdb::BindCastInput& input, const LogicalType&, const LogicalType& target) {
          return DefaultCast(input, LogicalType::UINTEGER, target);
        },
        kAliasCost + 1);
  }
  registry.CastBind(LogicalType::INTEGER, oid, DefaultCast, kOidCost);
  registry.CastBind(LogicalType::BIGINT, oid, DefaultCast, kOidCost);
}

}  // namespace omendb::duck
