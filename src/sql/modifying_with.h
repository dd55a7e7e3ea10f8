// modifying_with.h - WITH queries that change data: `WITH moved AS (DELETE ... RETURNING *) INSERT
// INTO archive SELECT * FROM moved`.
//
// Each runs once, to its end, in the order of the text, and the statement behind them last. All are
// one command of the transaction: no part sees the rows that another one wrote, and foreign keys
// are checked behind the last. What RETURNING answers stands in the place of the WITH query.
//
// Thread safety  The session's thread.
// Errors         0A000 where RETURNING answers too many rows and other parts read them, or where
//                what reads a WITH query has no RETURNING to read.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "sql/session_impl.h"

namespace omendb::sql {

bool HasModifyingWith(const Node* statement);

// What can be bound in the statement's place: SELECTs with the columns of RETURNING, without rows.
// `types` of parameters get those that only the data-modifying queries tell.
Result<Node*> DescribeModifyingWith(SessionImpl& session, const Plan& plan,
                                    std::vector<types::SqlType>& types, AstBuilder& build);

// Runs the WITH queries; the rest is the plan answered, which has to run next.
Result<std::shared_ptr<Plan>> RunModifyingWith(SessionImpl& session, const Plan& plan,
                                               std::span<const types::Value> params);

}  // namespace omendb::sql
