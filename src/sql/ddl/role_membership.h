// role_membership.h - roles as members of roles: GRANT role TO role, and the options of CREATE ROLE
// and ALTER GROUP that say the same.
//
// Thread safety  The session's thread, inside its transaction.
// Errors         42501 without the right to grant the role, 0LP01 for a circle, 42704.
#pragma once

#include "sql/parse/ast.h"
#include "sql/session_impl.h"

namespace omendb::sql {

Status AddMember(SessionImpl& session, Oid role, Oid member, bool admin);
// IN ROLE, ROLE, ADMIN of CREATE ROLE and ADD/DROP USER of ALTER GROUP.
bool IsMembershipOption(std::string_view name);
Status ApplyMembershipOption(SessionImpl& session, Oid role, const PgQuery__DefElem& option,
                             bool is_drop);

}  // namespace omendb::sql
