// char_padding.h - what sees the blanks of a char(n): LIKE, regular expressions, octet_length.
//
// DuckDB keeps char(n) without them (functions/char_type.h), which is right wherever PostgreSQL
// casts to text. The operators that PostgreSQL has for char(n) itself get them back here.
//
// Thread safety  The session's thread, on a plan of its own.
#pragma once

#include "duckdb.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/planner/logical_operator.hpp"

namespace omendb::duck {

// Before the function is bound: a cast to text that the statement itself asks for takes the blanks.
void MarkExplicitCast(duckdb::FunctionExpression& function);
void PadCharOperands(duckdb::ClientContext& context, duckdb::LogicalOperator& plan);

}  // namespace omendb::duck
