#include "duck/functions/parameter.h"

#include <algorithm>

#include "base/sqlstate.h"
#include "duck/errors.h"
#include "duck/functions/any_function.h"
#include "duck/plan/statement_rewrite.h"
#include "duckdb/planner/expression/bound_constant_expression.hpp"

namespace omendb::duck {

namespace {

duckdb::unique_ptr<duckdb::FunctionData> BindParameter(
    duckdb::ClientContext&, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  function.arguments[0] = arguments[0]->return_type;
  function.return_type = arguments[0]->return_type;
  return nullptr;
}

duckdb::unique_ptr<duckdb::FunctionData> BindMissing(
    duckdb::ClientContext&, duckdb::ScalarFunction&,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  const auto& constant = arguments[0]->Cast<duckdb::BoundConstantExpression>();
  const std::string name = constant.value.ToString();
  constexpr std::string_view kWindowOnly[] = {"lag",         "lead",         "row_number", "rank",
                                              "dense_rank",  "percent_rank", "cume_dist",  "ntile",
                                              "first_value", "last_value",   "nth_value"};
  if (std::find(std::begin(kWindowOnly), std::end(kWindowOnly), name) != std::end(kWindowOnly)) {
    ThrowStatus(
        Status(sqlstate::kWrongObjectType, "window function " + name + " requires an OVER clause"));
  }
  std::vector<std::string> types;
  for (size_t i = 1; i < arguments.size(); ++i) types.push_back(GivenTypeName(*arguments[i]));
  ThrowStatus(NoSuchFunction(name, types));
}

}  // namespace

void RegisterParameter(Registry& registry) {
  duckdb::ScalarFunction function(kParameterFunction, {duckdb::LogicalType::ANY},
                                  duckdb::LogicalType::ANY, duckdb::ScalarFunction::NopFunction,
                                  BindParameter);
  function.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  registry.Replace(std::move(function));
  duckdb::ScalarFunction missing(kMissingFunction, {duckdb::LogicalType::VARCHAR},
                                 duckdb::LogicalType::VARCHAR, duckdb::ScalarFunction::NopFunction,
                                 BindMissing);
  missing.varargs = duckdb::LogicalType::ANY;
  missing.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  registry.Replace(std::move(missing));
}

}  // namespace omendb::duck
