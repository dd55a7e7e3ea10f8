// columns_fixture.h - columns of many shapes for the tests of segments: a seeded generator and the
// flat cells that encoders take.
//
// Ownership  A Column owns cells, validity and the bytes of its strings.
#pragma once

#include <cmath>
#include <cstring>
#include <deque>
#include <limits>
#include <string>
#include <vector>

#include "colstore/encode.h"
#include "testing/prng.h"
#include "types/value.h"

namespace omendb::colstore {

enum class Shape {
  kConstant,
  kSmallRange,
  kSorted,
  kStep,
  kRuns,
  kFewValues,
  kOutliers,
  kRandom,
  kExtremes,
};
inline constexpr Shape kShapes[] = {Shape::kConstant, Shape::kSmallRange, Shape::kSorted,
                                    Shape::kStep,     Shape::kRuns,       Shape::kFewValues,
                                    Shape::kOutliers, Shape::kRandom,     Shape::kExtremes};

inline constexpr types::PhysicalType kPhysicalTypes[] = {
    types::PhysicalType::kBool8,   types::PhysicalType::kInt16,    types::PhysicalType::kInt32,
    types::PhysicalType::kInt64,   types::PhysicalType::kInt128,   types::PhysicalType::kFloat32,
    types::PhysicalType::kFloat64, types::PhysicalType::kInterval, types::PhysicalType::kString};

class TestColumn {
 public:
  // `null_share` of the rows are NULL.
  TestColumn(types::PhysicalType physical, Shape shape, uint32_t rows, double null_share,
             testutil::Prng& prng)
      : physical_(physical), prng_(prng) {
    const auto size = static_cast<size_t>(types::PhysicalSize(physical));
    cells_.assign(size * rows, 0);
    validity_.assign((rows + 63) / 64, 0);
    for (uint32_t i = 0; i < rows; ++i) {
      types::Value value = MakeValue(shape, i);
      if (prng_.Chance(null_share)) value = types::Value::Null();
      values_.push_back(value);
      if (value.is_null) {
        ++nulls_;
      } else {
        types::StoreCell(physical, cells_.data() + i * size, value);
        validity_[i / 64] |= uint64_t{1} << i % 64;
      }
    }
  }
  ColumnCells cells() {
    return {physical_, static_cast<uint32_t>(values_.size()), cells_.data(), validity_.data(),
            nulls_};
  }
  const std::vector<types::Value>& values() const { return values_; }
  uint32_t nulls() const { return nulls_; }

 private:
  types::Value MakeValue(Shape shape, uint32_t row) {
    using types::PhysicalType;
    using types::Value;
    switch (physical_) {
      case PhysicalType::kBool8:
        return Value::Bool((Integer(shape, row) & 1) != 0);
      case PhysicalType::kInt16:
        return Value::Int16(static_cast<int16_t>(Integer(shape, row)));
      case PhysicalType::kInt32:
        return Value::Int32(static_cast<int32_t>(Integer(shape, row)));
      case PhysicalType::kInt64:
        return Value::Int64(Integer(shape, row));
      case PhysicalType::kInt128:
        return Value::I128(Wide(shape, row));
      case PhysicalType::kFloat32:
        return Value::Float32(static_cast<float>(Float(shape, row)));
      case PhysicalType::kFloat64:
        return Value::Float64(Float(shape, row));
      case PhysicalType::kInterval:
        return Value::OfInterval({static_cast<int32_t>(Integer(shape, row)),
                                  static_cast<int32_t>(Integer(shape, row) % 31),
                                  Integer(shape, row)});
      case PhysicalType::kString:
        return Value::String(texts_.emplace_back(Text(shape, row)));
    }
    return Value::Null();
  }
  int64_t Integer(Shape shape, uint32_t row) {
    static constexpr int64_t kExtremes[] = {INT64_MIN, INT64_MAX, 0, -1, 1, INT32_MIN, INT32_MAX};
    switch (shape) {
      case Shape::kConstant:
        return -77;
      case Shape::kSmallRange:
        return prng_.Between(-5, 90);
      case Shape::kSorted:
        return last_ += prng_.Between(0, 1000);
      case Shape::kStep:
        return 1'000'000'007LL + 3LL * row;
      case Shape::kRuns:
        if (prng_.Chance(0.02)) last_ = static_cast<int64_t>(prng_());
        return last_;
      case Shape::kFewValues:
        return static_cast<int64_t>(prng_.Below(9) * 0x123456789abcdefULL);
      case Shape::kOutliers:
        return prng_.Chance(0.01) ? static_cast<int64_t>(prng_()) : prng_.Between(0, 63);
      case Shape::kRandom:
        return static_cast<int64_t>(prng_());
      case Shape::kExtremes:
        return kExtremes[prng_.Below(std::size(kExtremes))];
    }
    return 0;
  }
  types::Int128 Wide(Shape shape, uint32_t row) {
    const types::Int128 low = Integer(shape, row);
    if (shape == Shape::kRandom || shape == Shape::kExtremes) {
      return low << 64 | static_cast<types::Int128>(prng_());
    }
    return low + (shape == Shape::kOutliers && prng_.Chance(0.01) ? types::Int128{1} << 90 : 0);
  }
  double Float(Shape shape, uint32_t row) {
    using Limits = std::numeric_limits<double>;
    static constexpr double kExtremes[] = {0.0,
                                           -0.0,
                                           Limits::infinity(),
                                           -Limits::infinity(),
                                           Limits::quiet_NaN(),
                                           Limits::max(),
                                           Limits::lowest(),
                                           Limits::denorm_min(),
                                           0.1,
                                           -123.45,
                                           1e300,
                                           4503599627370497.5};
    if (shape == Shape::kExtremes) return kExtremes[prng_.Below(std::size(kExtremes))];
    if (shape == Shape::kRandom) {
      const uint64_t bits = prng_();
      double value;
      std::memcpy(&value, &bits, sizeof(value));
      return value;
    }
    if (shape == Shape::kOutliers && prng_.Chance(0.02)) return std::sqrt(2.0) * row;
    return static_cast<double>(Integer(shape, row) % 10'000'000) / 100.0;
  }
  std::string Text(Shape shape, uint32_t row) {
    switch (shape) {
      case Shape::kConstant:
        return "a constant that is longer than twelve bytes";
      case Shape::kSmallRange:
        return "https://www.example.com/catalog/item?id=" + std::to_string(prng_.Below(1000000));
      case Shape::kExtremes:
        if (prng_.Chance(0.5)) return "";
        if (row == 5) return std::string(300'000, 'x') + prng_.Bytes(1000);
        return prng_.Bytes(prng_.Below(3) == 0 ? 12 : prng_.Below(40));
      case Shape::kRandom:
        return prng_.Bytes(prng_.Below(30));
      default:
        return "v" + std::to_string(Integer(shape, row));
    }
  }

  const types::PhysicalType physical_;
  testutil::Prng& prng_;
  int64_t last_ = 0;
  std::vector<char> cells_;
  std::vector<uint64_t> validity_;
  std::vector<types::Value> values_;
  std::deque<std::string> texts_;
  uint32_t nulls_ = 0;
};

// The same bits, and not only equal: -0 and NaN count.
inline bool SameBits(types::PhysicalType physical, const types::Value& a, const types::Value& b) {
  if (a.is_null || b.is_null) return a.is_null == b.is_null;
  if (physical == types::PhysicalType::kString) return a.str() == b.str();
  char x[16] = {}, y[16] = {};
  types::StoreCell(physical, x, a);
  types::StoreCell(physical, y, b);
  return std::memcmp(x, y, sizeof(x)) == 0;
}

}  // namespace omendb::colstore
