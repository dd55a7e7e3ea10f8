// privileges.h - what the session's current role may do, with PostgreSQL's errors.
//
// Superusers may do everything. A view reads its tables as its owner.
// Thread safety  The session's thread (or the pool's while the session waits for it).
// Errors         42501 "permission denied for table x".
// See            PostgreSQL 15, section 5.7, and catalog/privileges.h.
#pragma once

#include <vector>

#include "catalog/privileges.h"
#include "sql/names.h"

namespace omendb::sql {

// The relations that a SELECT, INSERT, UPDATE or DELETE uses, ordered by Oid, names of WITH queries
// left out. 42501 for a schema that may not be looked into. `locks_rows`: SELECT ... FOR UPDATE or
// SHARE.
Result<std::vector<RelationUse>> CollectUses(const SessionImpl& session,
                                             const catalog::CatalogSnapshot& snapshot,
                                             const Node* node, bool locks_rows);
Status CheckUses(const SessionImpl& session, const catalog::CatalogSnapshot& snapshot,
                 const std::vector<RelationUse>& uses);

// 42501 "permission denied for table x".
Status PermissionDenied(std::string_view kind, std::string_view name);
// Every one of `needed`, or with CheckAny one of them.
Status CheckPrivileges(const SessionImpl& session, const catalog::Relation& relation,
                       catalog::PrivilegeSet needed);
Status CheckAnyPrivilege(const SessionImpl& session, const catalog::Relation& relation,
                         catalog::PrivilegeSet any_of);
Status CheckSchema(const SessionImpl& session, const catalog::SchemaDef& schema,
                   catalog::PrivilegeSet needed);
// May give something to the role: superuser or member of it. 42501.
Status CheckMember(const SessionImpl& session, const catalog::RoleDef& role);
Status CheckDatabase(const SessionImpl& session, catalog::PrivilegeSet needed);

}  // namespace omendb::sql
