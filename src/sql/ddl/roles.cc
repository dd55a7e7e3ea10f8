// Roles and their passwords.
#include <fmt/format.h>

#include <algorithm>

#include "base/sqlstate.h"
#include "pgwire/scram.h"
#include "sql/ddl/role_membership.h"
#include "sql/privileges.h"
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
    }
  }
  return Status::Ok();
}

Status ApplyMemberships(SessionImpl& session, Oid role, size_t count, Node** options,
                        bool is_drop) {
  for (size_t i = 0; i < count; ++i) {
    const PgQuery__DefElem& option = *options[i]->def_elem;
    if (!IsMembershipOption(View(option.defname))) continue;
    OMEN_TRY(ApplyMembershipOption(session, role, option, is_drop));
  }
  return Status::Ok();
}

// What stands in the way of dropping the role, a line each.
std::string DependenciesOf(const catalog::CatalogSnapshot& snapshot, Oid role) {
  std::string text;
  auto add = [&](const auto& definition, std::string_view kind) {
    if (definition.owner == role) {
      text += fmt::format("\nowner of {} {}", kind, definition.name);
      return;
    }
    if (!definition.acl) return;
    for (const catalog::AclItem& item : *definition.acl) {
      if (item.grantee != role && item.grantor != role) continue;
      text += fmt::format("\nprivileges for {} {}", kind, definition.name);
      return;
    }
  };
  for (const catalog::DatabaseDef* database : snapshot.databases()) {
    add(*database, "database");
    for (const catalog::SchemaDef* schema : snapshot.schemas(database->oid)) add(*schema, "schema");
    for (const auto& table : snapshot.tables(database->oid)) add(*table, "table");
    for (const auto& view : snapshot.views(database->oid)) add(*view, "view");
    for (const auto& sequence : snapshot.sequences(database->oid)) {
      if (sequence->owned_by_table == Oid{}) add(*sequence, "sequence");
    }
  }
  return text.empty() ? text : text.substr(1);
}

// No role stays a member of one that is gone.
Status ForgetMembers(catalog::CatalogEdit& edit, Oid role) {
  const auto view = edit.view();
  for (const catalog::RoleDef* other : view->roles()) {
    catalog::RoleDef changed = *other;
    auto& list = changed.memberships;
    list.erase(std::remove_if(list.begin(), list.end(),
                              [&](const catalog::RoleMembership& m) { return m.role == role; }),
               list.end());
    if (list.size() != other->memberships.size()) OMEN_TRY(edit.Put(changed));
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
  OMEN_TRY(session.db().EditCatalog(*session.block().txn()).Put(role));
  return ApplyMemberships(session, role.oid, create.n_options, create.options, false);
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
  OMEN_TRY(session.db().EditCatalog(*session.block().txn()).Put(role));
  return ApplyMemberships(session, role.oid, alter.n_options, alter.options, alter.action < 0);
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
    const std::string owned = DependenciesOf(*edit.view(), oid);
    if (!owned.empty()) {
      return Status(sqlstate::kDependentObjectsStillExist,
                    fmt::format("role \"{}\" cannot be dropped because some objects depend on it",
                                name))
          .WithDetail(owned);
    }
    OMEN_TRY(ForgetMembers(edit, oid));
    OMEN_TRY(edit.Drop(catalog::ObjectKind::kRole, oid));
  }
  return Status::Ok();
}

}  // namespace omendb::sql
