#include "colstore/block_filter.h"

#include <gtest/gtest.h>

#include <map>

#include "colstore/columns_fixture.h"

namespace omendb::colstore {
namespace {

using testutil::Prng;
using types::PhysicalType;
using types::Value;

int64_t IntOf(PhysicalType physical, const Value& value) {
  char cell[16];
  types::StoreCell(physical, cell, value);
  return LoadInt(physical, cell);
}

// A value of the column, next to one, or anything.
int64_t PickBound(PhysicalType physical, const std::vector<Value>& values, Prng& prng) {
  const Value& value = values[prng.Below(values.size())];
  if (value.is_null || prng.Chance(0.1)) {
    static constexpr int64_t kOdd[] = {INT64_MIN, INT64_MAX, INT16_MIN, INT16_MAX, -1, 0, 1, 256};
    return kOdd[prng.Below(std::size(kOdd))];
  }
  const auto near = static_cast<uint64_t>(IntOf(physical, value)) + prng.Below(3) - 1;
  return static_cast<int64_t>(near);
}

IntRange PickRange(PhysicalType physical, const std::vector<Value>& values, Prng& prng) {
  IntRange range;
  if (prng.Chance(0.8)) range.low = PickBound(physical, values, prng);
  if (prng.Chance(0.8)) range.high = PickBound(physical, values, prng);
  if (prng.Chance(0.3)) range.high = range.low;
  if (prng.Chance(0.3)) range.except = PickBound(physical, values, prng);
  return range;
}

TEST(BlockFilterTest, RowsOfEveryEncodingAreThoseWhoseValueIsInTheRange) {
  Prng prng(5);
  BlockEncoder encoder;
  BlockFilter filter;
  std::map<Encoding, int> used;
  for (const PhysicalType physical : kPhysicalTypes) {
    if (!IsInteger(physical)) continue;
    for (const Shape shape : kShapes) {
      for (const double nulls : {0.0, 0.01, 0.4, 0.99, 1.0}) {
        for (const uint32_t rows : {1U, 64U, 65U, 2000U, 2048U}) {
          TestColumn column(physical, shape, rows, nulls, prng);
          for (int encoding = 1; encoding <= 6; ++encoding) {
            std::string bytes;
            if (!encoder.EncodeAs(Encoding(encoding), column.cells(), bytes)) continue;
            AlignedBytes aligned(bytes.size());
            std::memcpy(aligned.data(), bytes.data(), bytes.size());
            const auto block = Block::Make(physical, std::move(aligned));
            ASSERT_TRUE(block.ok());
            ++used[Encoding(encoding)];
            for (int i = 0; i < 8; ++i) {
              const IntRange range = PickRange(physical, column.values(), prng);
              RowMask mask{};
              for (uint32_t row = 0; row < rows; ++row) {
                mask[row / 64] |= uint64_t{prng.Chance(0.9)} << row % 64;
              }
              const RowMask before = mask;
              filter.Apply((*block)->view(), range, mask);
              for (uint32_t row = 0; row < kBlockRows; ++row) {
                const bool was = (before[row / 64] >> row % 64 & 1) != 0;
                bool expected = was && row < rows && !column.values()[row].is_null;
                if (expected) {
                  const int64_t value = IntOf(physical, column.values()[row]);
                  expected = value >= range.low && value <= range.high && value != range.except;
                }
                ASSERT_EQ((mask[row / 64] >> row % 64 & 1) != 0, expected)
                    << "type " << static_cast<int>(physical) << " shape " << static_cast<int>(shape)
                    << " encoding " << encoding << " row " << row << " of " << rows << ", "
                    << range.low << " to " << range.high << " but " << range.except.value_or(0);
              }
            }
          }
        }
      }
    }
  }
  for (int encoding = 1; encoding <= 6; ++encoding) EXPECT_GT(used[Encoding(encoding)], 50);
}

}  // namespace
}  // namespace omendb::colstore
