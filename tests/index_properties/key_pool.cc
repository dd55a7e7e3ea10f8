#include "tests/index_properties/key_pool.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "testing/prng.h"
#include "types/text_io.h"
#include "types/value.h"

namespace omendb::index_properties {
namespace {

using types::Arena;
using types::KeyOptions;
using types::PhysicalType;
using types::SqlType;
using types::TypeKind;
using types::Value;

// Dense, in lumps, and anywhere, with the ends of the range.
int64_t RandomInteger(testutil::Prng& prng, int64_t low, int64_t high) {
  const uint64_t width = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  const auto above_low = [&](uint64_t distance) {
    return static_cast<int64_t>(static_cast<uint64_t>(low) + distance);
  };
  switch (prng.Below(8)) {
    case 0:
      return prng.Below(2) == 0 ? low : high;
    case 1:
    case 2:
      return std::clamp<int64_t>(static_cast<int64_t>(prng.Below(4000)), low, high);
    case 3:
    case 4:
      return above_low((prng.Below(16) * (width / 16) + prng.Below(200)) % width);
    default:
      return above_low(width == UINT64_MAX ? prng() : prng.Below(width + 1));
  }
}

double RandomFloat(testutil::Prng& prng) {
  constexpr double kSpecial[] = {0.0, -0.0, NAN, INFINITY, -INFINITY, 5e-324, -5e-324, 1e-40};
  switch (prng.Below(4)) {
    case 0:
      return kSpecial[prng.Below(std::size(kSpecial))];
    case 1:
      return static_cast<double>(RandomInteger(prng, -5000, 5000)) / 8;
    default:
      return std::ldexp(static_cast<double>(prng()) - 9e18, static_cast<int>(prng.Below(120)) - 60);
  }
}

std::string RandomText(testutil::Prng& prng) {
  constexpr char kAlphabet[] = {'\0', '\1', 'a', 'b', 'c', ' ', '\x7F'};
  std::string text = prng.Below(2) == 0 ? "https://example.com/a/long/common/prefix/" : "";
  for (uint64_t n = prng.Below(prng.Below(8) == 0 ? 300 : 9); n > 0; --n) {
    text += kAlphabet[prng.Below(std::size(kAlphabet))];
  }
  return text;
}

std::string RandomNumericText(testutil::Prng& prng) {
  if (prng.Below(32) == 0) return prng.Below(2) == 0 ? "NaN" : "-Infinity";
  std::string text = std::to_string(RandomInteger(prng, INT64_MIN, INT64_MAX));
  if (prng.Below(8) == 0) text += std::string(prng.Below(60), '0');
  return text + '.' + std::to_string(prng.Below(1000));
}

Value RandomString(const SqlType& type, testutil::Prng& prng, Arena& arena) {
  if (type.kind != TypeKind::kNumeric) return Value::String(arena.Copy(RandomText(prng)));
  auto value = types::ParseText(type, RandomNumericText(prng), arena, types::IoSettings{});
  OMEN_CHECK(value.ok());
  return *value;
}

Value RandomValue(const SqlType& type, testutil::Prng& prng, Arena& arena) {
  switch (types::PhysicalTypeOf(type)) {
    case PhysicalType::kBool8:
      return Value::Bool(prng.Below(2) == 0);
    case PhysicalType::kInt16:
      return Value::Int16(static_cast<int16_t>(RandomInteger(prng, INT16_MIN, INT16_MAX)));
    case PhysicalType::kInt32:
      return Value::Int32(static_cast<int32_t>(RandomInteger(prng, INT32_MIN, INT32_MAX)));
    case PhysicalType::kInt64:
      return Value::Int64(RandomInteger(prng, INT64_MIN, INT64_MAX));
    case PhysicalType::kInt128:
      return Value::I128(types::Int128{RandomInteger(prng, INT64_MIN, INT64_MAX)} << 64 | prng());
    case PhysicalType::kFloat32:
      return Value::Float32(static_cast<float>(RandomFloat(prng)));
    case PhysicalType::kFloat64:
      return Value::Float64(RandomFloat(prng));
    case PhysicalType::kInterval:
      return Value::OfInterval({static_cast<int32_t>(prng.Below(50)),
                                static_cast<int32_t>(prng.Below(90)),
                                RandomInteger(prng, -86400000000, 86400000000)});
    case PhysicalType::kString:
      return RandomString(type, prng, arena);
  }
  return Value::Null();
}

// As PostgreSQL orders a column with these options.
int CompareColumn(const SqlType& type, KeyOptions options, const Value& a, const Value& b) {
  if (a.is_null || b.is_null) {
    const int nulls_last = static_cast<int>(a.is_null) - static_cast<int>(b.is_null);
    return options.nulls_first ? -nulls_last : nulls_last;
  }
  const int order = types::Compare(type, a, b);
  return options.descending ? -order : order;
}

struct Column {
  SqlType type;
  KeyOptions options;
};

// Rows in the order of the columns, one of those that are equal.
std::vector<types::Row> RandomRows(const std::vector<Column>& columns, size_t count, Arena& arena) {
  testutil::Prng prng(count + static_cast<uint64_t>(columns[0].type.kind));
  std::vector<types::Row> rows(count);
  for (types::Row& row : rows) {
    for (const Column& column : columns) {
      row.push_back(prng.Below(50) == 0 ? Value::Null() : RandomValue(column.type, prng, arena));
    }
  }
  const auto compare = [&](const types::Row& a, const types::Row& b) {
    for (size_t i = 0; i < columns.size(); ++i) {
      const int order = CompareColumn(columns[i].type, columns[i].options, a[i], b[i]);
      if (order != 0) return order;
    }
    return 0;
  };
  std::sort(rows.begin(), rows.end(),
            [&](const types::Row& a, const types::Row& b) { return compare(a, b) < 0; });
  const auto same = [&](const types::Row& a, const types::Row& b) { return compare(a, b) == 0; };
  rows.erase(std::unique(rows.begin(), rows.end(), same), rows.end());
  return rows;
}

BytesKeys Encode(const std::vector<Column>& columns, size_t count) {
  Arena arena;
  BytesKeys pool;
  for (const types::Row& row : RandomRows(columns, count, arena)) {
    std::string key;
    for (size_t i = 0; i < columns.size(); ++i) {
      types::AppendKey(columns[i].type, row[i], columns[i].options, key);
    }
    pool.keys.push_back(std::move(key));
  }
  return pool;
}

}  // namespace

IntKeys IntKeysOf(const SqlType& type, size_t count) {
  Arena arena;
  IntKeys pool;
  for (const types::Row& row : RandomRows({{type, {}}}, count, arena)) {
    if (!row[0].is_null) pool.keys.push_back(types::EncodeIntKey(type, row[0]));
  }
  return pool;
}

BytesKeys BytesKeysOf(const SqlType& type, KeyOptions options, size_t count) {
  return Encode({{type, options}}, count);
}

BytesKeys CompositeKeys(size_t count) {
  return Encode({{{TypeKind::kInt2}, {}},
                 {{TypeKind::kText}, {.descending = true, .nulls_first = true}},
                 {{TypeKind::kFloat8}, {.nulls_first = true}}},
                count);
}

}  // namespace omendb::index_properties
