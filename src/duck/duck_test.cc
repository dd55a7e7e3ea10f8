// duck_test.cc - statements bound and run in DuckDB and in the row executor over the real engine.
#include <gtest/gtest.h>

#include "duck/testing/fixture.h"

namespace omendb::duck {
namespace {

using types::SqlType;
using types::TypeKind;
using types::Value;

const SqlType kInt4{TypeKind::kInt4};
const SqlType kInt8{TypeKind::kInt8};
const SqlType kText{TypeKind::kText};
const SqlType kUnknown{TypeKind::kUnknown};

class DuckTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    fixture_ = new DuckFixture();
    fixture_->CreateTable("t", {{"id", kInt4}, {"name", kText}, {"score", kInt8}}, {"id"});
    EXPECT_EQ(fixture_->Run("INSERT INTO t VALUES (1, 'one', 10), (2, 'two', 20), (3, NULL, 30)"),
              "affected 3");
  }
  static void TearDownTestSuite() {
    delete fixture_;
    fixture_ = nullptr;
  }
  DuckFixture& db() { return *fixture_; }
  static DuckFixture* fixture_;
};
DuckFixture* DuckTest::fixture_ = nullptr;

TEST_F(DuckTest, SelectsConstantsAndRows) {
  EXPECT_EQ(db().Run("SELECT 1"), "1\n");
  EXPECT_EQ(db().Run("SELECT id, name, score FROM t ORDER BY id"), "1|one|10\n2|two|20\n3||30\n");
  EXPECT_EQ(db().Run("SELECT count(*) FROM t"), "3\n");
  EXPECT_EQ(db().Run("SELECT id FROM t WHERE score > 15 ORDER BY id"), "2\n3\n");
}

TEST_F(DuckTest, PointAccessIsARowPlan) {
  EXPECT_EQ(db().Refusal("SELECT name FROM t WHERE id = $1"), "");
  EXPECT_EQ(db().RunRow("SELECT name FROM t WHERE id = $1", {kInt4}, {Value::Int32(2)}), "two\n");
  EXPECT_EQ(db().RunRow("SELECT name FROM t WHERE id = $1", {kInt8}, {Value::Int64(2)}), "two\n");
  EXPECT_EQ(db().RunRow("SELECT name FROM t WHERE id = $1", {kInt8}, {Value::Int64(1LL << 40)}),
            "");
  EXPECT_EQ(db().RunRow("SELECT id, score + 1 FROM t WHERE id IN (1, 3)"), "1|11\n3|31\n");
  EXPECT_EQ(db().RunRow("SELECT id FROM t ORDER BY id DESC LIMIT 2"), "3\n2\n");
  EXPECT_EQ(db().RunRow("SELECT 1 + 1"), "2\n");
}

// The first rows in an index's order, each with its match: no more than LIMIT asks for are visited,
// or 30,000 of them would make the row executor give up.
TEST_F(DuckTest, AnOrderedJoinStopsAtItsLimit) {
  db().CreateTable("many", {{"id", kInt4}, {"name", kText}, {"score", kInt8}}, {"id"});
  EXPECT_EQ(db().Run("INSERT INTO many SELECT g, 'name ' || g, g FROM range(1, 30001) r(g)"),
            "affected 30000");
  EXPECT_EQ(db().RunRow("SELECT m.id, t.name FROM many m LEFT JOIN t ON t.id = m.id "
                        "ORDER BY m.id LIMIT 3"),
            "1|one\n2|two\n3|\n");
  EXPECT_EQ(db().RunRow("SELECT m.id, n.name FROM many m JOIN many n ON n.id = m.id "
                        "ORDER BY m.id DESC LIMIT 2 OFFSET 1"),
            "29999|name 29999\n29998|name 29998\n");
}

TEST_F(DuckTest, InfersParameters) {
  EXPECT_EQ(db().Describe("SELECT name FROM t WHERE id = $1"), "(name text) <- integer");
  EXPECT_EQ(db().Describe("SELECT $1 AS a"), "(a text) <- text");
  EXPECT_EQ(db().Describe("UPDATE t SET score = score + $1 WHERE id = $2"),
            "() <- bigint <- integer");
  EXPECT_EQ(db().Describe("INSERT INTO t VALUES ($1, $2, $3)"), "() <- integer <- text <- bigint");
}

TEST_F(DuckTest, WritesInBothExecutors) {
  db().CreateTable("w", {{"id", kInt4}, {"v", kInt4}, {"s", types::VarcharType(3)}}, {"id"},
                   {"v < 100"});
  EXPECT_EQ(db().RunRow("INSERT INTO w VALUES ($1, $2, 'a') RETURNING id, v", {kInt4, kInt4},
                        {Value::Int32(1), Value::Int32(5)}),
            "1|5\naffected 1");
  EXPECT_EQ(db().Run("INSERT INTO w SELECT id + 1, v, s FROM w RETURNING id"), "2\naffected 1");
  EXPECT_EQ(db().RunRow("UPDATE w SET v = v + $1 WHERE id = $2", {kInt4, kInt4},
                        {Value::Int32(2), Value::Int32(1)}),
            "affected 1");
  EXPECT_EQ(db().Run("UPDATE w SET v = v * 2 WHERE v > 0"), "affected 2");
  EXPECT_EQ(db().Run("SELECT id, v FROM w ORDER BY id"), "1|14\n2|10\n");
  EXPECT_EQ(db().Run("INSERT INTO w VALUES (1, 1, 'x')"),
            "23505: duplicate key value violates unique constraint \"w_pkey\"");
  EXPECT_EQ(db().Run("INSERT INTO w VALUES (9, 100, 'x')"),
            "23514: new row for relation \"w\" violates check constraint \"w_check\"");
  EXPECT_EQ(db().RunRow("INSERT INTO w VALUES (9, 100, 'x')"),
            "23514: new row for relation \"w\" violates check constraint \"w_check\"");
  EXPECT_EQ(db().Run("INSERT INTO w VALUES (9, 1, 'long')"),
            "22001: value too long for type character varying(3)");
  EXPECT_EQ(db().Run("INSERT INTO w SELECT 1, 7, 'y' ON CONFLICT (id) DO UPDATE SET v = w.v + "
                     "excluded.v RETURNING v"),
            "21\naffected 1");
  EXPECT_EQ(db().RunRow("INSERT INTO w VALUES (1, 7, 'y') ON CONFLICT (id) DO UPDATE SET v = w.v "
                        "+ excluded.v RETURNING v"),
            "28\naffected 1");
  EXPECT_EQ(db().Run("INSERT INTO w SELECT 1, 7, 'y' ON CONFLICT DO NOTHING"), "");
  EXPECT_EQ(db().Run("DELETE FROM w USING t WHERE w.id = t.id AND t.name = 'two' RETURNING w.id"),
            "2\naffected 1");
  EXPECT_EQ(db().RunRow("DELETE FROM w WHERE id = 1"), "affected 1");
  EXPECT_EQ(db().Run("SELECT count(*) FROM w"), "0\n");
}

TEST_F(DuckTest, NumericOfOlderDatabasesStoresEveryDigitOrFails) {
  const types::SqlType legacy{types::TypeKind::kNumeric, false, types::kLegacyNumericTypmod};
  db().CreateTable("n", {{"id", kInt4}, {"v", legacy}}, {"id"});
  const std::string too_fine = "22003: value overflows numeric format";
  EXPECT_EQ(db().Run("INSERT INTO n VALUES (1, 0.12345678901)"), too_fine);
  EXPECT_EQ(db().Run("INSERT INTO n VALUES (1, '0.12345678901'), (2, 1)"), too_fine);
  EXPECT_EQ(db().Run("INSERT INTO n SELECT 1, 1.0 / 3"), too_fine);
  EXPECT_EQ(db().Run("INSERT INTO n SELECT 1, 1.50000000000"), "affected 1");
  EXPECT_EQ(db().Run("UPDATE n SET v = v / 7"), too_fine);
  EXPECT_EQ(db().Run("SELECT v FROM n"), "1.5\n");
}

TEST_F(DuckTest, ErrorsSpeakPostgreSql) {
  EXPECT_EQ(db().Run("SELECT * FROM missing"), "42P01: relation \"missing\" does not exist");
  EXPECT_EQ(db().Run("SELECT nope FROM t"), "42703: column \"nope\" does not exist");
  EXPECT_EQ(db().Run("SELECT nope(1)"), "42883: function nope(integer) does not exist");
  EXPECT_EQ(db().Run("SELECT 1/0"), "22012: division by zero");
  EXPECT_EQ(db().Run("SELECT 'x'::int"), "22P02: invalid input syntax for type integer: \"x\"");
  EXPECT_EQ(db().Run("SELECT 2147483647 + 1"), "22003: integer out of range");
  EXPECT_EQ(db().Run("SELECT id, count(*) FROM t"),
            "42803: column \"id\" must appear in the GROUP BY clause or be used in an aggregate "
            "function");
}

}  // namespace
}  // namespace omendb::duck
