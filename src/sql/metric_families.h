// metric_families.h - samples for Prometheus: one call per metric, the library's serializer writes
// them (prometheus-cpp; text format 0.0.4).
//
// Thread safety  None: a list belongs to the request that collects it.
#pragma once

#include <prometheus/metric_family.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace omendb::sql {

class MetricFamilies {
 public:
  using Labels = std::vector<prometheus::ClientMetric::Label>;

  void Counter(std::string name, std::string help, double value, Labels labels = {}) {
    Add(prometheus::MetricType::Counter, std::move(name), std::move(help), std::move(labels))
        .counter.value = value;
  }
  void Gauge(std::string name, std::string help, double value, Labels labels = {}) {
    Add(prometheus::MetricType::Gauge, std::move(name), std::move(help), std::move(labels))
        .gauge.value = value;
  }
  void Histogram(std::string name, std::string help, prometheus::ClientMetric::Histogram value,
                 Labels labels) {
    Add(prometheus::MetricType::Histogram, std::move(name), std::move(help), std::move(labels))
        .histogram = std::move(value);
  }

  const std::vector<prometheus::MetricFamily>& families() const { return families_; }

 private:
  // All metrics of a family stand under one heading, wherever they come from.
  prometheus::ClientMetric& Add(prometheus::MetricType type, std::string name, std::string help,
                                Labels labels) {
    auto family = std::find_if(families_.begin(), families_.end(),
                               [&](const auto& known) { return known.name == name; });
    if (family == families_.end()) {
      families_.push_back({std::move(name), std::move(help), type, {}});
      family = families_.end() - 1;
    }
    prometheus::ClientMetric& metric = family->metric.emplace_back();
    metric.label = std::move(labels);
    return metric;
  }

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace omendb::sql
