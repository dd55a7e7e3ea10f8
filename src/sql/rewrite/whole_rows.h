// whole_rows.h - a table's name as a value: the whole row. DuckDB makes a struct of its columns,
// which is never NULL: not where all of them are, and not in the rows that an outer join adds.
//
// Thread safety  As rules.h.
#pragma once

#include "sql/rewrite/rules.h"

namespace omendb::sql {

// `t IS NULL`, `t.* IS NOT NULL`: every column is, as in PostgreSQL. A whole row of what an outer
// join may leave out is NULL where it did: where a column that is never NULL is, or all are. Names
// of columns go before those of tables. Rows of which the columns are not known here (functions,
// views) are left as they are.
void RewriteWholeRows(PgQuery__SelectStmt& select, RewriteState& state);

}  // namespace omendb::sql
