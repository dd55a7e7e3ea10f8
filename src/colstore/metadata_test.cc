// Zones, sketches, key filters and key indexes.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "colstore/column_directory.h"
#include "colstore/columns_fixture.h"
#include "colstore/hash.h"
#include "colstore/key_filter.h"
#include "colstore/key_index.h"
#include "colstore/sketch.h"
#include "colstore/zone.h"
#include "testing/key_sets.h"

namespace omendb::colstore {
namespace {

using testutil::Prng;
using types::SqlType;
using types::TypeKind;
using types::Value;

const SqlType kSqlTypes[] = {
    {TypeKind::kBool},   {TypeKind::kInt2},        {TypeKind::kInt4},         {TypeKind::kInt8},
    {TypeKind::kOid},    types::NumericType(9, 2), types::NumericType(38, 0), {TypeKind::kUuid},
    {TypeKind::kFloat4}, {TypeKind::kFloat8},      {TypeKind::kDate},         {TypeKind::kInterval},
    {TypeKind::kText},   {TypeKind::kBytea},       {TypeKind::kBpchar}};

Zone RoundTrip(const SqlType& type, const Zone& zone) {
  std::string bytes;
  zone.Serialize(type, bytes);
  ByteReader in(bytes);
  Zone back;
  back.set_rows(zone.rows());
  EXPECT_TRUE(back.Parse(type, in));
  EXPECT_EQ(in.remaining(), 0);
  return back;
}

// Whatever the values, each of them is within the zone, and a point range at it matches.
TEST(ZoneTest, HoldsEveryValueOfEveryType) {
  Prng prng(1);
  for (const SqlType& type : kSqlTypes) {
    const types::PhysicalType physical = types::PhysicalTypeOf(type);
    Zone all;
    std::vector<Value> values;
    std::deque<TestColumn> columns;
    for (const Shape shape : kShapes) {
      TestColumn& column = columns.emplace_back(physical, shape, 300, 0.2, prng);
      const Zone zone = RoundTrip(type, Zone::Of(type, column.cells()));
      EXPECT_EQ(zone.nulls(), column.nulls());
      all.Merge(type, zone);
      for (const Value& value : column.values()) {
        if (value.is_null) continue;
        values.push_back(value);
        ASSERT_TRUE(zone.MayMatch(type, {value, value}));
        if (!zone.has_range()) continue;
        ASSERT_LE(types::Compare(type, zone.min(), value), 0);
        ASSERT_GE(types::Compare(type, zone.max(), value), 0);
      }
    }
    EXPECT_EQ(all.rows(), 300 * std::size(kShapes));
    for (const Value& value : values) ASSERT_TRUE(all.MayMatch(type, {value, value}));
  }
}

template <typename Int>
Zone ZoneOf(TypeKind kind, types::PhysicalType physical, std::vector<Int> values) {
  std::vector<uint64_t> validity((values.size() + 63) / 64, ~uint64_t{0});
  return Zone::Of({kind}, {physical, static_cast<uint32_t>(values.size()),
                           reinterpret_cast<char*>(values.data()), validity.data(), 0});
}
Zone IntZone(std::vector<int32_t> values) {
  return ZoneOf(TypeKind::kInt4, types::PhysicalType::kInt32, std::move(values));
}
Zone BigintZone(std::vector<int64_t> values) {
  return ZoneOf(TypeKind::kInt8, types::PhysicalType::kInt64, std::move(values));
}

TEST(ZoneTest, RulesOutWhatCannotMatch) {
  const SqlType type{TypeKind::kInt4};
  const Zone zone = IntZone({5, 7, 9});
  EXPECT_TRUE(zone.min_exact() && zone.max_exact() && zone.has_sum());
  EXPECT_TRUE(zone.sum() == 21);
  const auto at = [](int32_t value) { return std::optional(Value::Int32(value)); };
  EXPECT_FALSE(zone.MayMatch(type, {at(10), std::nullopt}));
  EXPECT_TRUE(zone.MayMatch(type, {at(9), std::nullopt}));
  EXPECT_FALSE(zone.MayMatch(type, {at(9), std::nullopt, false}));
  EXPECT_FALSE(zone.MayMatch(type, {std::nullopt, at(4)}));
  EXPECT_TRUE(zone.MayMatch(type, {std::nullopt, at(5)}));
  EXPECT_FALSE(zone.MayMatch(type, {std::nullopt, at(5), true, false}));
  EXPECT_TRUE(zone.MayMatch(type, {at(6), at(6)}));  // Between: a zone cannot know.
  Prng prng(2);
  TestColumn nulls(types::PhysicalType::kInt32, Shape::kRandom, 50, 1.0, prng);
  EXPECT_FALSE(Zone::Of(type, nulls.cells()).MayMatch(type, {}));
}

TEST(ZoneTest, KnowsSequences) {
  const SqlType type{TypeKind::kInt8};
  const auto is_sequence = [&](const std::vector<std::vector<int64_t>>& blocks) {
    Zone all;
    for (const auto& block : blocks) all.Merge(type, RoundTrip(type, BigintZone(block)));
    return RoundTrip(type, all).is_sequence();
  };
  EXPECT_TRUE(is_sequence({{7}}));
  EXPECT_TRUE(is_sequence({{-1, 0, 1}, {2}, {3, 4}}));
  EXPECT_TRUE(is_sequence({{INT64_MAX - 1, INT64_MAX}}));
  EXPECT_FALSE(is_sequence({{1, 3, 2}}));
  EXPECT_FALSE(is_sequence({{1, 2}, {4, 5}}));
  EXPECT_FALSE(is_sequence({{3, 4}, {1, 2}}));
  EXPECT_FALSE(is_sequence({{1, 1}}));
  EXPECT_FALSE(is_sequence({{INT64_MAX}, {INT64_MIN, INT64_MIN + 1}}));
  EXPECT_FALSE(is_sequence({{INT64_MAX, INT64_MIN}}));
  EXPECT_FALSE(IntZone({1, 2, 3}).is_sequence());
  Prng prng(4);
  TestColumn nulls(types::PhysicalType::kInt64, Shape::kStep, 50, 0.5, prng);
  EXPECT_FALSE(Zone::Of(type, nulls.cells()).is_sequence());
}

// What is read of a section is what was written, and nothing else is taken for one.
TEST(ColumnDirectoryTest, TellsPlacesAndZones) {
  Prng prng(6);
  for (const SqlType& type : {SqlType{TypeKind::kInt8}, SqlType{TypeKind::kText}}) {
    SegmentFooter footer;
    footer.rows = 3 * kBlockRows + 5;
    footer.columns.resize(1);
    ColumnFooter& info = footer.columns[0];
    info.column = {ColumnId(1), type};
    info.blocks.offset = 4096;
    ColumnSection section;
    uint64_t offset = info.blocks.offset;
    std::deque<TestColumn> columns;
    for (uint32_t block = 0; block < 4; ++block) {
      const TestColumn& column = columns.emplace_back(types::PhysicalTypeOf(type), Shape::kRandom,
                                                      footer.rows_of(block), 0.1, prng);
      section.zones.push_back(Zone::Of(type, columns.back().cells()));
      section.sketch.AddCells(type, columns.back().cells());
      section.blocks.push_back({offset, 100 + column.nulls()});
      offset += AlignUp(section.blocks.back().bytes);
    }
    info.blocks.bytes = offset - info.blocks.offset;
    const std::string content = section.Serialize(type, false);
    DistinctSketch sketch;
    const auto directory = ColumnDirectory::Parse(footer, 0, content, &sketch);
    ASSERT_TRUE(directory.ok()) << directory.status().ToString();
    EXPECT_EQ(sketch.registers(), section.sketch.registers());
    ASSERT_EQ(directory->blocks_count(), 4u);
    EXPECT_LT(directory->memory_bytes(), 1000u);
    for (uint32_t block = 0; block < 4; ++block) {
      EXPECT_EQ(directory->extent(block).offset, section.blocks[block].offset);
      EXPECT_EQ(directory->extent(block).bytes, section.blocks[block].bytes);
      const Zone zone = directory->zone(block);
      EXPECT_EQ(zone.rows(), footer.rows_of(block));
      EXPECT_EQ(zone.nulls(), section.zones[block].nulls());
      EXPECT_EQ(types::Compare(type, zone.min(), section.zones[block].min()), 0);
      EXPECT_EQ(types::Compare(type, zone.max(), section.zones[block].max()), 0);
    }
    EXPECT_FALSE(ColumnDirectory::Parse(footer, 0, content.substr(0, 40)).ok());
    EXPECT_FALSE(ColumnDirectory::Parse(footer, 0, content + "x").ok());
    info.blocks.bytes += 64;
    EXPECT_FALSE(ColumnDirectory::Parse(footer, 0, content).ok());
  }
}

TEST(ZoneTest, NaNIsAboveEverything) {
  Prng prng(3);
  const SqlType type{TypeKind::kFloat8};
  TestColumn column(types::PhysicalType::kFloat64, Shape::kExtremes, 500, 0, prng);
  const Zone zone = Zone::Of(type, column.cells());
  EXPECT_TRUE(std::isnan(zone.max().f64));
  EXPECT_EQ(zone.min().f64, -std::numeric_limits<double>::infinity());
}

TEST(ZoneTest, SumsThatOverflowAreNotKept) {
  const SqlType type = types::NumericType(38, 0);
  std::vector<types::Int128> values(2, static_cast<types::Int128>(~(unsigned __int128){0} >> 1));
  const ColumnCells cells{types::PhysicalType::kInt128, 2, reinterpret_cast<char*>(values.data()),
                          nullptr, 0};
  EXPECT_FALSE(Zone::Of(type, cells).has_sum());
  const ColumnCells one{types::PhysicalType::kInt128, 1, reinterpret_cast<char*>(values.data()),
                        nullptr, 0};
  Zone zone = Zone::Of(type, one);
  EXPECT_TRUE(zone.has_sum());
  zone.Merge(type, Zone::Of(type, one));
  EXPECT_FALSE(zone.has_sum());
  EXPECT_TRUE(zone.has_range());
}

// Bounds of cut strings, at the edges where cutting could go wrong.
TEST(ZoneTest, CutStringsStayBounds) {
  const std::string base(23, 'a');
  for (const char last : {'\x1f', '\x7f', '\xff', ' '}) {
    for (const TypeKind kind : {TypeKind::kText, TypeKind::kBpchar}) {
      const std::string text = base + last + "tail";
      types::StringSlot slot = types::StringSlot::Of(text);
      const ColumnCells cells{types::PhysicalType::kString, 1, reinterpret_cast<char*>(&slot),
                              nullptr, 0};
      const SqlType type{kind};
      const Zone zone = Zone::Of(type, cells);
      EXPECT_TRUE(zone.MayMatch(type, {Value::String(text), Value::String(text)}));
      if (zone.has_range()) {
        EXPECT_GE(types::Compare(type, zone.max(), Value::String(text)), 0);
      }
    }
  }
  std::string high(40, '\xff');
  types::StringSlot slot = types::StringSlot::Of(high);
  const ColumnCells cells{types::PhysicalType::kString, 1, reinterpret_cast<char*>(&slot), nullptr,
                          0};
  EXPECT_FALSE(Zone::Of({TypeKind::kText}, cells).has_range());
}

TEST(SketchTest, EstimatesWithinAFewPercentAndMerges) {
  for (const uint64_t distinct : {1U, 10U, 300U, 2000U, 100'000U, 1'000'000U}) {
    DistinctSketch one, two;
    for (uint64_t i = 0; i < distinct; ++i) {
      (i % 2 == 0 ? one : two).Add(HashInt(i));
      one.Add(HashInt(i / 2));  // Again.
    }
    std::string bytes;
    two.Serialize(bytes);
    ByteReader in(bytes);
    DistinctSketch back;
    ASSERT_TRUE(back.Parse(in));
    EXPECT_EQ(in.remaining(), 0);
    one.Merge(back);
    const auto estimate = static_cast<double>(one.Estimate());
    EXPECT_NEAR(estimate, static_cast<double>(distinct),
                0.12 * static_cast<double>(distinct) + 0.5);
  }
}

TEST(SketchTest, EqualValuesHashEqually) {
  const SqlType real{TypeKind::kFloat8}, padded{TypeKind::kBpchar};
  EXPECT_EQ(SketchHash(real, Value::Float64(0.0)), SketchHash(real, Value::Float64(-0.0)));
  EXPECT_EQ(SketchHash(real, Value::Float64(std::nan("1"))),
            SketchHash(real, Value::Float64(-std::nan("2"))));
  EXPECT_EQ(SketchHash(padded, Value::String("a")), SketchHash(padded, Value::String("a  ")));
  EXPECT_NE(SketchHash({TypeKind::kText}, Value::String("a")),
            SketchHash({TypeKind::kText}, Value::String("a  ")));
}

// The numbers are on disk: were the hash to change, old filters would lose keys.
TEST(HashTest, NeverChanges) {
  EXPECT_EQ(HashInt(0), 0xe220a8397b1dcdaf);
  EXPECT_EQ(HashInt(1), 0x910a2dec89025cc1);
  EXPECT_EQ(HashBytes(""), 0x0);
  EXPECT_EQ(HashBytes("12345678"), 0x6a2860d75d9f65f3);
  EXPECT_EQ(HashBytes("OmenDB keeps rows"), 0x53d3335ed76dae59);
  EXPECT_NE(HashBytes(std::string_view("a\0", 2)), HashBytes("a"));
}

TEST(KeyFilterTest, LetsEveryKeyThroughAndFewOthers) {
  std::vector<uint64_t> hashes;
  for (uint64_t i = 0; i < 100'000; ++i) hashes.push_back(HashInt(i));
  KeyFilter filter;
  ASSERT_TRUE(filter.Parse(KeyFilter::Build(hashes)));
  for (const uint64_t hash : hashes) ASSERT_TRUE(filter.MayContain(hash));
  int others = 0;
  for (uint64_t i = 0; i < 100'000; ++i) others += filter.MayContain(HashInt(1 << 20 | i)) ? 1 : 0;
  EXPECT_LT(others, 4000);
  KeyFilter none;
  ASSERT_TRUE(none.Parse(KeyFilter::Build({})));
  EXPECT_TRUE(none.MayContain(1));
  EXPECT_FALSE(none.Parse("abc"));
}

// Windows hold the lower bound and touch two blocks at most, whatever the keys.
void ExpectWindows(const std::vector<std::string>& keys) {
  std::vector<std::string_view> views(keys.begin(), keys.end());
  const auto content = KeyIndex::BuildBytes(views);
  ASSERT_TRUE(content.ok());
  const auto index = KeyIndex::Parse(*content, static_cast<uint32_t>(keys.size()));
  ASSERT_TRUE(index.ok()) << index.status().ToString();
  const auto expect = [&](std::string_view key) {
    const auto truth =
        static_cast<uint64_t>(std::lower_bound(views.begin(), views.end(), key) - views.begin());
    const index::PositionRange window = index->Find(key);
    ASSERT_LE(window.begin, truth);
    ASSERT_GE(window.end, truth);
    if (window.end > window.begin) {
      ASSERT_LE((window.end - 1) / kBlockRows - window.begin / kBlockRows, 1);
    }
  };
  for (const std::string& key : keys) {
    expect(key);
    expect(key + '\0');
    expect(std::string_view(key).substr(0, key.size() - 1));
  }
  expect("");
  expect("\xff\xff\xff");
}

TEST(KeyIndexTest, WindowsOfByteKeysHoldTheLowerBound) {
  for (const testutil::TextSet set : testutil::kTextSets) {
    ExpectWindows(testutil::MakeTextKeys(set, 20'000, 1));
  }
  // Eight bytes that never tell keys apart, behind a prefix that some keys break.
  std::vector<std::string> keys{"aaaa"};
  for (int i = 0; i < 20'000; ++i) {
    char key[64];
    std::snprintf(key, sizeof(key), "aaaa%cxxxxxxxxxxxxxxxx%08d", 'b' + i / 15'000, i);
    keys.emplace_back(key);
  }
  ExpectWindows(keys);
  ExpectWindows({"only"});
}

TEST(KeyIndexTest, WindowsOfIntegersHoldTheLowerBound) {
  for (const testutil::KeySet set : testutil::kIntKeySets) {
    const std::vector<uint64_t> keys = testutil::MakeKeys(set, 50'000, 2);
    const auto index = KeyIndex::Parse(*KeyIndex::BuildIntegers(keys), 50'000);
    ASSERT_TRUE(index.ok());
    for (uint64_t i = 0; i < keys.size(); ++i) {
      const index::PositionRange window = index->Find(keys[i]);
      ASSERT_TRUE(window.begin <= i && i <= window.end) << testutil::Name(set);
      ASSERT_LE(window.end - window.begin, 1024);
    }
  }
}

TEST(KeyIndexTest, DamageIsRefused) {
  const std::vector<std::string> keys = testutil::MakeTextKeys(testutil::TextSet::kUrl, 9000, 1);
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  const std::string content = *KeyIndex::BuildBytes(views);
  EXPECT_TRUE(KeyIndex::Parse(content, 9000).ok());
  for (size_t size = 0; size < content.size(); size += 7) {
    EXPECT_FALSE(KeyIndex::Parse(content.substr(0, size), 9000).ok()) << size;
  }
  EXPECT_FALSE(KeyIndex::Parse(content, 60'000).ok());
}

}  // namespace
}  // namespace omendb::colstore
