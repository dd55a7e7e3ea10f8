// evaluate.h - constant expressions of utility statements (EXECUTE's arguments, defaults of ALTER
// TABLE ADD COLUMN), computed by the same binder as any query.
#pragma once

#include "sql/session_impl.h"

namespace omendb::sql {

// The expression's value as `type`.
Result<types::Value> EvaluateExpression(SessionImpl& session, const Node* expression,
                                        const types::SqlType& type, types::Arena& arena);
// The same for an expression of the catalog, as text; NULL is nullopt.
Result<std::optional<std::string>> EvaluateToText(SessionImpl& session, std::string_view sql,
                                                  const types::SqlType& type);
// int4, numeric(5,2), varchar(10)[]: with its modifier. 42704, 22023.
Result<types::SqlType> ResolveTypeName(const PgQuery__TypeName& type);

}  // namespace omendb::sql
