#include "duck/functions/any_function.h"

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/functions/row_function.h"
#include "duck/logical_types.h"
#include "duckdb/planner/expression/bound_cast_expression.hpp"
#include "duckdb/planner/expression/bound_function_expression.hpp"
#include "duckdb/planner/expression_binder.hpp"

namespace omendb::duck {

namespace {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using types::SqlType;
using types::TypeKind;

using Arguments = duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>;

struct AnyData : public duckdb::FunctionData {
  AnyData(std::shared_ptr<const AnyFunction> f, AnySignature s)
      : function(std::move(f)), signature(std::move(s)) {}
  std::shared_ptr<const AnyFunction> function;
  AnySignature signature;
  duckdb::unique_ptr<duckdb::FunctionData> Copy() const override {
    return duckdb::make_uniq<AnyData>(function, signature);
  }
  bool Equals(const duckdb::FunctionData& other) const override {
    const auto& data = other.Cast<AnyData>();
    return data.function == function && data.signature.arguments == signature.arguments &&
           data.signature.result == signature.result;
  }
};

struct AnyInfo : public duckdb::ScalarFunctionInfo {
  explicit AnyInfo(AnyFunction f) : function(std::make_shared<const AnyFunction>(std::move(f))) {}
  std::shared_ptr<const AnyFunction> function;
};

void RunAny(duckdb::DataChunk& args, duckdb::ExpressionState& state, duckdb::Vector& result) {
  const auto& data = state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info->Cast<AnyData>();
  const AnySignature& signature = data.signature;
  RunRowBody(
      {signature.arguments, signature.result, data.function->strict,
       data.function->stability != duckdb::FunctionStability::VOLATILE},
      [&](std::span<const types::Value> values, SessionState& session, types::Arena& arena) {
        return data.function->body(values, signature, session, arena);
      },
      args, state, result);
}

// Functions that show their arguments as a client sees them. Others take a char(n) as a text, which
// has no blanks.
bool ShowsPadding(std::string_view name) {
  return name == "concat" || name == "concat_ws" || name == "format";
}

duckdb::unique_ptr<duckdb::FunctionData> Bind(duckdb::ClientContext& context,
                                              std::shared_ptr<const AnyFunction> function,
                                              duckdb::ScalarFunction& target,
                                              Arguments& arguments) {
  std::vector<SqlType> given;
  for (const auto& argument : arguments) {
    const bool padded = IsBpchar(argument->return_type) && ShowsPadding(function->name);
    given.push_back(padded ? ToSqlType(argument->return_type) : GivenType(*argument));
  }
  auto signature = function->resolve(given);
  if (!signature) {
    std::vector<std::string> names;
    for (const auto& argument : arguments) names.push_back(GivenTypeName(*argument));
    ThrowStatus(NoSuchFunction(function->name, names));
  }
  target.arguments.clear();
  for (size_t i = 0; i < arguments.size(); ++i) {
    const LogicalType type = ToLogicalType(signature->arguments[i]);
    arguments[i] =
        duckdb::BoundCastExpression::AddCastToType(context, std::move(arguments[i]), type);
    target.arguments.push_back(type);
  }
  target.varargs = LogicalType(LogicalTypeId::INVALID);
  target.return_type = ToLogicalType(signature->result);
  target.function = RunAny;
  target.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  target.stability = function->stability;
  return duckdb::make_uniq<AnyData>(std::move(function), std::move(*signature));
}

duckdb::unique_ptr<duckdb::FunctionData> BindAny(duckdb::ClientContext& context,
                                                 duckdb::ScalarFunction& function,
                                                 Arguments& arguments) {
  auto info = duckdb::shared_ptr_cast<duckdb::ScalarFunctionInfo, AnyInfo>(function.function_info);
  return Bind(context, info->function, function, arguments);
}

constexpr size_t kManyArguments = 8;

}  // namespace

void AddAnyFunction(duckdb::ScalarFunctionSet& set, const AnyFunction& function) {
  auto info = duckdb::make_shared_ptr<AnyInfo>(function);
  const bool many = function.max_arguments > kManyArguments;
  const size_t last = many ? function.min_arguments : function.max_arguments;
  for (size_t count = function.min_arguments; count <= last; ++count) {
    duckdb::ScalarFunction added(function.name,
                                 duckdb::vector<LogicalType>(count, LogicalType::ANY),
                                 LogicalType::ANY, nullptr, BindAny);
    if (many) added.varargs = LogicalType::ANY;
    added.function_info = info;
    added.stability = function.stability;
    // Bound even when an argument is a NULL literal: its type decides the result's.
    added.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
    set.AddFunction(std::move(added));
  }
}

void RegisterAnyFunction(Registry& registry, const AnyFunction& function) {
  duckdb::ScalarFunctionSet set(function.name);
  AddAnyFunction(set, function);
  registry.Replace(std::move(set));
}

duckdb::unique_ptr<duckdb::FunctionData> BindAnyFunction(duckdb::ClientContext& context,
                                                         const AnyFunction& function,
                                                         duckdb::ScalarFunction& target,
                                                         Arguments& arguments) {
  return Bind(context, std::make_shared<const AnyFunction>(function), target, arguments);
}

SqlType GivenType(const duckdb::Expression& argument) {
  const LogicalType type = duckdb::ExpressionBinder::GetExpressionReturnType(argument);
  switch (type.id()) {
    case LogicalTypeId::UNKNOWN:
    case LogicalTypeId::STRING_LITERAL:
    case LogicalTypeId::SQLNULL:
    case LogicalTypeId::INVALID:
      return {TypeKind::kUnknown};
    case LogicalTypeId::INTEGER_LITERAL: {
      const SqlType literal = ToSqlType(argument.return_type);
      return literal.kind == TypeKind::kInt2 ? SqlType{TypeKind::kInt4} : literal;
    }
    case LogicalTypeId::LIST:
      if (duckdb::ListType::GetChildType(type).id() == LogicalTypeId::SQLNULL) {
        return {TypeKind::kUnknown, true};
      }
      return ToSqlType(type);
    default:
      return IsBpchar(type) ? SqlType{TypeKind::kText} : ToSqlType(type);
  }
}

std::string GivenTypeName(const duckdb::Expression& argument) {
  SqlType type = IsBpchar(argument.return_type) ? SqlType{TypeKind::kBpchar} : GivenType(argument);
  type.typmod = -1;
  return type.kind == TypeKind::kUnknown && !type.is_array ? "unknown" : types::FormatType(type);
}

Status NoSuchFunction(const std::string& name, const std::vector<std::string>& types) {
  const bool is_operator = !name.empty() && std::isalpha(static_cast<unsigned char>(name[0])) == 0;
  if (is_operator && name[0] != '_' && (types.size() == 1 || types.size() == 2)) {
    const std::string operands =
        types.size() == 1 ? name + " " + types[0] : types[0] + " " + name + " " + types[1];
    return Status(sqlstate::kUndefinedFunction, "operator does not exist: " + operands)
        .WithHint(
            "No operator matches the given name and argument types. You might need to add "
            "explicit type casts.");
  }
  std::string message = "function " + name + "(";
  for (size_t i = 0; i < types.size(); ++i) message += (i > 0 ? ", " : "") + types[i];
  return Status(sqlstate::kUndefinedFunction, message + ") does not exist")
      .WithHint(
          "No function matches the given name and argument types. You might need to add "
          "explicit type casts.");
}

}  // namespace omendb::duck
