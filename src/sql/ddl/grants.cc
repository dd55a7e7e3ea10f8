// GRANT and REVOKE of privileges on tables, views, sequences, schemas and databases.
#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "sql/privileges.h"
#include "sql/statements/dispatch.h"

namespace omendb::sql {
namespace {

using catalog::AclKind;
using catalog::AclOf;
using catalog::PrivilegeSet;

// One object of the statement, with the way to store its changed list.
struct GrantTarget {
  std::string name;
  AclKind kind;
  Oid owner;
  std::optional<catalog::Acl> acl;
  std::function<Status(catalog::Acl)> store;

  AclOf acl_of() const { return {kind, owner, &acl}; }
};

std::string_view KindOfList(AclKind kind) {
  switch (kind) {
    case AclKind::kTable:
      return "table";
    case AclKind::kSequence:
      return "sequence";
    case AclKind::kSchema:
      return "schema";
    case AclKind::kDatabase:
      return "database";
  }
  return "";
}

template <typename Definition>
GrantTarget TargetOf(SessionImpl& session, AclKind kind, const Definition& definition) {
  return {definition.name, kind, definition.owner, definition.acl,
          [&session, changed = definition](catalog::Acl acl) mutable {
            changed.acl = std::move(acl);
            return session.db().EditCatalog(*session.block().txn()).Put(changed);
          }};
}

Result<PrivilegeSet> ReadPrivileges(const PgQuery__GrantStmt& grant, AclKind kind) {
  if (grant.n_privileges == 0) return catalog::AllPrivileges(kind);
  PrivilegeSet privileges = 0;
  for (size_t i = 0; i < grant.n_privileges; ++i) {
    const PgQuery__AccessPriv& item = *grant.privileges[i]->access_priv;
    if (item.n_cols > 0) return NotSupported("a privilege on columns");
    const std::string name(View(item.priv_name));
    std::string upper = name;
    std::transform(upper.begin(), upper.end(), upper.begin(), ::toupper);
    const PrivilegeSet one = catalog::PrivilegeFromName(upper);
    if (one == 0 && upper != "EXECUTE" && upper != "SET" && upper != "ALTER SYSTEM") {
      return Status(sqlstate::kSyntaxError,
                    fmt::format("unrecognized privilege type \"{}\"", name));
    }
    // A sequence may be named as a table, then with a sequence's privileges.
    if (one == 0 || (one & catalog::AllPrivileges(kind)) == 0) {
      return Status(sqlstate::kInvalidGrantOperation,
                    fmt::format("invalid privilege type {} for {}", upper, KindOfList(kind)));
    }
    privileges |= one;
  }
  return privileges;
}

Result<std::vector<Oid>> ReadGrantees(SessionImpl& session, const PgQuery__GrantStmt& grant) {
  std::vector<Oid> grantees;
  for (size_t i = 0; i < grant.n_grantees; ++i) {
    const PgQuery__RoleSpec& spec = *grant.grantees[i]->role_spec;
    if (spec.roletype == PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_PUBLIC) {
      if (grant.is_grant && grant.grant_option) {
        return Status(sqlstate::kInvalidGrantOperation,
                      "grant options can only be granted to roles");
      }
      grantees.push_back(catalog::kPublicRole);
      continue;
    }
    OMEN_ASSIGN(const catalog::RoleDef* role, GetRole(session, spec));
    grantees.push_back(role->oid);
  }
  return grantees;
}

Result<GrantTarget> RelationTarget(UtilityCall& call, catalog::Relation found) {
  SessionImpl& session = call.session;
  if (found.view != nullptr) return TargetOf(session, AclKind::kTable, *found.view);
  if (found.sequence != nullptr) return TargetOf(session, AclKind::kSequence, *found.sequence);
  if (found.index != nullptr) {
    return Status(sqlstate::kWrongObjectType, fmt::format("\"{}\" is an index", found.index->name));
  }
  // Keeps others from changing the same definition meanwhile.
  engine::StatementContext context = session.MakeContext(call.waiter);
  OMEN_ASSIGN(found.table, LockForDdl(session, context, found.table->oid,
                                      txn::TableLockMode::kShareUpdateExclusive));
  return TargetOf(session, AclKind::kTable, *found.table);
}

Result<std::vector<GrantTarget>> TargetsInSchema(UtilityCall& call, std::string_view schema_name,
                                                 bool sequences) {
  SessionImpl& session = call.session;
  OMEN_ASSIGN(const catalog::SchemaDef* schema, GetSchema(session, schema_name));
  const Oid oid = schema->oid;
  const auto snapshot = session.catalog();
  std::vector<GrantTarget> targets;
  auto add = [&](const auto& definitions, auto member) -> Status {
    for (const auto& definition : definitions) {
      if (definition->schema != oid) continue;
      catalog::Relation relation;
      relation.*member = definition;
      OMEN_ASSIGN(GrantTarget target, RelationTarget(call, relation));
      targets.push_back(std::move(target));
    }
    return Status::Ok();
  };
  if (sequences) {
    OMEN_TRY(add(snapshot->sequences(session.database()), &catalog::Relation::sequence));
  } else {
    OMEN_TRY(add(snapshot->tables(session.database()), &catalog::Relation::table));
    OMEN_TRY(add(snapshot->views(session.database()), &catalog::Relation::view));
  }
  return targets;
}

Result<GrantTarget> NamedTarget(UtilityCall& call, const PgQuery__GrantStmt& grant,
                                const Node* object) {
  SessionImpl& session = call.session;
  switch (grant.objtype) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE: {
      OMEN_ASSIGN(catalog::Relation found, GetRelation(session, NameOf(*object->range_var)));
      if (grant.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE && found.sequence == nullptr) {
        return Status(sqlstate::kWrongObjectType,
                      fmt::format("\"{}\" is not a sequence", RelationName(found)));
      }
      return RelationTarget(call, std::move(found));
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA: {
      OMEN_ASSIGN(const catalog::SchemaDef* schema, GetSchema(session, StringOf(object)));
      return TargetOf(session, AclKind::kSchema, *schema);
    }
    default: {
      const std::string name(StringOf(object));
      const catalog::DatabaseDef* database = session.catalog()->FindDatabase(name);
      if (database == nullptr) {
        return Status(sqlstate::kInvalidCatalogName,
                      fmt::format("database \"{}\" does not exist", name));
      }
      return TargetOf(session, AclKind::kDatabase, *database);
    }
  }
}

// As whom the current role grants: the owner where it may act for it, else a role of its own that
// has grant options.
Oid GrantorFor(const SessionImpl& session, const GrantTarget& object, PrivilegeSet wanted) {
  const auto snapshot = session.catalog();
  const Oid self = session.current_role();
  if (session.is_superuser() || catalog::HasPrivilegesOf(*snapshot, self, object.owner)) {
    return object.owner;
  }
  Oid best = self;
  if (!object.acl.has_value()) return best;
  for (const catalog::AclItem& item : *object.acl) {
    if ((item.grantable & wanted) == 0) continue;
    if (item.grantee == self) return self;
    if (catalog::HasPrivilegesOf(*snapshot, self, item.grantee)) best = item.grantee;
  }
  return best;
}

// The part of `wanted` that the grantor may hand on, with PostgreSQL's warnings for the rest.
Result<PrivilegeSet> Grantable(SessionImpl& session, const GrantTarget& target, Oid grantor,
                               PrivilegeSet wanted, const PgQuery__GrantStmt& grant) {
  const auto snapshot = session.catalog();
  const PrivilegeSet may = catalog::GrantableBy(*snapshot, grantor, target.acl_of()) & wanted;
  const std::string_view verb = grant.is_grant ? "granted" : "revoked";
  if (may == 0) {
    const PrivilegeSet has = catalog::PrivilegesOf(*snapshot, grantor, target.acl_of());
    if (has == 0) return PermissionDenied(KindOfList(target.kind), target.name);
    session.Warning(sqlstate::kWarningPrivilegeNotGranted,
                    fmt::format("no privileges {} {} for \"{}\"",
                                grant.is_grant ? "were" : "could be", verb, target.name));
  } else if (may != wanted && grant.n_privileges > 0) {
    session.Warning(sqlstate::kWarningPrivilegeNotGranted,
                    fmt::format("not all privileges {} {} for \"{}\"",
                                grant.is_grant ? "were" : "could be", verb, target.name));
  }
  return may;
}

Status ApplyGrant(SessionImpl& session, const GrantTarget& target, const std::vector<Oid>& grantees,
                  const PgQuery__GrantStmt& grant) {
  OMEN_ASSIGN(const PrivilegeSet wanted, ReadPrivileges(grant, target.kind));
  const Oid grantor = GrantorFor(session, target, wanted);
  OMEN_ASSIGN(const PrivilegeSet privileges, Grantable(session, target, grantor, wanted, grant));
  if (privileges == 0) return Status::Ok();
  catalog::Acl acl = target.acl.value_or(catalog::DefaultAcl(target.kind, target.owner));
  for (Oid grantee : grantees) {
    if (grant.is_grant) {
      catalog::Grant(acl, {grantee, grantor, privileges, grant.grant_option ? privileges : 0});
      continue;
    }
    const PrivilegeSet taken = grant.grant_option ? 0 : privileges;
    const bool cascade = grant.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
    if (!catalog::Revoke(acl, target.kind, target.owner, {grantee, grantor, taken, privileges},
                         cascade)) {
      return Status(sqlstate::kDependentObjectsStillExist, "dependent privileges exist")
          .WithHint("Use CASCADE to revoke them too.");
    }
  }
  return target.store(std::move(acl));
}

bool IsRoutine(PgQuery__ObjectType type) {
  return type == PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION ||
         type == PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE ||
         type == PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE;
}

}  // namespace

Status RunGrant(UtilityCall& call) {
  const PgQuery__GrantStmt& grant = *call.node()->grant_stmt;
  SessionImpl& session = call.session;
  OMEN_ASSIGN(const std::vector<Oid> grantees, ReadGrantees(session, grant));
  if (grant.grantor != nullptr) {
    OMEN_ASSIGN(const catalog::RoleDef* grantor, GetRole(session, *grant.grantor));
    if (grantor->oid != session.current_role()) {
      return NotSupported("GRANTED BY another than the current user");
    }
  }
  if (grant.targtype == PG_QUERY__GRANT_TARGET_TYPE__ACL_TARGET_ALL_IN_SCHEMA) {
    const bool sequences = grant.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE;
    for (size_t i = 0; i < grant.n_objects; ++i) {
      OMEN_ASSIGN(auto targets, TargetsInSchema(call, StringOf(grant.objects[i]), sequences));
      if (IsRoutine(grant.objtype)) continue;  // There are none.
      for (const GrantTarget& target : targets) {
        OMEN_TRY(ApplyGrant(session, target, grantees, grant));
      }
    }
    return Status::Ok();
  }
  const bool known = grant.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE ||
                     grant.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE ||
                     grant.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA ||
                     grant.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE;
  if (!known) return NotSupported("a privilege on this kind of object");
  for (size_t i = 0; i < grant.n_objects; ++i) {
    OMEN_ASSIGN(const GrantTarget target, NamedTarget(call, grant, grant.objects[i]));
    OMEN_TRY(ApplyGrant(session, target, grantees, grant));
  }
  return Status::Ok();
}

Status RunAlterDefaultPrivileges(UtilityCall&) { return NotSupported("ALTER DEFAULT PRIVILEGES"); }

}  // namespace omendb::sql
