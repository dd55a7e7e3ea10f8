#include "types/json_tree.h"

#include <gtest/gtest.h>

namespace omendb::types {
namespace {

std::string Text(const JsonNode& node) {
  std::string out;
  AppendJsonTree(node, out);
  return out;
}

JsonNode Read(std::string_view text) { return ReadJsonTree(text).value(); }

TEST(JsonTreeTest, FindsMembersAsTheyAreWritten) {
  constexpr std::string_view kJson = R"({"a" : {"b":  [1, 2]}, "a b":"x\ty", "a": 5})";
  EXPECT_EQ(FindJsonMember(kJson, "a"), "5");  // Of equal keys the last.
  EXPECT_EQ(FindJsonMember(kJson, "a b"), R"("x\ty")");
  EXPECT_EQ(FindJsonMember(kJson, "c"), std::nullopt);
  EXPECT_EQ(FindJsonMember("[1]", "0"), std::nullopt);
  EXPECT_EQ(FindJsonElement("[1, {\"x\":[2]}, 3]", 1), "{\"x\":[2]}");
  EXPECT_EQ(FindJsonElement("[1, 2, 3]", -1), "3");
  EXPECT_EQ(FindJsonElement("[1, 2, 3]", 3), std::nullopt);
  EXPECT_EQ(FindJsonPath(R"({"a":[{"b":7}]})", {"a", "0", "b"}), "7");
  EXPECT_EQ(FindJsonPath("[1]", {std::nullopt}), std::nullopt);
}

TEST(JsonTreeTest, ScalarTextOfStringsIsTheirOwn) {
  EXPECT_EQ(JsonScalarText(R"("a\u0041\"")"), "aA\"");
  EXPECT_EQ(JsonScalarText("null"), std::nullopt);
  EXPECT_EQ(JsonScalarText("[1, 2]"), "[1, 2]");
}

TEST(JsonTreeTest, ContainmentGoesDownLevelByLevel) {
  EXPECT_TRUE(JsonContains(Read("[1,[2,3]]"), Read("[[3]]")));
  EXPECT_FALSE(JsonContains(Read("[1,[2,3]]"), Read("[3]")));
  EXPECT_TRUE(JsonContains(Read("[1,2]"), Read("1.0")));
  EXPECT_FALSE(JsonContains(Read("1"), Read("[1]")));
  EXPECT_TRUE(JsonContains(Read(R"({"a":{"b":1,"c":2}})"), Read(R"({"a":{}})")));
}

TEST(JsonTreeTest, SetsInsertsAndDeletesAlongAPath) {
  JsonNode node = Read(R"({"a":[1,{"b":2}]})");
  const JsonNode nine = Read("9");
  ASSERT_TRUE(JsonSetPath(node, {"a", "1", "b"}, nine, JsonPlace::kReplace).ok());
  ASSERT_TRUE(JsonSetPath(node, {"a", "-1", "c"}, nine, JsonPlace::kReplaceOrAdd).ok());
  EXPECT_EQ(Text(node), R"({"a":[1,{"b":9,"c":9}]})");
  ASSERT_TRUE(JsonSetPath(node, {"a", "0"}, nine, JsonPlace::kInsertAfter).ok());
  EXPECT_EQ(Text(node), R"({"a":[1,9,{"b":9,"c":9}]})");
  ASSERT_TRUE(JsonDeletePath(node, {"a", "-1", "b"}).ok());
  ASSERT_TRUE(JsonDeletePath(node, {"a", "0"}).ok());
  EXPECT_EQ(Text(node), R"({"a":[9,{"c":9}]})");
  EXPECT_EQ(JsonSetPath(node, {"a", "x"}, nine, JsonPlace::kReplace).error().sqlstate.view(),
            "22P02");
}

TEST(JsonTreeTest, ConcatenationMergesObjectsAndJoinsTheRest) {
  const auto concat = [](std::string_view a, std::string_view b) {
    return Text(JsonConcat(Read(a), Read(b)).value());
  };
  EXPECT_EQ(concat("[1]", "2"), "[1,2]");
  EXPECT_EQ(concat("1", R"({"a":2})"), R"([1,{"a":2}])");
  EXPECT_EQ(concat(R"({"a":1})", R"({"b":2})"), R"({"a":1,"b":2})");
}

}  // namespace
}  // namespace omendb::types
