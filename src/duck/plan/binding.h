// binding.h - a statement bound by DuckDB: its logical plan with the types of parameters and
// results.
//
// Thread safety  The session's thread, inside a DuckDB transaction. Throws DuckDB exceptions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "duckdb.hpp"
#include "duckdb/parser/sql_statement.hpp"
#include "duckdb/planner/binder.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

class SessionState;
struct ConflictClause;

struct Binding {
  duckdb::shared_ptr<duckdb::Binder> binder;
  duckdb::unique_ptr<duckdb::LogicalOperator> plan;
  duckdb::vector<std::string> names;
  duckdb::vector<duckdb::LogicalType> types;
  duckdb::StatementProperties properties;
  std::vector<duckdb::LogicalType> param_types;
  std::shared_ptr<ConflictClause> conflict;  // INSERT ... ON CONFLICT
  // Parameters stand where DuckDB wants constants (arguments of table functions): bind with values.
  bool needs_values = false;
};

// Binds a copy of `statement`. `param_types` holds INVALID where the type shall be inferred;
// parameters that nothing gives a type are text.
Binding BindStatement(duckdb::ClientContext& context, SessionState& state,
                      const duckdb::SQLStatement& statement,
                      std::vector<duckdb::LogicalType> param_types);
// Binds with all types known and replaces the parameters by `values`.
Binding BindWithValues(duckdb::ClientContext& context, SessionState& state,
                       const duckdb::SQLStatement& statement,
                       const std::vector<duckdb::LogicalType>& param_types,
                       const std::vector<duckdb::Value>& values, bool needs_values);

}  // namespace omendb::duck
