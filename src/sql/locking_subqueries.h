// locking_subqueries.h - SELECT ... FOR UPDATE/SHARE below the top of a statement: the job queue's
// `UPDATE ... WHERE id = (SELECT id ... LIMIT 1 FOR UPDATE SKIP LOCKED)` and `WITH next AS (...)`.
//
// Such a sub-select runs first, as a statement of its own, and its rows stand in its place. It may
// not refer to what is around it.
//
// Thread safety  The session's thread.
// Errors         0A000 for one that depends on what is around it or gives too many rows.
#pragma once

#include <memory>
#include <span>

#include "sql/session_impl.h"

namespace omendb::sql {

bool HasLockingSubquery(const Node* statement);

// The statement with the rows of its locking sub-selects, which are locked when this returns.
Result<std::shared_ptr<Plan>> RunLockingSubqueries(SessionImpl& session, const Plan& plan,
                                                   std::span<const types::Value> params);

}  // namespace omendb::sql
