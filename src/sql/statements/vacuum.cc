// VACUUM and ANALYZE.
//
// Garbage is collected and statistics are kept all the time. What is left to VACUUM is (FREEZE): it
// moves the rows that every snapshot sees to columnar segments now, which otherwise waits until
// they are cold; and (FULL), which besides puts segments in the order of the primary key.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/sqlstate.h"
#include "sql/privileges.h"
#include "sql/statements/dispatch.h"
#include "sql/statements/option_value.h"

namespace omendb::sql {
namespace {

struct VacuumOptions {
  bool freeze = false;
  bool full = false;
  bool verbose = false;
  bool skip_locked = false;
};

using Tables = std::vector<std::shared_ptr<const catalog::TableDef>>;

Result<VacuumOptions> ReadOptions(const PgQuery__VacuumStmt& vacuum) {
  static constexpr std::string_view kWithoutEffect[] = {"analyze", "disable_page_skipping",
                                                        "process_toast", "truncate"};
  VacuumOptions options;
  for (size_t i = 0; i < vacuum.n_options; ++i) {
    const PgQuery__DefElem& option = *vacuum.options[i]->def_elem;
    const std::string_view name = View(option.defname);
    const bool known = std::find(std::begin(kWithoutEffect), std::end(kWithoutEffect), name) !=
                       std::end(kWithoutEffect);
    if (name == "verbose") {
      OMEN_ASSIGN(options.verbose, BooleanOption(option));
    } else if (name == "skip_locked") {
      OMEN_ASSIGN(options.skip_locked, BooleanOption(option));
    } else if (vacuum.is_vacuumcmd && name == "freeze") {
      OMEN_ASSIGN(options.freeze, BooleanOption(option));
    } else if (vacuum.is_vacuumcmd && name == "full") {
      OMEN_ASSIGN(options.full, BooleanOption(option));
    } else if (vacuum.is_vacuumcmd && known) {
      OMEN_TRY(BooleanOption(option).status());
    } else if (!vacuum.is_vacuumcmd || (name != "index_cleanup" && name != "parallel")) {
      return Status(sqlstate::kSyntaxError,
                    fmt::format("unrecognized {} option \"{}\"",
                                vacuum.is_vacuumcmd ? "VACUUM" : "ANALYZE", name));
    }
  }
  return options;
}

// The session's user may not; PostgreSQL goes on with the other tables.
bool Skips(SessionImpl& session, const PgQuery__VacuumStmt& vacuum,
           const catalog::TableDef& table) {
  if (CheckOwner(session, table.owner, "table", table.name).ok()) return false;
  session.Warning(sqlstate::kWarning,
                  fmt::format("permission denied to {} \"{}\", skipping it",
                              vacuum.is_vacuumcmd ? "vacuum" : "analyze", table.name));
  return true;
}

Status CheckColumns(const PgQuery__VacuumRelation& relation, const catalog::TableDef& table) {
  for (size_t i = 0; i < relation.n_va_cols; ++i) {
    const std::string column(StringOf(relation.va_cols[i]));
    if (table.FindColumn(column) != nullptr) continue;
    return Status(
        sqlstate::kUndefinedColumn,
        fmt::format("column \"{}\" of relation \"{}\" does not exist", column, table.name));
  }
  return Status::Ok();
}

// The tables that are named; without names, all of the database that the user owns.
Result<Tables> FindTables(SessionImpl& session, const PgQuery__VacuumStmt& vacuum) {
  Tables tables;
  if (vacuum.n_rels == 0) {
    for (const auto& table : session.catalog()->tables(session.database())) {
      if (CheckOwner(session, table->owner, "table", table->name).ok()) tables.push_back(table);
    }
    return tables;
  }
  for (size_t i = 0; i < vacuum.n_rels; ++i) {
    const PgQuery__VacuumRelation& relation = *vacuum.rels[i]->vacuum_relation;
    OMEN_ASSIGN(catalog::Relation found, GetRelation(session, NameOf(*relation.relation)));
    if (found.table == nullptr || found.index != nullptr) {
      session.Warning(sqlstate::kWarning,
                      fmt::format("skipping \"{}\" --- cannot {} non-tables or special "
                                  "system tables",
                                  RelationName(found), vacuum.is_vacuumcmd ? "vacuum" : "analyze"));
      continue;
    }
    OMEN_TRY(CheckColumns(relation, *found.table));
    if (!Skips(session, vacuum, *found.table)) tables.push_back(found.table);
  }
  return tables;
}

void WarnOfMemory(SessionImpl& session, const catalog::TableDef& table) {
  session.Notify(
      "WARNING",
      Status(sqlstate::kOutOfMemory,
             fmt::format("not all rows of \"{}\" were put in the order of its primary key",
                         table.name))
          .WithDetail(
              "Each row in that order takes 8 bytes of memory, of which there is not enough.")
          .WithHint("Start the server with a larger --memory."));
}

Status FreezeTable(UtilityCall& call, const VacuumOptions& options,
                   const catalog::TableDef& table) {
  SessionImpl& session = call.session;
  engine::FreezeOptions freeze;
  freeze.waiter = options.skip_locked ? nullptr : &call.waiter;
  freeze.cancel = &session.cancel_flag();
  freeze.in_order = options.full;
  freeze.lock_timeout_ms = session.settings().lock_timeout_ms();
  const Result<engine::FreezeResult> done = session.db().Freeze(table.oid, freeze);
  if (done.status().Is(sqlstate::kUndefinedTable)) return Status::Ok();  // dropped meanwhile
  if (done.status().Is(sqlstate::kLockNotAvailable) && options.skip_locked) {
    session.Warning(sqlstate::kLockNotAvailable,
                    fmt::format("skipping vacuum of \"{}\" --- lock not available", table.name));
    return Status::Ok();
  }
  OMEN_TRY(done.status());
  if (options.verbose) {
    session.Info(fmt::format("table \"{}\": moved {} rows to columnar segments", table.name,
                             done->rows_moved));
  }
  if (done->lacks_memory) WarnOfMemory(session, table);
  return Status::Ok();
}

}  // namespace

Status RunVacuum(UtilityCall& call) {
  const PgQuery__VacuumStmt& vacuum = *call.node()->vacuum_stmt;
  SessionImpl& session = call.session;
  if (vacuum.is_vacuumcmd && (session.block().in_block() || session.in_multi_statement())) {
    return Status(sqlstate::kActiveSqlTransaction, "VACUUM cannot run inside a transaction block");
  }
  OMEN_ASSIGN(const VacuumOptions options, ReadOptions(vacuum));
  OMEN_ASSIGN(const Tables tables, FindTables(session, vacuum));
  if (!options.freeze && !options.full) return Status::Ok();
  for (const auto& table : tables) OMEN_TRY(FreezeTable(call, options, *table));
  return Status::Ok();
}

}  // namespace omendb::sql
