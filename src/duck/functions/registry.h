// registry.h - how the files of this folder put functions into DuckDB's system catalog.
//
// Thread safety  Registration happens on one thread.
#pragma once

#include <string>

#include "duckdb.hpp"
#include "duckdb/catalog/catalog_entry/scalar_function_catalog_entry.hpp"
#include "duckdb/function/function_set.hpp"
#include "duckdb/function/scalar_function.hpp"

namespace omendb::duck {

class Registry {
 public:
  // Requires: a transaction is running on `context`.
  explicit Registry(duckdb::ClientContext& context) : context_(context) {}

  duckdb::ClientContext& context() { return context_; }
  // Replaces every function of the name.
  void Replace(duckdb::ScalarFunctionSet set);
  void Replace(duckdb::ScalarFunction function);
  void Replace(duckdb::AggregateFunctionSet set);
  void Replace(duckdb::TableFunctionSet set);
  // A SQL macro: "name(a, b := 1)" and its expression in DuckDB's dialect.
  void Macro(const std::string& head, const std::string& expression);
  void Cast(const duckdb::LogicalType& from, const duckdb::LogicalType& to,
            duckdb::BoundCastInfo cast, int64_t implicit_cost = -1);
  void CastBind(const duckdb::LogicalType& from, const duckdb::LogicalType& to,
                duckdb::bind_cast_function_t bind, int64_t implicit_cost = -1);
  // The functions DuckDB has of the name now; empty when none.
  duckdb::ScalarFunctionSet Existing(const std::string& name);
  duckdb::AggregateFunctionSet ExistingAggregate(const std::string& name);

 private:
  duckdb::ClientContext& context_;
};

}  // namespace omendb::duck
