#include "server/http/metrics.h"

#include <fmt/format.h>

#include <iterator>

namespace omendb::server {
namespace {

void Append(std::string& out, const char* name, const char* type, const char* help,
            uint64_t value) {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help,
                 type, value);
}

void AppendServer(std::string& out, const ServerCounters& counters) {
  const auto load = [](const auto& counter) {
    return static_cast<uint64_t>(counter.load(std::memory_order_relaxed));
  };
  Append(out, "omendb_connections", "gauge", "Open connections of the wire protocol.",
         load(counters.connections_open));
  Append(out, "omendb_connections_accepted_total", "counter", "Connections accepted.",
         load(counters.connections_accepted));
  Append(out, "omendb_connections_refused_total", "counter",
         "Connections refused because there were too many.", load(counters.connections_refused));
  Append(out, "omendb_authentication_failures_total", "counter", "Failed logins.",
         load(counters.authentication_failures));
  Append(out, "omendb_received_bytes_total", "counter", "Bytes received from clients.",
         load(counters.bytes_received));
  Append(out, "omendb_sent_bytes_total", "counter", "Bytes sent to clients.",
         load(counters.bytes_sent));
}

void AppendEngine(std::string& out, const engine::EngineStats& stats) {
  Append(out, "omendb_commits_total", "counter", "Committed transactions.", stats.commits);
  Append(out, "omendb_aborts_total", "counter", "Aborted transactions.", stats.aborts);
  Append(out, "omendb_wal_bytes_total", "counter", "Bytes written to the log.", stats.wal_bytes);
  Append(out, "omendb_wal_fsyncs_total", "counter", "Syncs of the log.", stats.wal_fsyncs);
  Append(out, "omendb_checkpoints_total", "counter", "Finished checkpoints.", stats.checkpoints);
  Append(out, "omendb_row_versions", "gauge", "Row versions in memory.", stats.versions_live);
  Append(out, "omendb_row_versions_reclaimed_total", "counter", "Row versions freed as garbage.",
         stats.versions_reclaimed);
  Append(out, "omendb_hot_bytes", "gauge", "Memory of rows.", stats.hot_bytes);
  Append(out, "omendb_index_bytes", "gauge", "Memory of indexes.", stats.index_bytes);
  Append(out, "omendb_index_model_hits_total", "counter",
         "Index lookups whose model named the place.", stats.index_model_hits);
  Append(out, "omendb_index_corrections_total", "counter",
         "Index lookups that searched around the model's place.", stats.index_corrections);
  Append(out, "omendb_index_fallbacks_total", "counter", "Index lookups that did without a model.",
         stats.index_fallbacks);
}

}  // namespace

std::string MetricsText(ConnectionContext& context) {
  std::string out;
  AppendServer(out, context.counters);
  Append(out, "omendb_analytical_active", "gauge", "Tasks running on the analytical pool.",
         static_cast<uint64_t>(context.pool.active()));
  Append(out, "omendb_analytical_queued", "gauge", "Tasks waiting for the analytical pool.",
         context.pool.queued());
  AppendEngine(out, context.instance.database().stats());
  context.instance.AppendMetrics(out);
  return out;
}

}  // namespace omendb::server
