// tuner.h - the controller of self-tuning: it decides for one region of an index how leaves are to
// be filled.
//
// The slices of a region belong to two arms. One knob is tried at a time, on one arm only, and both
// arms are measured at the same moments before and after: what the machine does meanwhile, or the
// workload, strikes both. A change is kept if it is surely better than what it costs in memory
// requires, else taken back, and then not tried again for a while.
//
//   watching --(both arms measured)--> trying --(surely better)------> kept     --> watching
//                                        \----(not, or never sure)--> reverted --/
//
// Thread safety  One thread at a time. No clock, no index: a function of what it is fed.
// Bounds         Every level of every knob is one that fit.h accepts under the limits of memory and
//                of foreground work; see docs/learned-index.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "index/fill_levels.h"

namespace omendb::index {

// What is measured. A write is the insert alone; rebuilding the leaf is counted beside it, as the
// time of a rebuild for each insert that led to it.
enum class Operation : uint8_t { kLookup, kWrite, kScan, kRebuild };
inline constexpr size_t kOperations = 4;

// Of the sampled operations of one kind in one arm. `sum` and `squares` are of the cost of one unit
// (a key looked up or inserted, an entry scanned) of each sample.
struct CostSums {
  uint64_t count = 0;
  uint64_t units = 0;
  uint64_t sum = 0;
  uint64_t squares = 0;
  CostSums operator-(const CostSums& other) const {
    return {count - other.count, units - other.units, sum - other.sum, squares - other.squares};
  }
};
using ArmSums = std::array<CostSums, kOperations>;
struct RegionSums {
  std::array<ArmSums, 2> arms;  // The one that keeps its levels, the one on which is tried.
  RegionSums operator-(const RegionSums& other) const;
};

class Tuner {
 public:
  enum class Verdict : uint8_t { kWait, kTry, kKeep, kRevert };

  // Lookups and inserts that one sample stands for, calls of a scan.
  static constexpr uint64_t kPointEvery = 256;
  static constexpr uint64_t kScanEvery = 16;

  explicit Tuner(FillLevels levels = {}) : levels_(levels), trial_(levels) {}

  // `totals`: all that was ever measured. Other than kWait: the levels of an arm have changed, and
  // Settled has to follow when the leaves have been made accordingly.
  Verdict Step(const RegionSums& totals);
  void Settled(const RegionSums& totals);

  bool settling() const { return settling_; }
  FillLevels levels() const { return levels_; }  // Of the arm that keeps its levels.
  FillLevels trial() const { return trial_; }    // Of the other; the same while nothing is tried.

 private:
  struct Move {
    Knob knob = Knob::kDensity;
    int step = 0;  // 0: none.
  };
  // Shares of the time, rebuilds counted with writes.
  struct Mix {
    double lookups = 0, writes = 0, scans = 0;
  };
  static constexpr size_t kMoves = kKnobs * 2;

  Verdict Watch(const RegionSums& window, const Mix& mix);
  Verdict Decide(const RegionSums& window, const Mix& mix);
  Verdict Finish(Verdict verdict);
  bool Shifted(const Mix& mix) const;  // Since mix_.
  Move NextMove(const Mix& mix) const;
  static size_t Index(Move move) {
    return static_cast<size_t>(move.knob) * 2 + (move.step > 0 ? 1 : 0);
  }
  void ForgetFailures();

  FillLevels levels_, trial_;
  Move move_;
  bool settling_ = false;
  Mix mix_;               // When the window before was measured, or the trial began.
  RegionSums start_;      // Totals when the present window began.
  RegionSums before_;     // The window before the trial.
  uint32_t windows_ = 0;  // Measured so far.
  std::array<uint32_t, kMoves> retry_at_{};  // No earlier than in this window.
  std::array<uint32_t, kMoves> patience_{};  // Windows to wait after the next failure.
};

}  // namespace omendb::index
