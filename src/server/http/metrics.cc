#include "server/http/metrics.h"

#include <prometheus/text_serializer.h>

#include "index/tuning_counts.h"
#include "sql/metric_families.h"

namespace omendb::server {
namespace {

void CollectServer(sql::MetricFamilies& out, ConnectionContext& context) {
  const auto load = [](const auto& counter) {
    return static_cast<double>(counter.load(std::memory_order_relaxed));
  };
  const ServerCounters& counters = context.counters;
  out.Gauge("omendb_connections", "Open connections of the wire protocol.",
            load(counters.connections_open));
  out.Counter("omendb_connections_accepted_total", "Connections accepted.",
              load(counters.connections_accepted));
  out.Counter("omendb_connections_refused_total",
              "Connections refused because there were too many.",
              load(counters.connections_refused));
  out.Counter("omendb_authentication_failures_total", "Failed logins.",
              load(counters.authentication_failures));
  out.Counter("omendb_received_bytes_total", "Bytes received from clients.",
              load(counters.bytes_received));
  out.Counter("omendb_sent_bytes_total", "Bytes sent to clients.", load(counters.bytes_sent));
  out.Gauge("omendb_analytical_active", "Tasks running on the analytical pool.",
            static_cast<double>(context.pool.active()));
  out.Gauge("omendb_analytical_queued", "Tasks waiting for the analytical pool.",
            static_cast<double>(context.pool.queued()));
}

void CollectEngine(sql::MetricFamilies& out, const engine::EngineStats& stats) {
  const auto counter = [&](const char* name, const char* help, uint64_t value) {
    out.Counter(name, help, static_cast<double>(value));
  };
  counter("omendb_commits_total", "Committed transactions.", stats.commits);
  counter("omendb_aborts_total", "Aborted transactions.", stats.aborts);
  counter("omendb_deadlocks_total", "Transactions aborted to end a deadlock.", stats.deadlocks);
  counter("omendb_wal_bytes_total", "Bytes written to the log.", stats.wal_bytes);
  counter("omendb_wal_fsyncs_total", "Syncs of the log.", stats.wal_fsyncs);
  counter("omendb_checkpoints_total", "Finished checkpoints.", stats.checkpoints);
  counter("omendb_row_versions_reclaimed_total", "Row versions freed as garbage.",
          stats.versions_reclaimed);
  counter("omendb_freeze_failures_total", "Times the background could not freeze a table.",
          stats.freeze_failures);
  counter("omendb_index_model_hits_total", "Index lookups whose model named the place.",
          stats.index_model_hits);
  counter("omendb_index_corrections_total", "Index lookups that searched around the model's place.",
          stats.index_corrections);
  counter("omendb_index_fallbacks_total", "Index lookups that did without a model.",
          stats.index_fallbacks);
  out.Gauge("omendb_index_depth", "Levels of the deepest index, the leaves counted.",
            static_cast<double>(stats.index_depth));
  out.Gauge("omendb_transactions_waiting", "Transactions that wait for a lock or another one.",
            static_cast<double>(stats.transactions_waiting));
  out.Gauge("omendb_row_versions", "Row versions in memory.",
            static_cast<double>(stats.versions_live));
  out.Gauge("omendb_frozen_rows", "Rows in columnar segments.",
            static_cast<double>(stats.rows_frozen));
  out.Gauge("omendb_frozen_rows_dead", "Rows of segments that were changed or deleted since.",
            static_cast<double>(stats.rows_thawed));
  out.Gauge("omendb_segments", "Columnar segments.", static_cast<double>(stats.segments));
  out.Gauge("omendb_segment_bytes", "Bytes of the files of columnar segments.",
            static_cast<double>(stats.segment_bytes));
  const auto memory = [&](const char* name, uint64_t bytes) {
    out.Gauge("omendb_memory_bytes", "Memory by user.", static_cast<double>(bytes),
              {{"user", name}});
  };
  memory("rows", stats.hot_bytes);
  memory("indexes", stats.index_bytes);
  memory("blocks", stats.cached_bytes);
}

void CollectIndexTuning(sql::MetricFamilies& out, const index::TuningCounts& counts) {
  const auto counter = [&](const char* name, const char* help, const std::atomic<uint64_t>& value) {
    out.Counter(name, help, static_cast<double>(value.load(std::memory_order_relaxed)));
  };
  counter("omendb_index_tuning_trials_total", "Changes that self-tuning of indexes has tried.",
          counts.trials);
  counter("omendb_index_tuning_kept_total", "Changes tried that were kept: better, surely.",
          counts.kept);
  counter("omendb_index_tuning_reverted_total", "Changes tried that were taken back.",
          counts.reverted);
  counter("omendb_index_tuning_leaves_rewritten_total",
          "Leaves that self-tuning of indexes has rewritten.", counts.leaves_rewritten);
}

}  // namespace

std::string MetricsText(ConnectionContext& context) {
  sql::MetricFamilies out;
  CollectServer(out, context);
  CollectEngine(out, context.instance.database().stats());
  CollectIndexTuning(out, index::process_tuning_counts);
  context.instance.CollectMetrics(out);
  return prometheus::TextSerializer().Serialize(out.families());
}

}  // namespace omendb::server
