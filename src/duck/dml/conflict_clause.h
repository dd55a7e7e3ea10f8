// conflict_clause.h - INSERT ... ON CONFLICT, bound by us: DuckDB would turn it into a MERGE, which
// sees one snapshot and misses rows committed meanwhile.
//
// Expressions refer, by BoundReferenceExpression, to a row of the existing row's columns followed
// by the columns of the row proposed ("excluded").
//
// Thread safety  Immutable once bound.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "duckdb.hpp"
#include "duckdb/parser/statement/insert_statement.hpp"
#include "duckdb/planner/bound_parameter_map.hpp"
#include "duckdb/planner/expression.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

class SessionState;

struct ConflictClause {
  bool do_update = false;           // else DO NOTHING
  std::vector<Oid> arbiters;        // empty = any unique index
  std::vector<size_t> set_columns;  // DuckDB's column numbers, beside set_expressions
  std::vector<duckdb::unique_ptr<duckdb::Expression>> set_expressions;
  std::vector<bool> set_is_default;
  duckdb::unique_ptr<duckdb::Expression> where;  // may be null
};

// `plan` is the bound INSERT without its clause. 42P10 when no unique index matches the target.
std::shared_ptr<ConflictClause> BindConflictClause(duckdb::ClientContext& context,
                                                   SessionState& state,
                                                   duckdb::LogicalOperator& plan,
                                                   duckdb::OnConflictInfo& info,
                                                   const std::string& table_alias,
                                                   duckdb::BoundParameterMap& parameters);

}  // namespace omendb::duck
