#include "duck/functions/jsonb_order.h"

#include <algorithm>

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/functions/any_function.h"
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

// ---- greatest() and least() -------------------------------------------------------------------

// DuckDB's own, for other types.
struct OtherExtreme : public duckdb::ScalarFunctionInfo {
  explicit OtherExtreme(duckdb::bind_scalar_function_t own_bind) : bind(own_bind) {}
  duckdb::bind_scalar_function_t bind;
};

// The first of several that are equal, as in PostgreSQL; NULLs are left out.
template <bool kGreatest>
void TakeExtreme(duckdb::DataChunk& args, duckdb::ExpressionState&, duckdb::Vector& result) {
  const bool constant = args.AllConstant();
  auto formats = args.ToUnifiedFormat();
  auto* values = duckdb::FlatVector::GetData<duckdb::string_t>(result);
  std::string best;
  std::string key;
  for (duckdb::idx_t row = 0; row < (constant ? 1 : args.size()); ++row) {
    const duckdb::string_t* found = nullptr;
    for (duckdb::idx_t c = 0; c < args.ColumnCount(); ++c) {
      const auto cell = formats[c].sel->get_index(row);
      if (!formats[c].validity.RowIsValid(cell)) continue;
      const auto& jsonb = duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(formats[c])[cell];
      key.clear();
      types::AppendJsonbKey({jsonb.GetData(), jsonb.GetSize()}, key);
      if (found != nullptr && (kGreatest ? key <= best : key >= best)) continue;
      found = &jsonb;
      best.swap(key);
    }
    if (found == nullptr) {
      duckdb::FlatVector::SetNull(result, row, true);
    } else {
      values[row] = duckdb::StringVector::AddString(result, *found);
    }
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

// Literals and NULLs become jsonb beside one; other types do not.
void CheckAllJsonb(const std::string& name,
                   const duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  std::vector<types::SqlType> given;
  for (const auto& argument : arguments) {
    const types::SqlType type = GivenType(*argument);
    if (type.kind != types::TypeKind::kUnknown) given.push_back(type);
  }
  for (types::SqlType type : given) {
    if (type == given[0]) continue;
    type.typmod = given[0].typmod = -1;
    ThrowStatus(Status(sqlstate::kDatatypeMismatch,
                       duckdb::StringUtil::Upper(name) + " types " + types::FormatType(given[0]) +
                           " and " + types::FormatType(type) + " cannot be matched"));
  }
}

duckdb::unique_ptr<duckdb::FunctionData> BindExtreme(
    duckdb::ClientContext& context, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  const bool has_jsonb = std::any_of(arguments.begin(), arguments.end(), [](const auto& argument) {
    return IsJsonb(argument->return_type);
  });
  if (!has_jsonb) {
    return function.function_info->Cast<OtherExtreme>().bind(context, function, arguments);
  }
  CheckAllJsonb(function.name, arguments);
  function.function = function.name == "greatest" ? TakeExtreme<true> : TakeExtreme<false>;
  function.arguments[0] = function.varargs = function.return_type = JsonbType();
  return nullptr;
}

void ReplaceExtreme(Registry& registry, const char* name) {
  duckdb::ScalarFunctionSet set(name);
  for (duckdb::ScalarFunction& function : registry.Existing(name).functions) {
    function.function_info = duckdb::make_shared_ptr<OtherExtreme>(function.bind);
    function.bind = BindExtreme;
    set.AddFunction(std::move(function));
  }
  registry.Replace(std::move(set));
}

}  // namespace

void RegisterJsonbOrder(Registry& registry) {
  registry.Replace(
      duckdb::ScalarFunction(kJsonbKey, {JsonbType()}, duckdb::LogicalType::BLOB, TakeKeys));
  registry.Replace(duckdb::ScalarFunction(kJsonbTrim, {JsonbType()}, JsonbType(), TrimNumbers));
  duckdb::CollationBinding::Get(registry.context())
      .RegisterCollation(duckdb::CollationCallback(PushJsonbKey));
  ReplaceExtreme(registry, "greatest");
  ReplaceExtreme(registry, "least");
}

}  // namespace omendb::duck
