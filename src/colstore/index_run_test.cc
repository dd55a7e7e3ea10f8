// Index runs: read in every way beside a sorted set, damaged, and cut off by power failures.
#include "colstore/index_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/sqlstate.h"
#include "colstore/index_run_format.h"
#include "colstore/index_run_writer.h"
#include "testing/fault_env.h"
#include "testing/mem_env.h"

namespace omendb::colstore {
namespace {

using testutil::FaultEnv;
using testutil::MemEnv;

const IndexRunName kName{
    .identity = 0x1234567890abcdef, .index = Oid(9), .segments = {{7, 0xabcdef}}};

// Keys end with a byte that they have nowhere else, as encoded ones do: none begins another.
std::string RandomKey(std::mt19937& random) {
  std::string key(random() % 8 == 0 ? 200 : 0, 'p');
  for (size_t size = random() % 6; size > 0; --size) {
    key.push_back(static_cast<char>(1 + random() % 4));
  }
  key.push_back('\0');
  return key;
}

std::string EntryOf(std::string key, RowId row) {
  AppendRowId(row, key);
  return key;
}

// Entries of rows 1, 2, ..., and what they are as bytes.
struct Entries {
  Entries(uint32_t seed, uint64_t rows) {
    std::mt19937 random(seed);
    for (uint64_t row = 1; row <= rows; ++row) all.insert(EntryOf(RandomKey(random), RowId(row)));
    for (const std::string& entry : all) list.push_back({KeyOfEntry(entry), RowOfEntry(entry)});
  }
  std::set<std::string> all;
  std::vector<IndexEntry> list;
};

std::shared_ptr<const IndexRun> Open(MemEnv& env, BlockCache* cache = nullptr) {
  auto run = IndexRun::Open(env, "/r", kName, cache);
  EXPECT_TRUE(run.ok()) << run.status().ToString();
  return run.ok() ? *run : nullptr;
}

std::vector<std::string> RestOf(IndexRun::Cursor& cursor) {
  std::vector<std::string> found;
  while (!cursor.at_end()) {
    found.emplace_back(cursor.entry());
    const Status next = cursor.Next();
    EXPECT_TRUE(next.ok()) << next.ToString();
    if (!next.ok()) break;
  }
  return found;
}

class IndexRunTest : public ::testing::TestWithParam<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Rows, IndexRunTest, ::testing::Values(1, 17, 1024, 1025, 9000, 40000));

TEST_P(IndexRunTest, CursorsGiveAllInOrderFromAnyBound) {
  MemEnv env;
  const Entries entries(1, GetParam());
  ASSERT_TRUE(WriteIndexRun(env, "/r", kName, entries.list).ok());
  BlockCache cache(1 << 20);
  const auto run = Open(env, &cache);
  ASSERT_NE(run, nullptr);
  EXPECT_EQ(run->size(), entries.all.size());
  std::mt19937 random(2);
  for (int i = 0; i < 60; ++i) {
    // None, one that is there, or one that hardly is.
    std::string bound;
    if (i % 3 == 1) bound = *std::next(entries.all.begin(), random() % entries.all.size());
    if (i % 3 == 2) bound = EntryOf(RandomKey(random), RowId(random() % 9000));
    const auto from = entries.all.lower_bound(bound);
    IndexRun::Cursor cursor(*run);
    ASSERT_TRUE(cursor.SeekForward(bound).ok());
    EXPECT_EQ(RestOf(cursor), std::vector<std::string>(from, entries.all.end()));
    ASSERT_TRUE(cursor.SeekBackward(bound).ok());
    std::vector<std::string> found = RestOf(cursor);
    std::reverse(found.begin(), found.end());
    const auto end = bound.empty() ? entries.all.end() : from;
    EXPECT_EQ(found, std::vector<std::string>(entries.all.begin(), end));
  }
}

TEST_P(IndexRunTest, RowsAreFoundByTheirKey) {
  MemEnv env;
  const Entries entries(3, GetParam());
  ASSERT_TRUE(WriteIndexRun(env, "/r", kName, entries.list).ok());
  const auto run = Open(env);
  ASSERT_NE(run, nullptr);
  std::mt19937 random(4);
  for (int i = 0; i < 500; ++i) {
    const std::string key = RandomKey(random);
    std::vector<RowId> rows;
    ASSERT_TRUE(run->Find({key, IndexRun::HashOf(key)}, rows).ok());
    std::vector<std::string> found;
    for (const RowId row : rows) found.push_back(EntryOf(key, row));
    EXPECT_EQ(found, std::vector<std::string>(entries.all.lower_bound(EntryOf(key, RowId(0))),
                                              entries.all.upper_bound(EntryOf(key, RowId(~0ULL)))));
  }
}

TEST_P(IndexRunTest, CountsAreExactInABlockAndWithinOneOtherwise) {
  MemEnv env;
  const Entries entries(5, GetParam());
  ASSERT_TRUE(WriteIndexRun(env, "/r", kName, entries.list).ok());
  const auto run = Open(env);
  ASSERT_NE(run, nullptr);
  EXPECT_EQ(*run->CountRange("", ""), entries.all.size());
  std::mt19937 random(6);
  for (int i = 0; i < 300; ++i) {
    std::string low = EntryOf(RandomKey(random), RowId(random() % 9000));
    std::string high = EntryOf(RandomKey(random), RowId(random() % 9000));
    if (high < low) std::swap(low, high);
    const auto expected = static_cast<int64_t>(
        std::distance(entries.all.lower_bound(low), entries.all.lower_bound(high)));
    const auto count = run->CountRange(low, high);
    ASSERT_TRUE(count.ok());
    const int64_t off = std::abs(static_cast<int64_t>(*count) - expected);
    EXPECT_LE(off, GetParam() <= kRunBlockEntries ? 0 : int64_t{kRunBlockEntries});
  }
}

TEST(IndexRunFileTest, AnotherRunIsNotTakenForIt) {
  MemEnv env;
  const Entries entries(1, 10);
  ASSERT_TRUE(WriteIndexRun(env, "/r", kName, entries.list).ok());
  IndexRunName other = kName;
  other.identity ^= 1;
  EXPECT_TRUE(IndexRun::Open(env, "/r", other, nullptr).status().Is(sqlstate::kDataCorrupted));
  other = kName;
  other.index = Oid(10);
  EXPECT_TRUE(IndexRun::Open(env, "/r", other, nullptr).status().Is(sqlstate::kDataCorrupted));
  other = kName;
  other.segments.push_back({8, 1});
  EXPECT_TRUE(IndexRun::Open(env, "/r", other, nullptr).status().Is(sqlstate::kDataCorrupted));
  EXPECT_FALSE(IndexRun::Open(env, "/s", kName, nullptr).ok());
}

// Whatever is found is right, and what is not says why.
void ReadDamaged(const Entries& entries, const IndexRun& run) {
  const std::vector<Status> damages = run.Verify();
  EXPECT_FALSE(damages.empty());
  for (const Status& damage : damages) {
    EXPECT_TRUE(damage.Is(sqlstate::kDataCorrupted));
    EXPECT_NE(damage.ToString().find("\"/r\" is damaged at offset"), std::string::npos);
  }
  EXPECT_TRUE(run.is_damaged());
  for (size_t i = 0; i < entries.list.size(); i += 97) {
    const std::string_view key = entries.list[i].key;
    std::vector<RowId> rows;
    const Status found = run.Find({key, IndexRun::HashOf(key)}, rows);
    if (!found.ok()) {
      EXPECT_TRUE(found.Is(sqlstate::kDataCorrupted));
    } else {
      EXPECT_NE(std::find(rows.begin(), rows.end(), entries.list[i].row), rows.end());
    }
  }
}

TEST(IndexRunFileTest, EveryFlippedBitIsFound) {
  MemEnv env;
  const Entries entries(8, 3000);
  ASSERT_TRUE(WriteIndexRun(env, "/r", kName, entries.list).ok());
  const uint64_t size = *env.FileSize("/r");
  std::mt19937 random(9);
  int closed = 0;
  int opened = 0;
  for (int round = 0; round < 400; ++round) {
    // The end of the file more often than its part of it.
    const uint64_t offset = round % 4 == 0 ? size - 1 - random() % 200 : random() % size;
    const int bit = static_cast<int>(random() % 8);
    ASSERT_TRUE(env.FlipBit("/r", offset, bit).ok());
    const auto run = IndexRun::Open(env, "/r", kName, nullptr);
    if (run.ok()) {
      ++opened;
      ReadDamaged(entries, **run);
    } else {
      ++closed;
      EXPECT_TRUE(run.status().Is(sqlstate::kDataCorrupted));
    }
    ASSERT_TRUE(env.FlipBit("/r", offset, bit).ok());
  }
  EXPECT_GT(opened, 100);
  EXPECT_GT(closed, 30);
  EXPECT_TRUE(Open(env)->Verify().empty());
}

TEST(IndexRunFileTest, ACutFileIsNone) {
  MemEnv env;
  const Entries entries(8, 2000);
  ASSERT_TRUE(WriteIndexRun(env, "/r", kName, entries.list).ok());
  const uint64_t size = *env.FileSize("/r");
  for (uint64_t left = 0; left < size; left += 1 + size / 50) {
    ASSERT_TRUE(WriteIndexRun(env, "/r", kName, entries.list).ok());
    ASSERT_TRUE(env.Truncate("/r", left).ok());
    EXPECT_TRUE(IndexRun::Open(env, "/r", kName, nullptr).status().Is(sqlstate::kDataCorrupted));
  }
}

// Under the name is the old run or the new one, whole, whenever the power fails.
TEST(IndexRunFileTest, APowerFailureLeavesTheOldRunOrTheNewOne) {
  MemEnv env;
  const Entries old_entries(1, 1500);
  const Entries new_entries(2, 2500);
  ASSERT_TRUE(WriteIndexRun(env, "/r", kName, old_entries.list).ok());
  std::vector<std::unique_ptr<MemEnv>> crashes;
  FaultEnv watched(env);
  watched.SetHook([&](testutil::FaultOp, const std::string&) {
    for (const uint64_t seed : {1, 2, 3}) crashes.push_back(env.CrashClone(seed));
    crashes.push_back(env.CrashClone(4, testutil::CrashLoss::kAll));
  });
  ASSERT_TRUE(WriteIndexRun(watched, "/r", kName, new_entries.list).ok());
  EXPECT_GE(crashes.size(), 4u * 5);  // create, write, sync, rename, sync of the folder
  for (const auto& crashed : crashes) {
    const auto run = IndexRun::Open(*crashed, "/r", kName, nullptr);
    ASSERT_TRUE(run.ok()) << run.status().ToString();
    EXPECT_TRUE((*run)->size() == 1500 || (*run)->size() == 2500);
    EXPECT_TRUE((*run)->Verify().empty());
  }
  const auto after = env.CrashClone(5, testutil::CrashLoss::kAll);
  EXPECT_EQ((*IndexRun::Open(*after, "/r", kName, nullptr))->size(), 2500u);
}

TEST(IndexRunFileTest, AFailedWriteLeavesTheOldRun) {
  const Entries entries(2, 100);
  for (uint64_t failing = 0;; ++failing) {
    MemEnv env;
    ASSERT_TRUE(WriteIndexRun(env, "/r", kName, Entries(1, 50).list).ok());
    FaultEnv faulty(env);
    faulty.AddRule({.skip = failing, .times = 1});
    const Status written = WriteIndexRun(faulty, "/r", kName, entries.list);
    const auto run = IndexRun::Open(env, "/r", kName, nullptr);
    ASSERT_TRUE(run.ok());
    EXPECT_FALSE(*env.Exists("/r.tmp"));
    if (written.ok()) {
      EXPECT_EQ((*run)->size(), 100u);
      EXPECT_GE(failing, 4u);
      break;
    }
    EXPECT_TRUE((*run)->size() == 50 || (*run)->size() == 100);
  }
}

TEST(IndexRunFileTest, IntegersTakeFewBytes) {
  MemEnv env;
  std::vector<std::string> keys;
  for (uint32_t i = 0; i < 100'000; ++i) {
    std::string key(5, '\1');
    StoreBe<uint32_t>(key.data() + 1, 7 * i);
    keys.push_back(std::move(key));
  }
  std::vector<IndexEntry> entries;
  for (uint32_t i = 0; i < keys.size(); ++i) entries.push_back({keys[i], RowId(5'000'000 + i)});
  ASSERT_TRUE(WriteIndexRun(env, "/r", kName, entries).ok());
  const auto run = Open(env);
  EXPECT_LT(run->file_bytes(), 900'000u);
  std::vector<RowId> rows;
  ASSERT_TRUE(run->Find({keys[77], IndexRun::HashOf(keys[77])}, rows).ok());
  EXPECT_EQ(rows, std::vector<RowId>{RowId(5'000'077)});
  EXPECT_LT(run->memory_bytes(), 10'000u);
}

// Whatever is asked of it, the error is the answer, and no key is said to be missing.
TEST(IndexRunUnreadableTest, AnswersTheErrorForEveryKey) {
  const Status damage = env::DamagedFile("/segment", 7, "it is damaged");
  const auto run = IndexRun::Unreadable(kName, 1000, damage);
  EXPECT_TRUE(run->is_damaged());
  EXPECT_EQ(run->name(), kName);
  EXPECT_EQ(run->size(), 1000u);
  for (const std::string& key : {std::string("\0b", 2), std::string("\1ab"), std::string("\2")}) {
    const HashedKey hashed{key, IndexRun::HashOf(key)};
    EXPECT_TRUE(run->MayHave(hashed));
    std::vector<RowId> rows;
    EXPECT_EQ(run->Find(hashed, rows).ToString(), damage.ToString());
    IndexRun::Cursor cursor(*run);
    EXPECT_EQ(cursor.SeekForward(key).ToString(), damage.ToString());
    EXPECT_EQ(cursor.SeekBackward(key).ToString(), damage.ToString());
    EXPECT_EQ(cursor.SeekKey(hashed).ToString(), damage.ToString());
    EXPECT_FALSE(run->CountRange(key, {}).ok());
  }
  EXPECT_EQ(run->Verify().size(), 1u);
}

}  // namespace
}  // namespace omendb::colstore
