// Text and binary input and output against what PostgreSQL 15 answered (testdata/text.golden).

#include <gtest/gtest.h>

#include <set>

#include "types/binary_io.h"
#include "types/golden_file.h"
#include "types/text_io.h"

namespace omendb::types {
namespace {

std::string ToHex(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (char c : bytes) {
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string FromHex(const std::string& hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return out;
}

class TextGolden {
 public:
  void Check(const GoldenLine& line) {
    SqlType type = GoldenType(line[0]);
    const std::string& text = line[1];
    ++cases_;
    Arena arena;
    Result<Value> value = ParseText(type, text, arena, settings_);
    std::string what = line[0] + " '" + text + "' [" + FormatDateStyle(settings_) + "]";
    if (!value.ok() && IsRefusal(value.status())) {
      ++refused_;
      return;
    }
    if (line[2] == "error") return CheckError(line, value, what);
    if (!value.ok()) {
      ADD_FAILURE() << what << ": " << value.status().ToString() << "; PostgreSQL: " << line[3];
      return;
    }
    CheckValue(line, type, *value, what);
  }
  void Set(const GoldenLine& line) { ApplyGoldenSetting(line[0], line[1], settings_); }
  int cases() const { return cases_; }
  int refused() const { return refused_; }

 private:
  void CheckError(const GoldenLine& line, const Result<Value>& value, const std::string& what) {
    if (value.ok()) {
      ADD_FAILURE() << what << " was read; PostgreSQL: " << line[3] << " " << line[4];
      return;
    }
    const ErrorInfo& error = value.status().error();
    EXPECT_EQ(error.sqlstate.view(), line[3]) << what;
    EXPECT_EQ(error.message, line[4]) << what;
    EXPECT_EQ(error.detail, line[5]) << what;
  }

  void CheckValue(const GoldenLine& line, const SqlType& type, const Value& value,
                  const std::string& what) {
    std::string text;
    FormatText(type, value, settings_, text);
    EXPECT_EQ(text, line[3]) << what;
    std::string bytes;
    SendBinary(type, value, bytes);
    EXPECT_EQ(ToHex(bytes), line[4]) << what;
    Arena arena;
    std::string wire = FromHex(line[4]);
    Result<Value> received = ReceiveBinary(type, wire, arena);
    ASSERT_TRUE(received.ok()) << what << received.status().ToString();
    std::string again;
    FormatText(type, *received, settings_, again);
    EXPECT_EQ(again, text) << what;
  }

  IoSettings settings_;
  int cases_ = 0;
  int refused_ = 0;
};

TEST(TextGolden, AnswersAsPostgres) {
  TextGolden golden;
  for (const GoldenLine& line : ReadGolden("text.golden")) {
    if (line[0].starts_with('#')) {
      golden.Set(line);
    } else {
      ASSERT_GE(line.size(), 6u);
      golden.Check(line);
    }
  }
  EXPECT_GT(golden.cases(), 10000);
  // NaN and infinite numerics, numerics beyond the limits, dimensions.
  EXPECT_LT(golden.refused(), golden.cases() / 20);
  RecordProperty("refused", golden.refused());
}

}  // namespace
}  // namespace omendb::types
