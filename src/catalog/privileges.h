// privileges.h - who may do what: access control lists, their defaults, and membership in roles.
//
// An object without a list has the default one of its kind: everything for its owner, and for
// PUBLIC what PostgreSQL grants it. Superusers are the caller's business: no list binds them.
//
// Thread safety  Free functions over an immutable snapshot.
// See            PostgreSQL 15, section 5.7 "Privileges" and src/backend/utils/adt/acl.c.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/snapshot.h"

namespace omendb::catalog {

// What a list belongs to; tables stand for views too.
enum class AclKind : uint8_t { kTable, kSequence, kSchema, kDatabase };

PrivilegeSet AllPrivileges(AclKind kind);
Acl DefaultAcl(AclKind kind, Oid owner);
// The list that a new database's schema starts with; nullopt = the default one. PUBLIC may use the
// system's schemas and "public".
std::optional<Acl> InitialSchemaAcl(std::string_view schema, Oid owner);

// 'SELECT' -> kSelect; 0 for an unknown word. "ALL" is not among them.
PrivilegeSet PrivilegeFromName(std::string_view upper_case_name);
std::string_view PrivilegeName(PrivilegeSet one);
// PostgreSQL's text form of each item, "alice=arw*/bob": what pg_class.relacl shows.
std::vector<std::string> AclTexts(const CatalogSnapshot& snapshot, const Acl& acl);

// Whether `member` is `role` or belongs to it, directly or not.
bool IsMember(const CatalogSnapshot& snapshot, Oid member, Oid role);
// The same over roles that hand on what they may do: a NOINHERIT role needs SET ROLE first.
bool HasPrivilegesOf(const CatalogSnapshot& snapshot, Oid member, Oid role);
// Whether `role` may grant membership in `granted`.
bool IsAdminOf(const CatalogSnapshot& snapshot, Oid role, Oid granted);

// One object's owner and list, as privileges are asked of it.
struct AclOf {
  AclKind kind = AclKind::kTable;
  Oid owner;
  const std::optional<Acl>* acl = nullptr;
};
AclOf AclOfRelation(const Relation& relation);
inline AclOf AclOfSchema(const SchemaDef& schema) {
  return {AclKind::kSchema, schema.owner, &schema.acl};
}
inline AclOf AclOfDatabase(const DatabaseDef& database) {
  return {AclKind::kDatabase, database.owner, &database.acl};
}

// What `role` may do with the object, by grants to it, to roles it inherits from, and to PUBLIC.
PrivilegeSet PrivilegesOf(const CatalogSnapshot& snapshot, Oid role, const AclOf& object);
// What it may grant to others.
PrivilegeSet GrantableBy(const CatalogSnapshot& snapshot, Oid role, const AclOf& object);

// Adds or takes away privileges of one grantee, as one grantor gave them; `grantable` are those
// WITH GRANT OPTION. An item that has nothing left goes away.
void Grant(Acl& acl, const AclItem& item);
// Takes away `item.privileges` (and their grant options) and, alone, `item.grantable`. False when
// the grantee handed some of it on and `cascade` is off: nothing is changed then.
bool Revoke(Acl& acl, AclKind kind, Oid owner, const AclItem& item, bool cascade);
// The list after the object went from one owner to another: what the old one held and granted is
// the new one's.
Acl WithOwner(const Acl& acl, Oid old_owner, Oid new_owner);

}  // namespace omendb::catalog
