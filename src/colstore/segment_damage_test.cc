// Damage to segments, and failures and crashes while they are written.
#include <gtest/gtest.h>

#include "base/sqlstate.h"
#include "colstore/columns_fixture.h"
#include "colstore/segment_fixture.h"
#include "colstore/segment_scan.h"
#include "testing/fault_env.h"

namespace omendb::colstore {
namespace {

using testutil::FaultEnv;
using testutil::FaultRule;
using testutil::MemEnv;
using testutil::Prng;
using types::Value;

// What can be read of a segment: whole or damaged, but never wrong. Returns the blocks that were
// refused.
int ReadWhatIsLeft(const TestTable& table, const SegmentReader& reader, int* readable) {
  int refused = 0;
  for (uint32_t column = 0; column < table.columns().size(); ++column) {
    for (uint32_t number = 0; number < reader.footer().blocks_count(); ++number) {
      const auto block = reader.GetBlock(column, number);
      if (!block.ok()) {
        const std::string text = block.status().ToString();
        EXPECT_TRUE(block.status().Is(sqlstate::kDataCorrupted)) << text;
        EXPECT_NE(text.find("\"/s\" is damaged at offset"), std::string::npos) << text;
        EXPECT_NE(text.find("column " + std::to_string(column + 1)), std::string::npos) << text;
        ++refused;
        continue;
      }
      ++*readable;
      BlockVector vector;
      vector.Decode(*block);
      const types::ColumnView view = vector.view(table.columns()[column].type);
      for (uint32_t i = 0; i < vector.rows(); ++i) {
        const Value& truth = table.rows()[number * kBlockRows + i][column];
        if (!SameBits(view.physical, view.Get(i), truth)) {
          ADD_FAILURE() << "column " << column << " block " << number << " row " << i;
          break;
        }
      }
    }
  }
  return refused;
}

TEST(SegmentDamageTest, EveryFlippedBitIsFoundAndTheRestStaysReadable) {
  MemEnv env;
  const TestTable table(TestKey::kComposite, 5000, 1);
  ASSERT_TRUE(table.Write(env, "/s").ok());
  const uint64_t size = *env.FileSize("/s");
  Prng prng(1);
  int closed = 0, found = 0;
  for (int round = 0; round < 400; ++round) {
    const uint64_t offset = prng.Below(size);
    const int bit = static_cast<int>(prng.Below(8));
    ASSERT_TRUE(env.FlipBit("/s", offset, bit).ok());
    const auto reader = SegmentReader::Open(env, "/s", {.system_id = kTestSystem});
    if (!reader.ok()) {
      EXPECT_TRUE(reader.status().Is(sqlstate::kDataCorrupted)) << reader.status().ToString();
      ++closed;
    } else {
      int readable = 0;
      const int refused = ReadWhatIsLeft(table, **reader, &readable);
      const size_t damages = (*reader)->Verify().size();
      EXPECT_LE(damages, 1);
      // A block, or with its directory all three blocks of a column.
      EXPECT_TRUE(refused <= 1 || refused == 3) << refused;
      EXPECT_GE(readable, 30);
      found += damages > 0 ? 1 : 0;
      // Padding between frames holds nothing, so flips there are no damage.
      if (damages == 0) {
        EXPECT_EQ(refused, 0);
      }
    }
    ASSERT_TRUE(env.FlipBit("/s", offset, bit).ok());
  }
  EXPECT_GT(found, 300);
  EXPECT_GT(closed + found, 380);
}

TEST(SegmentDamageTest, EveryOtherLengthIsRefused) {
  MemEnv env;
  const TestTable table(TestKey::kInteger, 300, 2);
  ASSERT_TRUE(table.Write(env, "/s").ok());
  const std::string whole = *env::ReadFileToString(env, "/s", 1 << 24);
  Prng prng(2);
  for (int round = 0; round < 200; ++round) {
    ASSERT_TRUE(env::ReplaceFile(env, "/g", whole.substr(0, prng.Below(whole.size()))).ok());
    EXPECT_TRUE(SegmentReader::Open(env, "/g", {}).status().Is(sqlstate::kDataCorrupted));
  }
  ASSERT_TRUE(env::ReplaceFile(env, "/g", whole + "x").ok());
  EXPECT_FALSE(SegmentReader::Open(env, "/g", {}).ok());
  ASSERT_TRUE(env::ReplaceFile(env, "/g", whole + whole).ok());
  EXPECT_FALSE(SegmentReader::Open(env, "/g", {}).ok());
}

TEST(SegmentDamageTest, SwappedBlocksAndBlocksOfAnotherFileAreFound) {
  MemEnv env;
  SegmentOptions options{kTestSystem, 1, Oid(1), {{ColumnId(1), {types::TypeKind::kInt8}}}, {}};
  Prng prng(3);
  const auto write = [&](const std::string& path, uint64_t file_id) {
    options.file_id = file_id;
    auto writer = SegmentWriter::Create(env, path, options);
    for (uint32_t i = 0; i < 2 * kBlockRows; ++i) {
      const Value value = Value::Int64(static_cast<int64_t>(prng()));
      ASSERT_TRUE((*writer)->AppendRow({&value, 1}).ok());
    }
    ASSERT_TRUE((*writer)->Finish().ok());
  };
  write("/s", 1);
  write("/other", 2);
  const std::string whole = *env::ReadFileToString(env, "/s", 1 << 24);
  const std::string other = *env::ReadFileToString(env, "/other", 1 << 24);
  ASSERT_EQ(whole.size(), other.size());
  const size_t block = 16 + 8 * kBlockRows;
  const auto first_block = [&](const std::string& bytes) {
    EXPECT_TRUE(env::ReplaceFile(env, "/g", bytes).ok());
    return (*SegmentReader::Open(env, "/g", {}))->GetBlock(0, 0).status();
  };
  EXPECT_TRUE(first_block(whole).ok());
  std::string swapped = whole;
  swapped.replace(64, block, whole, 64 + block, block).replace(64 + block, block, whole, 64, block);
  EXPECT_TRUE(first_block(swapped).Is(sqlstate::kDataCorrupted));
  std::string foreign = whole;
  foreign.replace(64, block, other, 64, block);
  EXPECT_TRUE(first_block(foreign).Is(sqlstate::kDataCorrupted));
}

// Without its filter a lookup is slower and still right.
TEST(SegmentDamageTest, ADamagedKeyFilterOnlyCostsTime) {
  MemEnv env;
  const TestTable table(TestKey::kInteger, 5000, 4);
  ASSERT_TRUE(table.Write(env, "/s").ok());
  const uint64_t filter_at = (*SegmentReader::Open(env, "/s", {}))->footer().key_filter.offset;
  ASSERT_TRUE(env.FlipBit("/s", filter_at + 100, 3).ok());
  const auto reader = SegmentReader::Open(env, "/s", {});
  ASSERT_TRUE(reader.ok());
  const auto row = (*reader)->Find(table.IntegerKey(1234));
  ASSERT_TRUE(row.ok()) << row.status().ToString();
  EXPECT_EQ(*row, 1234);
  EXPECT_EQ((*reader)->Verify().size(), 1);
}

TEST(SegmentDamageTest, AFailureOfAnyCallIsToldAndLeavesNoFile) {
  const TestTable table(TestKey::kText, 3000, 5);
  MemEnv whole;
  FaultEnv counting(whole);
  ASSERT_TRUE(table.Write(counting, "/d").ok());
  ASSERT_GT(counting.op_count(), 5);
  for (uint64_t skip = 0; skip < counting.op_count(); ++skip) {
    for (const int error : {EIO, ENOSPC}) {
      MemEnv disk;
      FaultEnv env(disk);
      env.AddRule({.ops = testutil::kOpWrites,
                   .skip = skip,
                   .times = 1,
                   .error = error,
                   .short_write = 0.5});
      const auto summary = table.Write(env, "/d");
      if (env.fault_count() == 0) {
        EXPECT_TRUE(summary.ok());
        continue;
      }
      ASSERT_FALSE(summary.ok());
      EXPECT_TRUE(summary.status().Is(error == EIO ? sqlstate::kIoError : sqlstate::kDiskFull))
          << summary.status().ToString();
      EXPECT_FALSE(*disk.Exists("/d.tmp"));
      // Only the sync of the folder comes after the file has its name.
      if (*disk.Exists("/d")) {
        EXPECT_TRUE(SegmentReader::Open(disk, "/d", {}).ok());
      }
    }
  }
}

TEST(SegmentDamageTest, AFullDiskIsToldAndGivesItsSpaceBack) {
  const TestTable table(TestKey::kInteger, 20'000, 6);
  MemEnv disk;
  disk.SetCapacity(200'000);
  const auto summary = table.Write(disk, "/s");
  ASSERT_FALSE(summary.ok());
  EXPECT_TRUE(summary.status().Is(sqlstate::kDiskFull)) << summary.status().ToString();
  EXPECT_EQ(disk.used_bytes(), 0);
}

// After a power failure at any call the file is whole under its name, or not there; whole if Finish
// had answered Ok.
TEST(SegmentDamageTest, ACrashAtAnyCallLeavesAWholeFileOrNone) {
  const TestTable table(TestKey::kInteger, 3000, 7);
  int there = 0, missing = 0, left_over = 0;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    MemEnv disk;
    FaultEnv env(disk);
    std::vector<std::unique_ptr<MemEnv>> crashes;
    env.SetHook([&](testutil::FaultOp, const std::string&) {
      crashes.push_back(disk.CrashClone(seed * 1000 + crashes.size()));
    });
    ASSERT_TRUE(table.Write(env, "/s").ok());
    env.SetHook(nullptr);
    crashes.push_back(disk.CrashClone(seed));
    EXPECT_TRUE(*crashes.back()->Exists("/s"));
    for (const auto& after : crashes) {
      left_over += *after->Exists("/s.tmp") ? 1 : 0;
      if (!*after->Exists("/s")) {
        ++missing;
        continue;
      }
      ++there;
      const auto reader = SegmentReader::Open(*after, "/s", {.system_id = kTestSystem});
      ASSERT_TRUE(reader.ok()) << reader.status().ToString();
      EXPECT_TRUE((*reader)->Verify().empty());
    }
  }
  EXPECT_GT(there, 8);
  EXPECT_GT(missing, 8);
  EXPECT_GT(left_over, 0);
}

// The control: on a disk that does not keep what it said it had synced, the same check must fail.
TEST(SegmentDamageTest, ALyingDiskIsNoticed) {
  const TestTable table(TestKey::kInteger, 3000, 8);
  int bad = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    MemEnv disk;
    disk.SetSyncMode(testutil::SyncMode::kLies);
    ASSERT_TRUE(table.Write(disk, "/s").ok());
    const auto after = disk.CrashClone(seed);
    if (!*after->Exists("/s")) {
      ++bad;
      continue;
    }
    const auto reader = SegmentReader::Open(*after, "/s", {});
    bad += !reader.ok() || !(*reader)->Verify().empty() ? 1 : 0;
  }
  EXPECT_GT(bad, 10);
}

TEST(SegmentDamageTest, ReadErrorsAreNotTakenForDamage) {
  const TestTable table(TestKey::kInteger, 3000, 9);
  MemEnv disk;
  ASSERT_TRUE(table.Write(disk, "/s").ok());
  FaultEnv env(disk);
  const auto reader = SegmentReader::Open(env, "/s", {});
  ASSERT_TRUE(reader.ok());
  env.AddRule({.ops = testutil::kOpRead, .times = 1});
  EXPECT_TRUE((*reader)->GetBlock(0, 0).status().Is(sqlstate::kIoError));
  EXPECT_TRUE((*reader)->GetBlock(0, 0).ok());
  env.AddRule({.ops = testutil::kOpRead, .times = 1});
  EXPECT_TRUE((*reader)->Find(table.IntegerKey(5)).status().Is(sqlstate::kIoError));
  EXPECT_EQ(*(*reader)->Find(table.IntegerKey(5)), 5);
}

}  // namespace
}  // namespace omendb::colstore
