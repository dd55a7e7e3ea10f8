// What a golden file cannot hold: bad UTF-8, malformed binary, the clock, the limits of OmenDB.
#include "types/text_io.h"

#include <gtest/gtest.h>

#include <string>

#include "types/binary_io.h"
#include "types/calendar.h"
#include "types/json.h"

namespace omendb::types {
namespace {

std::string ErrorOf(const SqlType& type, std::string_view text) {
  Arena arena;
  Result<Value> value = ParseText(type, text, arena, {});
  return value.ok() ? "" : value.status().ToString();
}

std::string Answer(const SqlType& type, std::string_view text, const IoSettings& settings = {}) {
  Arena arena;
  Result<Value> value = ParseText(type, text, arena, settings);
  if (!value.ok()) return value.status().ToString();
  std::string out;
  FormatText(type, *value, settings, out);
  return out;
}

TEST(Utf8Test, BadSequencesAreNamed) {
  SqlType text{TypeKind::kText};
  auto bad = [&](std::string_view s) { return ErrorOf(text, s); };
  const std::string prefix = "22021: invalid byte sequence for encoding \"UTF8\": ";
  EXPECT_EQ(bad("abc\xFF"), prefix + "0xff");
  EXPECT_EQ(bad("\xC3("), prefix + "0xc3 0x28");
  EXPECT_EQ(bad("\xE2\x82"), prefix + "0xe2 0x82");
  EXPECT_EQ(bad("\xED\xA0\x80"), prefix + "0xed 0xa0 0x80");  // Surrogate.
  EXPECT_EQ(bad("\xC0\x80"), prefix + "0xc0 0x80");           // Overlong.
  EXPECT_EQ(bad("\xF4\x90\x80\x80"), prefix + "0xf4 0x90 0x80 0x80");
  EXPECT_EQ(bad(std::string_view("12345678\0", 9)), prefix + "0x00");
  EXPECT_EQ(bad(std::string_view("\0", 1)), prefix + "0x00");
  EXPECT_EQ(bad("12345678 é 日本語 🦆 12345678"), "");
  EXPECT_EQ(ErrorOf({TypeKind::kInt4}, "\xFF"), prefix + "0xff");
  EXPECT_EQ(ErrorOf({TypeKind::kJsonb}, "\"\xFF\""), prefix + "0xff");
}

TEST(TextIoTest, WordsOfTheClockFollowTheTransaction) {
  IoSettings settings;
  settings.time_zone = TimeZone::Find("Asia/Tokyo").value();
  settings.now_micros = DaysFromCivil(2024, 2, 29) * kMicrosPerDay + 20 * kMicrosPerHour;
  SqlType date{TypeKind::kDate};
  EXPECT_EQ(Answer(date, "today", settings), "2024-03-01");
  EXPECT_EQ(Answer(date, "now", settings), "2024-03-01");
  EXPECT_EQ(Answer(date, "tomorrow", settings), "2024-03-02");
  EXPECT_EQ(Answer(date, "yesterday", settings), "2024-02-29");
  EXPECT_EQ(Answer({TypeKind::kTimestampTz}, "now", settings), "2024-03-01 05:00:00+09");
  EXPECT_EQ(Answer({TypeKind::kTimestamp}, "now", settings), "2024-03-01 05:00:00");
  EXPECT_EQ(Answer({TypeKind::kTimestamp}, "today 10:00", settings), "2024-03-01 10:00:00");
  EXPECT_EQ(Answer({TypeKind::kTime}, "now", settings), "05:00:00");
}

TEST(TextIoTest, NumericKeepsItsDigitsAndItsScale) {
  SqlType numeric{TypeKind::kNumeric};
  for (const char* text : {"1.23456789012", "1.50", "0.00", "-0.000000000001", "NaN", "-Infinity",
                           "100000000000000000000000000000000000000000.5"}) {
    EXPECT_EQ(Answer(numeric, text), text);
  }
  EXPECT_EQ(Answer(numeric, "1e-11"), "0.00000000001");
  EXPECT_EQ(Answer(numeric, "1e400").size(), 401u);
  Arena arena;
  for (const char* text : {"1e200000", "-1e140000"}) {
    EXPECT_EQ(ParseText(numeric, text, arena, {}).status().sqlstate(), "22003") << text;
  }
  EXPECT_EQ(ParseText(numeric, "1.2.3", arena, {}).status().sqlstate(), "22P02");
}

TEST(TextIoTest, LimitsOfDecimalsAreSaid) {
  // Columns of databases from before numeric kept every digit.
  const SqlType old{TypeKind::kNumeric, false, kLegacyNumericTypmod};
  EXPECT_EQ(Answer(old, "1.23456789010000"), "1.2345678901");
  EXPECT_EQ(Answer(old, "9999999999999999999999999999.5"), "9999999999999999999999999999.5");
  Arena arena;
  for (const char* text : {"1.23456789012", "10000000000000000000000000000", "1e-11", "1e400"}) {
    const Status status = ParseText(old, text, arena, {}).status();
    EXPECT_EQ(status.sqlstate(), "22003") << text;
    EXPECT_FALSE(status.error().detail.empty());
  }
  EXPECT_EQ(ParseText(old, "NaN", arena, {}).status().sqlstate(), "0A000");
  EXPECT_EQ(ParseText(NumericType(10, 2), "-Infinity", arena, {}).status().sqlstate(), "0A000");
}

TEST(TextIoTest, UnsupportedArrayFormsAreSaid) {
  Arena arena;
  SqlType array{TypeKind::kInt4, true};
  EXPECT_EQ(ParseText(array, "{{1},{2}}", arena, {}).status().sqlstate(), "0A000");
  EXPECT_EQ(ParseText(array, "[0:1]={1,2}", arena, {}).status().sqlstate(), "0A000");
}

TEST(TextIoTest, VectorsOfTheCatalog) {
  EXPECT_EQ(Answer({TypeKind::kInt2vector}, "1 2  3"), "1 2 3");
  EXPECT_EQ(Answer({TypeKind::kInt2vector}, "-2 0"), "-2 0");
  EXPECT_EQ(Answer({TypeKind::kOidvector}, ""), "");
  EXPECT_EQ(Answer({TypeKind::kOidvector}, "4294967295"), "4294967295");
}

TEST(TextIoTest, DateStyleIsParsedAsSet) {
  IoSettings settings;
  EXPECT_TRUE(ParseDateStyle("german", settings).ok());
  EXPECT_EQ(FormatDateStyle(settings), "German, DMY");
  EXPECT_TRUE(ParseDateStyle("ISO, mdy", settings).ok());
  EXPECT_EQ(FormatDateStyle(settings), "ISO, MDY");
  EXPECT_TRUE(ParseDateStyle("ymd", settings).ok());
  EXPECT_EQ(FormatDateStyle(settings), "ISO, YMD");
  EXPECT_EQ(ParseDateStyle("foo", settings).sqlstate(), "22023");
  EXPECT_EQ(ParseDateStyle("ISO, SQL", settings).sqlstate(), "22023");
  EXPECT_EQ(ParseIntervalStyle("nope", settings).sqlstate(), "22023");
}

TEST(TimeZoneTest, UnknownNamesAreRefused) {
  for (const char* name : {"Foo/Bar", "../etc/passwd", "/etc/passwd", "", "tzdata.zi", "x y"}) {
    EXPECT_EQ(TimeZone::Find(name).status().sqlstate(), "22023") << name;
  }
  EXPECT_EQ(TimeZone::Find("europe/BERLIN").value()->name(), "Europe/Berlin");
  EXPECT_EQ(TimeZone::Find("UTC").value()->AtUtc(0).seconds_east, 0);
}

TEST(TimeZoneTest, RulesGoOnForEver) {
  auto berlin = TimeZone::Find("Europe/Berlin").value();
  int64_t winter = DaysFromCivil(2999, 1, 1) * kSecondsPerDay;
  int64_t summer = DaysFromCivil(2999, 7, 1) * kSecondsPerDay;
  EXPECT_EQ(berlin->AtUtc(winter).seconds_east, 3600);
  EXPECT_EQ(berlin->AtUtc(summer).seconds_east, 7200);
  EXPECT_EQ(berlin->AtLocal(summer).abbreviation, "CEST");
  auto posix = TimeZone::Find("EST5EDT").value();
  EXPECT_EQ(posix->AtUtc(summer).seconds_east, -4 * 3600);
}

TEST(JsonTest, DepthCostsNoStack) {
  std::string deep(kJsonDepthMax, '[');
  deep += std::string(kJsonDepthMax, ']');
  EXPECT_TRUE(ValidateJson(deep).ok());
  std::string normal;
  EXPECT_TRUE(NormalizeJsonb(deep, normal).ok());
  EXPECT_EQ(CompareJsonb(normal, normal), 0);
  EXPECT_EQ(ValidateJson("[" + deep + "]").sqlstate(), "54001");
}

TEST(BinaryIoTest, MalformedValuesAreRefused) {
  Arena arena;
  auto state = [&](const SqlType& type, std::string_view bytes) {
    Result<Value> value = ReceiveBinary(type, bytes, arena);
    return value.ok() ? std::string("ok") : std::string(value.status().sqlstate());
  };
  EXPECT_EQ(state({TypeKind::kInt4}, "123"), "08P01");
  EXPECT_EQ(state({TypeKind::kInt4}, "12345"), "22P03");
  EXPECT_EQ(state({TypeKind::kBool}, ""), "08P01");
  EXPECT_EQ(state({TypeKind::kText}, "\xFF"), "22021");
  EXPECT_EQ(state({TypeKind::kTime}, std::string(8, '\x7F')), "22008");
  EXPECT_EQ(state({TypeKind::kDate}, std::string("\x7F\xFF\xFF\xFE", 4)), "22008");
  std::string numeric("\0\1\0\0\0\0\0\0\x27\x10", 10);  // A digit of 10000.
  EXPECT_EQ(state({TypeKind::kNumeric}, numeric), "22P03");
  numeric[8] = 0;
  EXPECT_EQ(state({TypeKind::kNumeric}, numeric), "ok");
  numeric[4] = '\x12';
  EXPECT_EQ(state({TypeKind::kNumeric}, numeric), "22P03");
  numeric[4] = '\xC0';  // NaN
  EXPECT_EQ(state({TypeKind::kNumeric}, numeric), "ok");
  EXPECT_EQ(state(NumericType(10, 2), numeric), "0A000");
  std::string array("\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\x05\0\0\0\1\0\0\0\4\0\0\0\7", 28);
  EXPECT_EQ(state({TypeKind::kInt4, true}, array), "22P03");
  array[15] = 1;
  EXPECT_EQ(state({TypeKind::kInt4, true}, array), "ok");
  EXPECT_EQ(state({TypeKind::kInt8, true}, array), "42804");
  array[3] = 2;
  EXPECT_EQ(state({TypeKind::kInt4, true}, array), "0A000");
  EXPECT_EQ(state({TypeKind::kJsonb}, "\2{}"), "XX000");
}

TEST(BinaryIoTest, ModifiersApply) {
  Arena arena;
  SqlType varchar = VarcharType(3);
  EXPECT_EQ(ReceiveBinary(varchar, "abcd", arena).status().sqlstate(), "22001");
  EXPECT_EQ(ReceiveBinary(varchar, "abc  ", arena).value().str(), "abc");
}

}  // namespace
}  // namespace omendb::types
