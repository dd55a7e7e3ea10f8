#include "duck/functions/wrap.h"

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/scalar_function_catalog_entry.hpp"
#include "duckdb/function/function_binder.hpp"

namespace omendb::duck {

void WrapInFunction(duckdb::ClientContext& context, const char* function,
                    duckdb::unique_ptr<duckdb::Expression>& expression) {
  auto& catalog = duckdb::Catalog::GetSystemCatalog(context);
  auto& entry =
      catalog.GetEntry<duckdb::ScalarFunctionCatalogEntry>(context, DEFAULT_SCHEMA, function);
  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> children;
  children.push_back(std::move(expression));
  duckdb::FunctionBinder binder(context);
  expression =
      binder.BindScalarFunction(entry.functions.GetFunctionByOffset(0), std::move(children));
}

}  // namespace omendb::duck
