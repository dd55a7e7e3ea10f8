#include "bench/index/static_runner.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/check.h"
#include "bench/index/subject.h"
#include "index/static_index.h"
#include "testing/key_sets.h"

namespace omendb::bench {

namespace {

using index::PositionRange;
using index::StaticIndex;
using testutil::KeySet;

// The blocks that hold the positions of a window; the end of the run is in none.
uint64_t BlocksOf(const PositionRange& window, uint64_t count) {
  const uint64_t last = std::min(window.end, count - 1);
  return last / StaticIndex::kBlockKeys - std::min(window.begin, last) / StaticIndex::kBlockKeys +
         1;
}

void MeasureSet(Report& report, KeySet set, size_t n, int rounds) {
  const std::string name(Name(set));
  const std::string label = name + " " + std::to_string(n / 1'000'000) + "M static";
  const std::vector<uint64_t> keys = testutil::MakeKeys(set, n, 42);
  std::mt19937_64 random(9);
  uint64_t blocks_most = 0;
  for (int round = 0; round < rounds; ++round) {
    double start = CpuNs();
    const auto index = StaticIndex::Build(keys);
    OMEN_CHECK(index.ok());
    report.Add(label, "build, ns/key", "omendb", (CpuNs() - start) / static_cast<double>(n));
    // What is stored: the image, which is what memory holds and a header.
    const auto bytes = static_cast<double>(index->Serialize().size());
    report.Add(label, "bytes/key", "omendb", bytes / static_cast<double>(n));
    report.Add(label, "maximum error", "omendb", index->max_error());
    report.Add(label, "fences", "omendb", index->uses_fences() ? 1 : 0);
    std::vector<uint64_t> probes(400'000);
    for (uint64_t& probe : probes) probe = keys[random() % n] + random() % 2;
    uint64_t sum = 0;
    start = CpuNs();
    for (const uint64_t probe : probes) sum += index->LowerBound(probe).begin;
    const double time = CpuNs() - start + (sum == 42 ? 1 : 0);
    report.Add(label, "window, ns", "omendb", time / static_cast<double>(probes.size()));
    uint64_t blocks = 0;
    for (const uint64_t probe : probes) {
      const PositionRange window = index->LowerBound(probe);
      const auto truth =
          static_cast<uint64_t>(std::lower_bound(keys.begin(), keys.end(), probe) - keys.begin());
      OMEN_CHECK(window.begin <= truth && truth <= window.end);
      blocks += BlocksOf(window, n);
      blocks_most = std::max(blocks_most, BlocksOf(window, n));
    }
    report.Add(label, "blocks touched", "omendb",
               static_cast<double>(blocks) / static_cast<double>(probes.size()));
  }
  report.Add(label, "blocks, most", "omendb", static_cast<double>(blocks_most));
  report.PrintSet(label, {"omendb"});
  const bool easy = set == KeySet::kSequential || set == KeySet::kTimeSeries;
  report.Bar(label + ": bytes per key", report.Get(label, "bytes/key", "omendb"), easy ? 0.1 : 1.5,
             false);
  report.Bar(label + ": blocks touched, most", static_cast<double>(blocks_most), 2, false);
}

}  // namespace

void RunStatic(const Options& options, Report& report, size_t n) {
  for (const KeySet set : testutil::kIntKeySets) {
    if (std::string(Name(set)).find(options.only) == std::string::npos) continue;
    MeasureSet(report, set, n, options.rounds);
  }
}

}  // namespace omendb::bench
