#include "sql/privileges.h"

#include <fmt/format.h>

#include "base/sqlstate.h"

namespace omendb::sql {
namespace {

using catalog::CatalogSnapshot;
using catalog::PrivilegeSet;
using catalog::Relation;

bool IsSuperuser(const CatalogSnapshot& snapshot, Oid role) {
  const catalog::RoleDef* def = snapshot.role(role);
  return def != nullptr && def->superuser;
}

}  // namespace

Status PermissionDenied(std::string_view kind, std::string_view name) {
  return Status(sqlstate::kInsufficientPrivilege,
                fmt::format("permission denied for {} {}", kind, name));
}

Status CheckUses(const SessionImpl& session, const CatalogSnapshot& snapshot,
                 const std::vector<RelationUse>& uses) {
  const Oid current = session.current_role();
  const bool superuser = IsSuperuser(snapshot, current);
  for (const RelationUse& use : uses) {
    const bool by_session = use.as_role == catalog::kPublicRole;
    if (by_session ? superuser : IsSuperuser(snapshot, use.as_role)) continue;
    const Relation relation = FindRelation(snapshot, use.relation);
    if (!relation) continue;  // Dropped: binding again will say so.
    const PrivilegeSet has = catalog::PrivilegesOf(snapshot, by_session ? current : use.as_role,
                                                   catalog::AclOfRelation(relation));
    if ((use.needed & ~has) != 0)
      return PermissionDenied(KindName(relation), RelationName(relation));
  }
  return Status::Ok();
}

Status CheckPrivileges(const SessionImpl& session, const Relation& relation, PrivilegeSet needed) {
  const auto snapshot = session.catalog();
  return CheckUses(session, *snapshot, {{RelationOid(relation), catalog::kPublicRole, needed}});
}

Status CheckAnyPrivilege(const SessionImpl& session, const Relation& relation,
                         PrivilegeSet any_of) {
  if (session.is_superuser()) return Status::Ok();
  const PrivilegeSet has = catalog::PrivilegesOf(*session.catalog(), session.current_role(),
                                                 catalog::AclOfRelation(relation));
  return (has & any_of) != 0 ? Status::Ok()
                             : PermissionDenied(KindName(relation), RelationName(relation));
}

Status CheckSchema(const SessionImpl& session, const catalog::SchemaDef& schema,
                   PrivilegeSet needed) {
  if (session.is_superuser() || schema.name == session.temp_schema_name()) return Status::Ok();
  const PrivilegeSet has = catalog::PrivilegesOf(*session.catalog(), session.current_role(),
                                                 catalog::AclOfSchema(schema));
  return (needed & ~has) == 0 ? Status::Ok() : PermissionDenied("schema", schema.name);
}

Status CheckMember(const SessionImpl& session, const catalog::RoleDef& role) {
  if (session.is_superuser() ||
      catalog::IsMember(*session.catalog(), session.current_role(), role.oid)) {
    return Status::Ok();
  }
  return Status(sqlstate::kInsufficientPrivilege,
                fmt::format("must be member of role \"{}\"", role.name));
}

Status CheckDatabase(const SessionImpl& session, PrivilegeSet needed) {
  if (session.is_superuser()) return Status::Ok();
  const auto snapshot = session.catalog();
  const catalog::DatabaseDef* database = snapshot->database(session.database());
  if (database == nullptr) return Status::Ok();
  const PrivilegeSet has =
      catalog::PrivilegesOf(*snapshot, session.current_role(), catalog::AclOfDatabase(*database));
  return (needed & ~has) == 0 ? Status::Ok() : PermissionDenied("database", database->name);
}

}  // namespace omendb::sql
