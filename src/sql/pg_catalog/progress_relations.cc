// pg_stat_progress_*: how far the statements of all sessions are.
#include <algorithm>

#include "sql/pg_catalog/row_maker.h"

namespace omendb::sql {
namespace {

using Kind = CommandProgress::Kind;

// Begins the session's row. False when the rest of it is not for the current role to see.
bool BeginRow(SystemContext& c, const ActivityEntry& entry) {
  c.row.Begin()
      .Set("pid", static_cast<int>(entry.pid))
      .Set("datid", entry.database_oid)
      .Set("datname", entry.database);
  return SeesSessionsOf(c, entry.role_oid);
}

void SetCount(SystemContext& c, std::string_view column, uint64_t count) {
  c.row.Set(column, static_cast<int64_t>(count));
}

void PgStatProgressCopy(SystemContext& c) {
  for (const ActivityEntry& entry : c.instance.activity().Entries()) {
    if (!entry.command) continue;
    const CommandProgress::Values& copy = *entry.command;
    if (copy.target.kind != Kind::kCopyFrom && copy.target.kind != Kind::kCopyTo) continue;
    if (!BeginRow(c, entry)) continue;
    c.row.Set("relid", copy.target.table)
        .Set("command", copy.target.kind == Kind::kCopyFrom ? "COPY FROM" : "COPY TO")
        .Set("type", "PIPE");
    SetCount(c, "bytes_processed", copy.bytes_done);
    SetCount(c, "bytes_total", 0);
    SetCount(c, "tuples_processed", copy.rows_done);
    SetCount(c, "tuples_excluded", 0);
  }
}

void PgStatProgressCreateIndex(SystemContext& c) {
  for (const ActivityEntry& entry : c.instance.activity().Entries()) {
    if (!entry.command) continue;
    const CommandProgress::Values& build = *entry.command;
    if (build.target.kind != Kind::kCreateIndex && build.target.kind != Kind::kReindex) continue;
    if (!BeginRow(c, entry)) continue;
    c.row.Set("relid", build.target.table)
        .Set("index_relid", build.target.index)
        .Set("command", build.target.kind == Kind::kReindex ? "REINDEX" : "CREATE INDEX")
        .Set("phase", build.is_loading ? "building index: loading tuples in tree"
                                       : "building index: scanning table");
    for (const char* column :
         {"lockers_total", "lockers_done", "current_locker_pid", "blocks_total", "blocks_done",
          "partitions_total", "partitions_done"}) {
      SetCount(c, column, 0);
    }
    SetCount(c, "tuples_total", build.rows_total);
    SetCount(c, "tuples_done", build.rows_done);
  }
}

const char* PhaseOf(const QueryProgress::Values& query) {
  if (!query.is_planned) return "planning";
  return query.rows_to_write > 0 ? "writing" : "executing";
}

// OmenDB's own: statements that run in DuckDB.
void PgStatProgressQuery(SystemContext& c) {
  for (const ActivityEntry& entry : c.instance.activity().Entries()) {
    if (!entry.query_progress || entry.state != "active") continue;
    const QueryProgress::Values& query = *entry.query_progress;
    if (!BeginRow(c, entry)) continue;
    c.row.Set("engine", "duckdb").Set("phase", PhaseOf(query));
    if (query.fraction) c.row.Set("percent_done", 100 * *query.fraction);
    SetCount(c, "rows_processed", query.rows_done);
    SetCount(c, "rows_total", query.rows_total);
    SetCount(c, "rows_written", query.rows_written);
    SetCount(c, "blocks_read", query.blocks_read);
    SetCount(c, "blocks_from_cache",
             query.blocks_read - std::min(query.blocks_read, query.blocks_loaded));
    SetCount(c, "blocks_skipped", query.blocks_skipped);
  }
}

constexpr NamedProducer kProducers[] = {
    {"pg_catalog", "pg_stat_progress_copy", PgStatProgressCopy},
    {"pg_catalog", "pg_stat_progress_create_index", PgStatProgressCreateIndex},
    {"pg_catalog", "pg_stat_progress_query", PgStatProgressQuery},
};

}  // namespace

std::span<const NamedProducer> ProgressProducers() { return kProducers; }

}  // namespace omendb::sql
