// `omendb check`: finds nothing wrong with what a crash left, changes nothing, and tells damage.
#include "engine/check.h"

#include <gtest/gtest.h>

#include "base/sqlstate.h"
#include "tests/crash_sim/load.h"

namespace omendb::crash_sim {
namespace {

using testutil::MemEnv;

TEST(CheckTest, ADatabaseAfterAPowerFailureIsSound) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    MemEnv env;
    auto crash = Live(env, {.seed = seed, .checkpoints = seed % 2 == 0, .freezes = seed % 3 != 0});
    ASSERT_TRUE(crash.ok()) << crash.status().ToString();
    const auto report = engine::CheckDatabase(*crash->env, kDataDir);
    ASSERT_TRUE(report.ok()) << report.status().ToString();
    EXPECT_TRUE(report->problems.empty()) << report->problems.front();
    ASSERT_EQ(report->tables.size(), 2U);
    EXPECT_EQ(report->tables[0].name, "public.accounts");
    EXPECT_EQ(report->tables[0].rows, static_cast<uint64_t>(kAccounts));
    EXPECT_EQ(report->tables[0].indexes, 1U);
    // Again, and then a start: the check has changed nothing.
    ASSERT_TRUE(engine::CheckDatabase(*crash->env, kDataDir).ok());
    EXPECT_TRUE(Recover(*crash).ok());
  }
}

// Name and content of every file in the folder.
std::vector<std::string> Contents(env::Env& env, const std::string& dir) {
  std::vector<std::string> contents;
  const auto names = env.List(dir);
  EXPECT_TRUE(names.ok());
  for (const std::string& name : *names) {
    const auto text = env::ReadFileToString(env, dir + "/" + name, UINT64_MAX);
    EXPECT_TRUE(text.ok());
    contents.push_back(name + ":" + *text);
  }
  return contents;
}

TEST(CheckTest, NoFileIsChanged) {
  MemEnv env;
  auto crash = Live(env, {.seed = 3});
  ASSERT_TRUE(crash.ok());
  const std::string log = std::string(kDataDir) + "/wal";
  const std::vector<std::string> before = Contents(*crash->env, log);
  ASSERT_TRUE(engine::CheckDatabase(*crash->env, kDataDir).ok());
  EXPECT_EQ(Contents(*crash->env, log), before);
}

TEST(CheckTest, ARunningOrMissingOrDamagedDatabaseIsTold) {
  MemEnv env;
  EXPECT_TRUE(engine::CheckDatabase(env, kDataDir).status().Is(sqlstate::kUndefinedFile));
  {
    auto database = OpenDatabase(env);
    ASSERT_TRUE(database.ok());
    Bank bank(**database);
    ASSERT_TRUE(bank.Create().ok());
    EXPECT_TRUE(engine::CheckDatabase(env, kDataDir).status().Is(sqlstate::kObjectInUse));
    ASSERT_TRUE((*database)->Close().ok());
  }
  ASSERT_TRUE(engine::CheckDatabase(env, kDataDir).ok());
  ASSERT_TRUE(env.FlipBit(std::string(kDataDir) + "/manifest", 70, 3).ok());
  const auto damaged = engine::CheckDatabase(env, kDataDir);
  EXPECT_TRUE(damaged.status().Is(sqlstate::kDataCorrupted)) << damaged.status().ToString();
}

}  // namespace
}  // namespace omendb::crash_sim
