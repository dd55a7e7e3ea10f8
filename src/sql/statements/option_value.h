// option_value.h - values of the options in parentheses: EXPLAIN (ANALYZE off), COPY ... (HEADER).
#pragma once

#include "base/status.h"
#include "sql/parse/ast.h"

namespace omendb::sql {

// An option without a value is on. 42601 "x requires a Boolean value".
Result<bool> BooleanOption(const PgQuery__DefElem& option);

}  // namespace omendb::sql
