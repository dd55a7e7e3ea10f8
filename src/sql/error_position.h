// error_position.h - where in the client's text an error of the binder is: DuckDB speaks of its own
// text, so the name it complains of is looked up in PostgreSQL's parse tree.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "sql/parse/parse_tree.h"

namespace omendb::sql {

// The status with the position of the relation, column, function or type its message names; as it
// is when it has one, or nothing fits. `table_columns` is the number of columns of an INSERT's
// table, for expressions without one.
constexpr size_t kUnknownColumns = SIZE_MAX;
Status AnnotatePosition(Status status, const Statement& statement,
                        size_t table_columns = kUnknownColumns);

}  // namespace omendb::sql
