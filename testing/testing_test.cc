// The tools of the tests, tested: a simulated power failure that loses nothing, or the wrong
// things, would let every crash test pass.
#include <gtest/gtest.h>

#include <set>

#include "base/sqlstate.h"
#include "testing/fault_env.h"
#include "testing/mem_env.h"
#include "testing/prng.h"
#include "testing/sim_clock.h"

namespace omendb::testutil {
namespace {

using env::OpenMode;
using env::ReadFileToString;

std::unique_ptr<env::WritableFile> Create(env::Env& env, const std::string& path) {
  auto file = env.NewWritableFile(path, {});
  EXPECT_TRUE(file.ok());
  return std::move(file).value();
}

// A durable file with `bytes` of 'd'.
std::unique_ptr<env::WritableFile> Durable(MemEnv& env, const std::string& path, size_t bytes) {
  auto file = Create(env, path);
  EXPECT_TRUE(file->Append(std::string(bytes, 'd')).ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_TRUE(env.SyncDir("/").ok());
  return file;
}

TEST(CrashCloneTest, SyncedBytesAndNamesStay) {
  MemEnv env;
  Durable(env, "/f", 5000);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(*ReadFileToString(*env.CrashClone(seed), "/f", 1 << 20), std::string(5000, 'd'));
  }
}

TEST(CrashCloneTest, UnsyncedBytesAreKeptOrLostSectorBySector) {
  MemEnv env;
  auto file = Durable(env, "/f", 512);
  ASSERT_TRUE(file->Append(std::string(10 * 512, 'n')).ok());
  std::set<uint64_t> sizes;
  bool hole = false;  // A later sector there, an earlier one not.
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const std::string text = *ReadFileToString(*env.CrashClone(seed), "/f", 1 << 20);
    sizes.insert(text.size());
    ASSERT_EQ(text.substr(0, 512), std::string(512, 'd'));
    for (size_t i = 512; i < text.size(); i += 512) {
      const std::string sector = text.substr(i, 512);
      ASSERT_TRUE(sector == std::string(512, 'n') || sector == std::string(512, '\0'));
      hole = hole || (i > 512 && sector[0] == 'n' && text[i - 512] == '\0');
    }
  }
  EXPECT_EQ(sizes, (std::set<uint64_t>{512, 11 * 512}));
  EXPECT_TRUE(hole);
}

TEST(CrashCloneTest, ASectorMayShowAnyOfItsStates) {
  MemEnv env;
  auto file = Durable(env, "/f", 512);
  for (const char c : {'1', '2', '3'}) {
    auto again = env.NewWritableFile("/f", {.mode = OpenMode::kExisting});
    ASSERT_TRUE((*again)->Append(std::string(512, c)).ok());
  }
  std::set<char> seen;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const std::string text = *ReadFileToString(*env.CrashClone(seed), "/f", 1 << 20);
    EXPECT_EQ(text, std::string(512, text[0]));
    seen.insert(text[0]);
  }
  EXPECT_EQ(seen, (std::set<char>{'d', '1', '2', '3'}));
}

TEST(CrashCloneTest, NamesNeedTheirDirectorySynced) {
  MemEnv env;
  auto file = Create(env, "/f");
  ASSERT_TRUE(file->Append("x").ok());
  ASSERT_TRUE(file->Sync().ok());
  std::set<bool> there;
  for (uint64_t seed = 0; seed < 50; ++seed) there.insert(*env.CrashClone(seed)->Exists("/f"));
  EXPECT_EQ(there, (std::set<bool>{false, true}));
  EXPECT_FALSE(*env.CrashClone(1, CrashLoss::kAll)->Exists("/f"));
  EXPECT_TRUE(*env.CrashClone(1, CrashLoss::kNothing)->Exists("/f"));
  ASSERT_TRUE(env.SyncDir("/").ok());
  for (uint64_t seed = 0; seed < 50; ++seed) EXPECT_TRUE(*env.CrashClone(seed)->Exists("/f"));
}

TEST(CrashCloneTest, ARenameIsAllOrNothingAndARemovalMayComeBack) {
  MemEnv env;
  Durable(env, "/old", 10);
  ASSERT_TRUE(env.Rename("/old", "/new").ok());
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto crashed = env.CrashClone(seed);
    EXPECT_NE(*crashed->Exists("/old"), *crashed->Exists("/new"));
  }
  ASSERT_TRUE(env.SyncDir("/").ok());
  ASSERT_TRUE(env.Remove("/new").ok());
  EXPECT_TRUE(*env.CrashClone(1, CrashLoss::kAll)->Exists("/new"));
}

TEST(CrashCloneTest, LyingSyncsLoseData) {
  MemEnv env;
  Durable(env, "/f", 512);
  env.SetSyncMode(SyncMode::kLies);
  auto file = env.NewWritableFile("/f", {.mode = OpenMode::kExisting});
  ASSERT_TRUE((*file)->Append(std::string(512, 'n')).ok());
  ASSERT_TRUE((*file)->Sync().ok());
  EXPECT_EQ(*ReadFileToString(*env.CrashClone(1, CrashLoss::kAll), "/f", 1024),
            std::string(512, 'd'));
  EXPECT_EQ(*ReadFileToString(env, "/f", 1024), std::string(512, 'n'));
}

TEST(CrashCloneTest, TruncationIsUndoneOrDone) {
  MemEnv env;
  Durable(env, "/f", 1024);
  ASSERT_TRUE(env.Truncate("/f", 100).ok());
  std::set<uint64_t> sizes;
  for (uint64_t seed = 0; seed < 50; ++seed) sizes.insert(*env.CrashClone(seed)->FileSize("/f"));
  EXPECT_EQ(sizes, (std::set<uint64_t>{100, 1024}));
}

TEST(MemEnvTest, CapacityIsAFullDisk) {
  MemEnv env;
  env.SetCapacity(1000);
  auto file = Create(env, "/f");
  ASSERT_TRUE(file->Append(std::string(900, 'x')).ok());
  EXPECT_TRUE(file->Append(std::string(200, 'x')).Is(sqlstate::kDiskFull));
  EXPECT_TRUE(file->Preallocate(1001).Is(sqlstate::kDiskFull));
  auto other = Create(env, "/g");
  EXPECT_TRUE(other->Append(std::string(200, 'x')).Is(sqlstate::kDiskFull));
  ASSERT_TRUE(env.Remove("/f").ok());
  EXPECT_TRUE(other->Append(std::string(200, 'x')).ok());
  EXPECT_EQ(env.used_bytes(), 200U);
}

TEST(FaultEnvTest, TheChosenCallFails) {
  MemEnv base;
  FaultEnv env(base);
  env.AddRule({.ops = kOpAppend, .path_contains = "bad", .skip = 1, .times = 2, .error = EIO});
  auto good = Create(env, "/good");
  auto bad = Create(env, "/bad");
  EXPECT_TRUE(good->Append("x").ok());
  EXPECT_TRUE(bad->Append("x").ok());
  EXPECT_EQ(bad->Append("x").ToString(),
            "58030: could not write to file \"/bad\": Input/output error");
  EXPECT_FALSE(bad->Append("x").ok());
  EXPECT_TRUE(bad->Append("x").ok());
  EXPECT_TRUE(good->Append("x").ok());
  EXPECT_EQ(env.fault_count(), 2U);
}

TEST(FaultEnvTest, AShortWriteLeavesAPart) {
  MemEnv base;
  FaultEnv env(base);
  env.AddRule({.ops = kOpAppend, .times = 1, .short_write = 0.5});
  auto file = Create(env, "/f");
  EXPECT_FALSE(file->Append("abcdefgh").ok());
  EXPECT_EQ(*ReadFileToString(base, "/f", 100), "abcd");
}

TEST(FaultEnvTest, TheSpaceBudgetCountsGrowthOnly) {
  MemEnv base;
  FaultEnv env(base);
  env.SetSpaceBudget(100);
  auto file = Create(env, "/f");
  ASSERT_TRUE(file->Preallocate(80).ok());
  ASSERT_TRUE(file->Append(std::string(80, 'x')).ok());
  EXPECT_TRUE(file->Append(std::string(30, 'x')).Is(sqlstate::kDiskFull));
  EXPECT_EQ(*base.FileSize("/f"), 100U);
  ASSERT_TRUE(env.Truncate("/f", 50).ok());
  auto other = Create(env, "/g");
  EXPECT_TRUE(other->Append(std::string(50, 'x')).ok());
  EXPECT_FALSE(other->Append("x").ok());
}

TEST(FaultEnvTest, ProbabilityIsSeeded) {
  const auto run = [](uint64_t seed) {
    MemEnv base;
    FaultEnv env(base, seed);
    env.AddRule({.ops = kOpAppend, .probability = 0.3});
    auto file = Create(env, "/f");
    std::string outcome;
    for (int i = 0; i < 50; ++i) outcome.push_back(file->Append("x").ok() ? '.' : 'F');
    return outcome;
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
  EXPECT_NE(run(7).find('F'), std::string::npos);
  EXPECT_NE(run(7).find('.'), std::string::npos);
}

TEST(SimClockTest, MovesOnlyWhenMoved) {
  SimClock clock(1000);
  MemEnv env(&clock);
  EXPECT_EQ(env.NowMicros(), 1000);
  const SteadyTime before = env.SteadyNow();
  clock.AdvanceMicros(5);
  EXPECT_EQ(env.NowMicros(), 1005);
  EXPECT_EQ(env.SteadyNow() - before, std::chrono::microseconds(5));
  clock.JumpMicros(-10);
  EXPECT_EQ(env.NowMicros(), 995);
  EXPECT_EQ(env.SteadyNow() - before, std::chrono::microseconds(5));
}

TEST(PrngTest, IsSeededAndStaysInBounds) {
  Prng a(1);
  Prng b(1);
  std::set<int64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(a(), b());
    const int64_t v = a.Between(-2, 2);
    (void)b.Between(-2, 2);
    seen.insert(v);
  }
  EXPECT_EQ(seen, (std::set<int64_t>{-2, -1, 0, 1, 2}));
}

}  // namespace
}  // namespace omendb::testutil
