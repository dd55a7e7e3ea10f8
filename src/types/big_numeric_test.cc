// big_numeric_test.cc - numerics without precision: the encoding, against exact arithmetic of GMP's
// rational numbers, and what cannot be seen through SQL. tests/oracle/numeric.sql compares the
// operators and functions with PostgreSQL.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "types/big_math.h"
#include "types/binary_io.h"
#include "types/casts.h"
#include "types/key_encoding.h"
#include "types/numeric.h"
#include "types/text_io.h"

namespace omendb::types {
namespace {

constexpr SqlType kNumeric{TypeKind::kNumeric};

std::string Bytes(const BigNumeric& value) {
  std::string bytes;
  AppendBigBytes(value, bytes);
  return bytes;
}
std::string Text(const BigNumeric& value) {
  std::string text;
  AppendBig(value, text);
  return text;
}
BigNumeric Parse(const std::string& text) { return ParseBig(text).value(); }
std::string Error(const Result<BigNumeric>& result) {
  return result.ok() ? "no error: " + Text(*result) : std::string(result.status().sqlstate());
}

// Numbers of every size and scale, many of them close to each other.
BigNumeric Random(std::mt19937_64& random) {
  const size_t lengths[] = {0, 1, 2, 4, 5, 9, 18, 37, 39, 120};
  std::string digits;
  for (size_t i = lengths[random() % std::size(lengths)]; i > 0; --i) {
    // Long runs of zeros and nines are where carries and cuts go wrong.
    const uint64_t kind = random() % 4;
    digits += static_cast<char>('0' + (kind == 0 ? 0 : kind == 1 ? 9 : random() % 10));
  }
  BigNumeric value;
  value.units = digits.empty() ? mpz_class(0) : mpz_class(digits, 10);
  const int scales[] = {0, 0, 1, 2, 3, 4, 5, 8, 20, 45, 300};
  value.scale = scales[random() % std::size(scales)];
  if (random() % 2 == 0) value.units = -value.units;
  return value;
}

mpq_class Exact(const BigNumeric& value) {
  mpq_class exact(value.units, BigPowerOfTen(value.scale));
  exact.canonicalize();
  return exact;
}

int Sign(int order) { return order < 0 ? -1 : order > 0 ? 1 : 0; }

TEST(BigNumericTest, BytesKeepValueAndScale) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    const BigNumeric value = Random(random);
    const std::string bytes = Bytes(value);
    ASSERT_TRUE(IsBigEncoding(bytes)) << Text(value);
    const BigNumeric back = DecodeBig(bytes);
    ASSERT_TRUE(back.units == value.units) << Text(value);
    ASSERT_EQ(back.scale, value.scale) << Text(value);
    if (const auto small = DecodeSmall(bytes)) {
      std::string again;
      AppendBigBytes(small->units, small->scale, again);
      ASSERT_EQ(again, bytes) << Text(value);
    }
    ASSERT_EQ(Text(Parse(Text(value))), Text(value));
  }
}

TEST(BigNumericTest, BytesOrderAsValuesDo) {
  std::mt19937_64 random(2);
  std::vector<BigNumeric> values{
      BigNumeric::NaN(), BigNumeric::Infinity(), BigNumeric::Infinity(true),
      Parse("1"),        Parse("1.0000"),        Parse("1.0001"),
      Parse("-1.5"),     Parse("-1.50000001")};
  for (int i = 0; i < 400; ++i) values.push_back(Random(random));
  const auto exact = [](const BigNumeric& a, const BigNumeric& b) {
    return a.is_finite() && b.is_finite() ? Sign(cmp(Exact(a), Exact(b))) : Sign(CompareBig(a, b));
  };
  for (const BigNumeric& a : values) {
    for (const BigNumeric& b : values) {
      const std::string x = Bytes(a);
      const std::string y = Bytes(b);
      const int order = exact(a, b);
      ASSERT_EQ(Sign(BigKey(x).compare(BigKey(y))), order) << Text(a) << " " << Text(b);
      ASSERT_EQ(Sign(CompareBig(a, b)), order) << Text(a) << " " << Text(b);
      ASSERT_EQ(Sign(Compare(kNumeric, Value::String(x), Value::String(y))), order);
      if (order != 0) {
        ASSERT_EQ(Sign(x.compare(y)), order);
      } else {
        ASSERT_EQ(HashValue(kNumeric, Value::String(x)), HashValue(kNumeric, Value::String(y)));
      }
      std::string x_key;
      std::string y_key;
      AppendKey(kNumeric, Value::String(x), {}, x_key);
      AppendKey(kNumeric, Value::String(y), {}, y_key);
      ASSERT_EQ(Sign(x_key.compare(y_key)), order) << Text(a) << " " << Text(b);
    }
  }
}

TEST(BigNumericTest, ArithmeticIsExact) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 5000; ++i) {
    const BigNumeric a = Random(random);
    const BigNumeric b = Random(random);
    ASSERT_TRUE(Exact(AddBig(a, b).value()) == Exact(a) + Exact(b));
    ASSERT_TRUE(Exact(SubtractBig(a, b).value()) == Exact(a) - Exact(b));
    ASSERT_TRUE(Exact(MultiplyBig(a, b).value()) == Exact(a) * Exact(b));
    if (b.units == 0) continue;
    const BigNumeric quotient = DivideBig(a, b).value();
    const mpq_class off = abs(Exact(quotient) - Exact(a) / Exact(b));
    ASSERT_TRUE(off * 2 <= mpq_class(1, BigPowerOfTen(quotient.scale)))
        << Text(a) << "/" << Text(b);
    const BigNumeric rest = ModuloBig(a, b).value();
    ASSERT_TRUE(Exact(DivideWhole(a, b).value()) * Exact(b) + Exact(rest) == Exact(a));
  }
}

// Of few and of many digits, so that both answers of DivideSmall are met.
TEST(BigNumericTest, SmallQuotientsAreThoseOfBigOnes) {
  std::mt19937_64 random(11);
  const auto draw = [&] {
    Int128 units = static_cast<int64_t>(random());
    units =
        units * static_cast<int64_t>(random() >> 1) / PowerOfTen(static_cast<int>(random() % 38));
    return SmallNumeric{units, static_cast<int>(random() % 30)};
  };
  int small = 0;
  for (int i = 0; i < 20000; ++i) {
    const SmallNumeric a = draw();
    const SmallNumeric b = draw();
    if (b.units == 0) continue;
    const BigNumeric big =
        DivideBig(BigNumeric::Of(a.units, a.scale), BigNumeric::Of(b.units, b.scale)).value();
    if (const auto quotient = DivideSmall(a, b)) {
      ++small;
      ASSERT_EQ(quotient->scale, big.scale);
      ASSERT_TRUE(BigNumeric::Of(quotient->units).units == big.units);
    }
    std::string bytes, expected;
    ASSERT_TRUE(AppendQuotient(a, b, bytes).ok());
    AppendBigBytes(big, expected);
    ASSERT_EQ(bytes, expected);
  }
  EXPECT_GT(small, 2000);
  EXPECT_LT(small, 18000);
}

// Averages of few rows: whole numbers, of which the quotient is often whole too.
TEST(BigNumericTest, WholeQuotientsAreThoseOfBigOnes) {
  std::mt19937_64 random(12);
  const auto draw = [&] { return static_cast<int64_t>(random() >> (24 + random() % 40)); };
  std::vector<std::pair<int64_t, int64_t>> pairs{
      {0, 1}, {10000, 1}, {99999999, 1}, {100000000, 1}, {UINT32_MAX, 1}, {UINT32_MAX + 1L, 1}};
  for (int i = 0; i < 20000; ++i) {
    const int64_t divisor = 1 + draw() % 5000;
    const int64_t dividend = draw() % 20'000'000;
    pairs.emplace_back(random() % 2 == 0 ? dividend * divisor : dividend, divisor);
  }
  for (const auto& [a, b] : pairs) {
    for (const int64_t dividend : {a, -a}) {
      std::string bytes, expected;
      ASSERT_TRUE(AppendQuotient({dividend, 0}, {b, 0}, bytes).ok());
      AppendBigBytes(DivideBig(BigNumeric::Of(dividend), BigNumeric::Of(b)).value(), expected);
      ASSERT_EQ(bytes, expected) << dividend << " / " << b;
    }
  }
}

TEST(BigNumericTest, FunctionsAgreeWithEachOther) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 300; ++i) {
    BigNumeric a = AbsBig(Random(random));
    if (a.units == 0 || DigitCount(a.units) - a.scale > 600 || a.scale > 300) continue;
    const BigNumeric root = SqrtBig(a).value();
    const mpq_class unit(1, BigPowerOfTen(root.scale));
    ASSERT_TRUE(abs(Exact(root) * Exact(root) - Exact(a)) <= (Exact(root) * 2 + unit) * unit)
        << Text(a);
    // exp(ln(a)) is a again, to the digits that ln has.
    const BigNumeric back = ExpBig(LnBig(a).value()).value();
    const mpq_class relative = abs(Exact(back) / Exact(a) - 1);
    if (a.scale < 20) {
      ASSERT_TRUE(relative <= mpq_class(1, BigPowerOfTen(12))) << Text(a);
    }
  }
}

TEST(BigNumericTest, BinaryFormKeepsDigits) {
  std::mt19937_64 random(5);
  Arena arena;
  for (int i = 0; i < 3000; ++i) {
    const std::string bytes = Bytes(Random(random));
    std::string sent;
    SendBinary(kNumeric, Value::String(bytes), sent);
    const Value received = ReceiveBinary(kNumeric, sent, arena).value();
    ASSERT_EQ(received.str(), bytes) << Text(DecodeBig(bytes));
  }
}

TEST(BigNumericTest, Limits) {
  EXPECT_EQ(Error(ParseBig("1e131071")).substr(0, 8), "no error");
  EXPECT_EQ(Error(ParseBig("1e131072")), "22003");
  EXPECT_EQ(Error(ParseBig("1e-16384")), "22003");
  EXPECT_EQ(Error(ParseBig("1e99999999999999999999")), "22003");
  const BigNumeric great = Parse("1e131071");
  EXPECT_EQ(Error(MultiplyBig(great, Parse("10"))), "22003");
  EXPECT_EQ(Error(DivideBig(great, Parse("0"))), "22012");
  EXPECT_EQ(Error(ParseBig("+NaN")), "22P02");
  EXPECT_EQ(Error(ParseBig("1e")), "22P02");
  EXPECT_EQ(Text(Parse(" -inf ")), "-Infinity");
}

TEST(BigNumericTest, RefusesForeignBytes) {
  EXPECT_FALSE(IsBigEncoding(""));
  EXPECT_FALSE(IsBigEncoding(std::string("\x60\x40\x00", 3)));
  std::string bytes = Bytes(Parse("12345.678"));
  EXPECT_TRUE(IsBigEncoding(bytes));
  bytes.pop_back();
  EXPECT_FALSE(IsBigEncoding(bytes));
}

TEST(BigNumericTest, LegacyNumericKeepsTenDigits) {
  const SqlType legacy{TypeKind::kNumeric, false, kLegacyNumericTypmod};
  Arena arena;
  const IoSettings settings;
  const Value value = ParseText(legacy, "1.50", arena, settings).value();
  std::string text;
  FormatText(legacy, value, settings, text);
  EXPECT_EQ(text, "1.5");
  EXPECT_EQ(FormatType(legacy), "numeric");
  const std::string fine = Bytes(Parse("0.12345678901"));
  EXPECT_EQ(
      CastValue(kNumeric, legacy, Value::String(fine), arena, CastContext::kAssignment, settings)
          .status()
          .sqlstate(),
      "22003");
}

}  // namespace
}  // namespace omendb::types
