// statement_parts.h - a part of a statement that has to run before the rest of it, as a statement
// of its own: a WITH query that changes data (modifying_with.h), a sub-select that locks rows
// (locking_subqueries.h). The rows that it answers stand in its place, as a query of constants.
//
// Thread safety  The session's thread.
// Ownership      Trees that are given or answered lie in the builder's arena.
// Errors         0A000 beyond kPartRowsMax rows.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "sql/parse/ast.h"
#include "sql/session_impl.h"

namespace omendb::sql {

inline constexpr size_t kPartRowsMax = 10000;

// A plan of a tree that was made of a statement's. It holds a tree of its own.
Result<std::shared_ptr<Plan>> PlanTree(SessionImpl& session, const Node* tree,
                                       std::span<const types::SqlType> types);

// Runs `plan`, of a query that answers rows. `what` names the part where it has too many.
Result<Node*> RowsAsQuery(SessionImpl& session, Plan& plan, std::span<const types::Value> params,
                          std::string_view what, AstBuilder& build);

}  // namespace omendb::sql
