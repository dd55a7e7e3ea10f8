// Bank transfers against simulated power failures. What kill -9 cannot show: unsynced writes are
// lost or torn at sectors, names are lost unless their directory was synced.
#include <gtest/gtest.h>

#include "tests/crash_sim/load.h"

namespace omendb::crash_sim {
namespace {

using testutil::CrashLoss;
using testutil::MemEnv;

// A chain of lives in one data folder, each ended by a power failure. Adds to `rows_frozen` how
// many rows were frozen when each ended.
void LiveAndDie(uint64_t seed, LifeOptions options, uint64_t* rows_frozen = nullptr) {
  auto env = std::make_unique<MemEnv>();
  for (int life = 0; life < 4; ++life) {
    options.seed = seed * 100 + static_cast<uint64_t>(life);
    auto crash = Live(*env, options);
    ASSERT_TRUE(crash.ok()) << "seed " << options.seed << ": " << crash.status().ToString();
    const auto found = Recover(*crash);
    ASSERT_TRUE(found.ok()) << "seed " << options.seed << ": " << found.status().ToString();
    options.start = *found;
    if (rows_frozen != nullptr) *rows_frozen += crash->rows_frozen;
    env = std::move(crash->env);
  }
}

TEST(PowerFailureTest, NothingAcknowledgedIsLostAndNoHalfTransferIsSeen) {
  for (uint64_t seed = 1; seed <= 8; ++seed) LiveAndDie(seed, {});
}

TEST(PowerFailureTest, AlsoWhileCheckpointsRun) {
  for (uint64_t seed = 1; seed <= 8; ++seed) LiveAndDie(seed, {.checkpoints = true});
}

TEST(PowerFailureTest, AlsoWhenEverythingUnsyncedIsLost) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    LiveAndDie(seed, {.checkpoints = seed % 2 == 0, .loss = CrashLoss::kAll});
  }
}

TEST(PowerFailureTest, AlsoWhileRowsAreFrozen) {
  uint64_t rows_frozen = 0;
  for (uint64_t seed = 1; seed <= 8; ++seed) LiveAndDie(seed, {.freezes = true}, &rows_frozen);
  EXPECT_GT(rows_frozen, 100U);
}

TEST(PowerFailureTest, AlsoWhileRowsAreFrozenAndCheckpointsRun) {
  uint64_t rows_frozen = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    const CrashLoss loss = seed % 3 == 0 ? CrashLoss::kAll : CrashLoss::kRandom;
    LiveAndDie(seed, {.calls_max = 900, .checkpoints = true, .freezes = true, .loss = loss},
               &rows_frozen);
  }
  EXPECT_GT(rows_frozen, 100U);
}

TEST(PowerFailureTest, AKilledProcessLosesNothingEither) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    LiveAndDie(seed, {.checkpoints = seed % 2 == 0, .loss = CrashLoss::kNothing});
  }
}

TEST(PowerFailureTest, LongRecordsCrossSegments) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    LiveAndDie(seed, {.calls_max = 250, .checkpoints = true, .text_bytes = 60'000});
  }
}

TEST(PowerFailureTest, ACrashDuringRecoveryIsRecovered) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    MemEnv env;
    auto crash = Live(env, {.seed = seed, .checkpoints = seed % 2 == 0, .freezes = seed % 4 >= 2});
    ASSERT_TRUE(crash.ok()) << crash.status().ToString();
    for (uint64_t again = 0; again < 4; ++again) {
      auto next = CrashWhileRecovering(*crash, seed * 10 + again, 60);
      ASSERT_TRUE(next.ok()) << "seed " << seed << ": " << next.status().ToString();
      crash = std::move(next);
    }
    const auto found = Recover(*crash);
    EXPECT_TRUE(found.ok()) << "seed " << seed << ": " << found.status().ToString();
  }
}

// The control: without syncs, or on a disk that lies about them, the same load must be seen to lose
// something. If it does not, the tests above prove nothing.
TEST(PowerFailureTest, WithoutSyncsTheSameLoadLosesData) {
  for (const bool lying_disk : {false, true}) {
    int losses = 0;
    for (uint64_t seed = 1; seed <= 6; ++seed) {
      MemEnv env;
      if (lying_disk) env.SetSyncMode(testutil::SyncMode::kLies);
      auto crash = Live(env, {.seed = seed, .fsync = lying_disk});
      ASSERT_TRUE(crash.ok()) << crash.status().ToString();
      if (!Recover(*crash).ok()) ++losses;
    }
    EXPECT_GE(losses, 3) << (lying_disk ? "disk lies" : "fsync off");
  }
}

}  // namespace
}  // namespace omendb::crash_sim
