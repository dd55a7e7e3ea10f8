// key_order_test.cc - ORDER BY the primary key comes from the scan, in the order that a sort gives:
// over segments that overlap or not, with rows in pages, rows deleted and changed, upward and
// downward, with conditions and limits.
#include <gtest/gtest.h>

#include <string>

#include "duck/testing/fixture.h"

namespace omendb::duck {
namespace {

using types::TypeKind;

class KeyOrderTest : public ::testing::Test {
 protected:
  // Rows made of [from, to) into a segment of their own.
  void Load(const std::string& table, const std::string& columns, int64_t from, int64_t to) {
    const std::string done =
        f_.Run("INSERT INTO " + table + " SELECT " + columns + " FROM generate_series(" +
               std::to_string(from) + ", " + std::to_string(to - 1) + ") i(i)");
    ASSERT_EQ(done, "affected " + std::to_string(to - from));
  }
  // Table "t", keys in the order in which they came.
  void FillInOrder() {
    f_.CreateTable("t", {{"id", {TypeKind::kInt8}}, {"v", {TypeKind::kInt4}}}, {"id"});
    for (int64_t i = 0; i < 400'000; i += 100'000) Load("t", "i, i % 1000", i, i + 100'000);
  }
  bool Sorts(const std::string& sql) { return f_.Plan(sql).find("ORDER_BY") != std::string::npos; }
  // The rows as sorting them by `hidden`, which orders as `order` does and hides it, has them.
  void Check(const std::string& select, const std::string& order, const std::string& hidden,
             const std::string& limit = "") {
    const std::string in_order = select + " ORDER BY " + order + limit;
    const std::string sorted = select + " ORDER BY " + hidden + limit;
    EXPECT_FALSE(Sorts(in_order)) << in_order;
    EXPECT_TRUE(Sorts(sorted)) << sorted;
    const std::string rows = f_.Run(in_order);
    EXPECT_GT(rows.size(), 0u);
    // Not EXPECT_EQ, which would print them.
    EXPECT_TRUE(rows == f_.Run(sorted)) << in_order;
  }
  void CheckBothWays(const std::string& select) {
    Check(select, "id", "id * 2");
    Check(select, "id DESC", "id * 2 DESC");
  }

  DuckFixture f_;
};

TEST_F(KeyOrderTest, OfRowsThatLieInIt) {
  FillInOrder();
  CheckBothWays("SELECT id, v FROM t");
  CheckBothWays("SELECT v FROM t");
  CheckBothWays("SELECT v * 2, id FROM t WHERE v % 7 < 3 AND id > 1000");
  CheckBothWays("SELECT id FROM t WHERE v = 7");
  CheckBothWays("SELECT id FROM t WHERE id BETWEEN 5000 AND 5100 AND v > 3");
}

TEST_F(KeyOrderTest, WithLimits) {
  FillInOrder();
  for (const char* const limit : {" LIMIT 50000", " LIMIT 20000 OFFSET 150000"}) {
    Check("SELECT v, id FROM t", "id", "id * 2", limit);
    Check("SELECT v, id FROM t WHERE v < 500", "id DESC", "id * 2 DESC", limit);
  }
  EXPECT_EQ(f_.Run("SELECT v, id FROM t ORDER BY id DESC LIMIT 2 OFFSET 5"),
            "994|399994\n993|399993\n");
}

TEST_F(KeyOrderTest, WithRowsInPages) {
  FillInOrder();
  EXPECT_EQ(f_.Run("UPDATE t SET v = -v WHERE id % 1000 = 5"), "affected 400");
  EXPECT_EQ(f_.Run("DELETE FROM t WHERE id % 501 = 1"), "affected 799");
  EXPECT_EQ(f_.Run("INSERT INTO t SELECT -i, i FROM generate_series(1, 3000) i(i)"),
            "affected 3000");
  EXPECT_EQ(f_.Run("INSERT INTO t SELECT 399999 + i, i FROM generate_series(1, 3000) i(i)"),
            "affected 3000");
  CheckBothWays("SELECT id, v FROM t");
  CheckBothWays("SELECT v, id FROM t WHERE v < 10");
  Check("SELECT v, id FROM t", "id", "id * 2", " LIMIT 20000 OFFSET 1500");
}

// Segments that have each other's keys in between; later ones have some of the keys anew.
TEST_F(KeyOrderTest, OfSegmentsThatOverlap) {
  f_.CreateTable("t", {{"id", {TypeKind::kInt8}}, {"v", {TypeKind::kInt4}}}, {"id"});
  for (int64_t i = 0; i < 3; ++i) {
    Load("t", "i * 3 + " + std::to_string(i) + ", i", i * 20'000, i * 20'000 + 100'000);
  }
  EXPECT_EQ(f_.Run("UPDATE t SET v = v + 1 WHERE id % 4 = 0"), "affected 75000");
  CheckBothWays("SELECT id, v FROM t");
  CheckBothWays("SELECT id, v FROM t WHERE v % 3 = 0");
}

TEST_F(KeyOrderTest, ByTheFirstColumnsOfTheKey) {
  f_.CreateTable("k",
                 {{"name", {TypeKind::kText}},
                  {"day", {TypeKind::kDate}},
                  {"n", {TypeKind::kInt4}},
                  {"w", {TypeKind::kInt4}}},
                 {"name", "day", "n"});
  for (int64_t i = 0; i < 3; ++i) {
    Load("k", "'name ' || (i / 900), date '2020-01-01' + (i % 900 / 30)::int, i % 30, i",
         i * 90'000, i * 90'000 + 90'000);
  }
  EXPECT_EQ(f_.Run("UPDATE k SET w = -w WHERE w % 900 = 17"), "affected 300");
  Check("SELECT * FROM k", "name, day, n", "name || '', day, n");
  Check("SELECT w FROM k", "name DESC, day DESC, n DESC", "name || '' DESC, day DESC, n DESC");
  // What comes after the key decides nothing.
  Check("SELECT w FROM k", "name, day, n, w DESC", "name || '', day, n");
  // Rows of the same day come in any order: their days do not.
  Check("SELECT name, day FROM k", "name, day", "name || '', day");
  for (const char* const order :
       {"day", "name, n", "name, day DESC", "name DESC, day", "w, name", "name || 'x', day"}) {
    EXPECT_TRUE(Sorts(std::string("SELECT * FROM k ORDER BY ") + order)) << order;
  }
}

TEST_F(KeyOrderTest, OfUuids) {
  f_.CreateTable("u", {{"id", {TypeKind::kUuid}}, {"v", {TypeKind::kInt4}}}, {"id"});
  Load("u", "md5(i::text)::uuid, i", 0, 60'000);
  Load("u", "md5(i::text)::uuid, i", 60'000, 120'000);
  Check("SELECT * FROM u", "id", "id::text");
  Check("SELECT * FROM u WHERE v > 100", "id DESC", "id::text DESC");
}

TEST_F(KeyOrderTest, SortsWhereThatIsCheaper) {
  f_.CreateTable("t", {{"id", {TypeKind::kInt8}}, {"v", {TypeKind::kInt4}}}, {"id"});
  for (int64_t i = 0; i < 100'000; i += 20'000) Load("t", "i, i", i, i + 20'000);  // to pages
  EXPECT_TRUE(Sorts("SELECT * FROM t ORDER BY id"));
  f_.FreezeAll("t");
  EXPECT_FALSE(Sorts("SELECT * FROM t ORDER BY id"));
  f_.CreateTable("o", {{"id", {TypeKind::kInt8}}, {"v", {TypeKind::kInt4}}}, {"id"});
  for (int64_t i = 0; i < 10; ++i) Load("o", "i * 10 + " + std::to_string(i) + ", i", 0, 40'000);
  EXPECT_TRUE(Sorts("SELECT * FROM o ORDER BY id"));
  EXPECT_TRUE(Sorts("SELECT a.id FROM t a JOIN t b ON a.id = b.v ORDER BY a.id"));
}

}  // namespace
}  // namespace omendb::duck
