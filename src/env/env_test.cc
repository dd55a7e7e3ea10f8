#include "env/env.h"

#include <gtest/gtest.h>

#include "base/sqlstate.h"
#include "env/overlay_env.h"
#include "testing/fault_env.h"
#include "testing/mem_env.h"
#include "testing/temp_dir.h"

namespace omendb::env {
namespace {

// The same contract holds for the real file system, the one in memory, and a wrapped one.
struct Fixture {
  testutil::TempDir temp;
  std::unique_ptr<Env> base;
  std::unique_ptr<Env> wrapped;
  Env* env = nullptr;
  std::string dir;
};

std::unique_ptr<Fixture> MakeFixture(const std::string& kind) {
  auto fixture = std::make_unique<Fixture>();
  if (kind == "posix") {
    fixture->base = NewPosixEnv();
    fixture->dir = fixture->temp.path();
  } else {
    fixture->base = std::make_unique<testutil::MemEnv>();
    fixture->dir = "/data";
    EXPECT_TRUE(fixture->base->CreateDir("/data").ok());
  }
  fixture->env = fixture->base.get();
  if (kind == "fault") {
    fixture->wrapped = std::make_unique<testutil::FaultEnv>(*fixture->base);
    fixture->env = fixture->wrapped.get();
  }
  if (kind == "overlay") {
    fixture->wrapped = std::make_unique<OverlayEnv>(*fixture->base);
    fixture->env = fixture->wrapped.get();
  }
  return fixture;
}

class EnvTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { fixture_ = MakeFixture(GetParam()); }
  Env& env() { return *fixture_->env; }
  std::string Path(const std::string& name) { return JoinPath(fixture_->dir, name); }
  void Write(const std::string& path, std::string_view text, WritableOptions options = {}) {
    auto file = env().NewWritableFile(path, options);
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    ASSERT_TRUE((*file)->Append(text).ok());
    ASSERT_TRUE((*file)->Sync().ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
  std::string Read(const std::string& path) {
    auto text = ReadFileToString(env(), path, 1 << 20);
    EXPECT_TRUE(text.ok()) << text.status().ToString();
    return text.ok() ? *text : "";
  }
  std::unique_ptr<Fixture> fixture_;
};

TEST_P(EnvTest, WritesAtTheEndAndInTheMiddle) {
  Write(Path("a"), "hello world");
  EXPECT_EQ(Read(Path("a")), "hello world");
  Write(Path("a"), "WOR", {.mode = OpenMode::kExisting, .offset = 6});
  EXPECT_EQ(Read(Path("a")), "hello WORld");
  Write(Path("a"), "new");
  EXPECT_EQ(Read(Path("a")), "new");
}

TEST_P(EnvTest, OpenModesRefuseWhatTheySay) {
  EXPECT_EQ(env()
                .NewWritableFile(Path("a"), {.mode = OpenMode::kExisting})
                .status()
                .error()
                .sqlstate.view(),
            "58P01");
  Write(Path("a"), "x", {.mode = OpenMode::kCreateNew});
  EXPECT_TRUE(env()
                  .NewWritableFile(Path("a"), {.mode = OpenMode::kCreateNew})
                  .status()
                  .Is(sqlstate::kDuplicateFile));
  EXPECT_TRUE(env().NewRandomAccessFile(Path("b")).status().Is(sqlstate::kUndefinedFile));
  EXPECT_TRUE(env().NewWritableFile(Path("no/b"), {}).status().Is(sqlstate::kUndefinedFile));
}

TEST_P(EnvTest, PreallocatedBytesReadAsZero) {
  auto file = env().NewWritableFile(Path("a"), {});
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Preallocate(10000).ok());
  ASSERT_TRUE((*file)->Append("abc").ok());
  EXPECT_EQ((*file)->position(), 3U);
  EXPECT_EQ(*env().FileSize(Path("a")), 10000U);
  EXPECT_EQ(Read(Path("a")), "abc" + std::string(9997, '\0'));
}

TEST_P(EnvTest, ReadsPastTheEndAreShort) {
  Write(Path("a"), "0123456789");
  auto file = env().NewRandomAccessFile(Path("a"));
  ASSERT_TRUE(file.ok());
  char buffer[8];
  EXPECT_EQ(*(*file)->Read(7, buffer), 3U);
  EXPECT_EQ(std::string_view(buffer, 3), "789");
  EXPECT_EQ(*(*file)->Read(10, buffer), 0U);
  auto stream = env().NewSequentialFile(Path("a"));
  ASSERT_TRUE(stream.ok());
  EXPECT_EQ(*(*stream)->Read(buffer), 8U);
  EXPECT_EQ(*(*stream)->Read(buffer), 2U);
  EXPECT_EQ(*(*stream)->Read(buffer), 0U);
}

TEST_P(EnvTest, NamesComeMoveAndGo) {
  Write(Path("b"), "1");
  Write(Path("a"), "2");
  ASSERT_TRUE(env().CreateDir(Path("d")).ok());
  ASSERT_TRUE(env().CreateDir(Path("d")).ok());
  EXPECT_EQ(*env().List(fixture_->dir), (std::vector<std::string>{"a", "b", "d"}));
  ASSERT_TRUE(env().Rename(Path("a"), Path("b")).ok());
  EXPECT_EQ(Read(Path("b")), "2");
  EXPECT_FALSE(*env().Exists(Path("a")));
  EXPECT_TRUE(*env().Exists(Path("d")));
  ASSERT_TRUE(env().SyncDir(fixture_->dir).ok());
  ASSERT_TRUE(env().Remove(Path("b")).ok());
  ASSERT_TRUE(env().RemoveDir(Path("d")).ok());
  EXPECT_TRUE(env().List(fixture_->dir)->empty());
  EXPECT_TRUE(env().Remove(Path("b")).Is(sqlstate::kUndefinedFile));
  EXPECT_TRUE(env().List(Path("d")).status().Is(sqlstate::kUndefinedFile));
}

TEST_P(EnvTest, TruncateShortensAndExtends) {
  Write(Path("a"), "0123456789");
  ASSERT_TRUE(env().Truncate(Path("a"), 4).ok());
  EXPECT_EQ(Read(Path("a")), "0123");
  ASSERT_TRUE(env().Truncate(Path("a"), 6).ok());
  EXPECT_EQ(Read(Path("a")), std::string("0123\0\0", 6));
}

TEST_P(EnvTest, TheLockIsExclusiveUntilReleased) {
  auto lock = env().LockFile(Path("lock"));
  ASSERT_TRUE(lock.ok());
  const auto second = env().LockFile(Path("lock"));
  ASSERT_FALSE(second.ok());
  EXPECT_TRUE(second.status().Is(sqlstate::kObjectInUse));
  lock->reset();
  EXPECT_TRUE(env().LockFile(Path("lock")).ok());
}

TEST_P(EnvTest, ReplaceFileLeavesOnlyTheNewContents) {
  ASSERT_TRUE(ReplaceFile(env(), Path("CURRENT"), "one").ok());
  ASSERT_TRUE(ReplaceFile(env(), Path("CURRENT"), "two").ok());
  EXPECT_EQ(Read(Path("CURRENT")), "two");
  EXPECT_EQ(*env().List(fixture_->dir), (std::vector<std::string>{"CURRENT"}));
  EXPECT_TRUE(
      ReadFileToString(env(), Path("CURRENT"), 2).status().Is(sqlstate::kProgramLimitExceeded));
}

TEST_P(EnvTest, ClocksMove) {
  EXPECT_GT(env().NowMicros(), 1'700'000'000'000'000);
  const SteadyTime before = env().SteadyNow();
  EXPECT_LE(before, env().SteadyNow());
}

INSTANTIATE_TEST_SUITE_P(All, EnvTest, ::testing::Values("posix", "mem", "fault", "overlay"),
                         [](const auto& param_info) { return param_info.param; });

TEST(OverlayEnvTest, WhatLiesBelowStaysAsItIs) {
  testutil::MemEnv below;
  ASSERT_TRUE(below.CreateDir("/d").ok());
  ASSERT_TRUE(ReplaceFile(below, "/d/a", "old a").ok());
  ASSERT_TRUE(ReplaceFile(below, "/d/b", "old b").ok());
  OverlayEnv env(below);
  EXPECT_EQ(*ReadFileToString(env, "/d/a", 100), "old a");
  {
    auto file = env.NewWritableFile("/d/a", {.mode = OpenMode::kExisting, .offset = 4});
    ASSERT_TRUE(file.ok() && (*file)->Append("A").ok());
  }
  ASSERT_TRUE(env.Rename("/d/b", "/d/c").ok());
  ASSERT_TRUE(ReplaceFile(env, "/d/e", "new").ok());
  EXPECT_EQ(*ReadFileToString(env, "/d/a", 100), "old A");
  EXPECT_EQ(*ReadFileToString(env, "/d/c", 100), "old b");
  EXPECT_EQ(*env.List("/d"), (std::vector<std::string>{"a", "c", "e"}));
  EXPECT_EQ(*ReadFileToString(below, "/d/a", 100), "old a");
  EXPECT_EQ(*below.List("/d"), (std::vector<std::string>{"a", "b"}));
}

TEST(PathTest, JoinsAndSplits) {
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(DirName("a/b/c"), "a/b");
  EXPECT_EQ(DirName("/a"), "/");
  EXPECT_EQ(DirName("a"), ".");
}

TEST(ErrnoTest, MessagesAndStatesAreThoseOfPostgres) {
  const Status full = ErrnoToStatus(ENOSPC, "write to file", "base/1");
  EXPECT_EQ(full.ToString(), "53100: could not write to file \"base/1\": No space left on device");
  EXPECT_EQ(ErrnoToStatus(EIO, "fsync file", "x").sqlstate(), "58030");
  EXPECT_EQ(DamagedFile("x", 7, "bad").ToString(), "XX001: file \"x\" is damaged at offset 7: bad");
}

TEST(PosixEnvTest, AFullDeviceAnswers53100) {
  auto env = NewPosixEnv();
  if (!*env->Exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  auto file = env->NewWritableFile("/dev/full", {.mode = OpenMode::kExisting});
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE((*file)->Append("x").Is(sqlstate::kDiskFull));
}

}  // namespace
}  // namespace omendb::env
