// Columns that lookups by key read together lie together: what is read of them with one call, and
// that files without groups are read as before.
#include <gtest/gtest.h>

#include "base/sqlstate.h"
#include "colstore/columns_fixture.h"
#include "colstore/segment_fixture.h"
#include "colstore/segment_scan.h"
#include "testing/fault_env.h"

namespace omendb::colstore {
namespace {

using testutil::MemEnv;
using types::Value;

constexpr uint32_t kRows = 3 * kGroupBlocks * kBlockRows - 3000;

// (region int4, id int8) -> row, as TestTable has them, with row ids that do not ascend.
SegmentOptions OptionsWithRowIds(bool two_keys) {
  SegmentOptions options{kTestSystem, 9, Oid(1), {}, {}};
  options.columns = {{ColumnId(1), {types::TypeKind::kText}},
                     {ColumnId(2), {types::TypeKind::kInt4}},
                     {kRowIdColumn, {types::TypeKind::kInt8}},
                     {ColumnId(3), {types::TypeKind::kInt8}}};
  options.key = two_keys ? std::vector<SegmentKeyColumn>{{1, {}}, {3, {}}}
                         : std::vector<SegmentKeyColumn>{{3, {}}};
  return options;
}

std::array<Value, 4> RowWithId(uint32_t row) {
  return {Value::String("value"), Value::Int32(static_cast<int32_t>(row / 900)),
          Value::Int64(kRows - row), Value::Int64(3 * int64_t{row})};
}

std::string KeyOf(const SegmentOptions& options, uint32_t row) {
  std::string key;
  for (const SegmentKeyColumn& column : options.key) {
    types::AppendKey(options.columns[column.column].type, RowWithId(row)[column.column],
                     column.options, key);
  }
  return key;
}

void Write(env::Env& env, SegmentOptions options, uint32_t version) {
  options.version = version;
  auto writer = SegmentWriter::Create(env, "/s", options);
  ASSERT_TRUE(writer.ok());
  for (uint32_t row = 0; row < kRows; ++row) {
    ASSERT_TRUE((*writer)->AppendRow(RowWithId(row)).ok());
  }
  ASSERT_TRUE((*writer)->Finish().ok());
}

std::shared_ptr<const SegmentReader> Open(env::Env& env, BlockCache* cache) {
  auto reader = SegmentReader::Open(env, "/s", {.system_id = kTestSystem, .cache = cache});
  EXPECT_TRUE(reader.ok()) << reader.status().ToString();
  return reader.ok() ? *reader : nullptr;
}

std::optional<uint32_t> Find(const SegmentReader& reader, const SegmentOptions& options,
                             uint32_t row) {
  const auto found =
      options.key.size() > 1
          ? reader.Find(KeyOf(options, row))
          : reader.Find(types::EncodeIntKey({types::TypeKind::kInt8}, RowWithId(row)[3]));
  EXPECT_TRUE(found.ok()) << found.status().ToString();
  return found.ok() ? *found : std::nullopt;
}

struct Case {
  uint32_t version;
  bool two_keys;
};
class SegmentGroupsTest : public ::testing::TestWithParam<Case> {};

TEST_P(SegmentGroupsTest, KeysAndRowIdsTakeOneRead) {
  MemEnv env;
  const SegmentOptions options = OptionsWithRowIds(GetParam().two_keys);
  Write(env, options, GetParam().version);
  testutil::FaultEnv watched(env);
  uint32_t reads = 0;
  watched.SetHook(
      [&](testutil::FaultOp op, const std::string&) { reads += op == testutil::kOpRead ? 1 : 0; });
  BlockCache cache(64 << 20);
  const auto reader = Open(watched, &cache);
  ASSERT_NE(reader, nullptr);
  types::Arena arena;
  const uint32_t wanted[] = {2, 0};
  for (const uint32_t column : {0, 1, 2, 3}) ASSERT_TRUE(reader->directory(column).ok());
  ASSERT_EQ(Find(*reader, options, 0), 0u);  // Reads filter and index.
  for (uint32_t block = 1; block < BlocksOf(kRows); ++block) {
    reads = 0;
    const uint32_t row = block * kBlockRows + 100 * block % 2000;
    ASSERT_EQ(Find(*reader, options, row), row);
    Value values[2];
    ASSERT_TRUE(reader->ReadRow(row, wanted, arena, values).ok());
    EXPECT_EQ(values[0].i64, kRows - row);
    const uint32_t apart = GetParam().two_keys ? 4 : 3;
    EXPECT_EQ(reads, GetParam().version < kVersionWithGroups ? apart : 2u) << "block " << block;
  }
}

TEST_P(SegmentGroupsTest, GiveEveryRow) {
  MemEnv env;
  const SegmentOptions options = OptionsWithRowIds(GetParam().two_keys);
  Write(env, options, GetParam().version);
  BlockCache cache(64 << 20);
  const auto reader = Open(env, &cache);
  ASSERT_NE(reader, nullptr);
  EXPECT_TRUE(reader->Verify().empty());
  for (const uint32_t first : {0U, 5 * kBlockRows + 7}) {
    SegmentScan scan(reader, {.columns = {3, 1, 2}, .first_row = first});
    const auto worker = scan.NewWorker();
    types::Chunk chunk;
    uint32_t row = first;
    for (;;) {
      const auto more = scan.Next(*worker, chunk);
      ASSERT_TRUE(more.ok()) << more.status().ToString();
      if (!*more) break;
      for (uint32_t i = 0; i < chunk.rows_count; ++i, ++row) {
        const auto expected = RowWithId(row);
        ASSERT_EQ(worker->row_at(i), row);
        ASSERT_EQ(chunk.columns[0].Get(i).i64, expected[3].i64);
        ASSERT_EQ(chunk.columns[1].Get(i).i32, expected[1].i32);
        ASSERT_EQ(chunk.columns[2].Get(i).i64, expected[2].i64);
      }
    }
    EXPECT_EQ(row, kRows);
  }
  for (uint32_t row = 0; row < kRows; row += 91) ASSERT_EQ(Find(*reader, options, row), row);
}

INSTANTIATE_TEST_SUITE_P(Versions, SegmentGroupsTest,
                         ::testing::Values(Case{2, true}, Case{2, false}, Case{3, true},
                                           Case{3, false}));

// A damaged byte of a group is of one block, and only that one cannot be read.
TEST(SegmentGroupsTest, DamageIsOfOneBlock) {
  MemEnv env;
  const SegmentOptions options = OptionsWithRowIds(true);
  Write(env, options, kFormatVersion);
  const auto whole = Open(env, nullptr);
  const Extent damaged = (*whole->directory(3))->extent(9);
  std::string bytes = *env::ReadFileToString(env, "/s", 1 << 26);
  bytes[damaged.offset + damaged.bytes / 2] ^= 1;
  ASSERT_TRUE(env::ReplaceFile(env, "/s", bytes).ok());
  BlockCache cache(64 << 20);
  const auto reader = Open(env, &cache);
  EXPECT_EQ(reader->Verify().size(), 1u);
  const auto lost = reader->Find(KeyOf(options, 9 * kBlockRows + 5));
  EXPECT_TRUE(lost.status().Is(sqlstate::kDataCorrupted)) << lost.status().ToString();
  EXPECT_NE(lost.status().ToString().find("column 3, block 9"), std::string::npos);
  EXPECT_TRUE(reader->GetBlock(1, 9).ok());
  EXPECT_EQ(Find(*reader, options, 10 * kBlockRows + 5), 10 * kBlockRows + 5);
}

// The rows of a table without a primary key are sorted by their ids, of which some are gone.
TEST(SegmentGroupsTest, KeysThatAreRowIdsAreNoGroup) {
  MemEnv env;
  SegmentOptions options{kTestSystem, 9, Oid(1), {}, {}};
  options.columns = {{ColumnId(1), {types::TypeKind::kInt4}},
                     {kRowIdColumn, {types::TypeKind::kInt8}}};
  options.key = {{1, {}}};
  auto writer = SegmentWriter::Create(env, "/s", options);
  ASSERT_TRUE(writer.ok());
  for (uint32_t row = 0; row < kRows; ++row) {
    const std::array<Value, 2> values = {Value::Int32(static_cast<int32_t>(row)),
                                         Value::Int64(3 * int64_t{row})};
    ASSERT_TRUE((*writer)->AppendRow(values).ok());
  }
  ASSERT_TRUE((*writer)->Finish().ok());
  BlockCache cache(64 << 20);
  const auto reader = Open(env, &cache);
  ASSERT_NE(reader, nullptr);
  EXPECT_TRUE(reader->Verify().empty());
  EXPECT_TRUE(reader->footer().GroupedColumns().empty());
  for (uint32_t row = 0; row < kRows; row += 91) {
    const auto found =
        reader->Find(types::EncodeIntKey({types::TypeKind::kInt8}, Value::Int64(3 * int64_t{row})));
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    ASSERT_EQ(*found, row);
  }
}

// Directories whose checksums are right and whose gaps and sizes are not: whatever a lookup finds
// or says, it reads nothing that is not there.
TEST(SegmentGroupsTest, WrongGapsLeadNowhere) {
  MemEnv env;
  const SegmentOptions options = OptionsWithRowIds(true);
  Write(env, options, kFormatVersion);
  const std::string whole = *env::ReadFileToString(env, "/s", 1 << 26);
  const Extent section = Open(env, nullptr)->footer().columns[3].section;
  for (size_t at = kSectionHeaderBytes; at < std::min<size_t>(section.bytes, 400); ++at) {
    for (const char value : {'\x00', '\x01', '\x7f', '\xff'}) {
      std::string bytes = whole;
      bytes[section.offset + at] = value;
      StoreLe<uint32_t>(
          bytes.data() + section.offset,
          Crc32c(std::string_view(bytes).substr(section.offset + 4, section.bytes - 4),
                 FrameCrcSeed(options.file_id, section.offset)));
      ASSERT_TRUE(env::ReplaceFile(env, "/s", bytes).ok());
      BlockCache cache(64 << 20);
      const auto reader = Open(env, &cache);
      for (const uint32_t block : {3U, 9U, 20U}) {
        const auto found = reader->Find(KeyOf(options, block * kBlockRows + 5));
        if (found.ok()) continue;
        EXPECT_TRUE(found.status().Is(sqlstate::kDataCorrupted)) << found.status().ToString();
      }
    }
  }
}

TEST(SegmentGroupsTest, OneColumnOrSequencesAreNoGroup) {
  SegmentFooter footer;
  footer.columns.resize(2);
  footer.columns[0].column = {ColumnId(1), {types::TypeKind::kInt8}};
  footer.columns[1].column = {ColumnId(2), {types::TypeKind::kInt8}};
  EXPECT_TRUE(footer.GroupedColumns().empty());
  footer.key = {{1, {}}};
  EXPECT_TRUE(footer.GroupedColumns().empty());
  footer.columns[0].column.id = kRowIdColumn;
  EXPECT_EQ(footer.GroupedColumns(), (std::vector<uint32_t>{1, 0}));
  EXPECT_TRUE(footer.IsGrouped(0));
  footer.version = 2;
  EXPECT_TRUE(footer.GroupedColumns().empty());
  footer.version = 3;
  footer.key = {{0, {}}};  // the row ids themselves
  EXPECT_TRUE(footer.GroupedColumns().empty());
}

}  // namespace
}  // namespace omendb::colstore
