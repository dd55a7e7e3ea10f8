// Databases, roles, settings and what sessions do.
#include <fmt/format.h>

#include "sql/pg_catalog/row_maker.h"
#include "sql/statements/dispatch.h"

namespace omendb::sql {
namespace {

// Unix microseconds are timestamptz's own representation.
void SetTime(RowMaker& row, std::string_view column, int64_t micros) {
  if (micros != 0) row.Set(column, micros);
}

void PgDatabase(SystemContext& c) {
  for (const catalog::DatabaseDef* database : c.catalog.databases()) {
    c.row.Begin()
        .Set("oid", database->oid)
        .Set("datname", database->name)
        .Set("datdba", database->owner)
        .Set("encoding", 6)
        .Set("datlocprovider", "c")
        .Set("datistemplate", false)
        .Set("datallowconn", true)
        .Set("datconnlimit", -1)
        .Set("datfrozenxid", 0)
        .Set("datminmxid", 1)
        .Set("dattablespace", 1663)
        .Set("datcollate", "C")
        .Set("datctype", "C");
    SetAcl(c, "datacl", database->acl);
  }
}

void PgTablespace(SystemContext& c) {
  c.row.Begin()
      .Set("oid", 1663)
      .Set("spcname", "pg_default")
      .Set("spcowner", catalog::kBootstrapRole);
  c.row.Begin()
      .Set("oid", 1664)
      .Set("spcname", "pg_global")
      .Set("spcowner", catalog::kBootstrapRole);
}

void RoleRow(SystemContext& c, const catalog::RoleDef& role, bool with_password) {
  c.row.Begin()
      .Set("oid", role.oid)
      .Set("rolname", role.name)
      .Set("rolsuper", role.superuser)
      .Set("rolinherit", role.inherit)
      .Set("rolcreaterole", role.create_role)
      .Set("rolcreatedb", role.create_db)
      .Set("rolcanlogin", role.can_login)
      .Set("rolreplication", role.replication)
      .Set("rolbypassrls", role.bypass_rls)
      .Set("rolconnlimit", static_cast<int>(role.connection_limit));
  if (role.valid_until_micros) SetTime(c.row, "rolvaliduntil", *role.valid_until_micros);
  if (!with_password) {
    c.row.Set("rolpassword", "********");
  } else if (!role.password_verifier.empty() && c.session != nullptr && c.session->is_superuser()) {
    c.row.Set("rolpassword", role.password_verifier);
  }
}

void PgAuthid(SystemContext& c) {
  for (const catalog::RoleDef* role : c.catalog.roles()) RoleRow(c, *role, true);
}
void PgRoles(SystemContext& c) {
  for (const catalog::RoleDef* role : c.catalog.roles()) RoleRow(c, *role, false);
}

void PgAuthMembers(SystemContext& c) {
  for (const catalog::RoleDef* role : c.catalog.roles()) {
    for (const catalog::RoleMembership& membership : role->memberships) {
      c.row.Begin()
          .Set("roleid", membership.role)
          .Set("member", role->oid)
          .Set("grantor", membership.grantor)
          .Set("admin_option", membership.admin);
    }
  }
}

void PgUser(SystemContext& c) {
  for (const catalog::RoleDef* role : c.catalog.roles()) {
    if (!role->can_login) continue;
    c.row.Begin()
        .Set("usename", role->name)
        .Set("usesysid", role->oid)
        .Set("usecreatedb", role->create_db)
        .Set("usesuper", role->superuser)
        .Set("userepl", role->replication)
        .Set("usebypassrls", role->bypass_rls)
        .Set("passwd", "********");
    if (role->valid_until_micros) SetTime(c.row, "valuntil", *role->valid_until_micros);
  }
}

void PgGroup(SystemContext& c) {
  for (const catalog::RoleDef* role : c.catalog.roles()) {
    if (!role->can_login) c.row.Begin().Set("groname", role->name).Set("grosysid", role->oid);
  }
}

void PgSettings(SystemContext& c) {
  if (c.session == nullptr) return;
  const SessionSettings& settings = c.session->settings();
  for (const SettingDef& def : AllSettings()) {
    auto value = TransactionVariable(*c.session, def.name);
    c.row.Begin()
        .Set("name", def.name)
        .Set("setting", value ? *value : settings.Get(def.name))
        .Set("category", def.category)
        .Set("short_desc", "")
        .Set("context", ContextName(def.context))
        .Set("vartype", TypeNameOf(def.type))
        .Set("source", settings.GetSource(def.name))
        .Set("boot_val", def.boot_value)
        .Set("reset_val", settings.GetReset(def.name))
        .Set("pending_restart", false);
    if (!def.unit.empty()) c.row.Set("unit", def.unit);
    if (!def.min.empty()) c.row.Set("min_val", def.min);
    if (!def.max.empty()) c.row.Set("max_val", def.max);
    if (def.choices.empty()) continue;
    std::vector<std::string> choices;
    std::string_view rest = def.choices;
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      choices.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    c.row.SetTexts("enumvals", choices);
  }
}

void PgStatActivity(SystemContext& c) {
  for (const ActivityEntry& entry : c.instance.activity().Entries()) {
    c.row.Begin()
        .Set("datid", entry.database_oid)
        .Set("datname", entry.database)
        .Set("pid", static_cast<int>(entry.pid))
        .Set("usesysid", entry.role_oid)
        .Set("usename", entry.user)
        .Set("application_name", entry.application_name);
    if (!SeesSessionsOf(c, entry.role_oid)) {
      c.row.Set("query", "<insufficient privilege>");
      continue;
    }
    c.row.Set("state", entry.state).Set("query", entry.query).Set("backend_type", "client backend");
    if (!entry.client_address.empty()) c.row.Set("client_addr", entry.client_address);
    SetTime(c.row, "backend_start", entry.backend_start);
    SetTime(c.row, "xact_start", entry.transaction_start);
    SetTime(c.row, "query_start", entry.query_start);
    SetTime(c.row, "state_change", entry.state_change);
  }
}

void PgStatDatabase(SystemContext& c) {
  for (const catalog::DatabaseDef* database : c.catalog.databases()) {
    c.row.Begin()
        .Set("datid", database->oid)
        .Set("datname", database->name)
        .Set("numbackends",
             static_cast<int64_t>(c.instance.activity().CountInDatabase(database->oid)));
    if (database->oid != c.database) continue;
    const engine::EngineStats stats = c.instance.database().stats();
    c.row.Set("xact_commit", static_cast<int64_t>(stats.commits))
        .Set("xact_rollback", static_cast<int64_t>(stats.aborts));
  }
}

void PgPreparedStatements(SystemContext& c) {
  if (c.session == nullptr) return;
  for (const auto& [name, prepared] : c.session->prepared()) {
    if (name.empty() || prepared.plan == nullptr) continue;
    c.row.Begin()
        .Set("name", name)
        .Set("statement", *prepared.text)
        .Set("from_sql", prepared.from_sql)
        .Set("generic_plans", 0)
        .Set("custom_plans", 0);
    SetTime(c.row, "prepare_time", prepared.prepared_micros);
  }
}

void PgCursors(SystemContext& c) {
  if (c.session == nullptr) return;
  for (const auto& portal : c.session->portals()) {
    if (!portal->is_cursor) continue;
    c.row.Begin()
        .Set("name", portal->name)
        .Set("statement", *portal->query)
        .Set("is_holdable", portal->hold)
        .Set("is_binary", portal->binary)
        .Set("is_scrollable", portal->scroll);
    SetTime(c.row, "creation_time", portal->created_micros);
  }
}

constexpr NamedProducer kProducers[] = {
    {"pg_catalog", "pg_database", PgDatabase},
    {"pg_catalog", "pg_tablespace", PgTablespace},
    {"pg_catalog", "pg_authid", PgAuthid},
    {"pg_catalog", "pg_auth_members", PgAuthMembers},
    {"pg_catalog", "pg_roles", PgRoles},
    {"pg_catalog", "pg_user", PgUser},
    {"pg_catalog", "pg_shadow", PgUser},
    {"pg_catalog", "pg_group", PgGroup},
    {"pg_catalog", "pg_settings", PgSettings},
    {"pg_catalog", "pg_stat_activity", PgStatActivity},
    {"pg_catalog", "pg_stat_database", PgStatDatabase},
    {"pg_catalog", "pg_prepared_statements", PgPreparedStatements},
    {"pg_catalog", "pg_cursors", PgCursors},
};

}  // namespace

std::span<const NamedProducer> AdminProducers() { return kProducers; }

}  // namespace omendb::sql
