// value_lists_test.cc - IN lists and joins with few keys, which scans of segments are told of,
// beside the same rows counted here.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "duck/testing/fixture.h"

namespace omendb::duck {
namespace {

class ValueListsTest : public ::testing::Test {
 protected:
  static constexpr int64_t kRows = 9000;

  // Column a repeats few numbers that lie close together, b many that lie far apart, c is a text.
  ValueListsTest() {
    f_.CreateTable("t",
                   {{"id", {types::TypeKind::kInt8}},
                    {"a", {types::TypeKind::kInt4}},
                    {"b", {types::TypeKind::kInt8}},
                    {"c", {types::TypeKind::kText}}},
                   {"id"});
    f_.CreateTable("keys", {{"b", {types::TypeKind::kInt8}}, {"c", {types::TypeKind::kText}}}, {});
    Add(0, kRows);
    f_.FreezeAll("t");
    Add(kRows, kRows + 100);  // Hot.
  }

  static int64_t A(int64_t id) { return id % 61; }
  static int64_t B(int64_t id) { return (id % 997) * 1'000'003'000'017 - 77; }
  static std::string C(int64_t id) { return "text " + std::to_string(id / 50); }
  static bool IsNull(int64_t id) { return id % 13 == 5; }

  void Add(int64_t begin, int64_t end) {
    std::string sql = "INSERT INTO t VALUES ";
    for (int64_t id = begin; id < end; ++id) {
      const std::string a = std::to_string(A(id)), b = std::to_string(B(id));
      sql += (id > begin ? ",(" : "(") + std::to_string(id) + "," + (IsNull(id) ? "NULL" : a) +
             "," + (IsNull(id) ? "NULL" : b) + ",'" + C(id) + "')";
    }
    EXPECT_EQ(f_.Run(sql), "affected " + std::to_string(end - begin));
  }

  template <typename Wanted>
  std::string Expected(Wanted wanted) {
    int64_t count = 0, sum = 0;
    for (int64_t id = 0; id < kRows + 100; ++id) {
      if (!wanted(id)) continue;
      ++count;
      sum += id;
    }
    return std::to_string(count) + "|" + (count > 0 ? std::to_string(sum) : "") + "\n";
  }

  std::set<int64_t> Pick(int64_t count, int64_t below) {
    std::set<int64_t> picked;
    while (static_cast<int64_t>(picked.size()) < count) {
      picked.insert(static_cast<int64_t>(random_()) % below);
    }
    return picked;
  }

  DuckFixture f_;
  std::mt19937 random_{7};
};

template <typename Of>
std::string List(const std::set<int64_t>& numbers, Of of) {
  std::string list;
  for (const int64_t number : numbers) list += (list.empty() ? "" : ",") + of(number);
  return list;
}

TEST_F(ValueListsTest, InFindsTheRowsOfTheList) {
  for (const int64_t count : {2, 5, 20, 60}) {
    const auto a = Pick(count, 61);
    const std::string list = List(a, [](int64_t n) { return std::to_string(n); });
    EXPECT_EQ(f_.Run("SELECT count(*), sum(id) FROM t WHERE a IN (" + list + ")"),
              Expected([&](int64_t id) { return !IsNull(id) && a.contains(A(id)); }));
    EXPECT_EQ(
        f_.Run("SELECT count(*), sum(id) FROM t WHERE a > 20 AND a <> 33 AND a IN (" + list + ")"),
        Expected([&](int64_t id) {
          return !IsNull(id) && A(id) > 20 && A(id) != 33 && a.contains(A(id));
        }));
    EXPECT_EQ(f_.Run("SELECT count(*), sum(id) FROM t WHERE a NOT IN (" + list + ")"),
              Expected([&](int64_t id) { return !IsNull(id) && !a.contains(A(id)); }));
  }
}

TEST_F(ValueListsTest, JoinsFindTheRowsOfTheirKeys) {
  for (const int64_t count : {2, 30, 600}) {
    const auto b = Pick(count, 997);
    const auto row = [](int64_t id) { return "(" + std::to_string(B(id)) + ",'" + C(id) + "')"; };
    f_.Run("DELETE FROM keys");
    EXPECT_EQ(f_.Run("INSERT INTO keys VALUES " + List(b, row)),
              "affected " + std::to_string(count));
    EXPECT_EQ(f_.Run("SELECT count(*), sum(id) FROM t JOIN keys USING (b)"),
              Expected([&](int64_t id) { return !IsNull(id) && b.contains(id % 997); }));
    EXPECT_EQ(
        f_.Run("SELECT count(*), sum(id) FROM t JOIN keys USING (b) WHERE a >= 30"),
        Expected([&](int64_t id) { return !IsNull(id) && b.contains(id % 997) && A(id) >= 30; }));
    EXPECT_EQ(f_.Run("SELECT count(*), sum(id) FROM t WHERE c IN (SELECT c FROM keys)"),
              Expected([&](int64_t id) {
                return std::any_of(b.begin(), b.end(), [&](int64_t n) { return C(n) == C(id); });
              }));
  }
}

}  // namespace
}  // namespace omendb::duck
