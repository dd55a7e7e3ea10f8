// repeatable.h - whether a plan that was made for one transaction serves another one, too.
//
// Thread safety  Pure functions.
#pragma once

#include <string>

#include "duckdb.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

// Whether what the plan gives depends on nothing but the rows of tables at its snapshot and the
// settings for text: not on time, session or chance, also where the optimizer computes some of it
// ahead. `sql` is the statement's text, where a literal may be 'now' or 'today'. Requires: the plan
// is bound and not optimized yet.
bool IsRepeatable(duckdb::LogicalOperator& plan, const std::string& sql);
// Whether the expression reads text as a time, or as several, that may be 'now' or 'today'.
bool MayReadTheTime(const duckdb::Expression& expression);

}  // namespace omendb::duck
