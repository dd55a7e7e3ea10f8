#include "engine/key_boxes.h"

#include <gtest/gtest.h>

#include <deque>

#include "colstore/columns_fixture.h"

namespace omendb::engine {
namespace {

using colstore::Shape;
using colstore::TestColumn;
using types::SqlType;
using types::TypeKind;
using types::Value;

// Segments of random rows with a key of these columns.
class Segments {
 public:
  Segments(std::vector<KeyColumn> columns, size_t count, uint64_t seed)
      : columns_(std::move(columns)) {
    testutil::Prng prng(seed);
    for (size_t i = 0; i < count; ++i) Add(kRows, prng);
  }
  const std::vector<std::string>& keys(size_t segment) const { return keys_[segment]; }
  KeyBox BoxOf(size_t segment) const { return BoxOfSegment(columns_, footers_[segment]); }
  KeyParts PartsOf(const std::string& key) const { return PartsOfKey(columns_, key); }

 private:
  static constexpr uint32_t kRows = 40;

  void Add(uint32_t rows, testutil::Prng& prng) {
    colstore::SegmentFooter footer;
    std::vector<std::string> keys(rows);
    for (uint32_t i = 0; i < columns_.size(); ++i) {
      const SqlType& type = columns_[i].type;
      const Shape shape = colstore::kShapes[prng() % std::size(colstore::kShapes)];
      TestColumn& column = data_.emplace_back(types::PhysicalTypeOf(type), shape, rows, 0.0, prng);
      footer.columns.push_back({{ColumnId(static_cast<int16_t>(i + 1)), type},
                                {},
                                {},
                                colstore::Zone::Of(type, column.cells())});
      footer.key.push_back({i, columns_[i].options});
      for (uint32_t row = 0; row < rows; ++row) {
        types::AppendKey(type, column.values()[row], columns_[i].options, keys[row]);
      }
    }
    footer.min_key = *std::min_element(keys.begin(), keys.end());
    footer.max_key = *std::max_element(keys.begin(), keys.end());
    footers_.push_back(std::move(footer));
    keys_.push_back(std::move(keys));
  }

  const std::vector<KeyColumn> columns_;
  std::deque<TestColumn> data_;
  std::vector<colstore::SegmentFooter> footers_;
  std::vector<std::vector<std::string>> keys_;
};

std::vector<KeyColumn> RandomColumns(testutil::Prng& prng) {
  const SqlType some[] = {{TypeKind::kBool},         {TypeKind::kInt2},  {TypeKind::kInt4},
                          {TypeKind::kTimestamp},    {TypeKind::kOid},   types::NumericType(9, 2),
                          types::NumericType(38, 0), {TypeKind::kUuid},  {TypeKind::kFloat8},
                          {TypeKind::kText},         {TypeKind::kBytea}, {TypeKind::kInterval}};
  std::vector<KeyColumn> columns(1 + prng() % 5);
  for (KeyColumn& column : columns) {
    column.type = some[prng() % std::size(some)];
    column.options.descending = prng() % 2 == 0;
  }
  return columns;
}

std::vector<size_t> Visited(const KeyBoxes& boxes, const KeyParts& key, size_t end) {
  std::vector<size_t> visited;
  boxes.VisitBackward(key, end, [&](size_t i) {
    visited.push_back(i);
    return true;
  });
  return visited;
}

TEST(KeyBoxesTest, ASegmentIsAmongThoseThatMayHaveItsKeys) {
  testutil::Prng prng(11);
  for (int round = 0; round < 30; ++round) {
    const Segments segments(RandomColumns(prng), 100, prng());
    KeyBoxes boxes;
    for (size_t i = 0; i < 100; ++i) boxes.Add(segments.BoxOf(i));
    for (size_t i = 0; i < 100; ++i) {
      for (const std::string& key : segments.keys(i)) {
        const KeyParts parts = segments.PartsOf(key);
        const std::vector<size_t> visited = Visited(boxes, parts, 100);
        ASSERT_NE(std::find(visited.begin(), visited.end(), i), visited.end());
        ASSERT_TRUE(std::is_sorted(visited.rbegin(), visited.rend()));
        ASSERT_TRUE(segments.BoxOf(i).Meets({parts, parts}));
      }
    }
  }
}

// One column of the key has a range of its own in each segment.
TEST(KeyBoxesTest, OtherSegmentsAreLeftOut) {
  const std::vector<KeyColumn> columns = {{{TypeKind::kText}, {}},
                                          {{TypeKind::kTimestamp}, {.descending = true}}};
  const auto key_of = [&](std::string_view device, int64_t time) {
    std::string key;
    types::AppendKey(columns[0].type, Value::String(device), columns[0].options, key);
    types::AppendKey(columns[1].type, Value::Int64(time), columns[1].options, key);
    return key;
  };
  KeyBoxes boxes;
  std::vector<KeyBox> added;
  for (int64_t i = 0; i < 100; ++i) {
    KeyBox box{PartsOfKey(columns, key_of("a", i * 10 + 9)),
               PartsOfKey(columns, key_of("z", i * 10))};
    boxes.Add(box);
    added.push_back(box);
  }
  EXPECT_EQ(Visited(boxes, PartsOfKey(columns, key_of("mm", 457)), 100), std::vector<size_t>{45});
  EXPECT_EQ(Visited(boxes, PartsOfKey(columns, key_of("mm", 457)), 45), std::vector<size_t>());
  EXPECT_EQ(Visited(boxes, PartsOfKey(columns, key_of("zz", 457)), 100), std::vector<size_t>());
  EXPECT_FALSE(added[3].Meets(added[4]));
  EXPECT_TRUE(added[3].Meets(added[3]));
}

}  // namespace
}  // namespace omendb::engine
