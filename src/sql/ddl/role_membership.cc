#include "sql/ddl/role_membership.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "sql/privileges.h"
#include "sql/statements/dispatch.h"

namespace omendb::sql {
namespace {

auto FindMembership(catalog::RoleDef& member, Oid role) {
  return std::find_if(member.memberships.begin(), member.memberships.end(),
                      [&](const catalog::RoleMembership& m) { return m.role == role; });
}

Status CheckMayGrant(const SessionImpl& session, const catalog::RoleDef& role) {
  if (session.is_superuser()) return Status::Ok();
  if (role.superuser) {
    return Status(sqlstate::kInsufficientPrivilege, "must be superuser to alter superusers");
  }
  const auto snapshot = session.catalog();
  const catalog::RoleDef* self = snapshot->role(session.current_role());
  if (self != nullptr &&
      (self->create_role || catalog::IsAdminOf(*snapshot, self->oid, role.oid))) {
    return Status::Ok();
  }
  return Status(sqlstate::kInsufficientPrivilege,
                fmt::format("must have admin option on role \"{}\"", role.name));
}

Status RemoveMember(SessionImpl& session, const catalog::RoleDef& role, Oid member_oid,
                    bool only_admin) {
  catalog::CatalogEdit& edit = session.db().EditCatalog(*session.block().txn());
  catalog::RoleDef member = *edit.view()->role(member_oid);
  const auto found = FindMembership(member, role.oid);
  if (found == member.memberships.end()) {
    session.Warning(sqlstate::kWarning, fmt::format("role \"{}\" is not a member of role \"{}\"",
                                                    member.name, role.name));
    return Status::Ok();
  }
  if (only_admin) {
    found->admin = false;
  } else {
    member.memberships.erase(found);
  }
  return edit.Put(member);
}

Result<Oid> RoleByName(const SessionImpl& session, std::string_view name) {
  const catalog::RoleDef* role = session.catalog()->FindRole(name);
  if (role != nullptr) return role->oid;
  return Status(sqlstate::kUndefinedObject, fmt::format("role \"{}\" does not exist", name));
}

}  // namespace

Status AddMember(SessionImpl& session, Oid role_oid, Oid member_oid, bool admin) {
  catalog::CatalogEdit& edit = session.db().EditCatalog(*session.block().txn());
  const auto view = edit.view();
  const catalog::RoleDef& role = *view->role(role_oid);
  catalog::RoleDef member = *view->role(member_oid);
  if (catalog::IsMember(*view, role_oid, member_oid)) {
    return Status(sqlstate::kInvalidGrantOperation,
                  fmt::format("role \"{}\" is a member of role \"{}\"", role.name, member.name));
  }
  const auto found = FindMembership(member, role_oid);
  if (found == member.memberships.end()) {
    member.memberships.push_back({role_oid, session.current_role(), admin});
    return edit.Put(member);
  }
  if (found->admin || !admin) {
    session.Notice(
        fmt::format("role \"{}\" is already a member of role \"{}\"", member.name, role.name));
    return Status::Ok();
  }
  found->admin = true;
  return edit.Put(member);
}

Status RunGrantRole(UtilityCall& call) {
  const PgQuery__GrantRoleStmt& grant = *call.node()->grant_role_stmt;
  SessionImpl& session = call.session;
  for (size_t i = 0; i < grant.n_granted_roles; ++i) {
    OMEN_ASSIGN(const Oid role,
                RoleByName(session, View(grant.granted_roles[i]->access_priv->priv_name)));
    OMEN_TRY(CheckMayGrant(session, *session.catalog()->role(role)));
    for (size_t k = 0; k < grant.n_grantee_roles; ++k) {
      OMEN_ASSIGN(const catalog::RoleDef* member,
                  GetRole(session, *grant.grantee_roles[k]->role_spec));
      const Oid member_oid = member->oid;
      OMEN_TRY(grant.is_grant ? AddMember(session, role, member_oid, grant.admin_opt)
                              : RemoveMember(session, *session.catalog()->role(role), member_oid,
                                             grant.admin_opt));
    }
  }
  return Status::Ok();
}

Status ApplyMembershipOption(SessionImpl& session, Oid role, const PgQuery__DefElem& option,
                             bool is_drop) {
  const std::string_view name = View(option.defname);
  const PgQuery__List& list = *option.arg->list;
  for (size_t i = 0; i < list.n_items; ++i) {
    OMEN_ASSIGN(const catalog::RoleDef* other, GetRole(session, *list.items[i]->role_spec));
    const Oid other_oid = other->oid;
    const bool joins = name == "addroleto";  // CREATE ROLE ... IN ROLE other
    const Oid granted = joins ? other_oid : role;
    const Oid member = joins ? role : other_oid;
    OMEN_TRY(CheckMayGrant(session, *session.catalog()->role(granted)));
    if (is_drop) {
      OMEN_TRY(RemoveMember(session, *session.catalog()->role(granted), member, false));
    } else {
      OMEN_TRY(AddMember(session, granted, member, name == "adminmembers"));
    }
  }
  return Status::Ok();
}

bool IsMembershipOption(std::string_view name) {
  return name == "rolemembers" || name == "adminmembers" || name == "addroleto";
}

}  // namespace omendb::sql
