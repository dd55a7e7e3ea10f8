// row_locks.h - SELECT ... FOR UPDATE/SHARE as DuckDB can run it: without the clause and without
// LIMIT, with hidden columns that say which rows to lock (duck::HiddenColumns).
//
// Thread safety  Pure function of its input.
// Errors         0A000 and 42P01 as PostgreSQL words them; 0A000 for a sub-select or view whose
//                rows would have to be locked.
#pragma once

#include "sql/rewrite/rules.h"

namespace omendb::sql {

// `statement` is the client's tree, `copy` the same after all rules, which is changed further.
Result<RowLocks> AddLockColumns(const Node* statement, Node* copy, RewriteState& state);

}  // namespace omendb::sql
