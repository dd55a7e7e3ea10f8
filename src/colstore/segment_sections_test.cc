// What lookups need to know of a segment is read with one call, and is no more than it was: counts
// of reads, damage, and failures of that call.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/sqlstate.h"
#include "colstore/columns_fixture.h"
#include "colstore/segment_fixture.h"
#include "testing/fault_env.h"

namespace omendb::colstore {
namespace {

using testutil::MemEnv;
using types::Value;

// So many that the filter, of a byte a row, is not among what is read together. Rows at the edge of
// a block are looked for in two blocks; the tests ask for others.
constexpr uint32_t kRows = 70 * kBlockRows - 5;
constexpr uint32_t kKeyFirst = 1;

// Integers, among them both of the key, (row / 7, row), and row ids that do not ascend.
struct WideTable {
  WideTable(uint32_t columns, uint32_t rows, bool first_descends = false)
      : columns_count(columns), rows_count(rows), descending(first_descends) {}

  uint32_t key_second() const { return columns_count / 2; }
  uint32_t row_ids() const { return columns_count - 1; }
  SegmentOptions options(uint32_t version) const {
    SegmentOptions options{
        kTestSystem, 9, Oid(1), {}, {{kKeyFirst, {descending}}, {key_second(), {}}}};
    for (uint32_t i = 0; i < columns_count; ++i) {
      const ColumnId id = i == row_ids() ? kRowIdColumn : ColumnId(static_cast<int16_t>(i + 1));
      options.columns.push_back({id, {types::TypeKind::kInt8}});
    }
    options.version = version;
    return options;
  }
  int64_t At(uint32_t row, uint32_t column) const {
    if (column == kKeyFirst) return (descending ? rows_count - row : row) / 7;
    if (column == key_second()) return 3 * int64_t{row};
    return column == row_ids() ? int64_t{rows_count} - row : int64_t{row} * column % 1009;
  }
  std::string KeyOf(int64_t first, int64_t second) const {
    std::string key;
    const types::SqlType type{types::TypeKind::kInt8};
    types::AppendKey(type, Value::Int64(first), {descending}, key);
    types::AppendKey(type, Value::Int64(second), {}, key);
    return key;
  }
  std::string KeyOf(uint32_t row) const { return KeyOf(At(row, kKeyFirst), At(row, key_second())); }
  // Of no row, between the keys of two.
  std::string NoKey(uint32_t row) const {
    return KeyOf(At(row, kKeyFirst), At(row, key_second()) + 1);
  }
  void Write(env::Env& env, uint32_t version = kFormatVersion) const {
    auto writer = SegmentWriter::Create(env, "/s", options(version));
    ASSERT_TRUE(writer.ok());
    types::Row values(columns_count);
    for (uint32_t row = 0; row < rows_count; ++row) {
      for (uint32_t i = 0; i < columns_count; ++i) values[i] = Value::Int64(At(row, i));
      ASSERT_TRUE((*writer)->AppendRow(values).ok());
    }
    ASSERT_TRUE((*writer)->Finish().ok());
  }

  const uint32_t columns_count;
  const uint32_t rows_count;
  const bool descending;
};

class SegmentSectionsTest : public ::testing::Test {
 protected:
  SegmentSectionsTest() {
    watched_.SetHook([this](testutil::FaultOp op, const std::string&) {
      reads_ += op == testutil::kOpRead ? 1 : 0;
    });
  }
  std::shared_ptr<const SegmentReader> Open() {
    auto reader = SegmentReader::Open(watched_, "/s", {.system_id = kTestSystem, .cache = &cache_});
    EXPECT_TRUE(reader.ok()) << reader.status().ToString();
    reads_ = 0;
    return reader.ok() ? *reader : nullptr;
  }
  // How many reads it took.
  uint32_t LookUp(const SegmentReader& reader, const WideTable& table, uint32_t row,
                  const std::vector<uint32_t>& columns) {
    const uint32_t before = reads_;
    const auto found = reader.Find(table.KeyOf(row), {.is_expected = true});
    EXPECT_TRUE(found.ok()) << found.status().ToString();
    EXPECT_EQ(found.ok() ? *found : std::nullopt, row);
    types::Arena arena;
    for (const uint32_t column : columns) {
      Value value;
      EXPECT_TRUE(reader.ReadRow(row, {&column, 1}, arena, &value).ok());
      EXPECT_EQ(value.i64, table.At(row, column));
    }
    return reads_ - before;
  }
  // The same of a key that is not there.
  uint32_t Miss(const SegmentReader& reader, const WideTable& table, uint32_t row) {
    const uint32_t before = reads_;
    const auto found = reader.Find(table.NoKey(row), {.is_expected = true});
    EXPECT_TRUE(found.ok() && !*found);
    return reads_ - before;
  }

  MemEnv env_;
  testutil::FaultEnv watched_{env_};
  std::atomic<uint32_t> reads_{0};
  BlockCache cache_{64 << 20};
};

// One read for all that is known of the segment, one for the key, one for each column asked for.
TEST_F(SegmentSectionsTest, AFirstLookupTakesOneReadMore) {
  const WideTable table(9, kRows);
  for (const uint32_t version : {2U, 3U}) {
    const uint32_t of_key = version < kVersionWithGroups ? 2 : 1;
    table.Write(env_, version);
    const auto reader = Open();
    ASSERT_NE(reader, nullptr);
    EXPECT_EQ(LookUp(*reader, table, 5, {3}), 1 + of_key + 1);
    for (uint32_t block = 1; block < BlocksOf(kRows); block += 7) {
      EXPECT_EQ(LookUp(*reader, table, block * kBlockRows + 9, {3, 7}), of_key + 2) << block;
    }
  }
}

// The first column of the key, by the zones, tells on which side of the edge the key lies.
TEST_F(SegmentSectionsTest, AKeyNearTheEdgeOfABlockIsLookedForInOneBlock) {
  for (const bool descending : {false, true}) {
    const WideTable table(5, kRows, descending);
    table.Write(env_);
    const auto reader = Open();
    LookUp(*reader, table, 5, {});
    for (uint32_t block = 2; block < BlocksOf(kRows); block += 2) {
      const uint32_t edge = block * kBlockRows;
      EXPECT_EQ(LookUp(*reader, table, edge - 8, {}), 1u) << block;
      EXPECT_EQ(LookUp(*reader, table, edge + 8, {}), 1u) << block;
      for (uint32_t row = edge - 8; row < edge + 8; ++row) {
        LookUp(*reader, table, row, {});
        Miss(*reader, table, row);
      }
    }
  }
}

// Whoever comes first, and however many: one read.
TEST_F(SegmentSectionsTest, ReadingARowAlsoReadsThemTogether) {
  const WideTable table(9, kRows);
  table.Write(env_);
  const auto reader = Open();
  types::Arena arena;
  Value values[3];
  const uint32_t columns[] = {0, 3, 7};
  ASSERT_TRUE(reader->ReadRow(12, columns, arena, values).ok());
  EXPECT_EQ(reads_, 1u + 3u);
  EXPECT_EQ(LookUp(*reader, table, 12, {3}), 1u);
}

TEST_F(SegmentSectionsTest, ThreadsThatComeTogetherReadThemOnce) {
  const WideTable table(9, kRows);
  table.Write(env_);
  const auto reader = Open();
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] { LookUp(*reader, table, t * 8 * kBlockRows + 500, {3}); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(reads_, 1u + 4u * 2u);
}

// Of a wide table only the key's, which the file has side by side, and then each when it is asked
// for; files of before had them far from each other.
TEST_F(SegmentSectionsTest, OfManyColumnsTheKeysAreReadTogether) {
  const WideTable table(120, kRows);
  table.Write(env_);
  const auto reader = Open();
  const SegmentFooter& footer = reader->footer();
  uint64_t sections_bytes = 0;
  for (const ColumnFooter& column : footer.columns) sections_bytes += column.section.bytes;
  ASSERT_GT(sections_bytes, 128u << 10) << "The table is not wide.";
  const size_t before = reader->memory_bytes();
  EXPECT_EQ(LookUp(*reader, table, 5, {}), 2u);
  EXPECT_LT(reader->memory_bytes() - before, sections_bytes / 10);
  EXPECT_EQ(LookUp(*reader, table, 3 * kBlockRows + 500, {5}), 1u + 2u);
  EXPECT_EQ(LookUp(*reader, table, 40 * kBlockRows + 500, {5}), 1u + 1u);
}

// The greatest part of what is known is not read before it is of use.
TEST_F(SegmentSectionsTest, TheFilterIsReadOnceAKeyWasLookedForInVain) {
  const WideTable table(9, kRows);
  table.Write(env_);
  const auto reader = Open();
  LookUp(*reader, table, 5, {3});
  const size_t without = reader->memory_bytes();
  EXPECT_LT(without, kRows / 2);
  EXPECT_EQ(Miss(*reader, table, 20 * kBlockRows + 500), 1u);  // the key's blocks
  EXPECT_EQ(reader->memory_bytes(), without);
  EXPECT_LE(Miss(*reader, table, 40 * kBlockRows + 500), 2u);  // the filter, which may be wrong
  EXPECT_GE(reader->memory_bytes(), without + kRows);
  uint32_t reads = 0;
  for (uint32_t block = 41; block < 60; ++block) reads += Miss(*reader, table, block * kBlockRows);
  EXPECT_LE(reads, 3u);
}

// Who knows of other segments that may have the key asks the filter at once, and nothing else.
TEST_F(SegmentSectionsTest, AKeyThatMayBeElsewhereAsksTheFilterAlone) {
  const WideTable table(9, kRows);
  table.Write(env_);
  const auto reader = Open();
  uint32_t rejected = 0;
  for (uint32_t i = 0; i < 20; ++i) {
    const auto found = reader->Find(table.NoKey(i * 3 * kBlockRows + 1));
    ASSERT_TRUE(found.ok() && !*found);
    rejected += reads_ == 1 ? 1 : 0;
  }
  EXPECT_GT(rejected, 0u);
}

// Small segments are read whole.
TEST_F(SegmentSectionsTest, TheFilterOfFewRowsComesWithTheRest) {
  const WideTable table(5, 3000);
  table.Write(env_);
  const auto reader = Open();
  EXPECT_EQ(LookUp(*reader, table, 5, {3}), 3u);
  EXPECT_LE(Miss(*reader, table, 2900) + Miss(*reader, table, 2800), 1u);  // It may be wrong once.
}

// A damaged section is told by who needs it; the others, read with the same call, are there.
TEST_F(SegmentSectionsTest, DamageIsOfOneSection) {
  const WideTable table(9, kRows);
  table.Write(env_);
  const SegmentFooter footer = Open()->footer();
  for (uint32_t damaged = 0; damaged < table.columns_count; ++damaged) {
    const Extent section = footer.columns[damaged].section;
    ASSERT_TRUE(env_.FlipBit("/s", section.offset + section.bytes / 2, 1).ok());
    const auto reader = Open();
    const auto found = reader->Find(table.KeyOf(77), {.is_expected = true});
    const std::vector<uint32_t> of_key = footer.LookupColumns();
    const bool is_of_key = std::find(of_key.begin(), of_key.end(), damaged) != of_key.end();
    EXPECT_EQ(found.ok(), !is_of_key) << damaged;
    types::Arena arena;
    for (uint32_t column = 0; column < table.columns_count; ++column) {
      Value value;
      const Status read = reader->ReadRow(77, {&column, 1}, arena, &value);
      EXPECT_EQ(read.ok(), column != damaged) << column << ' ' << read.ToString();
      if (column == damaged) {
        EXPECT_TRUE(read.Is(sqlstate::kDataCorrupted));
        const int id = footer.columns[column].column.id.value();
        EXPECT_NE(read.ToString().find("column " + std::to_string(id) + ", its directory"),
                  std::string::npos)
            << read.ToString();
      } else {
        EXPECT_EQ(value.i64, table.At(77, column));
      }
    }
    ASSERT_TRUE(env_.FlipBit("/s", section.offset + section.bytes / 2, 1).ok());
  }
}

// Who has read the sketches of all columns, as a start does, has read what lookups need to know
// too.
TEST_F(SegmentSectionsTest, SketchesComeWithWhatLookupsNeed) {
  const WideTable table(9, kRows);
  table.Write(env_);
  const auto alone = Open();
  const auto reader = Open();
  const auto sketches = reader->ReadSketches();
  EXPECT_EQ(reads_, 1u);
  ASSERT_EQ(sketches.size(), table.columns_count);
  EXPECT_EQ(LookUp(*reader, table, 5, {3}), 2u);
  for (uint32_t column = 0; column < table.columns_count; ++column) {
    ASSERT_TRUE(sketches[column].ok());
    EXPECT_EQ(sketches[column]->Estimate(), alone->sketch(column)->Estimate());
  }
}

// Of a wide table each is read alone, and nothing is kept.
TEST_F(SegmentSectionsTest, SketchesOfManyColumnsAreReadOneByOne) {
  const WideTable table(120, kRows);
  table.Write(env_);
  const auto reader = Open();
  const size_t before = reader->memory_bytes();
  EXPECT_EQ(reader->ReadSketches().size(), table.columns_count);
  EXPECT_EQ(reads_, table.columns_count);
  EXPECT_EQ(reader->memory_bytes(), before);
}

// Those of the other columns are there, whether they can be read together or not.
TEST_F(SegmentSectionsTest, ADamagedSketchIsOfOneColumn) {
  const WideTable table(9, kRows);
  table.Write(env_);
  const Extent section = Open()->footer().columns[3].section;
  ASSERT_TRUE(env_.FlipBit("/s", section.offset + section.bytes / 2, 1).ok());
  for (const uint64_t failing_reads : {0, 1}) {
    const auto reader = Open();
    watched_.AddRule({.ops = testutil::kOpRead, .times = failing_reads});
    const auto sketches = reader->ReadSketches();
    watched_.ClearRules();
    for (uint32_t column = 0; column < table.columns_count; ++column) {
      EXPECT_EQ(sketches[column].ok(), column != 3) << column;
    }
    EXPECT_TRUE(sketches[3].status().Is(sqlstate::kDataCorrupted));
    types::Arena arena;
    const uint32_t other = 4;
    Value value;
    EXPECT_TRUE(reader->ReadRow(77, {&other, 1}, arena, &value).ok());
  }
}

// A place that cannot be read keeps nobody from the others.
TEST_F(SegmentSectionsTest, WhereTheyCannotBeReadTogetherTheyAreReadOneByOne) {
  const WideTable table(9, kRows);
  table.Write(env_);
  const auto reader = Open();
  watched_.AddRule({.ops = testutil::kOpRead, .times = 1});
  // Key index, three directories of the key, that of the column; then blocks.
  EXPECT_EQ(LookUp(*reader, table, 5, {3}), 1u + 5u + 2u);
  EXPECT_EQ(LookUp(*reader, table, 9 * kBlockRows + 500, {3}), 2u);
}

// What scans have loaded is not loaded again; what it takes is told.
TEST_F(SegmentSectionsTest, KeepsWhatIsThereAndTellsItsMemory) {
  const WideTable table(9, kRows);
  table.Write(env_);
  const auto reader = Open();
  const ColumnDirectory* const third = *reader->directory(3);
  const size_t one = third->memory_bytes();
  const size_t before = reader->memory_bytes();
  LookUp(*reader, table, 5, {3});
  EXPECT_EQ(*reader->directory(3), third);
  EXPECT_GT(reader->memory_bytes(), before + 4 * one);
  EXPECT_LT(reader->memory_bytes(), before + 16 * one);
}

}  // namespace
}  // namespace omendb::colstore
