// The controller is fed costs and must keep, take back and stay within its bounds accordingly.
#include "index/tuner.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

namespace omendb::index {
namespace {

using Verdict = Tuner::Verdict;

struct Shares {
  uint64_t lookups = 0, writes = 0, scans = 0;  // Samples in a step.
};

// What a unit costs in an arm that is filled like this.
using CostModel = std::function<double(Operation, FillLevels)>;

// Feeds a tuner as an index would, without settling taking any time.
class Simulation {
 public:
  explicit Simulation(CostModel model, FillLevels levels = {})
      : model_(std::move(model)), tuner_(levels) {}

  Verdict Step(const Shares& shares) {
    for (size_t arm = 0; arm < 2; ++arm) {
      const FillLevels levels = arm == 0 ? tuner_.levels() : tuner_.trial();
      Add(arm, Operation::kLookup, levels, shares.lookups, 1);
      Add(arm, Operation::kWrite, levels, shares.writes, 1);
      Add(arm, Operation::kScan, levels, shares.scans, 100);
      Add(arm, Operation::kRebuild, levels, shares.writes / 16, 1000);
    }
    const Verdict verdict = tuner_.Step(totals_);
    if (tuner_.settling()) tuner_.Settled(totals_);
    if (verdict != Verdict::kWait) ++verdicts_[static_cast<size_t>(verdict)];
    return verdict;
  }
  void Run(const Shares& shares, int steps) {
    for (int i = 0; i < steps; ++i) Step(shares);
  }
  // Steps until one has this verdict; the levels on trial just before.
  bool Until(const Shares& shares, Verdict wanted, int steps = 1000) {
    while (steps-- > 0) {
      if (Step(shares) == wanted) return true;
    }
    return false;
  }

  Tuner& tuner() { return tuner_; }
  int count(Verdict verdict) const { return verdicts_[static_cast<size_t>(verdict)]; }
  double noise = 0.5;
  // Both arms' costs at once: another program takes the processor.
  double machine = 1;
  // The cost of arm 1 whatever its levels: its keys are not the other's.
  double arm1 = 1;

 private:
  void Add(size_t arm, Operation operation, FillLevels levels, uint64_t samples, uint64_t units) {
    CostSums& sums = totals_.arms[arm][static_cast<size_t>(operation)];
    std::lognormal_distribution<double> spread(-noise * noise / 2, noise);
    for (uint64_t i = 0; i < samples; ++i) {
      const double cost =
          model_(operation, levels) * machine * (arm == 1 ? arm1 : 1) * spread(random_);
      const auto ticks = static_cast<uint64_t>(cost);
      ++sums.count;
      sums.units += units;
      sums.sum += ticks;
      sums.squares += ticks * ticks;
    }
  }

  CostModel model_;
  Tuner tuner_;
  RegionSums totals_;
  int verdicts_[4] = {};
  std::mt19937_64 random_{5};
};

constexpr Shares kReads{200, 0, 200}, kWrites{20, 200, 0};

double Flat(Operation operation, FillLevels) { return operation == Operation::kScan ? 160 : 3200; }

TEST(TunerTest, WaitsForSamples) {
  Simulation simulation(Flat);
  EXPECT_EQ(simulation.Step({100, 0, 100}), Verdict::kWait);
  EXPECT_EQ(simulation.tuner().trial(), FillLevels{});
}

TEST(TunerTest, TriesOneKnobByOneStepOnOneArm) {
  Simulation simulation(Flat);
  ASSERT_TRUE(simulation.Until(kReads, Verdict::kTry));
  const FillLevels tried = simulation.tuner().trial();
  EXPECT_EQ(tried, FillLevels{}.Moved(Knob::kDensity, -1));  // Packing first, where keys are read.
  EXPECT_EQ(simulation.tuner().levels(), FillLevels{});
}

TEST(TunerTest, KeepsWhatIsSurelyBetter) {
  Simulation simulation([](Operation operation, FillLevels levels) {
    const bool packed = levels.density() == FillLevels::kPacked;
    return Flat(operation, levels) * (operation == Operation::kScan && packed ? 0.7 : 1);
  });
  ASSERT_TRUE(simulation.Until(kReads, Verdict::kTry));
  ASSERT_TRUE(simulation.Until(kReads, Verdict::kKeep));
  EXPECT_EQ(simulation.tuner().levels().density(), FillLevels::kPacked);
  EXPECT_EQ(simulation.count(Verdict::kRevert), 0);
}

TEST(TunerTest, TakesBackWhatIsWorse) {
  Simulation simulation([](Operation operation, FillLevels levels) {
    return Flat(operation, levels) * (levels == FillLevels{} ? 1 : 1.2);
  });
  for (int i = 0; i < 5; ++i) {
    if (!simulation.Until(kReads, Verdict::kTry, 400)) break;
    ASSERT_TRUE(simulation.Until(kReads, Verdict::kRevert));
    EXPECT_EQ(simulation.tuner().levels(), FillLevels{});
    EXPECT_EQ(simulation.tuner().trial(), FillLevels{});
  }
  EXPECT_EQ(simulation.count(Verdict::kKeep), 0);
}

TEST(TunerTest, MemoryIsTakenOnlyForAGainThatPaysIt) {
  for (const double gain : {0.98, 0.8}) {
    Simulation simulation([gain](Operation operation, FillLevels levels) {
      return Flat(operation, levels) * (levels.density() == FillLevels::kRoomy ? gain : 1);
    });
    simulation.Run(kWrites, 2000);
    EXPECT_EQ(simulation.tuner().levels().density(),
              gain == 0.98 ? FillLevels::kUsual : FillLevels::kRoomy);
  }
}

TEST(TunerTest, MemoryIsSavedWhereItCostsNothing) {
  Simulation simulation(Flat);
  simulation.noise = 0.1;
  simulation.Run(kReads, 300);
  EXPECT_EQ(simulation.tuner().levels().density(), FillLevels::kPacked);
}

TEST(TunerTest, ASlowerMachineDuringATrialDecidesNothing) {
  Simulation simulation([](Operation operation, FillLevels levels) {
    return Flat(operation, levels) * (levels.density() == FillLevels::kPacked ? 0.8 : 1);
  });
  ASSERT_TRUE(simulation.Until(kReads, Verdict::kTry));
  simulation.machine = 3;  // All costs three times what they were before.
  ASSERT_TRUE(simulation.Until(kReads, Verdict::kKeep));
  EXPECT_EQ(simulation.count(Verdict::kRevert), 0);
}

TEST(TunerTest, ArmsThatDifferFromTheBeginningDecideNothing) {
  for (const double arm1 : {0.5, 2.0}) {
    Simulation simulation([](Operation operation, FillLevels levels) {
      return Flat(operation, levels) * (levels.density() == FillLevels::kPacked ? 1.3 : 1);
    });
    simulation.arm1 = arm1;
    ASSERT_TRUE(simulation.Until(kReads, Verdict::kTry));
    ASSERT_TRUE(simulation.Until(kReads, Verdict::kRevert));
    EXPECT_EQ(simulation.count(Verdict::kKeep), 0) << arm1;
  }
}

TEST(TunerTest, AnotherWorkloadDuringATrialTakesItBack) {
  Simulation simulation(Flat);
  ASSERT_TRUE(simulation.Until({400, 0, 0}, Verdict::kTry));
  Verdict verdict = Verdict::kWait;
  for (int i = 0; i < 100 && verdict == Verdict::kWait; ++i) verdict = simulation.Step(kWrites);
  EXPECT_EQ(verdict, Verdict::kRevert);
  EXPECT_EQ(simulation.tuner().trial(), FillLevels{});
  // What failed is not held against the new one.
  ASSERT_TRUE(simulation.Until(kWrites, Verdict::kTry));
  EXPECT_EQ(simulation.tuner().trial(), FillLevels{}.Moved(Knob::kLeafKeys, -1));
}

TEST(TunerTest, FailuresAreTriedLessAndLess) {
  Simulation simulation([](Operation operation, FillLevels levels) {
    return Flat(operation, levels) * (levels == FillLevels{} ? 1 : 1.5);
  });
  simulation.Run(kReads, 1000);
  const int early = simulation.count(Verdict::kTry);
  simulation.Run(kReads, 1000);
  const int late = simulation.count(Verdict::kTry) - early;
  EXPECT_GT(early, 5);
  EXPECT_LT(late * 2, early);
}

TEST(TunerTest, LevelsStayWithinTheirBoundsWhateverIsMeasured) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 20; ++round) {
    Simulation simulation(
        [&random](Operation, FillLevels) { return static_cast<double>(random() % 5000); });
    FillLevels last = simulation.tuner().levels();
    for (int i = 0; i < 300; ++i) {
      simulation.Step({random() % 400, random() % 400, random() % 400});
      const FillLevels now = simulation.tuner().levels(), tried = simulation.tuner().trial();
      int moved = 0, apart = 0;
      for (size_t k = 0; k < kKnobs; ++k) {
        ASSERT_LE(now.level[k], FillLevels::kMax[k]);
        ASSERT_LE(tried.level[k], FillLevels::kMax[k]);
        moved += std::abs(now.level[k] - last.level[k]);
        apart += std::abs(now.level[k] - tried.level[k]);
      }
      ASSERT_LE(moved, 1);
      ASSERT_LE(apart, 1);
      last = now;
    }
  }
}

TEST(FillLevelsTest, LimitsAreTheUntunedOnesOrTighter) {
  const FillLimits usual = LimitsOf({});
  EXPECT_EQ(usual.grow_mean, FillLimits{}.grow_mean);
  EXPECT_EQ(usual.keys_max, FillLimits{}.keys_max);
  EXPECT_EQ(usual.spill_max, FillLimits{}.spill_max);
  for (uint8_t density = 0; density <= FillLevels::kMax[0]; ++density) {
    for (uint8_t keys = 0; keys <= FillLevels::kMax[1]; ++keys) {
      for (uint8_t spill = 0; spill <= FillLevels::kMax[2]; ++spill) {
        const FillLevels levels{{density, keys, spill}};
        EXPECT_EQ(FillLevels::Unpack(levels.Pack()), levels);
        const FillLimits limits = LimitsOf(levels);
        EXPECT_LE(limits.keys_max, usual.keys_max);
        EXPECT_GE(limits.keys_max, 2048u);
        EXPECT_LE(limits.spill_max, usual.spill_max);
        // 256 bytes a bucket, and no more than 31 bytes a key.
        EXPECT_GE(limits.grow_mean, 256 / 31.0);
      }
    }
  }
}

}  // namespace
}  // namespace omendb::index
