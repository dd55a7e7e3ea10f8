#include "catalog/privileges.h"

#include <algorithm>
#include <set>

namespace omendb::catalog {
namespace {

struct NamedPrivilege {
  PrivilegeSet bit;
  char letter;
  std::string_view name;
};
// In the order of PostgreSQL's text form.
constexpr NamedPrivilege kPrivileges[] = {
    {privilege::kInsert, 'a', "INSERT"},     {privilege::kSelect, 'r', "SELECT"},
    {privilege::kUpdate, 'w', "UPDATE"},     {privilege::kDelete, 'd', "DELETE"},
    {privilege::kTruncate, 'D', "TRUNCATE"}, {privilege::kReferences, 'x', "REFERENCES"},
    {privilege::kTrigger, 't', "TRIGGER"},   {privilege::kUsage, 'U', "USAGE"},
    {privilege::kCreate, 'C', "CREATE"},     {privilege::kTemporary, 'T', "TEMPORARY"},
    {privilege::kConnect, 'c', "CONNECT"},
};

const Acl& ListOf(const AclOf& object, Acl& room) {
  if (object.acl->has_value()) return **object.acl;
  room = DefaultAcl(object.kind, object.owner);
  return room;
}

// Walks from `member` to the roles it belongs to, until `stop` says so.
template <typename Follow, typename Stop>
bool ReachesRole(const CatalogSnapshot& snapshot, Oid member, Follow follow, Stop stop) {
  std::vector<Oid> open{member};
  std::set<Oid> seen{member};
  while (!open.empty()) {
    const Oid at = open.back();
    open.pop_back();
    if (stop(at)) return true;
    const RoleDef* role = snapshot.role(at);
    if (role == nullptr || !follow(*role)) continue;
    for (const RoleMembership& membership : role->memberships) {
      if (seen.insert(membership.role).second) open.push_back(membership.role);
    }
  }
  return false;
}

std::string QuotedRole(const CatalogSnapshot& snapshot, Oid oid) {
  if (oid == kPublicRole) return "";
  const RoleDef* role = snapshot.role(oid);
  if (role == nullptr) return std::to_string(oid.value());
  const bool plain = std::all_of(role->name.begin(), role->name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c >= 0x80;
  });
  if (plain) return role->name;
  std::string quoted = "\"";
  for (char c : role->name) {
    quoted += c;
    if (c == '"') quoted += c;
  }
  return quoted + "\"";
}

AclItem* FindItem(Acl& acl, Oid grantee, Oid grantor) {
  auto it = std::find_if(acl.begin(), acl.end(), [&](const AclItem& item) {
    return item.grantee == grantee && item.grantor == grantor;
  });
  return it != acl.end() ? &*it : nullptr;
}

PrivilegeSet GrantOptionsOf(const Acl& acl, Oid owner, Oid role, AclKind kind) {
  if (role == owner) return AllPrivileges(kind);
  PrivilegeSet options = 0;
  for (const AclItem& item : acl) {
    if (item.grantee == role) options |= item.grantable;
  }
  return options;
}

// Takes away what grantors may no longer hand on: after a grant option went away.
bool DropDependents(Acl& acl, Oid owner, AclKind kind, bool cascade) {
  for (bool changed = true; changed;) {
    changed = false;
    for (AclItem& item : acl) {
      const PrivilegeSet may = GrantOptionsOf(acl, owner, item.grantor, kind);
      if ((item.privileges & ~may) == 0) continue;
      if (!cascade) return false;
      item.privileges &= may;
      item.grantable &= may;
      changed = true;
    }
  }
  return true;
}

}  // namespace

PrivilegeSet AllPrivileges(AclKind kind) {
  switch (kind) {
    case AclKind::kTable:
      return privilege::kInsert | privilege::kSelect | privilege::kUpdate | privilege::kDelete |
             privilege::kTruncate | privilege::kReferences | privilege::kTrigger;
    case AclKind::kSequence:
      return privilege::kUsage | privilege::kSelect | privilege::kUpdate;
    case AclKind::kSchema:
      return privilege::kUsage | privilege::kCreate;
    case AclKind::kDatabase:
      return privilege::kCreate | privilege::kTemporary | privilege::kConnect;
  }
  return 0;
}

Acl DefaultAcl(AclKind kind, Oid owner) {
  Acl acl;
  if (kind == AclKind::kDatabase) {
    acl.push_back({kPublicRole, owner, privilege::kTemporary | privilege::kConnect, 0});
  }
  acl.push_back({owner, owner, AllPrivileges(kind), 0});
  return acl;
}

std::optional<Acl> InitialSchemaAcl(std::string_view schema, Oid owner) {
  if (schema != "pg_catalog" && schema != "information_schema" && schema != "public") {
    return std::nullopt;
  }
  return Acl{{owner, owner, AllPrivileges(AclKind::kSchema), 0},
             {kPublicRole, owner, privilege::kUsage, 0}};
}

PrivilegeSet PrivilegeFromName(std::string_view upper_case_name) {
  if (upper_case_name == "TEMP") return privilege::kTemporary;
  for (const NamedPrivilege& known : kPrivileges) {
    if (known.name == upper_case_name) return known.bit;
  }
  return 0;
}

std::string_view PrivilegeName(PrivilegeSet one) {
  for (const NamedPrivilege& known : kPrivileges) {
    if (known.bit == one) return known.name;
  }
  return "";
}

std::vector<std::string> AclTexts(const CatalogSnapshot& snapshot, const Acl& acl) {
  std::vector<std::string> texts;
  for (const AclItem& item : acl) {
    std::string text = QuotedRole(snapshot, item.grantee) + "=";
    for (const NamedPrivilege& known : kPrivileges) {
      if ((item.privileges & known.bit) == 0) continue;
      text += known.letter;
      if ((item.grantable & known.bit) != 0) text += '*';
    }
    texts.push_back(text + "/" + QuotedRole(snapshot, item.grantor));
  }
  return texts;
}

bool IsMember(const CatalogSnapshot& snapshot, Oid member, Oid role) {
  return ReachesRole(
      snapshot, member, [](const RoleDef&) { return true; }, [&](Oid at) { return at == role; });
}

bool HasPrivilegesOf(const CatalogSnapshot& snapshot, Oid member, Oid role) {
  return ReachesRole(
      snapshot, member, [](const RoleDef& at) { return at.inherit; },
      [&](Oid at) { return at == role; });
}

bool IsAdminOf(const CatalogSnapshot& snapshot, Oid role, Oid granted) {
  return ReachesRole(
      snapshot, role, [](const RoleDef&) { return true; },
      [&](Oid at) {
        const RoleDef* def = snapshot.role(at);
        return def != nullptr &&
               std::any_of(def->memberships.begin(), def->memberships.end(),
                           [&](const RoleMembership& m) { return m.role == granted && m.admin; });
      });
}

AclOf AclOfRelation(const Relation& relation) {
  if (relation.view != nullptr) {
    return {AclKind::kTable, relation.view->owner, &relation.view->acl};
  }
  if (relation.sequence != nullptr) {
    return {AclKind::kSequence, relation.sequence->owner, &relation.sequence->acl};
  }
  return {AclKind::kTable, relation.table->owner, &relation.table->acl};
}

PrivilegeSet PrivilegesOf(const CatalogSnapshot& snapshot, Oid role, const AclOf& object) {
  Acl room;
  PrivilegeSet privileges = 0;
  for (const AclItem& item : ListOf(object, room)) {
    if ((item.privileges & ~privileges) == 0) continue;
    if (item.grantee == kPublicRole || HasPrivilegesOf(snapshot, role, item.grantee)) {
      privileges |= item.privileges;
    }
  }
  return privileges;
}

PrivilegeSet GrantableBy(const CatalogSnapshot& snapshot, Oid role, const AclOf& object) {
  if (HasPrivilegesOf(snapshot, role, object.owner)) return AllPrivileges(object.kind);
  Acl room;
  PrivilegeSet privileges = 0;
  for (const AclItem& item : ListOf(object, room)) {
    if (item.grantee != kPublicRole && HasPrivilegesOf(snapshot, role, item.grantee)) {
      privileges |= item.grantable;
    }
  }
  return privileges;
}

void Grant(Acl& acl, const AclItem& item) {
  AclItem* found = FindItem(acl, item.grantee, item.grantor);
  if (found == nullptr) {
    acl.push_back(item);
    return;
  }
  found->privileges |= item.privileges;
  found->grantable |= item.grantable;
}

bool Revoke(Acl& acl, AclKind kind, Oid owner, const AclItem& item, bool cascade) {
  Acl changed = acl;
  AclItem* found = FindItem(changed, item.grantee, item.grantor);
  if (found == nullptr) return true;
  found->privileges &= ~item.privileges;
  found->grantable &= ~(item.privileges | item.grantable);
  if (!DropDependents(changed, owner, kind, cascade)) return false;
  changed.erase(std::remove_if(changed.begin(), changed.end(),
                               [](const AclItem& i) { return i.privileges == 0; }),
                changed.end());
  acl = std::move(changed);
  return true;
}

Acl WithOwner(const Acl& acl, Oid old_owner, Oid new_owner) {
  Acl moved;
  for (AclItem item : acl) {
    if (item.grantee == old_owner) item.grantee = new_owner;
    if (item.grantor == old_owner) item.grantor = new_owner;
    Grant(moved, item);
  }
  return moved;
}

}  // namespace omendb::catalog
