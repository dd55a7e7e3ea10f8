// shared_averages_test.cc - avg beside sum of the same rows is the one that it is alone, to the
// last digit, and adds them up once.
#include <gtest/gtest.h>

#include "duck/testing/fixture.h"

namespace omendb::duck {
namespace {

using types::TypeKind;

size_t Count(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

class SharedAveragesTest : public ::testing::Test {
 protected:
  SharedAveragesTest() {
    f_.CreateTable("t",
                   {{"id", {TypeKind::kInt8}},
                    {"g", {TypeKind::kInt4}},
                    {"i2", {TypeKind::kInt2}},
                    {"i4", {TypeKind::kInt4}},
                    {"i8", {TypeKind::kInt8}},
                    {"n", types::NumericType(6, 2)},
                    {"w", types::NumericType(30, 5)},
                    {"u", {TypeKind::kNumeric}},
                    {"d", {TypeKind::kFloat8}}},
                   {"id"});
    EXPECT_EQ(f_.Run("INSERT INTO t SELECT i, i % 7, nullif(i % 100, 3), i * 100 - 30000, "
                     "nullif(i, 50) * 4000000000000000, nullif(i % 9999, 5) / 100.0, "
                     "i / 7.0, i / 3.0, i / 10.0 FROM generate_series(1, 1000) i(i)"),
              "affected 1000");
  }
  // Beside sum and alone.
  void Check(const std::string& column, const std::string& rest = "") {
    const std::string of = "(" + column + ")";
    const std::string group = " FROM t " + rest + " GROUP BY g ORDER BY g";
    EXPECT_EQ(f_.Run("SELECT g, avg" + of + ", length(sum" + of + "::text) > 0 IS NULL" + group),
              f_.Run("SELECT g, avg" + of + ", length(max" + of + "::text) > 0 IS NULL" + group))
        << column << rest;
  }

  // Of the plan, those that rows are added to.
  std::string Aggregates(const std::string& sql) {
    const std::string plan = f_.Plan(sql);
    const size_t begin = plan.find("Aggregates:");
    return begin == std::string::npos ? plan : plan.substr(begin, plan.find("┴", begin) - begin);
  }

  DuckFixture f_;
};

TEST_F(SharedAveragesTest, AreWhatTheyAreAlone) {
  for (const char* const column : {"i2", "i4", "i8", "n", "w", "u", "d", "i4 + 1", "n * n"}) {
    Check(column);
    Check(column, "WHERE id % 3 = 1");
    Check(column, "WHERE i2 IS NULL");
    Check(column, "WHERE id < 0");
  }
}

TEST_F(SharedAveragesTest, WithoutGroupsAndRows) {
  EXPECT_EQ(f_.Run("SELECT avg(i4), sum(i4), count(*) FROM t WHERE g = 99"), "||0\n");
  EXPECT_EQ(f_.Run("SELECT sum(i2), avg(i2), count(*) FROM t WHERE i2 IS NULL AND g >= 0"),
            "||10\n");
  EXPECT_EQ(f_.Run("SELECT avg(n), sum(n) FROM t WHERE id IN (1, 2, 6)"),
            "0.03000000000000000000|0.09\n");
}

TEST_F(SharedAveragesTest, WhereverTheyAreUsed) {
  EXPECT_EQ(f_.Run("SELECT g FROM t WHERE id <= 14 GROUP BY g HAVING avg(i4) > sum(i4) / 2 + 9900 "
                   "ORDER BY avg(i4) DESC, sum(i4) LIMIT 2"),
            f_.Run("SELECT g FROM (SELECT g, avg(i4) a FROM t WHERE id <= 14 GROUP BY g) x JOIN "
                   "(SELECT g, sum(i4) s FROM t WHERE id <= 14 GROUP BY g) y USING (g) "
                   "WHERE a > s / 2 + 9900 ORDER BY a DESC, s LIMIT 2"));
  EXPECT_EQ(f_.Run("SELECT avg(s), sum(s) FROM (SELECT avg(i4) a, sum(i4) s FROM t GROUP BY g)"),
            f_.Run("SELECT sum(s) / 7, sum(s) FROM (SELECT sum(i4) s FROM t GROUP BY g)"));
  EXPECT_EQ(f_.Run("SELECT g % 2, avg(i4), sum(i4) * 0 FROM t GROUP BY ROLLUP (g % 2) ORDER BY 1"),
            f_.Run("SELECT g % 2, avg(i4), 0 FROM t GROUP BY ROLLUP (g % 2) ORDER BY 1"));
  EXPECT_EQ(f_.Run("SELECT g % 2, avg(i4) - sum(i4) / 2.0, grouping(g % 2) FROM t WHERE id < 3 "
                   "GROUP BY ROLLUP (g % 2) ORDER BY 1"),
            "0|-14900.0000000000000000|0\n1|-14950.0000000000000000|0\n"
            "|0.000000000000|1\n");
}

TEST_F(SharedAveragesTest, AddRowsUpOnce) {
  const std::string plan =
      Aggregates("SELECT g, sum(i4), avg(i4), count(*) FROM t WHERE id > 3 GROUP BY g");
  EXPECT_EQ(Count(plan, "avg"), 0u) << plan;
  EXPECT_EQ(Count(plan, "sum"), 1u) << plan;
  EXPECT_EQ(Count(plan, "count"), 1u) << plan;  // i4 has no NULL
  // Of other rows, or with others' sums, each keeps its own.
  for (const char* const others :
       {"sum(i2), avg(i4)", "sum(i4), avg(i4) FILTER (WHERE g > 2)", "sum(d), avg(d)",
        "sum(DISTINCT i4), avg(i4)", "sum(u), avg(u)"}) {
    const std::string kept =
        Aggregates(std::string("SELECT ") + others + " FROM t WHERE id > 3 GROUP BY g");
    EXPECT_EQ(Count(kept, "avg"), 1u) << kept;
  }
}

}  // namespace
}  // namespace omendb::duck
