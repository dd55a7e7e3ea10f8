// A full disk, failing calls, and damaged files under the whole engine.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/sqlstate.h"
#include "testing/fault_env.h"
#include "tests/crash_sim/load.h"

namespace omendb::crash_sim {
namespace {

using testutil::CrashLoss;
using testutil::FaultEnv;
using testutil::MemEnv;
using testutil::Prng;

// Transfers of worker 0 until one fails or `count` are done. Returns how many were acknowledged.
int64_t TransferSome(Bank& bank, int64_t from, int64_t count, size_t text_bytes, Status* failure) {
  Prng prng(static_cast<uint64_t>(from));
  for (int64_t i = 1; i <= count; ++i) {
    *failure = bank.Transfer(0, from + i, prng, std::string(text_bytes, 't'));
    if (!failure->ok()) return i - 1;
  }
  return count;
}

Crash CrashOf(const MemEnv& env, int64_t acknowledged, int64_t attempted, CrashLoss loss) {
  Crash crash;
  crash.env = env.CrashClone(1, loss);
  crash.env->SetCapacity(UINT64_MAX);
  crash.acknowledged.transfers[0] = acknowledged;
  crash.attempted.transfers[0] = attempted;
  return crash;
}

// ---- A full disk.

TEST(FullDiskTest, WritesAnswer53100ReadsGoOnAndSpaceHeals) {
  MemEnv env;
  auto database = OpenDatabase(env);
  ASSERT_TRUE(database.ok()) << database.status().ToString();
  Bank bank(**database);
  ASSERT_TRUE(bank.Create().ok());
  env.SetCapacity(env.used_bytes() + (20 << 20));
  Status failure;
  int64_t done = TransferSome(bank, 0, 10'000, 50'000, &failure);
  ASSERT_TRUE(failure.Is(sqlstate::kDiskFull)) << failure.ToString();
  EXPECT_NE(failure.ToString().find("No space left on device"), std::string::npos);
  EXPECT_GT(done, 100);
  // Reads go on, again and again; nothing of the refused transfer is seen.
  for (int i = 0; i < 3; ++i) {
    const auto found = bank.Audit();
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    EXPECT_EQ(found->transfers[0], done);
    EXPECT_EQ(TransferSome(bank, done, 1, 50'000, &failure), 0);
    EXPECT_TRUE(failure.Is(sqlstate::kDiskFull)) << failure.ToString();
  }
  EXPECT_TRUE((*database)->health().ok());
  // A checkpoint may or may not find room; it harms nothing.
  (void)(*database)->Checkpoint();
  ASSERT_TRUE(bank.Audit().ok());
  env.SetCapacity(UINT64_MAX);
  done += TransferSome(bank, done, 100, 50'000, &failure);
  EXPECT_TRUE(failure.ok()) << failure.ToString();
  for (const CrashLoss loss : {CrashLoss::kAll, CrashLoss::kRandom}) {
    const auto found = Recover(CrashOf(env, done, done, loss));
    EXPECT_TRUE(found.ok()) << found.status().ToString();
  }
  ASSERT_TRUE((*database)->Close().ok());
}

TEST(FullDiskTest, AnyAmountOfSpaceEndsWellOrWith53100) {
  for (uint64_t megabytes = 0; megabytes < 80; megabytes += 13) {
    MemEnv env;
    env.SetCapacity((megabytes << 20) + 12'345);
    Status failure;
    int64_t done = 0;
    auto database = OpenDatabase(env);
    if (!database.ok()) {
      EXPECT_TRUE(database.status().Is(sqlstate::kDiskFull)) << database.status().ToString();
      continue;
    }
    Bank bank(**database);
    if (Status created = bank.Create(); !created.ok()) {
      EXPECT_TRUE(created.Is(sqlstate::kDiskFull)) << created.ToString();
      continue;
    }
    done = TransferSome(bank, 0, 600, 50'000, &failure);
    if (!failure.ok()) {
      EXPECT_TRUE(failure.Is(sqlstate::kDiskFull)) << failure.ToString();
    }
    const Status checkpoint = (*database)->Checkpoint();
    if (!checkpoint.ok()) {
      EXPECT_TRUE(checkpoint.Is(sqlstate::kDiskFull)) << checkpoint.ToString();
    }
    const auto found = bank.Audit();
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    EXPECT_EQ(found->transfers[0], done);
    const auto recovered = Recover(CrashOf(env, done, done + 1, CrashLoss::kAll));
    EXPECT_TRUE(recovered.ok()) << megabytes << " MB: " << recovered.status().ToString();
  }
}

// ---- Failing calls.

TEST(FailingCallTest, AFailedSyncStopsWritesButNotReads) {
  MemEnv base;
  FaultEnv env(base);
  auto database = OpenDatabase(env);
  ASSERT_TRUE(database.ok()) << database.status().ToString();
  Bank bank(**database);
  ASSERT_TRUE(bank.Create().ok());
  Status failure;
  ASSERT_EQ(TransferSome(bank, 0, 20, 40, &failure), 20);
  env.AddRule({.ops = testutil::kOpSync, .path_contains = ".wal"});
  EXPECT_EQ(TransferSome(bank, 20, 1, 40, &failure), 0);
  EXPECT_TRUE(failure.Is(sqlstate::kIoError)) << failure.ToString();
  EXPECT_FALSE((*database)->health().ok());
  env.ClearRules();
  // The disk works again, but what it holds is not known: writes stay refused.
  EXPECT_EQ(TransferSome(bank, 21, 1, 40, &failure), 0);
  EXPECT_TRUE(failure.Is(sqlstate::kIoError)) << failure.ToString();
  const auto found = bank.Audit();
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_EQ(found->transfers[0], 20);
  const auto recovered = Recover(CrashOf(base, 20, 21, CrashLoss::kRandom));
  EXPECT_TRUE(recovered.ok()) << recovered.status().ToString();
}

TEST(FailingCallTest, AFailureOfAnyWritingCallLosesNothingAcknowledged) {
  uint64_t faults = 0;
  for (uint64_t call = 0; call < 600; call += 1 + call / 40) {
    MemEnv base;
    FaultEnv env(base);
    env.AddRule({.ops = testutil::kOpWrites, .skip = call, .times = 1, .short_write = 0.5});
    int64_t done = 0;
    Status failure;
    auto database = OpenDatabase(env);
    if (database.ok()) {
      Bank bank(**database);
      if (!bank.Create().ok()) continue;
      done = TransferSome(bank, 0, 15, 40, &failure);
      (void)(*database)->Checkpoint();
      if (failure.ok()) done += TransferSome(bank, done, 15, 40, &failure);
      const auto found = bank.Audit();
      ASSERT_TRUE(found.ok()) << "call " << call << ": " << found.status().ToString();
      EXPECT_EQ(found->transfers[0], done);
    }
    if (env.fault_count() == 0) break;
    ++faults;
    if (!database.ok()) continue;
    const auto recovered = Recover(CrashOf(base, done, done + 1, CrashLoss::kRandom));
    EXPECT_TRUE(recovered.ok()) << "call " << call << ": " << recovered.status().ToString();
  }
  EXPECT_GT(faults, 20U);
}

// ---- Damaged files.

std::vector<std::string> FilesUnder(env::Env& env, const std::string& dir) {
  std::vector<std::string> files;
  const auto names = env.List(dir);
  EXPECT_TRUE(names.ok());
  for (const std::string& name : *names) {
    const std::string path = env::JoinPath(dir, name);
    if (!env.List(path).ok()) {
      files.push_back(path);
      continue;
    }
    std::vector<std::string> inner = FilesUnder(env, path);
    files.insert(files.end(), inner.begin(), inner.end());
  }
  return files;
}

TEST(DamageTest, ADamagedFileIsNamedAndNothingIsLostSilently) {
  MemEnv env;
  int64_t done = 0;
  {
    auto database = OpenDatabase(env);
    ASSERT_TRUE(database.ok()) << database.status().ToString();
    Bank bank(**database);
    ASSERT_TRUE(bank.Create().ok());
    Status failure;
    done = TransferSome(bank, 0, 100, 40, &failure);
    ASSERT_TRUE((*database)->Checkpoint().ok());
    done += TransferSome(bank, done, 100, 40, &failure);
    ASSERT_EQ(done, 200);
  }
  Prng prng(5);
  int refused = 0;
  for (const std::string& path : FilesUnder(env, kDataDir)) {
    const uint64_t size = *env.FileSize(path);
    if (size == 0) continue;
    for (int round = 0; round < 25; ++round) {
      const auto damaged = CrashOf(env, done, done, CrashLoss::kNothing);
      // Most of a log segment is unused: aim at its beginning.
      const uint64_t offset = prng.Below(std::min<uint64_t>(size, 40'000));
      ASSERT_TRUE(damaged.env->FlipBit(path, offset, static_cast<int>(prng.Below(8))).ok());
      const auto found = Recover(damaged);
      if (found.ok()) continue;  // Nothing that is needed lies there.
      ++refused;
      EXPECT_TRUE(found.status().Is(sqlstate::kDataCorrupted))
          << path << " offset " << offset << ": " << found.status().ToString();
      EXPECT_NE(found.status().ToString().find(path), std::string::npos)
          << path << ": " << found.status().ToString();
      EXPECT_NE(found.status().ToString().find("offset"), std::string::npos)
          << found.status().ToString();
    }
  }
  EXPECT_GT(refused, 25);
}

TEST(DamageTest, AMissingFileIsNamed) {
  MemEnv env;
  int64_t done = 0;
  {
    auto database = OpenDatabase(env);
    ASSERT_TRUE(database.ok()) << database.status().ToString();
    Bank bank(**database);
    ASSERT_TRUE(bank.Create().ok());
    Status failure;
    done = TransferSome(bank, 0, 50, 40, &failure);
    ASSERT_TRUE((*database)->Checkpoint().ok());
    done += TransferSome(bank, done, 50, 40, &failure);
  }
  int refused = 0;
  for (const std::string& path : FilesUnder(env, kDataDir)) {
    const auto damaged = CrashOf(env, done, done, CrashLoss::kNothing);
    ASSERT_TRUE(damaged.env->Remove(path).ok());
    const auto found = Recover(damaged);
    if (found.ok()) continue;  // The lock file, a spare segment.
    ++refused;
    EXPECT_TRUE(found.status().Is(sqlstate::kDataCorrupted) ||
                found.status().Is(sqlstate::kUndefinedFile))
        << found.status().ToString();
    // Of a log segment that is gone nobody knows the name, only the place.
    const std::string named = path.ends_with(".wal") ? env::DirName(path) : path;
    EXPECT_NE(found.status().ToString().find(named), std::string::npos)
        << path << ": " << found.status().ToString();
  }
  EXPECT_GE(refused, 3);
}

TEST(StartTest, ACrashWhileTheFolderIsMadeIsNoDamage) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    MemEnv env;
    FaultEnv watched(env);
    std::unique_ptr<MemEnv> crashed;
    Mutex mu;
    watched.SetHook([&](testutil::FaultOp, const std::string&) {
      MutexLock lock(mu);
      if (watched.op_count() == seed) crashed = env.CrashClone(seed);
    });
    ASSERT_TRUE(OpenDatabase(watched).ok());
    ASSERT_NE(crashed, nullptr);
    auto database = OpenDatabase(*crashed);
    ASSERT_TRUE(database.ok()) << seed << ": " << database.status().ToString();
    EXPECT_TRUE(Bank(**database).Create().ok());
  }
}

TEST(StartTest, ASecondServerOnTheSameFolderIsRefused) {
  MemEnv env;
  auto database = OpenDatabase(env);
  ASSERT_TRUE(database.ok()) << database.status().ToString();
  const auto second = OpenDatabase(env);
  ASSERT_FALSE(second.ok());
  EXPECT_TRUE(second.status().Is(sqlstate::kObjectInUse)) << second.status().ToString();
  ASSERT_TRUE((*database)->Close().ok());
  database->reset();
  EXPECT_TRUE(OpenDatabase(env).ok());
}

}  // namespace
}  // namespace omendb::crash_sim
