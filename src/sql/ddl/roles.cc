// Roles, their passwords, and privileges. Objects belong to roles; what their owner and superusers
// may do is enforced, grants to others are not kept (docs/compatibility.md).
#include <fmt/format.h>

#include "base/sqlstate.h"
#include "pgwire/scram.h"
#include "sql/names.h"
#include "sql/statements/dispatch.h"

namespace omendb::sql {
namespace {

Status RequireCreateRole(const SessionImpl& session, std::string_view what) {
  const catalog::RoleDef* role = session.catalog()->role(session.current_role());
  if (session.is_superuser() || (role != nullptr && role->create_role)) return Status::Ok();
  return Status(sqlstate::kInsufficientPrivilege, std::string(what));
}

Status ReadOptions(SessionImpl& session, size_t count, Node** options, catalog::RoleDef& role) {
  for (size_t i = 0; i < count; ++i) {
    const PgQuery__DefElem& option = *options[i]->def_elem;
    const std::string_view name = View(option.defname);
    const std::string value = ConstText(option.arg);
    const bool on = value == "1" || value == "true";
    if (name == "superuser") {
      if (on && !session.is_superuser()) {
        return Status(sqlstate::kInsufficientPrivilege, "must be superuser to create superusers");
      }
      role.superuser = on;
    } else if (name == "inherit") {
      role.inherit = on;
    } else if (name == "createrole") {
      role.create_role = on;
    } else if (name == "createdb") {
      role.create_db = on;
    } else if (name == "canlogin") {
      role.can_login = on;
    } else if (name == "isreplication") {
      role.replication = on;
    } else if (name == "bypassrls") {
      role.bypass_rls = on;
    } else if (name == "connectionlimit") {
      role.connection_limit = std::atoi(value.c_str());
    } else if (name == "password") {
      if (option.arg == nullptr || value.empty()) {
        if (option.arg != nullptr) {
          session.Notice("empty string is not a valid password, clearing password");
        }
        role.password_verifier.clear();
      } else if (pgwire::ParseScramVerifier(value)) {
        role.password_verifier = value;
      } else {
        role.password_verifier = pgwire::MakeScramVerifier(value).ToString();
      }
    } else if (name == "validUntil") {
      types::Arena arena;
      OMEN_ASSIGN(types::Value until, types::ParseText({types::TypeKind::kTimestampTz}, value,
                                                       arena, session.settings().io()));
      role.valid_until_micros = until.i64;
    } else if (name == "rolemembers" || name == "adminmembers" || name == "addroleto") {
      return NotSupported("role membership");
    }
  }
  return Status::Ok();
}

}  // namespace

Status RunCreateRole(UtilityCall& call) {
  const PgQuery__CreateRoleStmt& create = *call.node()->create_role_stmt;
  SessionImpl& session = call.session;
  OMEN_TRY(RequireCreateRole(session, "permission denied to create role"));
  catalog::RoleDef role;
  role.name = View(create.role);
  role.can_login = create.stmt_type == PG_QUERY__ROLE_STMT_TYPE__ROLESTMT_USER;
  if (role.name.starts_with("pg_")) {
    return Status(sqlstate::kReservedName, fmt::format("role name \"{}\" is reserved", role.name))
        .WithDetail("Role names starting with \"pg_\" are reserved.");
  }
  if (session.catalog()->FindRole(role.name) != nullptr) {
    return Status(sqlstate::kDuplicateObject, fmt::format("role \"{}\" already exists", role.name));
  }
  OMEN_TRY(ReadOptions(session, create.n_options, create.options, role));
  role.oid = session.db().NewOid();
  return session.db().EditCatalog(*session.block().txn()).Put(role);
}

Status RunAlterRole(UtilityCall& call) {
  const PgQuery__AlterRoleStmt& alter = *call.node()->alter_role_stmt;
  SessionImpl& session = call.session;
  OMEN_ASSIGN(const catalog::RoleDef* found, GetRole(session, *alter.role));
  catalog::RoleDef role = *found;
  const bool only_own_password = role.name == session.current_user() && alter.n_options == 1 &&
                                 View(alter.options[0]->def_elem->defname) == "password";
  if (!only_own_password) OMEN_TRY(RequireCreateRole(session, "permission denied"));
  if (role.superuser && !session.is_superuser()) {
    return Status(sqlstate::kInsufficientPrivilege,
                  "must be superuser to alter superuser roles or change superuser attribute");
  }
  OMEN_TRY(ReadOptions(session, alter.n_options, alter.options, role));
  return session.db().EditCatalog(*session.block().txn()).Put(role);
}

Status RunDropRole(UtilityCall& call) {
  const PgQuery__DropRoleStmt& drop = *call.node()->drop_role_stmt;
  SessionImpl& session = call.session;
  OMEN_TRY(RequireCreateRole(session, "permission denied to drop role"));
  catalog::CatalogEdit& edit = session.db().EditCatalog(*session.block().txn());
  for (size_t i = 0; i < drop.n_roles; ++i) {
    const std::string name(View(drop.roles[i]->role_spec->rolename));
    const catalog::RoleDef* role = edit.view()->FindRole(name);
    if (role == nullptr) {
      const Status missing(
          sqlstate::kUndefinedObject,
          fmt::format("role \"{}\" does not exist{}", name, drop.missing_ok ? ", skipping" : ""));
      if (!drop.missing_ok) return missing;
      session.Notify("NOTICE", missing);
      continue;
    }
    if (name == session.current_user()) {
      return Status(sqlstate::kObjectInUse, "current user cannot be dropped");
    }
    if (name == session.session_user()) {
      return Status(sqlstate::kObjectInUse, "session user cannot be dropped");
    }
    const Oid oid = role->oid;
    if (oid == catalog::kBootstrapRole) {
      return Status(
          sqlstate::kDependentObjectsStillExist,
          fmt::format("cannot drop role {} because it is required by the database system", name));
    }
    std::string owned;
    for (const catalog::DatabaseDef* database : edit.view()->databases()) {
      if (database->owner == oid) owned += "\nowner of database " + database->name;
      for (const catalog::SchemaDef* schema : edit.view()->schemas(database->oid)) {
        if (schema->owner == oid) owned += "\nowner of schema " + schema->name;
      }
      for (const auto& table : edit.view()->tables(database->oid)) {
        if (table->owner == oid) owned += "\nowner of table " + table->name;
      }
      for (const auto& view : edit.view()->views(database->oid)) {
        if (view->owner == oid) owned += "\nowner of view " + view->name;
      }
    }
    if (!owned.empty()) {
      return Status(sqlstate::kDependentObjectsStillExist,
                    fmt::format("role \"{}\" cannot be dropped because some objects depend on it",
                                name))
          .WithDetail(owned.substr(1));
    }
    OMEN_TRY(edit.Drop(catalog::ObjectKind::kRole, oid));
  }
  return Status::Ok();
}

// The objects and grantees must exist; the grant itself has no effect.
Status RunGrant(UtilityCall& call) {
  if (call.node()->node_case == PG_QUERY__NODE__NODE_ALTER_DEFAULT_PRIVILEGES_STMT) {
    return Status::Ok();
  }
  const PgQuery__GrantStmt& grant = *call.node()->grant_stmt;
  SessionImpl& session = call.session;
  for (size_t i = 0; i < grant.n_grantees; ++i) {
    const PgQuery__RoleSpec& spec = *grant.grantees[i]->role_spec;
    if (spec.roletype == PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_PUBLIC) continue;
    auto role = GetRole(session, spec);
    if (!role.ok()) return role.status();
  }
  if (grant.targtype != PG_QUERY__GRANT_TARGET_TYPE__ACL_TARGET_OBJECT) return Status::Ok();
  for (size_t i = 0; i < grant.n_objects; ++i) {
    const Node* object = grant.objects[i];
    if (object->node_case == PG_QUERY__NODE__NODE_RANGE_VAR) {
      auto found = GetRelation(session, NameOf(*object->range_var));
      if (!found.ok()) return found.status();
    } else if (grant.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA) {
      auto found = GetSchema(session, StringOf(object));
      if (!found.ok()) return found.status();
    } else if (grant.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE) {
      if (session.catalog()->FindDatabase(StringOf(object)) == nullptr) {
        return Status(sqlstate::kInvalidCatalogName,
                      fmt::format("database \"{}\" does not exist", StringOf(object)));
      }
    }
  }
  return Status::Ok();
}

Status RunGrantRole(UtilityCall&) { return NotSupported("role membership"); }

}  // namespace omendb::sql
