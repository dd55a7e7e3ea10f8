// Segments written and read back: rows, keys, scans, damage, and failures while writing.
#include <gtest/gtest.h>

#include <thread>

#include "base/sqlstate.h"
#include "colstore/columns_fixture.h"
#include "colstore/segment_fixture.h"
#include "colstore/segment_scan.h"
#include "testing/fault_env.h"

namespace omendb::colstore {
namespace {

using testutil::MemEnv;
using testutil::Prng;
using types::Value;

std::shared_ptr<const SegmentReader> Open(env::Env& env, const std::string& path,
                                          BlockCache* cache = nullptr) {
  auto reader = SegmentReader::Open(env, path, {.system_id = kTestSystem, .cache = cache});
  EXPECT_TRUE(reader.ok()) << reader.status().ToString();
  return reader.ok() ? *reader : nullptr;
}

std::vector<uint32_t> AllColumns(const TestTable& table) {
  std::vector<uint32_t> columns(table.columns().size());
  for (uint32_t i = 0; i < columns.size(); ++i) columns[i] = i;
  return columns;
}

bool SameRow(const TestTable& table, const types::Row& row, const Value* values) {
  for (size_t i = 0; i < row.size(); ++i) {
    if (!SameBits(types::PhysicalTypeOf(table.columns()[i].type), row[i], values[i])) return false;
  }
  return true;
}

// Every row that a scan gives, by position; checks its values.
std::vector<uint32_t> Scan(const TestTable& table, std::shared_ptr<const SegmentReader> reader,
                           ScanOptions options) {
  options.columns = AllColumns(table);
  SegmentScan scan(std::move(reader), std::move(options));
  const auto worker = scan.NewWorker();
  types::Chunk chunk;
  std::vector<uint32_t> found;
  std::vector<Value> values(table.columns().size());
  for (;;) {
    const auto more = scan.Next(*worker, chunk);
    EXPECT_TRUE(more.ok()) << more.status().ToString();
    if (!more.ok() || !*more) return found;
    for (uint32_t i = 0; i < chunk.rows_count; ++i) {
      for (size_t column = 0; column < values.size(); ++column) {
        values[column] = chunk.columns[column].Get(i);
      }
      const uint32_t row = worker->row_at(i);
      EXPECT_TRUE(SameRow(table, table.rows()[row], values.data())) << "row " << row;
      found.push_back(row);
    }
  }
}

std::vector<uint32_t> Positions(uint32_t begin, uint32_t end) {
  std::vector<uint32_t> positions;
  for (uint32_t i = begin; i < end; ++i) positions.push_back(i);
  return positions;
}

TEST(SegmentTest, GivesBackEveryRow) {
  for (const TestKey key : kTestKeys) {
    for (const uint32_t rows : {1U, 2047U, 2048U, 2049U, 7000U}) {
      MemEnv env;
      const TestTable table(key, rows, rows);
      const auto summary = table.Write(env, "/s");
      ASSERT_TRUE(summary.ok()) << summary.status().ToString();
      EXPECT_EQ(summary->rows, rows);
      EXPECT_EQ(summary->file_bytes, *env.FileSize("/s"));
      BlockCache cache(1 << 20);
      const auto reader = Open(env, "/s", &cache);
      ASSERT_NE(reader, nullptr);
      EXPECT_EQ(reader->footer().min_ts, Timestamp(5));
      EXPECT_EQ(reader->footer().max_ts, Timestamp(11));
      EXPECT_TRUE(reader->Verify().empty());
      EXPECT_EQ(Scan(table, reader, {}), Positions(0, rows));
      types::Arena arena;
      std::vector<Value> values(table.columns().size());
      Prng prng(rows);
      for (int i = 0; i < 300; ++i) {
        const auto row = static_cast<uint32_t>(prng.Below(rows));
        ASSERT_TRUE(reader->ReadRow(row, AllColumns(table), arena, values.data()).ok());
        ASSERT_TRUE(SameRow(table, table.rows()[row], values.data())) << row;
      }
    }
  }
}

TEST(SegmentTest, ChunksAndRowsMakeTheSameFile) {
  MemEnv env;
  const TestTable table(TestKey::kInteger, 5000, 1);
  ASSERT_TRUE(table.Write(env, "/rows").ok());
  const auto reader = Open(env, "/rows");
  auto writer = SegmentWriter::Create(env, "/chunks", table.options());
  ASSERT_TRUE(writer.ok());
  (*writer)->NoteTimestamp(Timestamp(11));
  (*writer)->NoteTimestamp(Timestamp(5));
  SegmentScan scan(reader, {.columns = AllColumns(table)});
  const auto worker = scan.NewWorker();
  types::Chunk chunk;
  while (*scan.Next(*worker, chunk)) {
    // Parts that do not end where blocks do.
    const uint32_t part = std::min(777U, chunk.rows_count);
    ASSERT_TRUE((*writer)->Append(chunk, 0, part).ok());
    ASSERT_TRUE((*writer)->Append(chunk, part, chunk.rows_count - part).ok());
  }
  ASSERT_TRUE((*writer)->Finish().ok());
  EXPECT_EQ(*env::ReadFileToString(env, "/rows", 1 << 24),
            *env::ReadFileToString(env, "/chunks", 1 << 24));
}

template <typename Key>
void ExpectFinds(const SegmentReader& reader, const Key& key, std::optional<uint32_t> row) {
  const auto found = reader.Find(key);
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_EQ(*found, row);
}

TEST(SegmentTest, FindsEveryKeyAndNoOther) {
  for (const TestKey key :
       {TestKey::kInteger, TestKey::kText, TestKey::kComposite, TestKey::kUuid}) {
    MemEnv env;
    const TestTable table(key, 20'000, 3);
    ASSERT_TRUE(table.Write(env, "/s").ok());
    BlockCache cache(64 << 20);
    const auto reader = Open(env, "/s", &cache);
    for (uint32_t row = 0; row < table.rows().size(); row += 7) {
      if (key == TestKey::kInteger) {
        const uint64_t integer = table.IntegerKey(row);
        ExpectFinds(*reader, integer, row);
        EXPECT_EQ(*reader->LowerBound(integer), row);
        EXPECT_EQ(*reader->LowerBound(integer + 1), row + 1);
        if (row + 1 < table.rows().size() && table.IntegerKey(row + 1) != integer + 1) {
          ExpectFinds(*reader, integer + 1, std::nullopt);
        }
      } else {
        const std::string bytes = table.ByteKey(row);
        ExpectFinds(*reader, std::string_view(bytes), row);
        EXPECT_EQ(*reader->LowerBound(std::string_view(bytes)), row);
        const std::string above = bytes + '\0';
        EXPECT_EQ(*reader->LowerBound(std::string_view(above)), row + 1);
        ExpectFinds(*reader, std::string_view(above), std::nullopt);
      }
    }
    if (key == TestKey::kInteger) {
      EXPECT_EQ(*reader->LowerBound(uint64_t{0}), 0);
      EXPECT_EQ(*reader->LowerBound(UINT64_MAX), table.rows().size());
    } else {
      EXPECT_EQ(*reader->LowerBound(std::string_view()), 0);
      EXPECT_EQ(*reader->LowerBound(std::string_view("\xff\xff")), table.rows().size());
    }
  }
}

// The bound of the design: two key blocks, and one block for each column asked for.
TEST(SegmentTest, ALookupReadsAtMostTwoKeyBlocks) {
  MemEnv env;
  const TestTable table(TestKey::kInteger, 30'000, 4);
  ASSERT_TRUE(table.Write(env, "/s").ok());
  for (uint32_t row = 0; row < table.rows().size(); row += 97) {
    BlockCache cache(64 << 20);
    const auto reader = Open(env, "/s", &cache);
    ExpectFinds(*reader, table.IntegerKey(row), row);
    EXPECT_LE(cache.counters().blocks, 2);
    types::Arena arena;
    Value values[2];
    const uint32_t wanted[] = {1, 4};
    ASSERT_TRUE(reader->ReadRow(row, wanted, arena, values).ok());
    EXPECT_LE(cache.counters().blocks, 4);
  }
}

TEST(SegmentTest, ScansLeaveOutDeadRowsAndRowsOutsideTheRange) {
  MemEnv env;
  const TestTable table(TestKey::kInteger, 9000, 5);
  ASSERT_TRUE(table.Write(env, "/s").ok());
  const auto reader = Open(env, "/s");
  Prng prng(5);
  for (int round = 0; round < 10; ++round) {
    std::vector<uint64_t> dead((9000 + 63) / 64);
    const auto first = static_cast<uint32_t>(prng.Below(9000));
    const auto end = static_cast<uint32_t>(prng.Between(first, 9000));
    std::vector<uint32_t> expected;
    for (uint32_t row = 0; row < 9000; ++row) {
      // Whole blocks dead, some rows dead, none dead.
      const double share = row < 2048 ? 1.0 : row < 6000 ? 0.3 : 0.0;
      if (prng.Chance(share)) {
        dead[row / 64] |= uint64_t{1} << row % 64;
      } else if (row >= first && row < end) {
        expected.push_back(row);
      }
    }
    EXPECT_EQ(Scan(table, reader, {.first_row = first, .end_row = end, .dead = dead}), expected);
  }
}

TEST(SegmentTest, ZonesSkipBlocksAndNoRowThatMatches) {
  MemEnv env;
  const TestTable table(TestKey::kInteger, 20'000, 6);
  ASSERT_TRUE(table.Write(env, "/s").ok());
  BlockCache cache(64 << 20);
  const auto reader = Open(env, "/s", &cache);
  const uint32_t day_column = 8;
  ValueRange days{Value::Int32(18050), Value::Int32(18060), true, false};
  SegmentScan scan(reader, {.columns = {day_column}, .ranges = {{day_column, days}}});
  const auto worker = scan.NewWorker();
  types::Chunk chunk;
  uint32_t matching = 0;
  while (*scan.Next(*worker, chunk)) {
    for (uint32_t i = 0; i < chunk.rows_count; ++i) {
      const int32_t day = chunk.columns[0].Get(i).i32;
      matching += day >= 18050 && day < 18060 ? 1 : 0;
    }
  }
  EXPECT_EQ(matching, 1000);
  EXPECT_EQ(scan.counters().blocks_read, 1);
  EXPECT_EQ(scan.counters().blocks_skipped, 9);
}

// Every block's zone has the value, few blocks' dictionaries do.
TEST(SegmentTest, EntriesSkipBlocksAndNoRowThatMatches) {
  MemEnv env;
  constexpr uint32_t kRows = 20'000;
  const auto value_of = [](uint32_t row) -> Value {
    if (row % 11 == 0) return Value::Null();
    if (row == 5000) return Value::Int64(-77'777);
    return Value::Int64((int64_t{row} * 7919 % 50 - 25) * 100'000);
  };
  SegmentOptions options{kTestSystem, 7, Oid(16385), {}, {}};
  options.columns = {{ColumnId(1), {types::TypeKind::kInt8}},
                     {ColumnId(2), {types::TypeKind::kInt8}}};
  options.key = {{0, {}}};
  auto writer = SegmentWriter::Create(env, "/s", std::move(options));
  ASSERT_TRUE(writer.ok());
  for (uint32_t row = 0; row < kRows; ++row) {
    const Value values[] = {Value::Int64(row), value_of(row)};
    ASSERT_TRUE((*writer)->AppendRow(values).ok());
  }
  ASSERT_TRUE((*writer)->Finish().ok());
  BlockCache cache(64 << 20);
  const auto reader = Open(env, "/s", &cache);
  for (int pass = 0; pass < 2; ++pass) {  // The second finds the blocks in the cache.
    for (const int64_t wanted : {-77'777L, 300'000L, 300'001L}) {
      ValueRange range{Value::Int64(wanted), Value::Int64(wanted)};
      SegmentScan scan(reader, {.columns = {1}, .late_columns = 1, .ranges = {{1, range}}});
      const auto worker = scan.NewWorker();
      types::Chunk chunk;
      std::vector<uint32_t> found;
      while (*scan.Next(*worker, chunk)) {
        ASSERT_TRUE(scan.Fill(*worker, chunk, 0).ok());
        for (uint32_t i = 0; i < chunk.rows_count; ++i) {
          const Value value = chunk.columns[0].Get(i);
          if (!value.is_null && value.i64 == wanted) found.push_back(worker->row_at(i));
        }
      }
      std::vector<uint32_t> expected;
      for (uint32_t row = 0; row < kRows; ++row) {
        const Value value = value_of(row);
        if (!value.is_null && value.i64 == wanted) expected.push_back(row);
      }
      EXPECT_EQ(found, expected) << wanted;
      if (pass == 0) continue;
      EXPECT_EQ(scan.counters().blocks_read, wanted == 300'000 ? 10 : expected.size()) << wanted;
    }
  }
}

// With dead rows and a range of rows; the filters change places as they prove to be useful.
TEST(SegmentTest, ExactRangesLeaveTheRowsThatPassThemAll) {
  MemEnv env;
  constexpr uint32_t kRows = 100'000;
  const auto day = [](uint32_t row) { return static_cast<int32_t>(row / 100); };
  const auto kind = [](uint32_t row) { return static_cast<int16_t>(row * 7919 % 13); };
  SegmentOptions options{kTestSystem, 7, Oid(16385), {}, {}};
  options.columns = {{ColumnId(1), {types::TypeKind::kInt8}},
                     {ColumnId(2), {types::TypeKind::kInt4}},
                     {ColumnId(3), {types::TypeKind::kInt2}}};
  options.key = {{0, {}}};
  auto writer = SegmentWriter::Create(env, "/s", std::move(options));
  ASSERT_TRUE(writer.ok());
  std::vector<uint64_t> dead((kRows + 63) / 64);
  for (uint32_t row = 0; row < kRows; ++row) {
    const Value none = Value::Null();
    const Value values[] = {Value::Int64(row), Value::Int32(day(row)),
                            row % 17 == 0 ? none : Value::Int16(kind(row))};
    ASSERT_TRUE((*writer)->AppendRow(values).ok());
    if (row % 10 == 3) dead[row / 64] |= uint64_t{1} << row % 64;
  }
  ASSERT_TRUE((*writer)->Finish().ok());
  BlockCache cache(64 << 20);
  const auto reader = Open(env, "/s", &cache);
  ScanOptions scan_options{.columns = {0, 1, 2}, .late_columns = 3};
  scan_options.first_row = 1500;
  scan_options.end_row = 90'001;
  scan_options.dead = dead;
  scan_options.ranges = {
      {1, {Value::Int32(10), Value::Int32(880)}, IntRange{.low = 10, .high = 880}},
      {2, {Value::Int16(3), std::nullopt}, IntRange{.low = 3, .except = 5}}};
  SegmentScan scan(reader, scan_options);
  const auto worker = scan.NewWorker();
  types::Chunk chunk;
  std::vector<int64_t> found;
  while (*scan.Next(*worker, chunk)) {
    ASSERT_TRUE(scan.Fill(*worker, chunk, 0).ok());
    for (uint32_t i = 0; i < chunk.rows_count; ++i) {
      found.push_back(chunk.columns[0].Get(i).i64);
      ASSERT_EQ(worker->row_at(i), found.back());
    }
  }
  std::vector<int64_t> expected;
  for (uint32_t row = 1500; row < 90'001; ++row) {
    const bool passes = row % 10 != 3 && row % 17 != 0 && day(row) >= 10 && day(row) <= 880 &&
                        kind(row) >= 3 && kind(row) != 5;
    if (passes) expected.push_back(row);
  }
  EXPECT_EQ(found, expected);
}

// Each chunk has what the range let through when its block was read, and no block was passed over
// that had such a row.
TEST(SegmentTest, MovingRangesLeaveOutWhatTheyRuleOutByThen) {
  MemEnv env;
  constexpr uint32_t kRows = 60'000;
  testutil::Prng prng(5);
  std::vector<std::optional<int32_t>> cells(kRows);
  for (uint32_t row = 0; row < kRows; ++row) {
    if (row / kBlockRows != 2 && row % 11 != 0) cells[row] = prng.Between(0, 5000) + row / 50;
  }
  SegmentOptions options{kTestSystem, 7, Oid(16385), {}, {}};
  options.columns = {{ColumnId(1), {types::TypeKind::kInt4}}};
  auto writer = SegmentWriter::Create(env, "/s", std::move(options));
  ASSERT_TRUE(writer.ok());
  for (const auto& cell : cells) {
    const Value value[] = {cell ? Value::Int32(*cell) : Value::Null()};
    ASSERT_TRUE((*writer)->AppendRow(value).ok());
  }
  ASSERT_TRUE((*writer)->Finish().ok());
  BlockCache cache(64 << 20);
  const auto moving = std::make_shared<MovingRange>();
  ScanOptions scan_options{.columns = {0}};
  scan_options.ranges = {{0, {}, {}, moving}};
  SegmentScan scan(Open(env, "/s", &cache), scan_options);
  const auto worker = scan.NewWorker();
  types::Chunk chunk;
  const auto passes = [&](uint32_t row) {
    if (moving->holds_all()) return true;
    return cells[row] && *cells[row] >= moving->low() && *cells[row] <= moving->high();
  };
  uint32_t next_row = 0;
  int64_t high = 6000;
  for (uint32_t chunks = 0; *scan.Next(*worker, chunk); ++chunks) {
    const uint32_t block = worker->row_at(0) / kBlockRows;
    for (; next_row < block * kBlockRows; ++next_row) ASSERT_FALSE(passes(next_row));
    for (uint32_t i = 0; i < chunk.rows_count; ++i, ++next_row) {
      for (; next_row < worker->row_at(i); ++next_row) ASSERT_FALSE(passes(next_row));
      ASSERT_TRUE(passes(next_row));
      ASSERT_EQ(chunk.columns[0].Get(i).is_null, !cells[next_row].has_value());
    }
    for (; next_row < std::min(kRows, (block + 1) * kBlockRows); ++next_row) {
      ASSERT_FALSE(passes(next_row));
    }
    if (chunks >= 4) moving->Set(100, high -= 300);
  }
  for (; next_row < kRows; ++next_row) ASSERT_FALSE(passes(next_row));
  EXPECT_GT(scan.counters().blocks_skipped, 5u);
}

TEST(SegmentTest, WorkersShareTheRows) {
  MemEnv env;
  const TestTable table(TestKey::kText, 40'000, 7);
  ASSERT_TRUE(table.Write(env, "/s").ok());
  BlockCache cache(1 << 16);  // Evicts all the time.
  const auto reader = Open(env, "/s", &cache);
  SegmentScan scan(reader, {.columns = {0, 1}, .morsel_blocks = 4, .blocks_at_once = 2});
  std::atomic<uint64_t> rows{0};
  std::atomic<int64_t> sum{0};
  const auto work = [&] {
    const auto worker = scan.NewWorker();
    types::Chunk chunk;
    while (*scan.Next(*worker, chunk)) {
      rows += chunk.rows_count;
      for (uint32_t i = 0; i < chunk.rows_count; ++i) {
        sum +=
            chunk.columns[0].Get(i).i64 + static_cast<int64_t>(chunk.columns[1].Get(i).text.size);
      }
    }
  };
  std::thread other(work);
  work();
  other.join();
  int64_t expected = 0;
  for (const types::Row& row : table.rows()) {
    expected += row[0].i64 + static_cast<int64_t>(row[1].text.size);
  }
  EXPECT_EQ(rows, 40'000);
  EXPECT_EQ(sum, expected);
}

TEST(SegmentTest, FooterAndSectionsKnowTheRows) {
  MemEnv env;
  const TestTable table(TestKey::kInteger, 10'000, 8);
  ASSERT_TRUE(table.Write(env, "/s").ok());
  const auto reader = Open(env, "/s");
  const SegmentFooter& footer = reader->footer();
  EXPECT_EQ(footer.storage, Oid(16385));
  types::Int128 price = 0;
  uint32_t notes = 0;
  for (const types::Row& row : table.rows()) {
    price += row[4].i64;
    notes += row[6].is_null ? 0 : 1;
  }
  EXPECT_TRUE(footer.columns[4].zone.has_sum());
  EXPECT_TRUE(footer.columns[4].zone.sum() == price);
  EXPECT_EQ(footer.columns[6].zone.nulls(), 10'000 - notes);
  EXPECT_EQ(footer.columns[10].zone.nulls(), 10'000);
  EXPECT_EQ(footer.columns[0].zone.min().i64, table.rows().front()[0].i64);
  EXPECT_EQ(footer.columns[0].zone.max().i64, table.rows().back()[0].i64);
  EXPECT_EQ(footer.columns[1].zone.min().str(), "customer-with-a-common-p");
  EXPECT_FALSE(footer.columns[1].zone.min_exact());
  const auto distinct = [&](uint32_t column) {
    return static_cast<double>(reader->sketch(column)->Estimate());
  };
  EXPECT_NEAR(distinct(0), 10'000, 1000);
  EXPECT_NEAR(distinct(1), 10'000, 1000);
  EXPECT_NEAR(distinct(2), 15, 1);
  EXPECT_NEAR(distinct(7), 2, 0.1);
  EXPECT_EQ(distinct(10), 0);
}

TEST(SegmentTest, KeysOutOfOrderAndPastLimitsAreRefused) {
  MemEnv env;
  SegmentOptions options{
      kTestSystem, 1, Oid(1), {{ColumnId(1), {types::TypeKind::kInt4}}}, {{0, {}}}};
  const auto write = [&](std::vector<Value> keys) -> Status {
    OMEN_ASSIGN(auto writer, SegmentWriter::Create(env, "/s", options));
    for (const Value& key : keys) OMEN_TRY(writer->AppendRow({&key, 1}));
    return writer->Finish().status();
  };
  EXPECT_TRUE(write({Value::Int32(-1), Value::Int32(0), Value::Int32(1)}).ok());
  EXPECT_TRUE(write({Value::Int32(2), Value::Int32(2)}).Is(sqlstate::kInvalidParameterValue));
  EXPECT_TRUE(write({Value::Int32(2), Value::Int32(1)}).Is(sqlstate::kInvalidParameterValue));
  EXPECT_TRUE(write({Value::Null()}).Is(sqlstate::kInvalidParameterValue));
  options.columns[0].type = {types::TypeKind::kText};
  EXPECT_TRUE(write({Value::String("a"), Value::String("b")}).ok());
  EXPECT_TRUE(write({Value::String("b"), Value::String("a")}).Is(sqlstate::kInvalidParameterValue));
  const std::string long_key(70'000, 'k');
  EXPECT_TRUE(write({Value::String(long_key)}).Is(sqlstate::kProgramLimitExceeded));
}

// The zone tells, but for the one block in which the range begins and that with the exception.
TEST(SegmentTest, AConditionThatAWholeBlockMeetsReadsNothing) {
  MemEnv env;
  const TestTable table(TestKey::kInteger, 9000, 11);
  ASSERT_TRUE(table.Write(env, "/s").ok());
  const auto id = [&](uint32_t row) { return table.rows()[row][0].i64; };
  ScanOptions::Range range{0, {Value::Int64(id(3000)), std::nullopt}, {}, {}};
  range.exact = IntRange{id(3000), INT64_MAX, id(6500)};
  SegmentScan scan(Open(env, "/s"), {.columns = {0, 4}, .late_columns = 2, .ranges = {range}});
  const auto worker = scan.NewWorker();
  types::Chunk chunk;
  std::vector<uint32_t> found;
  while (*scan.Next(*worker, chunk)) {
    for (uint32_t i = 0; i < chunk.rows_count; ++i) found.push_back(worker->row_at(i));
  }
  std::vector<uint32_t> expected = Positions(3000, 9000);
  expected.erase(expected.begin() + 3500);
  EXPECT_EQ(found, expected);
  EXPECT_EQ(scan.counters().blocks_loaded, 2u);
}

TEST(SegmentTest, AnotherFolderAndVersionAreRefused) {
  MemEnv env;
  ASSERT_TRUE(TestTable(TestKey::kInteger, 10, 9).Write(env, "/s").ok());
  EXPECT_TRUE(
      SegmentReader::Open(env, "/s", {.system_id = 43}).status().Is(sqlstate::kDataCorrupted));
  std::string bytes = *env::ReadFileToString(env, "/s", 1 << 20);
  const auto open_as = [&](char version) {
    bytes[8] = version;
    StoreLe<uint32_t>(bytes.data() + 60, Crc32c(std::string_view(bytes).substr(0, 60)));
    EXPECT_TRUE(env::ReplaceFile(env, "/s", bytes).ok());
    return SegmentReader::Open(env, "/s", {}).status();
  };
  EXPECT_TRUE(open_as(1).ok());
  EXPECT_TRUE(open_as(2).ok());
  EXPECT_TRUE(open_as(3).ok());
  for (const char version : {0, 4}) {
    const Status status = open_as(version);
    EXPECT_NE(status.ToString().find("format version " + std::to_string(version)),
              std::string::npos)
        << status.ToString();
    EXPECT_TRUE(status.Is(version == 0 ? sqlstate::kDataCorrupted : sqlstate::kFeatureNotSupported))
        << status.ToString();
  }
}

}  // namespace
}  // namespace omendb::colstore
