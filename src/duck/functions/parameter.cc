#include "duck/functions/parameter.h"

#include "duck/plan/statement_rewrite.h"

namespace omendb::duck {

namespace {

duckdb::unique_ptr<duckdb::FunctionData> BindParameter(
    duckdb::ClientContext&, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  function.arguments[0] = arguments[0]->return_type;
  function.return_type = arguments[0]->return_type;
  return nullptr;
}

}  // namespace

void RegisterParameter(Registry& registry) {
  duckdb::ScalarFunction function(kParameterFunction, {duckdb::LogicalType::ANY},
                                  duckdb::LogicalType::ANY, duckdb::ScalarFunction::NopFunction,
                                  BindParameter);
  function.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  registry.Replace(std::move(function));
}

}  // namespace omendb::duck
