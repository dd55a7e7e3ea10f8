// Casts, operators and the order of values against what PostgreSQL 15 answered (testdata).

#include <gtest/gtest.h>

#include <map>

#include "types/arithmetic.h"
#include "types/casts.h"
#include "types/golden_file.h"
#include "types/key_encoding.h"
#include "types/numeric.h"

namespace omendb::types {
namespace {

IoSettings BerlinSettings() {
  IoSettings settings;
  settings.time_zone = TimeZone::Find("Europe/Berlin").value();
  return settings;
}

// A numeric's value, whatever digits it is shown with, to the ten places of ours.
std::string NumericValue(const std::string& text) {
  Result<Value> value = ParseNumeric(text, NumericType(38, 10));
  if (!value.ok()) return text;
  std::string out;
  AppendNumeric(NumericType(38, 10), *value, out);
  return out;
}

std::string Shown(const SqlType& type, const Value& value, const IoSettings& settings) {
  if (value.is_null) return {};
  std::string out;
  FormatText(type, value, settings, out);
  return out;
}

void ExpectSame(const SqlType& type, const std::string& ours, const std::string& theirs,
                const std::string& what) {
  bool numeric = type.kind == TypeKind::kNumeric && !type.is_array;
  EXPECT_EQ(numeric ? NumericValue(ours) : ours, numeric ? NumericValue(theirs) : theirs) << what;
}

bool IsNumericLimit(const Status& status) {
  return status.sqlstate() == "22003" &&
         (status.error().message == "value overflows numeric format" ||
          status.error().message == "numeric field overflow");
}

TEST(CastsGolden, AnswerAsPostgres) {
  IoSettings settings = BerlinSettings();
  int cases = 0;
  for (const GoldenLine& line : ReadGolden("casts.golden")) {
    SqlType from = GoldenType(line[0]);
    SqlType to = GoldenType(line[2]);
    bool is_explicit = line[3] == "explicit";
    // In a cast (not a column) char is not char(1) alone: its modifier is the same.
    CastContext context = is_explicit ? CastContext::kExplicit : CastContext::kAssignment;
    Arena arena;
    Result<Value> source = ParseText(from, line[1], arena, settings);
    if (!source.ok() && line[4] == "error") continue;  // Too long a literal for its own type.
    ASSERT_TRUE(source.ok()) << line[0] << line[1] << source.status().ToString();
    Result<Value> result = CastValue(from, to, *source, arena, context, settings);
    std::string what = line[0] + " '" + line[1] + "' to " + line[2] + ", " + line[3];
    ++cases;
    if (!result.ok() && (IsRefusal(result.status()) || IsNumericLimit(result.status()))) {
      if (line[4] == "error" || IsRefusal(result.status()) || to.kind == TypeKind::kNumeric) {
        continue;
      }
    }
    if (line[4] == "error") {
      ASSERT_FALSE(result.ok()) << what << " gave " << Shown(to, *result, settings)
                                << "; PostgreSQL: " << line[6];
      bool mismatch = line[5] == "42804" || line[5] == "42846";
      std::string_view state = result.status().sqlstate();
      EXPECT_EQ(mismatch ? "42846" : line[5], state) << what << result.status().ToString();
      if (!mismatch) {
        EXPECT_EQ(result.status().error().message, line[6]) << what;
      }
      continue;
    }
    if (!result.ok()) {
      ADD_FAILURE() << what << ": " << result.status().ToString() << "; PostgreSQL: " << line[6];
      continue;
    }
    ExpectSame(to, Shown(to, *result, settings), line[6], what);
  }
  EXPECT_GT(cases, 5000);
}

TEST(OperatorsGolden, AnswerAsPostgres) {
  IoSettings settings = BerlinSettings();
  int cases = 0;
  for (const GoldenLine& line : ReadGolden("operators.golden")) {
    SqlType left = GoldenType(line[0]);
    SqlType right = GoldenType(line[3]);
    constexpr std::string_view kOps = "+-*/%";
    auto op = static_cast<ArithmeticOp>(kOps.find(line[2]));
    Arena arena;
    Value a = ParseText(left, line[1], arena, settings).value();
    Value b = ParseText(right, line[4], arena, settings).value();
    Result<SqlType> type = ArithmeticType(op, left, right);
    Result<Value> result =
        type.ok() ? Arithmetic(op, left, a, right, b, settings) : Result<Value>(type.status());
    std::string what =
        line[0] + " '" + line[1] + "' " + line[2] + " " + line[3] + " '" + line[4] + "'";
    if (!result.ok() && IsRefusal(result.status())) continue;
    ++cases;
    if (line[5] == "error") {
      ASSERT_FALSE(result.ok()) << what << " gave " << Shown(*type, *result, settings)
                                << "; PostgreSQL: " << line[7];
      EXPECT_EQ(result.status().sqlstate(), line[6]) << what << result.status().ToString();
      if (line[6] != "42883") {
        EXPECT_EQ(result.status().error().message, line[7]) << what;
      }
      continue;
    }
    if (!result.ok()) {
      ADD_FAILURE() << what << ": " << result.status().ToString() << "; PostgreSQL: " << line[7];
      continue;
    }
    EXPECT_EQ(FormatType({type->kind, type->is_array}), line[6]) << what;
    ExpectSame(*type, Shown(*type, *result, settings), line[7], what);
  }
  EXPECT_GT(cases, 5000);
}

// PostgreSQL's rank of each value orders Compare(), the keys and the hashes.
TEST(OrderGolden, KeysOrderAsPostgres) {
  IoSettings settings;
  std::vector<GoldenLine> lines = ReadGolden("order.golden");
  struct Entry {
    std::string text, key, descending;
    Value value;
    uint64_t hash;
    int rank;
  };
  Arena arena;
  std::map<std::string, std::vector<Entry>> types;
  for (const GoldenLine& line : lines) {
    SqlType type = GoldenType(line[0]);
    std::string_view text = arena.Copy(line[1]);
    Result<Value> value = CastValue({TypeKind::kText}, type, Value::String(text), arena,
                                    CastContext::kExplicit, settings);
    if (!value.ok() && (IsRefusal(value.status()) || IsNumericLimit(value.status()))) continue;
    ASSERT_TRUE(value.ok()) << line[0] << line[1] << value.status().ToString();
    Entry entry{line[1], "", "", *value, HashValue(type, *value), std::stoi(line[2])};
    AppendKey(type, *value, {}, entry.key);
    AppendKey(type, *value, {.descending = true}, entry.descending);
    types[line[0]].push_back(std::move(entry));
  }
  EXPECT_GE(types.size(), 17u);
  for (const auto& [name, entries] : types) {
    SqlType type = GoldenType(name);
    auto sign = [](int order) { return (order > 0) - (order < 0); };
    for (const Entry& a : entries) {
      for (const Entry& b : entries) {
        std::string what = name + " '" + a.text + "' and '" + b.text + "'";
        int rank = sign(a.rank - b.rank);
        EXPECT_EQ(sign(Compare(type, a.value, b.value)), rank) << what;
        bool ordered_keys = type.kind != TypeKind::kJsonb;
        int keys = sign(a.key.compare(b.key));
        EXPECT_EQ(ordered_keys ? keys : keys == 0, ordered_keys ? rank : rank == 0) << what;
        if (ordered_keys) {
          EXPECT_EQ(sign(a.descending.compare(b.descending)), -rank) << what;
        }
        if (rank == 0) {
          EXPECT_EQ(a.hash, b.hash) << what;
        }
      }
    }
  }
}

}  // namespace
}  // namespace omendb::types
