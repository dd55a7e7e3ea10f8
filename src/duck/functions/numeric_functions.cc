#include "duck/functions/numeric_functions.h"

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/functions/any_function.h"
#include "duck/logical_types.h"
#include "duckdb/function/function_binder.hpp"
#include "duckdb/planner/expression_binder.hpp"
#include "types/array.h"
#include "types/big_math.h"

namespace omendb::duck {

namespace {

using duckdb::LogicalType;
using types::Arena;
using types::BigNumeric;
using types::SqlType;
using types::TypeKind;
using types::Value;
using Arguments = std::span<const Value>;
using Expressions = duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>;

constexpr SqlType kNumeric{TypeKind::kNumeric};
constexpr SqlType kInt4{TypeKind::kInt4};

struct NumericFunction {
  const char* name;
  std::vector<SqlType> arguments;
  SqlType result;
  std::function<Result<Value>(Arguments, Arena&)> body;
  // Whether numerics with precision, which DuckDB's function may take as they are, go here too.
  bool takes_decimals = true;
};

// Chooses between the numeric function and the others of its name when a call is bound.
struct ChoiceInfo : public duckdb::ScalarFunctionInfo {
  ChoiceInfo(duckdb::ScalarFunctionSet s, AnyFunction f, bool d)
      : others(std::move(s)), numeric(std::move(f)), takes_decimals(d) {}
  duckdb::ScalarFunctionSet others;
  AnyFunction numeric;
  bool takes_decimals;
};

bool IsNumericCall(const Expressions& arguments, bool takes_decimals) {
  bool numeric = false;
  for (const auto& argument : arguments) {
    const SqlType type = GivenType(*argument);
    if (type.is_array) return false;
    if (type.kind == TypeKind::kFloat4 || type.kind == TypeKind::kFloat8) return false;
    if (type.kind == TypeKind::kNumeric && (takes_decimals || type.numeric_unconstrained())) {
      numeric = true;
    }
  }
  return numeric;
}

duckdb::unique_ptr<duckdb::FunctionData> BindChoice(duckdb::ClientContext& context,
                                                    duckdb::ScalarFunction& function,
                                                    Expressions& arguments) {
  auto info =
      duckdb::shared_ptr_cast<duckdb::ScalarFunctionInfo, ChoiceInfo>(function.function_info);
  if (info->others.functions.empty() || IsNumericCall(arguments, info->takes_decimals)) {
    return BindAnyFunction(context, info->numeric, function, arguments);
  }
  duckdb::vector<LogicalType> given;
  for (const auto& argument : arguments) {
    if (argument->return_type.id() == duckdb::LogicalTypeId::UNKNOWN) {
      throw duckdb::ParameterNotResolvedException();
    }
    given.push_back(duckdb::ExpressionBinder::GetExpressionReturnType(*argument));
  }
  duckdb::FunctionBinder binder(context);
  duckdb::ErrorData error;
  const auto index = binder.BindFunction(info->others.name, info->others, given, error);
  if (!index.IsValid()) {
    std::vector<std::string> names;
    for (const auto& argument : arguments) names.push_back(GivenTypeName(*argument));
    ThrowStatus(NoSuchFunction(info->others.name, names));
  }
  duckdb::ScalarFunction chosen = info->others.GetFunctionByOffset(index.GetIndex());
  chosen.name = function.name;
  function = std::move(chosen);
  if (function.bind == nullptr) return nullptr;
  return function.bind(context, function, arguments);
}

AnyFunction AsAnyFunction(const NumericFunction& function) {
  AnyFunction any{function.name, function.arguments.size(), function.arguments.size(), nullptr,
                  nullptr};
  any.resolve = [signature = AnySignature{function.arguments, function.result}](
                    const std::vector<SqlType>&) { return std::optional(signature); };
  any.body = [body = function.body](Arguments args, const AnySignature&, SessionState&,
                                    Arena& arena) { return body(args, arena); };
  return any;
}

// Functions of one name and one number of arguments each; those with other numbers of arguments
// that DuckDB has stay.
void Register(Registry& registry, const std::vector<NumericFunction>& functions) {
  const char* name = functions.front().name;
  const duckdb::ScalarFunctionSet existing = registry.Existing(name);
  duckdb::ScalarFunctionSet set(name);
  std::set<size_t> taken;
  for (const NumericFunction& function : functions) {
    const size_t count = function.arguments.size();
    taken.insert(count);
    duckdb::ScalarFunctionSet others(name);
    for (const auto& other : existing.functions) {
      if (other.arguments.size() == count) others.AddFunction(other);
    }
    duckdb::ScalarFunction added(name, duckdb::vector<LogicalType>(count, LogicalType::ANY),
                                 LogicalType::ANY, nullptr, BindChoice);
    added.function_info = duckdb::make_shared_ptr<ChoiceInfo>(
        std::move(others), AsAnyFunction(function), function.takes_decimals);
    // Bound even when an argument is a NULL literal: the others' types decide.
    added.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
    set.AddFunction(std::move(added));
  }
  for (const auto& other : existing.functions) {
    if (!taken.contains(other.arguments.size())) set.AddFunction(other);
  }
  registry.Replace(std::move(set));
}

BigNumeric Big(const Value& value) { return types::DecodeBig(value.str()); }

Result<Value> Done(Result<BigNumeric> result, Arena& arena) {
  if (!result.ok()) return std::move(result).status();
  return types::ToValue(*result, arena);
}

template <typename Function>
NumericFunction Unary(const char* name, Function function, bool takes_decimals = true) {
  return {name,
          {kNumeric},
          kNumeric,
          [function](Arguments args, Arena& arena) { return Done(function(Big(args[0])), arena); },
          takes_decimals};
}
template <typename Function>
NumericFunction Binary(const char* name, Function function) {
  return {name, {kNumeric, kNumeric}, kNumeric, [function](Arguments args, Arena& arena) {
            return Done(function(Big(args[0]), Big(args[1])), arena);
          }};
}
// round and trunc to a number of digits.
template <typename Function>
NumericFunction ToDigits(const char* name, Function function) {
  return {name, {kNumeric, kInt4}, kNumeric, [function](Arguments args, Arena& arena) {
            return Done(function(Big(args[0]), args[1].i32), arena);
          }};
}

Result<BigNumeric> Log10(const BigNumeric& a) { return types::LogBig(BigNumeric::Of(10), a); }

void RegisterScales(Registry& registry) {
  const auto shown = [](const char* name, int (*scale)(const BigNumeric&)) {
    return NumericFunction{
        name, {kNumeric}, kInt4, [scale](Arguments args, Arena&) -> Result<Value> {
          const BigNumeric a = Big(args[0]);
          return a.is_finite() ? Value::Int32(scale(a)) : Value::Null();
        }};
  };
  Register(registry, {shown("scale", [](const BigNumeric& a) { return a.scale; })});
  Register(registry, {shown("min_scale", types::MinScale)});
  Register(registry, {Unary("trim_scale", types::TrimScale)});
}

Status CheckSeriesValue(const BigNumeric& value, const char* what) {
  if (value.is_finite()) return Status::Ok();
  return Status(sqlstate::kInvalidParameterValue,
                std::string(what) + (value.is_nan() ? " cannot be NaN" : " cannot be infinity"));
}

// generate_series(first, last [, step]) of numerics, as a list. Every value has the scale of the
// sums that lead to it.
Result<Value> Series(Arguments args, Arena& arena) {
  BigNumeric value = Big(args[0]);
  const BigNumeric last = Big(args[1]);
  const BigNumeric step = args.size() > 2 ? Big(args[2]) : BigNumeric::Of(1);
  OMEN_TRY(CheckSeriesValue(value, "start value"));
  OMEN_TRY(CheckSeriesValue(last, "stop value"));
  OMEN_TRY(CheckSeriesValue(step, "step size"));
  if (step.sign() == 0) {
    return Status(sqlstate::kInvalidParameterValue, "step size cannot equal zero");
  }
  types::ArrayBuilder builder(kNumeric);
  while (types::CompareBig(value, last) * step.sign() <= 0) {
    Arena scratch;
    builder.Append(types::ToValue(value, scratch));
    OMEN_ASSIGN(value, types::AddBig(value, step));
  }
  return builder.Finish(arena);
}

}  // namespace

void RegisterNumericFunctions(Registry& registry) {
  const auto round = [](const BigNumeric& a) { return types::RoundBig(a, 0); };
  const auto truncate = [](const BigNumeric& a) { return types::TruncateBig(a, 0); };
  Register(registry, {Unary("abs", types::AbsBig, false)});
  Register(registry, {Unary("@", types::AbsBig, false)});
  Register(registry, {Unary("sign", types::SignBig)});
  Register(registry, {Unary("ceil", types::CeilBig, false)});
  Register(registry, {Unary("ceiling", types::CeilBig, false)});
  Register(registry, {Unary("floor", types::FloorBig, false)});
  Register(registry, {Unary("round", round, false), ToDigits("round", types::RoundBig)});
  Register(registry, {Unary("trunc", truncate, false), ToDigits("trunc", types::TruncateBig)});
  Register(registry, {Unary("sqrt", types::SqrtBig)});
  Register(registry, {Unary("exp", types::ExpBig)});
  Register(registry, {Unary("ln", types::LnBig)});
  Register(registry, {Unary("log", Log10), Binary("log", types::LogBig)});
  Register(registry, {Unary("log10", Log10)});
  for (const char* name : {"power", "pow", "^"}) {
    Register(registry, {Binary(name, types::PowerBig)});
  }
  Register(registry, {Binary("div", types::DivideWhole)});
  Register(registry, {Binary("gcd", types::GcdBig)});
  Register(registry, {Binary("lcm", types::LcmBig)});
  RegisterScales(registry);
  const SqlType numerics{TypeKind::kNumeric, true};
  Register(registry, {{"generate_series", {kNumeric, kNumeric}, numerics, Series},
                      {"generate_series", {kNumeric, kNumeric, kNumeric}, numerics, Series}});
}

}  // namespace omendb::duck
