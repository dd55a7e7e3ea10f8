#include "index/tuner.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace omendb::index {

namespace {

// Samples of an arm before anything is tried: they are what the trial is compared with.
constexpr uint64_t kSamplesBefore = 1024;
// Samples before a trial is judged for the first time, and when it ends at the latest. Why 4,096:
// differences of 5 % can then be told from chance.
constexpr uint64_t kSamplesMin = 256, kSamplesMax = 4096;
// The same for rebuilds, which are few.
constexpr uint64_t kRebuildsMin = 16;
// An operation that takes less of the time than this is left out.
constexpr double kShareMin = 0.05;
// With this share of the time in writes it is writes that are tuned for.
constexpr double kWriteHeavy = 0.3;
// A share moved by so much: another workload.
constexpr double kShift = 0.3;
// Windows before a failed change is tried again: doubled with each failure.
constexpr uint32_t kPatience = 4, kPatienceMax = 256;
// How much better a change must be, and surely: one that saves memory may not be worse by more than
// 2 %, one that takes memory must win 5 %.
constexpr double kNeedSaving = -0.02, kNeedEven = 0.01, kNeedTaking = 0.05;
// Standard errors that make it sure. A trial is looked at often: what is kept for good needs more.
constexpr double kSureToKeep = 3, kSureToRevert = 2;

size_t At(Operation operation) { return static_cast<size_t>(operation); }

// Units that the samples of both arms stand for.
using Weights = std::array<double, kOperations>;
Weights WeightsOf(const RegionSums& window) {
  Weights weights{};
  for (const ArmSums& arm : window.arms) {
    const auto units = [&](Operation o) { return static_cast<double>(arm[At(o)].units); };
    weights[At(Operation::kLookup)] += units(Operation::kLookup) * Tuner::kPointEvery;
    weights[At(Operation::kWrite)] += units(Operation::kWrite) * Tuner::kPointEvery;
    weights[At(Operation::kScan)] += units(Operation::kScan) * Tuner::kScanEvery;
  }
  weights[At(Operation::kRebuild)] = weights[At(Operation::kWrite)];
  return weights;
}

double Mean(const CostSums& sums) {
  return sums.count == 0 ? 0 : static_cast<double>(sums.sum) / static_cast<double>(sums.count);
}
double PooledMean(const RegionSums& window, size_t operation) {
  const CostSums &a = window.arms[0][operation], &b = window.arms[1][operation];
  const uint64_t count = a.count + b.count;
  return count == 0 ? 0 : static_cast<double>(a.sum + b.sum) / static_cast<double>(count);
}

// Of the time of all operations.
std::array<double, kOperations> SharesOf(const RegionSums& window) {
  std::array<double, kOperations> shares = WeightsOf(window);
  double total = 0;
  for (size_t i = 0; i < kOperations; ++i) total += shares[i] *= PooledMean(window, i);
  if (total > 0) {
    for (double& share : shares) share /= total;
  }
  return shares;
}

// Of the arm that has fewer.
uint64_t SamplesOf(const RegionSums& window) {
  uint64_t samples[2] = {};
  for (size_t arm = 0; arm < 2; ++arm) {
    for (size_t i = 0; i < At(Operation::kRebuild); ++i) samples[arm] += window.arms[arm][i].count;
  }
  return std::min(samples[0], samples[1]);
}

// Whether every operation that matters was sampled often enough in both arms.
bool Enough(const RegionSums& window, const std::array<double, kOperations>& shares,
            double writes) {
  for (size_t i = 0; i < kOperations; ++i) {
    const bool rebuilds = i == At(Operation::kRebuild);
    const bool matters = rebuilds ? writes >= kWriteHeavy : shares[i] >= kShareMin;
    for (size_t arm = 0; arm < 2; ++arm) {
      const uint64_t least = rebuilds ? kRebuildsMin : kSamplesMin / 8;
      if (matters && window.arms[arm][i].count < least) return false;
    }
  }
  return SamplesOf(window) >= kSamplesMin;
}

// The time of the weighted operations in one arm, as a logarithm, and the variance of that.
struct LogCost {
  double log = 0;
  double variance = 0;
};
LogCost CostOf(const ArmSums& arm, const Weights& weights,
               const std::array<double, kOperations>& shares) {
  double cost = 0, variance = 0;
  for (size_t i = 0; i < kOperations; ++i) {
    const CostSums& sums = arm[i];
    if (sums.count < 2 || shares[i] < kShareMin) continue;
    const auto n = static_cast<double>(sums.count);
    const double mean = Mean(sums);
    const double spread = std::max(0.0, static_cast<double>(sums.squares) / n - mean * mean);
    cost += weights[i] * mean;
    variance += weights[i] * weights[i] * spread / (n - 1);
  }
  if (cost <= 0) return {};
  return {std::log(cost), variance / (cost * cost)};
}

double NeedOf(Knob knob, int step) {
  if (knob != Knob::kDensity) return kNeedEven;
  return step < 0 ? kNeedSaving : kNeedTaking;
}

}  // namespace

RegionSums RegionSums::operator-(const RegionSums& other) const {
  RegionSums difference;
  for (size_t arm = 0; arm < 2; ++arm) {
    for (size_t i = 0; i < kOperations; ++i) {
      difference.arms[arm][i] = arms[arm][i] - other.arms[arm][i];
    }
  }
  return difference;
}

Tuner::Verdict Tuner::Step(const RegionSums& totals) {
  if (settling_) return Verdict::kWait;
  const RegionSums window = totals - start_;
  const auto shares = SharesOf(window);
  const Mix mix{shares[At(Operation::kLookup)],
                shares[At(Operation::kWrite)] + shares[At(Operation::kRebuild)],
                shares[At(Operation::kScan)]};
  if (!Enough(window, shares, mix.writes)) return Verdict::kWait;
  if (move_.step != 0) return Decide(window, mix);
  if (SamplesOf(window) < kSamplesBefore) return Verdict::kWait;
  start_ = totals;
  return Watch(window, mix);
}

void Tuner::Settled(const RegionSums& totals) {
  settling_ = false;
  start_ = totals;
}

void Tuner::ForgetFailures() {
  retry_at_.fill(0);
  patience_.fill(0);
}

bool Tuner::Shifted(const Mix& mix) const {
  return std::abs(mix.lookups - mix_.lookups) > kShift ||
         std::abs(mix.writes - mix_.writes) > kShift || std::abs(mix.scans - mix_.scans) > kShift;
}

Tuner::Verdict Tuner::Watch(const RegionSums& window, const Mix& mix) {
  ++windows_;
  if (Shifted(mix)) ForgetFailures();
  mix_ = mix;
  move_ = NextMove(mix);
  if (move_.step == 0) return Verdict::kWait;
  before_ = window;
  trial_ = levels_.Moved(move_.knob, move_.step);
  settling_ = true;
  return Verdict::kTry;
}

// Cheap and likely first. What was tried in vain lately is passed over.
Tuner::Move Tuner::NextMove(const Mix& mix) const {
  static constexpr Move kForWrites[] = {{Knob::kLeafKeys, -1},
                                        {Knob::kDensity, 1},
                                        {Knob::kLeafKeys, 1},
                                        {Knob::kSpill, -1},
                                        {Knob::kSpill, 1}};
  static constexpr Move kForReads[] = {{Knob::kDensity, -1},
                                       {Knob::kLeafKeys, 1},
                                       {Knob::kSpill, -1},
                                       {Knob::kSpill, 1},
                                       {Knob::kLeafKeys, -1}};
  for (const Move move : mix.writes >= kWriteHeavy ? kForWrites : kForReads) {
    if (levels_.CanMove(move.knob, move.step) && windows_ >= retry_at_[Index(move)]) return move;
  }
  return {};
}

Tuner::Verdict Tuner::Decide(const RegionSums& window, const Mix& mix) {
  if (Shifted(mix)) {
    ForgetFailures();
    return Finish(Verdict::kRevert);
  }
  const Weights weights = WeightsOf(window);
  const auto shares = SharesOf(window);
  double gain = 0, variance = 0;  // Of the trial arm over the other, now against before.
  for (size_t arm = 0; arm < 2; ++arm) {
    const LogCost was = CostOf(before_.arms[arm], weights, shares);
    const LogCost is = CostOf(window.arms[arm], weights, shares);
    gain += (arm == 0 ? 1 : -1) * (is.log - was.log);
    variance += was.variance + is.variance;
  }
  const double error = std::sqrt(variance);
  const double need = NeedOf(move_.knob, move_.step);
  if (gain - kSureToKeep * error > need) return Finish(Verdict::kKeep);
  if (gain + kSureToRevert * error < need) return Finish(Verdict::kRevert);
  if (SamplesOf(window) < kSamplesMax) return Verdict::kWait;
  // Never sure: what saves memory stays if it is likely not worse than allowed.
  return Finish(need < 0 && gain > need ? Verdict::kKeep : Verdict::kRevert);
}

Tuner::Verdict Tuner::Finish(Verdict verdict) {
  const size_t at = Index(move_);
  if (verdict == Verdict::kKeep) {
    levels_ = trial_;
    patience_[at] = 0;
    // Back again only if that, too, is surely better, and not at once.
    retry_at_[at ^ 1] = windows_ + kPatience;
  } else {
    trial_ = levels_;
    patience_[at] = std::clamp(patience_[at] * 2, kPatience, kPatienceMax);
    retry_at_[at] = windows_ + patience_[at];
  }
  move_ = {};
  settling_ = true;
  return verdict;
}

}  // namespace omendb::index
