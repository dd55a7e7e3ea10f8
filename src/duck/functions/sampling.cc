#include "duck/functions/sampling.h"

#include <bit>
#include <cmath>

#include "base/sqlstate.h"
#include "duck/errors.h"

namespace omendb::duck {
namespace {

using duckdb::LogicalType;

// Bits of `value` that depend on all of its bits (the finalizer of SplitMix64).
uint64_t Mixed(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

double ShareOf(float percentage) {
  if (std::isnan(percentage) || percentage < 0 || percentage > 100) {
    ThrowStatus(Status(SqlState("2202H"), "sample percentage must be between 0 and 100"));
  }
  return static_cast<double>(percentage) / 100;
}

bool IsIn(int64_t row_id, int32_t together, double share, double seed) {
  const uint64_t group = static_cast<uint64_t>(row_id) / static_cast<uint64_t>(together);
  const uint64_t bits = Mixed(group ^ Mixed(std::bit_cast<uint64_t>(seed + 0.0)));
  return static_cast<double>(bits >> 11) * 0x1p-53 < share;
}

// `convert` of each value; a NULL is refused.
template <typename From, typename Convert>
void ConvertAll(duckdb::DataChunk& args, duckdb::Vector& result, const Status& null_status,
                const Convert& convert) {
  duckdb::UnifiedVectorFormat format;
  args.data[0].ToUnifiedFormat(args.size(), format);
  auto* values = duckdb::FlatVector::GetData<double>(result);
  for (duckdb::idx_t i = 0; i < args.size(); ++i) {
    const auto cell = format.sel->get_index(i);
    if (!format.validity.RowIsValid(cell)) ThrowStatus(null_status);
    values[i] = convert(duckdb::UnifiedVectorFormat::GetData<From>(format)[cell]);
  }
  if (args.AllConstant()) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

void TakeShares(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  ConvertAll<float>(args, result, Status(SqlState("2202H"), "TABLESAMPLE parameter cannot be null"),
                    ShareOf);
}

void TakeSeeds(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  ConvertAll<double>(args, result,
                     Status(SqlState("2202G"), "TABLESAMPLE REPEATABLE parameter cannot be null"),
                     [](double seed) { return seed; });
}

void TakeRows(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::UnifiedVectorFormat formats[4];
  for (size_t c = 0; c < 4; ++c) args.data[c].ToUnifiedFormat(args.size(), formats[c]);
  const auto value = [&]<typename T>(size_t c, duckdb::idx_t i, T) {
    return duckdb::UnifiedVectorFormat::GetData<T>(formats[c])[formats[c].sel->get_index(i)];
  };
  auto* in = duckdb::FlatVector::GetData<bool>(result);
  for (duckdb::idx_t i = 0; i < args.size(); ++i) {
    in[i] = IsIn(value(0, i, int64_t{}), value(1, i, int32_t{}), value(2, i, double{}),
                 value(3, i, double{}));
  }
  if (args.AllConstant()) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

duckdb::ScalarFunction Function(const char* name, duckdb::vector<LogicalType> arguments,
                                const LogicalType& result, duckdb::scalar_function_t body) {
  duckdb::ScalarFunction function(name, std::move(arguments), result, std::move(body));
  function.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  return function;
}

}  // namespace

void RegisterSampling(Registry& registry) {
  const LogicalType number = LogicalType::DOUBLE;
  registry.Replace(Function("omendb_sample_share", {LogicalType::FLOAT}, number, TakeShares));
  registry.Replace(Function("omendb_sample_seed", {number}, number, TakeSeeds));
  registry.Replace(Function("omendb_in_sample",
                            {LogicalType::BIGINT, LogicalType::INTEGER, number, number},
                            LogicalType::BOOLEAN, TakeRows));
  auto none =
      Function("omendb_no_sample", {}, LogicalType::BOOLEAN, duckdb::ScalarFunction::NopFunction);
  none.bind = [](duckdb::ClientContext&, duckdb::ScalarFunction&,
                 duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>&)
      -> duckdb::unique_ptr<duckdb::FunctionData> {
    ThrowStatus(Status(sqlstate::kWrongObjectType,
                       "TABLESAMPLE clause can only be applied to tables and materialized views"));
  };
  registry.Replace(std::move(none));
}

}  // namespace omendb::duck
