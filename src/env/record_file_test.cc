#include "env/record_file.h"

#include <gtest/gtest.h>

#include "base/sqlstate.h"
#include "testing/fault_env.h"
#include "testing/mem_env.h"
#include "testing/prng.h"

namespace omendb::env {
namespace {

using testutil::MemEnv;
using testutil::Prng;

constexpr RecordFileOptions kSmallBlocks{.system_id = 42, .block_bytes = 256};

std::vector<std::string> RandomRecords(Prng& prng, size_t count, size_t bytes_max) {
  std::vector<std::string> records;
  for (size_t i = 0; i < count; ++i) records.push_back(prng.Bytes(prng.Below(bytes_max + 1)));
  return records;
}

Status WriteAll(Env& env, const std::string& path, const std::vector<std::string>& records,
                const RecordFileOptions& options = kSmallBlocks) {
  OMEN_ASSIGN(auto writer, RecordFileWriter::Create(env, path, options));
  for (const std::string& record : records) {
    OMEN_TRY(writer->Append(record));
  }
  return writer->Finish();
}

Result<std::vector<std::string>> ReadAll(Env& env, const std::string& path,
                                         const RecordFileOptions& options = kSmallBlocks) {
  OMEN_ASSIGN(auto reader, RecordFileReader::Open(env, path, options));
  std::vector<std::string> records;
  std::string_view record;
  while (true) {
    OMEN_ASSIGN(const bool more, reader->Next(&record));
    if (!more) break;
    records.emplace_back(record);
  }
  return records;
}

TEST(RecordFileTest, ReturnsWhatWasWritten) {
  Prng prng(1);
  for (const size_t count : {0, 1, 7, 500}) {
    for (const size_t bytes_max : {0, 10, 300, 5000}) {
      MemEnv env;
      const auto records = RandomRecords(prng, count, bytes_max);
      ASSERT_TRUE(WriteAll(env, "/f", records).ok());
      const auto back = ReadAll(env, "/f");
      ASSERT_TRUE(back.ok()) << back.status().ToString();
      EXPECT_EQ(*back, records);
      EXPECT_EQ((*RecordFileReader::Open(env, "/f", kSmallBlocks))->record_count(), count);
    }
  }
}

TEST(RecordFileTest, EveryFlippedBitIsFound) {
  Prng prng(2);
  MemEnv env;
  ASSERT_TRUE(WriteAll(env, "/f", RandomRecords(prng, 12, 120)).ok());
  const uint64_t size = *env.FileSize("/f");
  for (uint64_t offset = 0; offset < size; ++offset) {
    const int bit = static_cast<int>(prng.Below(8));
    ASSERT_TRUE(env.FlipBit("/f", offset, bit).ok());
    const auto back = ReadAll(env, "/f");
    ASSERT_FALSE(back.ok()) << "offset " << offset << " bit " << bit;
    EXPECT_TRUE(back.status().Is(sqlstate::kDataCorrupted)) << back.status().ToString();
    EXPECT_NE(back.status().ToString().find("\"/f\" is damaged at offset"), std::string::npos);
    ASSERT_TRUE(env.FlipBit("/f", offset, bit).ok());
  }
  EXPECT_TRUE(ReadAll(env, "/f").ok());
}

TEST(RecordFileTest, EveryOtherLengthIsRefused) {
  Prng prng(3);
  MemEnv env;
  ASSERT_TRUE(WriteAll(env, "/f", RandomRecords(prng, 12, 120)).ok());
  const std::string whole = *ReadFileToString(env, "/f", 1 << 20);
  for (size_t size = 0; size < whole.size(); ++size) {
    ASSERT_TRUE(ReplaceFile(env, "/g", whole.substr(0, size)).ok());
    const auto back = ReadAll(env, "/g");
    ASSERT_FALSE(back.ok()) << "cut at " << size;
    EXPECT_TRUE(back.status().Is(sqlstate::kDataCorrupted));
  }
  ASSERT_TRUE(ReplaceFile(env, "/g", whole + "x").ok());
  EXPECT_FALSE(ReadAll(env, "/g").ok());
  ASSERT_TRUE(ReplaceFile(env, "/g", whole + whole).ok());
  EXPECT_FALSE(ReadAll(env, "/g").ok());
}

TEST(RecordFileTest, SwappedAndRepeatedBlocksAreFound) {
  MemEnv env;
  // One record of 252 bytes fills a block: 24 + 4 + 252 bytes each, after 64 of header.
  const std::vector<std::string> records(4, std::string(252, 'r'));
  ASSERT_TRUE(WriteAll(env, "/f", records).ok());
  const std::string whole = *ReadFileToString(env, "/f", 1 << 20);
  std::string swapped = whole;
  swapped.replace(64, 280, whole, 64 + 280, 280).replace(64 + 280, 280, whole, 64, 280);
  ASSERT_TRUE(ReplaceFile(env, "/g", swapped).ok());
  EXPECT_TRUE(ReadAll(env, "/g").status().Is(sqlstate::kDataCorrupted));
  std::string missing = whole;
  missing.erase(64 + 280, 280);
  ASSERT_TRUE(ReplaceFile(env, "/g", missing).ok());
  EXPECT_TRUE(ReadAll(env, "/g").status().Is(sqlstate::kDataCorrupted));
}

TEST(RecordFileTest, AnotherKindOrFolderIsRefused) {
  MemEnv env;
  ASSERT_TRUE(WriteAll(env, "/f", {"a"}).ok());
  EXPECT_FALSE(ReadAll(env, "/f", {.kind = RecordFileKind::kManifest, .system_id = 42}).ok());
  EXPECT_FALSE(ReadAll(env, "/f", {.system_id = 43}).ok());
  EXPECT_TRUE(ReadAll(env, "/f", {.system_id = 0}).ok());
}

TEST(RecordFileTest, AFailureOfAnyCallIsToldAndNoHalfFileIsTakenForWhole) {
  Prng prng(4);
  const auto records = RandomRecords(prng, 30, 100);
  for (uint64_t call = 0;; ++call) {
    MemEnv base;
    testutil::FaultEnv env(base);
    env.AddRule({.ops = testutil::kOpWrites, .skip = call, .times = 1, .short_write = 0.5});
    const Status status = WriteAll(env, "/f", records);
    if (env.fault_count() == 0) {
      EXPECT_TRUE(status.ok());
      EXPECT_GT(call, 5U);
      break;
    }
    EXPECT_TRUE(status.Is(sqlstate::kIoError)) << "call " << call << " " << status.ToString();
    const auto crashed = base.CrashClone(call);
    if (!*crashed->Exists("/f")) continue;
    const auto back = ReadAll(*crashed, "/f");
    // Whole or refused: the last step, syncing the directory, may fail with all the bytes there.
    if (back.ok()) {
      EXPECT_EQ(*back, records);
    }
  }
}

TEST(RecordFileTest, AFinishedFileSurvivesPowerFailure) {
  Prng prng(5);
  MemEnv env;
  const auto records = RandomRecords(prng, 100, 100);
  ASSERT_TRUE(WriteAll(env, "/f", records).ok());
  for (uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(*ReadAll(*env.CrashClone(seed), "/f"), records);
  }
}

TEST(ReplaceFileTest, PowerFailureLeavesTheOldOrTheNewContents) {
  int old_count = 0;
  int new_count = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    MemEnv base;
    ASSERT_TRUE(ReplaceFile(base, "/CURRENT", std::string(2000, 'o')).ok());
    testutil::FaultEnv env(base);
    std::unique_ptr<MemEnv> crashed;
    const uint64_t moment = seed % 6;
    env.SetHook([&](testutil::FaultOp, const std::string&) {
      if (env.op_count() == moment) crashed = base.CrashClone(seed);
    });
    ASSERT_TRUE(ReplaceFile(env, "/CURRENT", std::string(3000, 'n')).ok());
    if (crashed == nullptr) continue;
    const std::string text = *ReadFileToString(*crashed, "/CURRENT", 1 << 20);
    if (text == std::string(2000, 'o')) {
      ++old_count;
    } else {
      ASSERT_EQ(text, std::string(3000, 'n'));
      ++new_count;
    }
  }
  EXPECT_GT(old_count, 0);
  EXPECT_GT(new_count, 0);
}

}  // namespace
}  // namespace omendb::env
