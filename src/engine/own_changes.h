// own_changes.h - rows that a statement meets again after it has changed them: by another part of
// it (a WITH query), or by another row of what it inserts.
//
// Thread safety  The thread of the transaction.
#pragma once

#include "engine/relation.h"

namespace omendb::engine {

// Whether the statement itself has inserted, changed or deleted the row that it has seen.
bool IsChangedByStatement(const StatementContext& context, const Relation& relation,
                          const RowRef& seen);

}  // namespace omendb::engine
