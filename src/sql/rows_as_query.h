// rows_as_query.h - the rows that a part of a statement answers, as a query of constants that
// stands in its place: parts that must run before the rest.
//
// Thread safety  The session's thread.
// Errors         0A000 beyond kPartRowsMax rows.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sql/session_impl.h"

namespace omendb::sql {

inline constexpr size_t kPartRowsMax = 10000;

// Runs `plan`, of a query that answers rows. `what` names the part where it has too many.
Result<std::string> RowsAsQuery(SessionImpl& session, Plan& plan,
                                std::span<const types::Value> params, std::string_view what);

}  // namespace omendb::sql
