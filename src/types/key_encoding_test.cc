#include "types/key_encoding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "testing/prng.h"
#include "types/numeric.h"
#include "types/text_io.h"

namespace omendb::types {
namespace {

int Sign(int order) { return (order > 0) - (order < 0); }

std::string KeyOf(const SqlType& type, const Value& value, KeyOptions options = {}) {
  std::string key;
  AppendKey(type, value, options, key);
  return key;
}

// Random values of a type, extremes among them.
Value RandomValue(const SqlType& type, testutil::Prng& prng, Arena& arena) {
  uint64_t bits = prng();
  if (prng() % 3 == 0) bits %= 5;
  switch (PhysicalTypeOf(type)) {
    case PhysicalType::kBool8:
      return Value::Bool(bits % 2 == 0);
    case PhysicalType::kInt16:
      return Value::Int16(static_cast<int16_t>(bits % 9999));
    case PhysicalType::kInt32:
      return Value::Int32(static_cast<int32_t>(bits % 999999999));
    case PhysicalType::kInt64:
      return Value::Int64(static_cast<int64_t>(bits) / 16);
    case PhysicalType::kInt128:
      return Value::I128(Int128{static_cast<int64_t>(bits)} * static_cast<int64_t>(prng()));
    case PhysicalType::kFloat32: {
      float special[] = {0.0f, -0.0f, NAN, INFINITY, -INFINITY};
      return Value::Float32(bits < 5 ? special[bits] : static_cast<float>(bits) - 9e18f);
    }
    case PhysicalType::kFloat64: {
      double special[] = {0.0, -0.0, NAN, INFINITY, -INFINITY};
      return Value::Float64(bits < 5 ? special[bits] : static_cast<double>(bits) - 9e18);
    }
    case PhysicalType::kInterval:
      return Value::OfInterval({static_cast<int32_t>(bits % 3), static_cast<int32_t>(bits % 61),
                                static_cast<int64_t>(bits % 7) * 86400000000});
    case PhysicalType::kString: {
      std::string text;
      const char alphabet[] = {'\0', '\1', 'a', 'b', ' ', '\xFE', '\xFF'};
      for (uint64_t n = prng() % 6; n > 0; --n) text += alphabet[prng() % 7];
      return Value::String(arena.Copy(text));
    }
  }
  return Value::Null();
}

TEST(KeyEncodingTest, OrdersAsCompareInEveryDirection) {
  testutil::Prng prng(42);
  Arena arena;
  const SqlType types[] = {{TypeKind::kBool},     {TypeKind::kInt2},   {TypeKind::kInt4},
                           {TypeKind::kInt8},     {TypeKind::kFloat4}, {TypeKind::kFloat8},
                           NumericType(4, 1),     NumericType(9, 2),   NumericType(18, 3),
                           {TypeKind::kNumeric},  {TypeKind::kText},   {TypeKind::kBpchar},
                           {TypeKind::kBytea},    {TypeKind::kDate},   {TypeKind::kTimestamp},
                           {TypeKind::kInterval}, {TypeKind::kUuid},   {TypeKind::kOid}};
  for (const SqlType& type : types) {
    for (int round = 0; round < 3000; ++round) {
      Value a = RandomValue(type, prng, arena);
      Value b = prng() % 8 == 0 ? a : RandomValue(type, prng, arena);
      int order = Sign(Compare(type, a, b));
      EXPECT_EQ(Sign(KeyOf(type, a).compare(KeyOf(type, b))), order) << FormatType(type);
      KeyOptions down{.descending = true, .nulls_first = true};
      EXPECT_EQ(Sign(KeyOf(type, a, down).compare(KeyOf(type, b, down))), -order);
      if (order == 0) {
        EXPECT_EQ(HashValue(type, a), HashValue(type, b)) << FormatType(type);
      }
      if (HasNativeIntKey(type)) {
        uint64_t x = EncodeIntKey(type, a);
        uint64_t y = EncodeIntKey(type, b);
        EXPECT_EQ((x > y) - (x < y), order);
        EXPECT_EQ(Compare(type, DecodeIntKey(type, x), a), 0);
      }
    }
  }
}

TEST(KeyEncodingTest, NullsGoWhereAsked) {
  SqlType type{TypeKind::kInt4};
  for (bool descending : {false, true}) {
    for (int32_t number : {INT32_MIN, 0, INT32_MAX}) {
      KeyOptions last{.descending = descending, .nulls_first = false};
      KeyOptions first{.descending = descending, .nulls_first = true};
      Value value = Value::Int32(number);
      EXPECT_GT(KeyOf(type, Value::Null(), last), KeyOf(type, value, last));
      EXPECT_LT(KeyOf(type, Value::Null(), first), KeyOf(type, value, first));
    }
  }
}

TEST(KeyEncodingTest, CompositeKeysOrderColumnByColumn) {
  testutil::Prng prng(3);
  Arena arena;
  SqlType text{TypeKind::kText};
  SqlType number{TypeKind::kInt8};
  for (int round = 0; round < 20000; ++round) {
    Value a1 = RandomValue(text, prng, arena), b1 = RandomValue(text, prng, arena);
    Value a2 = RandomValue(number, prng, arena), b2 = RandomValue(number, prng, arena);
    std::string a = KeyOf(text, a1) + KeyOf(number, a2, {.descending = true});
    std::string b = KeyOf(text, b1) + KeyOf(number, b2, {.descending = true});
    int order = Compare(text, a1, b1);
    if (order == 0) order = -Compare(number, a2, b2);
    ASSERT_EQ(Sign(a.compare(b)), Sign(order));
  }
}

TEST(KeyEncodingTest, TheLengthOfTheFirstColumnIsTold) {
  testutil::Prng prng(5);
  Arena arena;
  for (const TypeKind kind : {TypeKind::kBool, TypeKind::kInt2, TypeKind::kInt4, TypeKind::kOid,
                              TypeKind::kUuid, TypeKind::kFloat4, TypeKind::kInterval,
                              TypeKind::kText, TypeKind::kBytea, TypeKind::kNumeric}) {
    const SqlType type{kind};
    for (int round = 0; round < 2000; ++round) {
      const KeyOptions options{.descending = prng() % 2 == 0, .nulls_first = prng() % 2 == 0};
      const Value value = prng() % 9 == 0 ? Value::Null() : RandomValue(type, prng, arena);
      const std::string key = KeyOf(type, value, options);
      const std::string_view behind[] = {"", std::string_view("\0\0", 2), "\xFF\xFF", "ab"};
      for (const std::string_view more : behind) {
        ASSERT_EQ(KeyLength(type, options, key + std::string(more)), key.size())
            << FormatType(type);
      }
    }
  }
  EXPECT_EQ(KeyLength({TypeKind::kInt4}, {}, ""), 0u);
  EXPECT_EQ(KeyLength({TypeKind::kText}, {}, "\x01no end"), 7u);
  SqlType array{TypeKind::kInt4};
  array.is_array = true;
  EXPECT_EQ(KeyLength(array, {}, "\x01\x01"), 0u);
}

TEST(KeyEncodingTest, ExtremesOfFloats) {
  SqlType type{TypeKind::kFloat8};
  EXPECT_EQ(KeyOf(type, Value::Float64(0.0)), KeyOf(type, Value::Float64(-0.0)));
  EXPECT_GT(KeyOf(type, Value::Float64(NAN)), KeyOf(type, Value::Float64(INFINITY)));
  EXPECT_EQ(KeyOf(type, Value::Float64(NAN)), KeyOf(type, Value::Float64(-NAN)));
  double tiny = std::numeric_limits<double>::denorm_min();
  EXPECT_GT(KeyOf(type, Value::Float64(tiny)), KeyOf(type, Value::Float64(0)));
}

TEST(KeyEncodingTest, PrefixSuccessorEndsTheRangeOfAPrefix) {
  std::string key("a\xFF\xFF", 3);
  ASSERT_TRUE(PrefixSuccessor(key));
  EXPECT_EQ(key, "b");
  std::string last("\xFF\xFF", 2);
  EXPECT_FALSE(PrefixSuccessor(last));
}

TEST(KeyEncodingTest, BytesOfTheDiskFormat) {
  EXPECT_EQ(KeyOf({TypeKind::kInt4}, Value::Int32(1)), std::string("\x01\x80\0\0\x01", 5));
  EXPECT_EQ(KeyOf({TypeKind::kText}, Value::String(std::string_view("a\0b", 3))),
            std::string("\x01"
                        "a\0\xFF"
                        "b\0\0",
                        7));
  EXPECT_EQ(KeyOf({TypeKind::kInt4}, Value::Null()), "\x02");
}

}  // namespace
}  // namespace omendb::types
