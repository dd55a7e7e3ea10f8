// Index runs merged to one, beside a set of all entries: whatever the inputs have in common, at
// each failing file call, when a power failure comes, and when it is to stop.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/sqlstate.h"
#include "colstore/index_run_writer.h"
#include "testing/fault_env.h"
#include "testing/mem_env.h"

namespace omendb::colstore {
namespace {

using testutil::FaultEnv;
using testutil::MemEnv;

using RunPtr = std::shared_ptr<const IndexRun>;

IndexRunName NameOf(uint64_t number) {
  return {.identity = 1000 + number, .index = Oid(9), .segments = {{number, 7}}};
}

// Keys end with a byte that they have nowhere else.
std::string KeyOf(uint64_t number, bool wide) {
  std::string key = (wide ? std::string(90, 'w') : std::string()) + std::to_string(number);
  return key + '\0';
}

class IndexRunMergeTest : public ::testing::Test {
 protected:
  // A run of these entries.
  RunPtr Write(const std::set<std::string>& entries) {
    std::vector<IndexEntry> list;
    for (const std::string& entry : entries) list.push_back({KeyOfEntry(entry), RowOfEntry(entry)});
    const uint64_t number = ++runs_;
    const std::string path = "/r" + std::to_string(number);
    EXPECT_TRUE(WriteIndexRun(env_, path, NameOf(number), list).ok());
    auto run = IndexRun::Open(env_, path, NameOf(number), nullptr);
    EXPECT_TRUE(run.ok());
    return std::move(run).value();
  }
  std::set<std::string> RandomEntries(size_t count, uint64_t keys, bool wide) {
    std::set<std::string> entries;
    for (size_t i = 0; i < count; ++i) {
      std::string entry = KeyOf(random_() % keys, wide);
      AppendRowId(RowId(1 + random_() % 5000), entry);
      entries.insert(std::move(entry));
    }
    return entries;
  }
  static Result<bool> Merge(
      env::Env& env, std::span<const RunPtr> runs,
      const std::function<bool()>& stop = [] { return false; }) {
    OMEN_ASSIGN(const auto writer, IndexRunWriter::Create(env, "/m", NameOf(100)));
    OMEN_ASSIGN(const bool merged, MergeIndexRuns(runs, stop, *writer));
    if (merged) OMEN_TRY(writer->Finish());
    return merged;
  }
  static std::vector<std::string> EntriesOf(const IndexRun& run) {
    std::vector<std::string> found;
    IndexRun::Cursor cursor(run);
    EXPECT_TRUE(cursor.SeekForward({}).ok());
    while (!cursor.at_end()) {
      found.emplace_back(cursor.entry());
      EXPECT_TRUE(cursor.Next().ok());
    }
    return found;
  }

  MemEnv env_;
  uint64_t runs_ = 0;
  std::mt19937 random_{11};
};

TEST_F(IndexRunMergeTest, HasEachEntryOfAllRunsOnce) {
  for (int round = 0; round < 24; ++round) {
    std::set<std::string> all;
    std::vector<RunPtr> runs;
    const size_t count = 1 + random_() % 9;
    const uint64_t keys = round % 3 == 0 ? 40 : 100'000;
    for (size_t i = 0; i < count; ++i) {
      const auto entries = RandomEntries(1 + random_() % 6000, keys, round % 4 == 0);
      all.insert(entries.begin(), entries.end());
      runs.push_back(Write(entries));
    }
    const auto merged = Merge(env_, runs);
    ASSERT_TRUE(merged.ok() && *merged);
    const auto run = IndexRun::Open(env_, "/m", NameOf(100), nullptr);
    ASSERT_TRUE(run.ok());
    EXPECT_EQ((*run)->size(), all.size());
    EXPECT_EQ(EntriesOf(**run), std::vector<std::string>(all.begin(), all.end()));
    EXPECT_TRUE((*run)->Verify().empty());
  }
}

// With a cursor that goes on from key to key, as one that begins anew.
TEST_F(IndexRunMergeTest, KeysThatAscendAreFoundOneAfterTheOther) {
  for (const uint64_t keys : {200, 60'000}) {
    const auto entries = RandomEntries(50'000, keys, false);
    const RunPtr run = Write(entries);
    std::set<std::string> sought;
    for (int i = 0; i < 3000; ++i) sought.insert(KeyOf(random_() % (2 * keys), false));
    IndexRun::Cursor cursor(*run);
    size_t found = 0;
    for (const std::string& key : sought) {
      ASSERT_TRUE(cursor.SeekKey({key, IndexRun::HashOf(key)}).ok());
      const auto first = entries.lower_bound(key);
      const bool there = first != entries.end() && KeyOfEntry(*first) == key;
      ASSERT_EQ(!cursor.at_end(), there) << key;
      if (there) {
        EXPECT_EQ(cursor.entry(), *first);
      }
      // Some are read on, which leaves the cursor in another block.
      for (int step = 0; there && found % 7 == 0 && step < 900 && !cursor.at_end(); ++step) {
        ASSERT_TRUE(cursor.Next().ok());
      }
      found += there ? 1 : 0;
    }
    EXPECT_GT(found, 50u);
  }
}

TEST_F(IndexRunMergeTest, LeavesNothingWhereItStops) {
  const std::vector<RunPtr> runs = {Write(RandomEntries(5000, 9000, false)),
                                    Write(RandomEntries(5000, 9000, false))};
  int calls = 0;
  const auto merged = Merge(env_, runs, [&] { return ++calls == 4; });
  ASSERT_TRUE(merged.ok());
  EXPECT_FALSE(*merged);
  EXPECT_EQ(calls, 4);
  EXPECT_FALSE(*env_.Exists("/m"));
  EXPECT_FALSE(*env_.Exists("/m.tmp"));
}

TEST_F(IndexRunMergeTest, DamageOfAnInputIsTold) {
  const std::vector<RunPtr> runs = {Write(RandomEntries(5000, 9000, false)),
                                    Write(RandomEntries(5000, 9000, false))};
  ASSERT_TRUE(env_.FlipBit("/r2", 20'000, 1).ok());
  EXPECT_TRUE(Merge(env_, runs).status().Is(sqlstate::kDataCorrupted));
  EXPECT_TRUE(runs[1]->is_damaged());
  EXPECT_FALSE(*env_.Exists("/m"));
  EXPECT_FALSE(*env_.Exists("/m.tmp"));
}

TEST_F(IndexRunMergeTest, EachFailingCallLeavesNoneOrAllOfIt) {
  const auto entries = RandomEntries(40'000, 1'000'000, false);
  const std::vector<RunPtr> runs = {Write(entries), Write(RandomEntries(100, 9000, false))};
  for (uint64_t failing = 0;; ++failing) {
    FaultEnv faulty(env_);
    faulty.AddRule({.skip = failing, .times = 1});
    const auto merged = Merge(faulty, runs);
    EXPECT_FALSE(*env_.Exists("/m.tmp"));
    if (*env_.Exists("/m")) {
      const auto run = IndexRun::Open(env_, "/m", NameOf(100), nullptr);
      ASSERT_TRUE(run.ok());
      EXPECT_TRUE((*run)->Verify().empty());
      ASSERT_TRUE(env_.Remove("/m").ok());
    } else {
      EXPECT_FALSE(merged.ok());
    }
    if (merged.ok()) {
      EXPECT_GE(failing, 6u);
      break;
    }
  }
}

TEST_F(IndexRunMergeTest, APowerFailureLeavesNoneOrAllOfIt) {
  const std::vector<RunPtr> runs = {Write(RandomEntries(40'000, 1'000'000, false)),
                                    Write(RandomEntries(9000, 9000, false))};
  std::vector<std::unique_ptr<MemEnv>> crashes;
  FaultEnv watched(env_);
  watched.SetHook([&](testutil::FaultOp, const std::string&) {
    for (const uint64_t seed : {1, 2, 3}) crashes.push_back(env_.CrashClone(seed));
    crashes.push_back(env_.CrashClone(4, testutil::CrashLoss::kAll));
  });
  ASSERT_TRUE(Merge(watched, runs).ok());
  EXPECT_GE(crashes.size(), 4u * 7);
  for (const auto& crashed : crashes) {
    const auto run = IndexRun::Open(*crashed, "/m", NameOf(100), nullptr);
    if (*crashed->Exists("/m")) {
      ASSERT_TRUE(run.ok()) << run.status().ToString();
      EXPECT_TRUE((*run)->Verify().empty());
    }
  }
  const auto after = env_.CrashClone(5, testutil::CrashLoss::kAll);
  EXPECT_TRUE(IndexRun::Open(*after, "/m", NameOf(100), nullptr).ok());
}

}  // namespace
}  // namespace omendb::colstore
