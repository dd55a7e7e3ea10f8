#include "bench/index/shifting.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>

#include "base/check.h"
#include "bench/index/subject.h"
#include "bench/timing.h"
#include "index/int_index.h"
#include "testing/key_sets.h"

namespace omendb::bench {

namespace {

using Random = std::mt19937_64;

constexpr size_t kScanLength = 100;
// A phase is measured at its beginning and at its end, this share of it each.
constexpr double kEdge = 0.2;
constexpr int kChunks = 60;

struct Phase {
  const char* name;
  int insert_percent;
  int scan_percent;  // The rest are lookups.
  double hot_begin;  // All operations go to this share of the key space.
  double hot_end;
  double operations;  // For each key of the set.
};
// Inserts stop mattering when all keys are there: the operations of a phase are counted so that
// they last.
constexpr Phase kPhases[] = {
    {"inserts", 50, 0, 0, 1, 0.6},           {"lookups", 0, 0, 0, 1, 12},
    {"scans of 100", 0, 100, 0, 1, 3},       {"hot range, 5 % inserts", 5, 0, 0.25, 0.4, 6},
    {"hot range moved", 5, 0, 0.6, 0.75, 6}, {"inserts again", 50, 0, 0, 1, 0.6},
    {"lookups, scans", 0, 20, 0, 1, 6},
};

enum class Kind : uint8_t { kLookup, kInsert, kScan };
struct Action {
  Kind kind;
  uint64_t key;
};

// The keys in order, and which are not yet inserted.
class Workload {
 public:
  Workload(testutil::KeySet set, size_t n) : keys_(testutil::MakeKeys(set, n, 42)) {
    std::vector<bool> loaded(keys_.size());
    for (size_t i = 0; i < keys_.size(); ++i) loaded[i] = random_() % 4 == 0;
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (loaded[i]) {
        entries_.push_back({keys_[i], i});
      } else {
        absent_.push_back(i);
      }
    }
    std::shuffle(absent_.begin(), absent_.end(), random_);
  }
  const std::vector<index::Entry>& entries() const { return entries_; }
  size_t size() const { return keys_.size(); }

  void Fill(const Phase& phase, size_t count, std::vector<Action>& actions) {
    const auto begin = static_cast<size_t>(phase.hot_begin * static_cast<double>(keys_.size()));
    const auto end = static_cast<size_t>(phase.hot_end * static_cast<double>(keys_.size()));
    actions.clear();
    for (size_t i = 0; i < count; ++i) {
      const auto draw = static_cast<int>(random_() % 100);
      const uint64_t key = keys_[begin + random_() % (end - begin)];
      if (draw < phase.insert_percent) {
        actions.push_back({Kind::kInsert, NextAbsent(begin, end, key)});
      } else if (draw < phase.insert_percent + phase.scan_percent) {
        actions.push_back({Kind::kScan, key});
      } else {
        actions.push_back({Kind::kLookup, key});
      }
    }
  }

 private:
  // From the back of the list; those outside the range go to its front for later.
  uint64_t NextAbsent(size_t begin, size_t end, uint64_t otherwise) {
    for (int tries = 0; tries < 64 && next_ < absent_.size(); ++tries) {
      const size_t at = absent_[next_];
      if (at >= begin && at < end) return keys_[absent_[next_++]];
      std::swap(absent_[next_], absent_[next_ + random_() % (absent_.size() - next_)]);
    }
    return otherwise;
  }

  Random random_{7};
  std::vector<uint64_t> keys_;
  std::vector<index::Entry> entries_;
  std::vector<size_t> absent_;
  size_t next_ = 0;
};

double Perform(index::IntIndex& index, const std::vector<Action>& actions) {
  index::Entry out[kScanLength];
  uint64_t sum = 0;
  const double start = CpuNs();
  for (const Action& action : actions) {
    uint64_t value = 0;
    if (action.kind == Kind::kLookup) {
      index.Find(action.key, &value);
      sum += value;
    } else if (action.kind == Kind::kInsert) {
      index.Insert(action.key, action.key);
    } else {
      index::IntCursor cursor(index);
      cursor.SeekForward(action.key);
      sum += cursor.Next(out);
    }
  }
  return (CpuNs() - start + (sum == 42 ? 1 : 0)) / static_cast<double>(actions.size());
}

struct Side {
  explicit Side(bool tuning) : index(epochs, {.tuning = tuning}) {}
  EpochManager epochs;
  index::IntIndex index;
  std::vector<double> chunks;

  double Edge(bool first) const {
    const auto n = static_cast<int64_t>(kEdge * static_cast<double>(chunks.size()));
    return first ? Median({chunks.begin(), chunks.begin() + n})
                 : Median({chunks.end() - n, chunks.end()});
  }
};

double ProcessNs() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

void RunPhase(const Phase& phase, Workload& workload, std::array<Side, 2>& sides) {
  const auto count = static_cast<size_t>(phase.operations * static_cast<double>(workload.size()));
  std::vector<Action> actions;
  for (Side& side : sides) side.chunks.clear();
  const index::IndexStats before = sides[0].index.Stats();
  const double others = ProcessNs() - CpuNs(), start = NowNs();
  for (int chunk = 0; chunk < kChunks; ++chunk) {
    workload.Fill(phase, count / kChunks, actions);
    // In turn the first, so that neither always finds the caches as the other left them.
    for (int i = 0; i < 2; ++i) {
      Side& side = sides[(i + chunk) % 2];
      side.chunks.push_back(Perform(side.index, actions));
    }
  }
  const double busy = (ProcessNs() - CpuNs() - others) / (NowNs() - start);
  const index::IndexStats after = sides[0].index.Stats();
  const auto per_key = [](const Side& side) {
    return static_cast<double>(side.index.MemoryBytes()) / static_cast<double>(side.index.Size());
  };
  std::printf(
      "  %-24s %7.0f %7.0f  %5.2f   %7.0f %7.0f  %5.2f   %5.1f %5.1f  %4lu %4lu %4lu %6lu"
      "  %4.1f %%\n",
      phase.name, sides[0].Edge(true), sides[1].Edge(true),
      sides[1].Edge(true) / sides[0].Edge(true), sides[0].Edge(false), sides[1].Edge(false),
      sides[1].Edge(false) / sides[0].Edge(false), per_key(sides[0]), per_key(sides[1]),
      after.trials - before.trials, after.trials_kept - before.trials_kept,
      after.trials_reverted - before.trials_reverted, after.rewritten - before.rewritten,
      100 * busy);
  std::fflush(stdout);
}

}  // namespace

void RunShifting(const Options& options) {
  for (const size_t n : options.sizes) {
    for (const testutil::KeySet set : testutil::kIntKeySets) {
      if (std::string(Name(set)).find(options.only) == std::string::npos) continue;
      Workload workload(set, n);
      std::array<Side, 2> sides{Side(true), Side(false)};
      for (Side& side : sides) OMEN_CHECK(side.index.BulkLoad(workload.entries()).ok());
      std::printf("\n%s, %zu keys at the end; ns per operation, tuning on and off, off / on\n",
                  std::string(Name(set)).c_str(), n);
      std::printf("  %-24s %23s   %23s   %11s  %4s %4s %4s %6s  %s\n", "phase", "first fifth",
                  "last fifth", "bytes/key", "try", "keep", "back", "leaves", "other threads");
      for (const Phase& phase : kPhases) RunPhase(phase, workload, sides);
      for (Side& side : sides) OMEN_CHECK(side.index.Validate().ok());
    }
  }
}

}  // namespace omendb::bench
