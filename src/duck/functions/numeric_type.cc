#include "duck/functions/numeric_type.h"

#include "duck/errors.h"
#include "duck/functions/wrap.h"
#include "duck/logical_types.h"
#include "duckdb/planner/collation_binding.hpp"
#include "types/big_math.h"
#include "types/casts.h"

namespace omendb::duck {

namespace {

using duckdb::LogicalType;
using types::SqlType;

// A number becomes a numeric rather than a double where a function takes both, and an integer
// neither if it can stay one.
constexpr int64_t kExactCost = 50;
constexpr int64_t kIntegerCost = 107;
constexpr int64_t kDoubleCost = 104;
constexpr int64_t kNotImplicit = -1;

struct NumericCastData : public duckdb::BoundCastData {
  NumericCastData(SqlType f, SqlType t) : from(f), to(t) {}
  SqlType from;
  SqlType to;
  duckdb::unique_ptr<duckdb::BoundCastData> Copy() const override {
    return duckdb::make_uniq<NumericCastData>(from, to);
  }
};

bool CastCells(duckdb::Vector& source, duckdb::Vector& result, duckdb::idx_t count,
               duckdb::CastParameters& parameters) {
  const auto& data = parameters.cast_data->Cast<NumericCastData>();
  const bool constant = source.GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR;
  duckdb::UnifiedVectorFormat format;
  source.ToUnifiedFormat(count, format);
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  const types::PhysicalType physical = types::PhysicalTypeOf(data.from);
  types::Arena arena;
  bool all_cast = true;
  for (duckdb::idx_t i = 0; i < (constant ? 1 : count); ++i) {
    const types::Value value = LoadVectorCell(format, physical, i);
    auto cast =
        types::CastValue(data.from, data.to, value, arena, types::CastContext::kExplicit, {});
    if (cast.ok()) {
      StoreVectorCell(result, i, data.to, *cast);
    } else {
      if (parameters.error_message == nullptr) ThrowStatus(cast.status());
      if (parameters.error_message->empty()) {
        *parameters.error_message = cast.status().error().message;
      }
      duckdb::FlatVector::SetNull(result, i, true);
      all_cast = false;
    }
    if (i % 256 == 255) arena.Reset();
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
  return all_cast;
}

duckdb::BoundCastInfo BindCast(duckdb::BindCastInput&, const LogicalType& source,
                               const LogicalType& target) {
  return duckdb::BoundCastInfo(
      CastCells, duckdb::make_uniq<NumericCastData>(ToSqlType(source), ToSqlType(target)));
}

void TakeKeys(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::UnaryExecutor::Execute<duckdb::string_t, duckdb::string_t>(
      args.data[0], result, args.size(), [&](duckdb::string_t bytes) {
        const std::string_view key = types::BigKey({bytes.GetData(), bytes.GetSize()});
        return duckdb::StringVector::AddStringOrBlob(result, key.data(), key.size());
      });
}

void TrimScales(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  std::string trimmed;
  duckdb::UnaryExecutor::Execute<duckdb::string_t, duckdb::string_t>(
      args.data[0], result, args.size(), [&](duckdb::string_t bytes) {
        trimmed.clear();
        types::AppendBigBytes(
            types::TrimScale(types::DecodeBig({bytes.GetData(), bytes.GetSize()})), trimmed);
        return duckdb::StringVector::AddStringOrBlob(result, trimmed);
      });
}

bool PushNumericKey(duckdb::ClientContext& context, duckdb::unique_ptr<duckdb::Expression>& source,
                    const LogicalType& type, duckdb::CollationType) {
  if (!IsBigNumeric(type)) return false;
  WrapInFunction(context, kNumericKey, source);
  return true;
}

}  // namespace

void RegisterNumericType(Registry& registry) {
  const LogicalType numeric = BigNumericType();
  const LogicalType decimal(duckdb::LogicalTypeId::DECIMAL);
  registry.CastBind(decimal, numeric, BindCast, kExactCost);
  registry.CastBind(LogicalType::HUGEINT, numeric, BindCast, kExactCost);
  registry.CastBind(numeric, decimal, BindCast, kNotImplicit);
  for (const LogicalType& integer :
       std::vector<LogicalType>{LogicalType::SMALLINT, LogicalType::INTEGER, LogicalType::BIGINT}) {
    registry.CastBind(integer, numeric, BindCast, kIntegerCost);
    registry.CastBind(numeric, integer, BindCast, kNotImplicit);
  }
  registry.CastBind(LogicalType::FLOAT, numeric, BindCast, kNotImplicit);
  registry.CastBind(LogicalType::DOUBLE, numeric, BindCast, kNotImplicit);
  registry.CastBind(numeric, LogicalType::FLOAT, BindCast, kNotImplicit);
  registry.CastBind(numeric, LogicalType::DOUBLE, BindCast, kDoubleCost);
  registry.CastBind(JsonbType(), numeric, BindCast, kNotImplicit);

  registry.Replace(duckdb::ScalarFunction(kNumericKey, {numeric}, LogicalType::BLOB, TakeKeys));
  registry.Replace(duckdb::ScalarFunction(kNumericTrim, {numeric}, numeric, TrimScales));
  duckdb::CollationBinding::Get(registry.context())
      .RegisterCollation(duckdb::CollationCallback(PushNumericKey));
}

}  // namespace omendb::duck
