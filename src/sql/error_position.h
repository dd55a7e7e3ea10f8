// error_position.h - where in the client's text an error of the binder is: DuckDB speaks of its own
// text, so the name it complains of is looked up in PostgreSQL's parse tree.
#pragma once

#include "base/status.h"
#include "sql/parse/parse_tree.h"

namespace omendb::sql {

// The status with the position of the relation, column, function or type its message names; as it
// is when it has one, or nothing fits.
Status AnnotatePosition(Status status, const Statement& statement);

}  // namespace omendb::sql
