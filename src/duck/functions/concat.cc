#include "duck/functions/concat.h"

#include "duck/errors.h"
#include "duck/functions/any_function.h"
#include "duck/functions/array_functions.h"
#include "duck/functions/json_functions.h"

namespace omendb::duck {

namespace {

using duckdb::LogicalType;
using types::Arena;
using types::SqlType;
using types::TypeKind;
using types::Value;
using Arguments = duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>;

struct ConcatInfo : public duckdb::ScalarFunctionInfo {
  explicit ConcatInfo(duckdb::ScalarFunction f) : existing(std::move(f)) {}
  duckdb::ScalarFunction existing;
};

// bytea || bytea; a literal beside one is one, too: '\x00' is a byte and not four characters.
AnyFunction ByteConcat() {
  AnyFunction function{"||", 2, 2, nullptr, nullptr};
  function.resolve = [](const std::vector<SqlType>&) -> std::optional<AnySignature> {
    const SqlType bytea{TypeKind::kBytea};
    return AnySignature{{bytea, bytea}, bytea};
  };
  function.body = [](std::span<const Value> args, const AnySignature&, SessionState&,
                     Arena& arena) -> Result<Value> {
    std::string bytes(args[0].str());
    bytes += args[1].str();
    return Value::String(arena.Copy(bytes));
  };
  return function;
}

bool IsByteConcat(const SqlType& left, const SqlType& right) {
  const auto fits = [](const SqlType& type) {
    return type.kind == TypeKind::kBytea || type.kind == TypeKind::kUnknown;
  };
  return fits(left) && fits(right) &&
         (left.kind == TypeKind::kBytea || right.kind == TypeKind::kBytea);
}

duckdb::unique_ptr<duckdb::FunctionData> BindConcat(duckdb::ClientContext& context,
                                                    duckdb::ScalarFunction& function,
                                                    Arguments& arguments) {
  const SqlType left = GivenType(*arguments[0]);
  const SqlType right = GivenType(*arguments[1]);
  if (left.is_array || right.is_array) {
    return BindAnyFunction(context, ArrayConcat(), function, arguments);
  }
  if (left.kind == TypeKind::kJsonb || right.kind == TypeKind::kJsonb) {
    const SqlType& other = left.kind == TypeKind::kJsonb ? right : left;
    if (other.kind == TypeKind::kJsonb || other.kind == TypeKind::kUnknown) {
      return BindAnyFunction(context, JsonbConcat(), function, arguments);
    }
  }
  if (IsByteConcat(left, right)) {
    return BindAnyFunction(context, ByteConcat(), function, arguments);
  }
  auto info =
      duckdb::shared_ptr_cast<duckdb::ScalarFunctionInfo, ConcatInfo>(function.function_info);
  function = info->existing;
  return function.bind != nullptr ? function.bind(context, function, arguments) : nullptr;
}

AnySignature TextOf(const std::vector<SqlType>& given) {
  AnySignature signature{given, {TypeKind::kText}};
  for (SqlType& type : signature.arguments) {
    if (type.kind == TypeKind::kUnknown) type = {TypeKind::kText};
  }
  return signature;
}

// What concat() shows of each argument; nothing of NULLs.
Result<Value> Concat(std::span<const Value> args, const AnySignature& signature,
                     SessionState& state, Arena& arena) {
  std::string out;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i].is_null) continue;
    types::FormatText(signature.arguments[i], args[i], state.io_settings(), out);
  }
  return Value::String(arena.Copy(out));
}

Result<Value> ConcatWithSeparator(std::span<const Value> args, const AnySignature& signature,
                                  SessionState& state, Arena& arena) {
  if (args[0].is_null) return Value::Null();
  std::string out;
  bool first = true;
  for (size_t i = 1; i < args.size(); ++i) {
    if (args[i].is_null) continue;
    if (!first) out += args[0].str();
    first = false;
    types::FormatText(signature.arguments[i], args[i], state.io_settings(), out);
  }
  return Value::String(arena.Copy(out));
}

Result<Value> CountNulls(std::span<const Value> args, bool nulls) {
  int32_t count = 0;
  for (const Value& value : args) count += value.is_null == nulls ? 1 : 0;
  return Value::Int32(count);
}

}  // namespace

void RegisterConcat(Registry& registry) {
  duckdb::ScalarFunctionSet existing = registry.Existing("||");
  duckdb::ScalarFunction function("||", {LogicalType::ANY, LogicalType::ANY}, LogicalType::ANY,
                                  nullptr, BindConcat);
  function.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  for (const duckdb::ScalarFunction& candidate : existing.functions) {
    if (candidate.arguments.size() == 2) {
      function.function_info = duckdb::make_shared_ptr<ConcatInfo>(candidate);
      break;
    }
  }
  registry.Replace(std::move(function));

  const auto stable = duckdb::FunctionStability::CONSISTENT_WITHIN_QUERY;
  RegisterAnyFunction(registry, {"concat", 1, SIZE_MAX, TextOf, Concat, false, stable});
  RegisterAnyFunction(registry,
                      {"concat_ws", 1, SIZE_MAX, TextOf, ConcatWithSeparator, false, stable});
  for (const bool nulls : {true, false}) {
    AnyFunction count{nulls ? "num_nulls" : "num_nonnulls", 1, SIZE_MAX, nullptr, nullptr, false};
    count.resolve = [](const std::vector<SqlType>& given) -> std::optional<AnySignature> {
      AnySignature signature = TextOf(given);
      signature.result = {TypeKind::kInt4};
      return signature;
    };
    count.body = [nulls](std::span<const Value> args, const AnySignature&, SessionState&, Arena&) {
      return CountNulls(args, nulls);
    };
    RegisterAnyFunction(registry, count);
  }
}

}  // namespace omendb::duck
