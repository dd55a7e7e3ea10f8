#include "colstore/block_filter.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

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

// Some of the values, with others between them.
IntSet PickSet(PhysicalType physical, const std::vector<Value>& values, Prng& prng) {
  std::vector<int64_t> numbers;
  for (uint64_t left = 1 + prng.Below(40); left > 0; --left) {
    numbers.push_back(PickBound(physical, values, prng));
  }
  return IntSet(numbers);
}

TEST(IntSetTest, HasWhatItWasMadeOf) {
  Prng prng(9);
  for (const uint64_t span : {1U, 100U, 5'000'000U, 0U}) {
    for (const size_t count : {1U, 2U, 1000U}) {
      std::set<int64_t> model;
      while (model.size() < std::min<uint64_t>(count, span == 0 ? count : span)) {
        model.insert(static_cast<int64_t>(span == 0 ? prng() : prng.Below(span)) - 50);
      }
      std::vector<int64_t> numbers(model.begin(), model.end());
      numbers.insert(numbers.end(), model.begin(), model.end());
      const IntSet set(numbers);
      for (const int64_t number : model) {
        for (const uint64_t step : {0U, 1U, 2U}) {
          const auto near = static_cast<int64_t>(static_cast<uint64_t>(number) + step - 1);
          ASSERT_EQ(set.Contains(near), model.contains(near)) << near;
        }
      }
      for (const int64_t odd : {INT64_MIN, INT64_MAX, int64_t{0}, int64_t{-1}}) {
        ASSERT_EQ(set.Contains(odd), model.contains(odd)) << odd;
      }
    }
  }
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
              IntRange range = PickRange(physical, column.values(), prng);
              const IntSet set = PickSet(physical, column.values(), prng);
              if (prng.Chance(0.5)) range.among = &set;
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
                  if (range.among != nullptr) expected = expected && set.Contains(value);
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
