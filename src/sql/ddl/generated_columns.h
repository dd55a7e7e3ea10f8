// generated_columns.h - what GENERATED ALWAYS AS (...) STORED may say, and what depends on it.
//
// Thread safety  The session's thread.
// See            PostgreSQL 15, section 5.3 "Generated Columns", for what is refused.
#pragma once

#include <set>

#include "sql/session_impl.h"

namespace omendb::sql {

// The names of the columns that the expression text mentions.
Result<std::set<std::string>> ColumnsOfExpression(const std::string& sql);
// Every generated column of a table that is in the catalog: 42P17 for an expression that is not
// immutable or names another generated column, 0A000 for a sub-query, 42P10 and the like.
Status CheckGeneratedColumns(SessionImpl& session, const catalog::TableDef& table);
// Generated columns that are computed from `column`.
Result<std::vector<const catalog::ColumnDef*>> GeneratedFrom(const catalog::TableDef& table,
                                                             std::string_view column);

}  // namespace omendb::sql
