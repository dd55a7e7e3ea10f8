// wrap.h - an expression of a bound plan becomes the argument of one of our functions.
//
// Thread safety  The session's thread, on a plan of its own.
#pragma once

#include "duckdb.hpp"
#include "duckdb/planner/expression.hpp"

namespace omendb::duck {

// `expression` becomes function(expression). The function has one argument and one overload.
void WrapInFunction(duckdb::ClientContext& context, const char* function,
                    duckdb::unique_ptr<duckdb::Expression>& expression);

}  // namespace omendb::duck
