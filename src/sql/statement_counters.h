// statement_counters.h - statements by kind and executor, with a histogram of their times.
//
// Thread safety  Any thread; counting is two relaxed additions.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "duck/duck_engine.h"
#include "sql/parse/parse_tree.h"

namespace omendb::sql {

class MetricFamilies;

enum class StatementKind : uint8_t {
  kSelect,
  kInsert,
  kUpdate,
  kDelete,
  kMerge,
  kCopy,
  kTransaction,
  kSet,
  kCursor,
  kDdl,  // and everything else that is not one of the above
};

StatementKind KindOf(const Statement& statement);

class StatementCounters {
 public:
  enum class Executor : uint8_t { kRow, kDuck, kUtility };
  void Count(StatementKind kind, Executor executor, std::chrono::nanoseconds time, bool ok);
  // A statement that failed is run again. Requires: not kNo.
  void CountRunAgain(duck::RunAgain why) {
    run_again_[static_cast<size_t>(why) - 1].fetch_add(1, std::memory_order_relaxed);
  }
  // How many the row executor has run.
  uint64_t RowStatements() const;
  void Collect(MetricFamilies& out) const;

 private:
  static constexpr size_t kKinds = static_cast<size_t>(StatementKind::kDdl) + 1;
  static constexpr size_t kExecutors = static_cast<size_t>(Executor::kUtility) + 1;
  static constexpr std::array<double, 12> kBoundsSeconds = {5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 5e-4,
                                                            1e-3, 1e-2, 1e-1,   1.0,  10.0, 100.0};
  struct Series {
    std::array<std::atomic<uint64_t>, kBoundsSeconds.size() + 1> buckets{};
    std::atomic<uint64_t> nanos{0};
    std::atomic<uint64_t> errors{0};
  };
  // fn(series, kind's name, executor's name) for every series that has counted something.
  template <class Fn>
  void ForEach(Fn fn) const;

  std::array<std::array<Series, kExecutors>, kKinds> series_;
  std::array<std::atomic<uint64_t>, 2> run_again_{};
};

// Counts one statement while it stands; ok unless Done() was given an error.
class StatementClock {
 public:
  StatementClock(StatementCounters& counters, StatementKind kind,
                 StatementCounters::Executor executor)
      : counters_(counters),
        kind_(kind),
        executor_(executor),
        start_(std::chrono::steady_clock::now()) {}
  ~StatementClock() {
    counters_.Count(kind_, executor_, std::chrono::steady_clock::now() - start_, ok_);
  }
  StatementClock(const StatementClock&) = delete;
  StatementClock& operator=(const StatementClock&) = delete;

  Status Done(Status status) {
    ok_ = status.ok();
    return status;
  }

 private:
  StatementCounters& counters_;
  const StatementKind kind_;
  const StatementCounters::Executor executor_;
  const std::chrono::steady_clock::time_point start_;
  bool ok_ = true;
};

}  // namespace omendb::sql
