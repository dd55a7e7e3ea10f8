// each_expression.h - a visit to each expression of a bound plan, children before parents. A visit
// may put another expression in place of the one it sees.
//
// Thread safety  One thread for a plan.
#pragma once

#include <functional>

#include "duckdb.hpp"
#include "duckdb/planner/expression.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

using ExpressionVisit = std::function<void(duckdb::unique_ptr<duckdb::Expression>&)>;

// Those of `root`, itself the last.
void EachExpression(duckdb::unique_ptr<duckdb::Expression>& root, const ExpressionVisit& visit);
// Those of all operators of a plan.
void EachExpression(duckdb::LogicalOperator& plan, const ExpressionVisit& visit);

}  // namespace omendb::duck
