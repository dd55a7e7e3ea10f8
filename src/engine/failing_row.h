// failing_row.h - the errors of NOT NULL and CHECK, with PostgreSQL's words and detail.
//
// Thread safety  Pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/database.h"

namespace omendb::engine {

// "Failing row contains (1, null, abc)." `row` has a value for each column of the table, by
// ColumnId - 1; dropped columns are left out and long values cut, as PostgreSQL does.
std::string FailingRowDetail(const StatementContext& context, const catalog::TableDef& table,
                             std::span<const types::Value> row);

// 23514 new row for relation "t" violates check constraint "c".
Status CheckViolation(const StatementContext& context, const catalog::TableDef& table,
                      std::string_view constraint, std::span<const types::Value> row);

// 23502 null value in column "c" of relation "t" violates not-null constraint.
Status NotNullViolation(const StatementContext& context, const catalog::TableDef& table,
                        ColumnId column, std::span<const types::Value> row);

}  // namespace omendb::engine
