#include "types/value.h"

#include <gtest/gtest.h>

#include <string>

#include "testing/prng.h"
#include "types/array.h"
#include "types/text_io.h"

namespace omendb::types {
namespace {

TEST(StringSlotTest, ShortStringsLieInlineZeroPadded) {
  StringSlot slot = StringSlot::Of("hello");
  EXPECT_TRUE(slot.is_inline());
  EXPECT_EQ(slot.view(), "hello");
  StringSlot same = StringSlot::Of(std::string("hello"));
  EXPECT_EQ(std::memcmp(&slot, &same, sizeof(slot)), 0);
  EXPECT_EQ(StringSlot::Of("").view(), "");
  EXPECT_TRUE(StringSlot::Of("123456789012").is_inline());
}

TEST(StringSlotTest, LongStringsAreBorrowedWithAPrefix) {
  std::string text = "1234567890123";
  StringSlot slot = StringSlot::Of(text);
  EXPECT_FALSE(slot.is_inline());
  EXPECT_EQ(slot.pointer, text.data());
  EXPECT_EQ(std::string_view(slot.prefix, 4), "1234");
  EXPECT_EQ(slot.view(), text);
}

TEST(ValueTest, CellsRoundTripInEveryPhysicalType) {
  alignas(16) char cell[16];
  auto round_trip = [&](PhysicalType type, const Value& value) {
    StoreCell(type, cell, value);
    return LoadCell(type, cell);
  };
  EXPECT_TRUE(round_trip(PhysicalType::kBool8, Value::Bool(true)).boolean);
  EXPECT_EQ(round_trip(PhysicalType::kInt16, Value::Int16(-7)).i16, -7);
  EXPECT_EQ(round_trip(PhysicalType::kInt32, Value::Int32(INT32_MIN)).i32, INT32_MIN);
  EXPECT_EQ(round_trip(PhysicalType::kInt64, Value::Int64(INT64_MAX)).i64, INT64_MAX);
  EXPECT_EQ(round_trip(PhysicalType::kFloat32, Value::Float32(1.5f)).f32, 1.5f);
  EXPECT_EQ(round_trip(PhysicalType::kFloat64, Value::Float64(-0.1)).f64, -0.1);
  Int128 big = Int128{1} << 100;
  EXPECT_TRUE(round_trip(PhysicalType::kInt128, Value::I128(big)).i128 == big);
  Interval interval{1, -2, 3};
  EXPECT_EQ(round_trip(PhysicalType::kInterval, Value::OfInterval(interval)).interval, interval);
  EXPECT_EQ(round_trip(PhysicalType::kString, Value::String("short")).str(), "short");
  EXPECT_EQ(round_trip(PhysicalType::kString, Value::String("longer than twelve")).str(),
            "longer than twelve");
}

TEST(ArenaTest, AllocationsAreAlignedAndResetKeepsTheLargestBlock) {
  Arena arena;
  for (size_t size : {0u, 1u, 15u, 16u, 17u, 5000u, 100000u}) {
    char* p = arena.Allocate(size);
    ASSERT_NE(p, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % 16, 0u);
    std::memset(p, 1, size);
  }
  size_t before = arena.bytes_reserved();
  arena.Reset();
  EXPECT_LT(arena.bytes_reserved(), before);
  EXPECT_GE(arena.bytes_reserved(), 100000u);
  size_t kept = arena.bytes_reserved();
  arena.Allocate(90000);
  EXPECT_EQ(arena.bytes_reserved(), kept);
}

TEST(ArenaTest, CopyToOwnsTheBytes) {
  Arena arena;
  std::string text = "some text that is long";
  Value copy = CopyTo(arena, PhysicalType::kString, Value::String(text));
  text.assign(text.size(), 'x');
  EXPECT_EQ(copy.str(), "some text that is long");
  EXPECT_TRUE(CopyTo(arena, PhysicalType::kString, Value::Null()).is_null);
}

TEST(ArrayTest, BuilderAndReaderAgreeOnRandomArrays) {
  testutil::Prng prng(7);
  for (int round = 0; round < 500; ++round) {
    bool strings = round % 2 == 0;
    SqlType element{strings ? TypeKind::kText : TypeKind::kInt8};
    ArrayBuilder builder(element);
    std::vector<std::string> texts(prng() % 40);
    std::vector<bool> nulls;
    for (std::string& text : texts) {
      text = std::string(prng() % 20, static_cast<char>('a' + prng() % 26));
      nulls.push_back(prng() % 5 == 0);
      Value value = strings ? Value::String(text) : Value::Int64(static_cast<int64_t>(text.size()));
      builder.Append(nulls.back() ? Value::Null() : value);
    }
    Arena arena;
    Value array = builder.Finish(arena);
    ASSERT_TRUE(ValidateArray(element, array.str()).ok());
    ArrayReader reader(element, array.str());
    ASSERT_EQ(reader.size(), texts.size());
    for (uint32_t i = 0; i < reader.size(); ++i) {
      Value value = reader.At(i);
      ASSERT_EQ(value.is_null, nulls[i]);
      if (value.is_null) continue;
      if (strings) {
        EXPECT_EQ(value.str(), texts[i]);
      } else {
        EXPECT_EQ(value.i64, static_cast<int64_t>(texts[i].size()));
      }
    }
    EXPECT_EQ(builder.size(), 0u);
  }
}

TEST(ArrayTest, TruncatedOrTornBytesAreCorrupt) {
  Arena arena;
  Value array = ParseText({TypeKind::kText, true}, "{a,NULL,bcd}", arena, {}).value();
  std::string bytes(array.str());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(ValidateArray({TypeKind::kText}, bytes.substr(0, size)).sqlstate(), "XX001");
  }
  std::string huge = bytes;
  huge[2] = '\xFF';
  EXPECT_FALSE(ValidateArray({TypeKind::kText}, huge).ok());
}

}  // namespace
}  // namespace omendb::types
