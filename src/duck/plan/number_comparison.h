// number_comparison.h - numbers of two types are compared in the type that PostgreSQL compares
// them in.
//
// DuckDB compares a real with an integer or a decimal as reals, and a float with a numeric without
// precision as numerics. PostgreSQL makes doubles of both: 0.1::real is greater than 0.1. Only a
// list of constants becomes what most of its kind can be, reals beside a real, as in DuckDB.
//
// Thread safety  The session's thread, on expressions of its own.
#pragma once

#include "duckdb.hpp"
#include "duckdb/parser/parsed_expression.hpp"
#include "duckdb/planner/bound_constraint.hpp"
#include "duckdb/planner/expression.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

using BoundConstraints = duckdb::vector<duckdb::unique_ptr<duckdb::BoundConstraint>>;

// Before the comparison, BETWEEN or IN is bound: casts of its operands that the statement itself
// asks for are told from those that the binder adds.
void MarkComparedCasts(duckdb::ParsedExpression& comparison);
// All comparisons in the expression, in CHECK constraints, or in the plan.
void CompareNumbers(duckdb::ClientContext& context, duckdb::unique_ptr<duckdb::Expression>& expr);
void CompareNumbers(duckdb::ClientContext& context, BoundConstraints& constraints);
void CompareNumbers(duckdb::ClientContext& context, duckdb::LogicalOperator& plan);

}  // namespace omendb::duck
