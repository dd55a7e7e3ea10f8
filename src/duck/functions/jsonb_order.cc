#include "duck/functions/jsonb_order.h"

#include "duck/functions/wrap.h"
#include "duck/logical_types.h"
#include "duckdb/planner/collation_binding.hpp"
#include "types/json.h"

namespace omendb::duck {

namespace {

// jsonb -> bytes that are equal for equal values and order as they do.
constexpr const char* kJsonbKey = "omen jsonb key";

void TakeKeys(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  std::string key;
  duckdb::UnaryExecutor::Execute<duckdb::string_t, duckdb::string_t>(
      args.data[0], result, args.size(), [&](duckdb::string_t jsonb) {
        key.clear();
        types::AppendJsonbKey({jsonb.GetData(), jsonb.GetSize()}, key);
        return duckdb::StringVector::AddStringOrBlob(result, key);
      });
}

void TrimNumbers(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::UnaryExecutor::Execute<duckdb::string_t, duckdb::string_t>(
      args.data[0], result, args.size(), [&](duckdb::string_t jsonb) {
        return duckdb::StringVector::AddString(
            result, types::JsonbEqualityForm({jsonb.GetData(), jsonb.GetSize()}));
      });
}

bool PushJsonbKey(duckdb::ClientContext& context, duckdb::unique_ptr<duckdb::Expression>& source,
                  const duckdb::LogicalType& type, duckdb::CollationType) {
  if (!IsJsonb(type)) return false;
  WrapInFunction(context, kJsonbKey, source);
  return true;
}

}  // namespace

void RegisterJsonbOrder(Registry& registry) {
  registry.Replace(
      duckdb::ScalarFunction(kJsonbKey, {JsonbType()}, duckdb::LogicalType::BLOB, TakeKeys));
  registry.Replace(duckdb::ScalarFunction(kJsonbTrim, {JsonbType()}, JsonbType(), TrimNumbers));
  duckdb::CollationBinding::Get(registry.context())
      .RegisterCollation(duckdb::CollationCallback(PushJsonbKey));
}

}  // namespace omendb::duck
