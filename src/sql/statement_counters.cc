#include "sql/statement_counters.h"

#include <limits>
#include <utility>

#include "sql/metric_families.h"

namespace omendb::sql {
namespace {

constexpr const char* kKindNames[] = {"select", "insert",      "update", "delete", "merge",
                                      "copy",   "transaction", "set",    "cursor", "ddl"};
constexpr const char* kExecutorNames[] = {"row", "duckdb", "utility"};

}  // namespace

StatementKind KindOf(const Statement& statement) {
  switch (statement.kind()) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
      return StatementKind::kSelect;
    case PG_QUERY__NODE__NODE_INSERT_STMT:
      return StatementKind::kInsert;
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
      return StatementKind::kUpdate;
    case PG_QUERY__NODE__NODE_DELETE_STMT:
      return StatementKind::kDelete;
    case PG_QUERY__NODE__NODE_MERGE_STMT:
      return StatementKind::kMerge;
    case PG_QUERY__NODE__NODE_COPY_STMT:
      return StatementKind::kCopy;
    case PG_QUERY__NODE__NODE_TRANSACTION_STMT:
      return StatementKind::kTransaction;
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
    case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT:
      return StatementKind::kSet;
    case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT:
    case PG_QUERY__NODE__NODE_FETCH_STMT:
    case PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT:
      return StatementKind::kCursor;
    default:
      return StatementKind::kDdl;
  }
}

void StatementCounters::Count(StatementKind kind, Executor executor, std::chrono::nanoseconds time,
                              bool ok) {
  Series& series = series_[static_cast<size_t>(kind)][static_cast<size_t>(executor)];
  const double seconds = static_cast<double>(time.count()) / 1e9;
  size_t bucket = 0;
  while (bucket < kBoundsSeconds.size() && seconds > kBoundsSeconds[bucket]) ++bucket;
  series.buckets[bucket].fetch_add(1, std::memory_order_relaxed);
  series.nanos.fetch_add(static_cast<uint64_t>(time.count()), std::memory_order_relaxed);
  if (!ok) series.errors.fetch_add(1, std::memory_order_relaxed);
}

uint64_t StatementCounters::RowStatements() const {
  uint64_t count = 0;
  for (const auto& of_kind : series_) {
    for (const auto& bucket : of_kind[static_cast<size_t>(Executor::kRow)].buckets) {
      count += bucket.load(std::memory_order_relaxed);
    }
  }
  return count;
}

template <class Fn>
void StatementCounters::ForEach(Fn fn) const {
  for (size_t k = 0; k < kKinds; ++k) {
    for (size_t e = 0; e < kExecutors; ++e) {
      const Series& series = series_[k][e];
      if (series.nanos.load(std::memory_order_relaxed) == 0) continue;
      fn(series, MetricFamilies::Labels{{"kind", kKindNames[k]}, {"executor", kExecutorNames[e]}});
    }
  }
}

void StatementCounters::Collect(MetricFamilies& out) const {
  ForEach([&](const Series& series, MetricFamilies::Labels labels) {
    prometheus::ClientMetric::Histogram histogram;
    for (size_t b = 0; b < series.buckets.size(); ++b) {
      histogram.sample_count += series.buckets[b].load(std::memory_order_relaxed);
      const double bound =
          b < kBoundsSeconds.size() ? kBoundsSeconds[b] : std::numeric_limits<double>::infinity();
      histogram.bucket.push_back({histogram.sample_count, bound});
    }
    histogram.sample_sum = static_cast<double>(series.nanos.load(std::memory_order_relaxed)) / 1e9;
    out.Histogram("omendb_statement_seconds", "Time of statements by kind and executor.",
                  std::move(histogram), std::move(labels));
  });
  ForEach([&](const Series& series, MetricFamilies::Labels labels) {
    out.Counter("omendb_statement_errors_total", "Statements that ended with an error.",
                static_cast<double>(series.errors.load(std::memory_order_relaxed)),
                std::move(labels));
  });
  for (size_t why = 0; why < run_again_.size(); ++why) {
    out.Counter("omendb_statements_run_again_total",
                "Statements run again after an error, on a newer snapshot or on one thread.",
                static_cast<double>(run_again_[why].load(std::memory_order_relaxed)),
                {{"after", why == 0 ? "conflict" : "out_of_memory"}});
  }
}

}  // namespace omendb::sql
