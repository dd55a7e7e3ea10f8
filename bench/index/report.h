// report.h - medians over interleaved rounds, and the table of bars met and missed.
#pragma once

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "bench/timing.h"

namespace omendb::bench {

// Results by (set, operation, structure); each round adds one figure to each.
class Report {
 public:
  void Add(const std::string& set, const std::string& operation, const std::string& structure,
           double figure) {
    results_[set][operation][structure].push_back(figure);
  }
  double Get(const std::string& set, const std::string& operation,
             const std::string& structure) const {
    const auto s = results_.find(set);
    if (s == results_.end()) return 0;
    const auto o = s->second.find(operation);
    if (o == s->second.end()) return 0;
    const auto r = o->second.find(structure);
    return r == o->second.end() ? 0 : Median(r->second);
  }
  void PrintSet(const std::string& set, const std::vector<std::string>& structures) const {
    std::printf("\n%-22s", set.c_str());
    for (const auto& name : structures) std::printf(" %12s", name.c_str());
    std::printf("   ratio of each peer to omendb\n");
    const auto at = results_.find(set);
    if (at == results_.end()) return;
    for (const auto& [operation, by_structure] : at->second) {
      std::printf("  %-20s", operation.c_str());
      for (const auto& name : structures) Cell(by_structure, name);
      const double ours = Get(set, operation, "omendb");
      std::printf("  ");
      for (const auto& name : structures) {
        if (name == "omendb" || ours == 0) continue;
        const double theirs = Get(set, operation, name);
        if (theirs > 0) std::printf(" %6.2f", theirs / ours);
      }
      std::printf("\n");
    }
    std::fflush(stdout);
  }

  // `ratio` is required to be at least `bar` (at_least) or at most.
  void Bar(const std::string& what, double ratio, double bar, bool at_least) {
    if (ratio <= 0) return;
    const bool met = at_least ? ratio >= bar : ratio <= bar;
    bars_.push_back({what, ratio, bar, at_least, met});
  }
  void PrintBars() const {
    std::printf("\n%-62s %10s %10s\n", "bar", "required", "measured");
    for (const auto& b : bars_) {
      std::printf("%-62s %s%9.2f %10.2f  %s\n", b.what.c_str(), b.at_least ? ">=" : "<=", b.bar,
                  b.ratio, b.met ? "met" : "MISSED");
    }
    const auto met = std::count_if(bars_.begin(), bars_.end(), [](const auto& b) { return b.met; });
    std::printf("%zu of %zu bars met\n", static_cast<size_t>(met), bars_.size());
  }

 private:
  using ByStructure = std::map<std::string, std::vector<double>>;
  struct BarResult {
    std::string what;
    double ratio, bar;
    bool at_least, met;
  };
  static void Cell(const ByStructure& by_structure, const std::string& name) {
    const auto it = by_structure.find(name);
    if (it == by_structure.end()) {
      std::printf(" %12s", "-");
    } else {
      const double figure = Median(it->second);
      std::printf(figure < 10 ? " %12.4f" : " %12.1f", figure);
    }
  }
  std::map<std::string, std::map<std::string, ByStructure>> results_;
  std::vector<BarResult> bars_;
};

}  // namespace omendb::bench
