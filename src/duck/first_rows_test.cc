// first_rows_test.cc - the first rows of an order, of rows in segments, beside those found by
// sorting all of them here.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "duck/testing/fixture.h"

namespace omendb::duck {
namespace {

struct Row {
  int64_t id;
  std::optional<int64_t> v;
};

class FirstRowsTest : public ::testing::Test {
 protected:
  FirstRowsTest() {
    f_.CreateTable("t",
                   {{"id", {types::TypeKind::kInt8}},
                    {"v", {types::TypeKind::kInt4}},
                    {"s", {types::TypeKind::kText}}},
                   {"id"});
  }

  // Values are around `middle`, one of `null_every` is NULL.
  void Add(int64_t rows, int64_t middle, int64_t null_every) {
    std::string sql = "INSERT INTO t VALUES ";
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t id = static_cast<int64_t>(rows_.size());
      Row row{id, middle + static_cast<int64_t>(random_() % 1000)};
      if (random_() % static_cast<uint64_t>(null_every) == 0) row.v.reset();
      rows_.push_back(row);
      sql += (i > 0 ? ",(" : "(") + std::to_string(id) + "," +
             (row.v ? std::to_string(*row.v) : "NULL") + ",'text " + std::to_string(id % 7) + "')";
    }
    EXPECT_EQ(f_.Run(sql), "affected " + std::to_string(rows));
  }

  std::string Expected(const std::string& text, bool descending, size_t limit, size_t offset) {
    std::vector<Row> rows;
    for (const Row& row : rows_) {
      if (text.empty() || "text " + std::to_string(row.id % 7) == text) rows.push_back(row);
    }
    std::sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
      if (a.v.has_value() != b.v.has_value()) return a.v.has_value();
      if (a.v != b.v) return descending ? *a.v > *b.v : *a.v < *b.v;
      return a.id < b.id;
    });
    std::string result;
    for (size_t i = offset; i < std::min(rows.size(), offset + limit); ++i) {
      result +=
          std::to_string(rows[i].id) + "|" + (rows[i].v ? std::to_string(*rows[i].v) : "") + "\n";
    }
    return result;
  }

  void Check(const std::string& text, bool descending, size_t limit, size_t offset) {
    std::string sql = "SELECT id, v FROM t ";
    if (!text.empty()) sql += "WHERE s = '" + text + "' ";
    sql += std::string("ORDER BY v ") + (descending ? "DESC" : "ASC") + " NULLS LAST, id LIMIT " +
           std::to_string(limit) + " OFFSET " + std::to_string(offset);
    EXPECT_EQ(f_.Run(sql), Expected(text, descending, limit, offset)) << sql;
  }

  DuckFixture f_;
  std::mt19937_64 random_{11};
  std::vector<Row> rows_;
};

TEST_F(FirstRowsTest, AreThoseOfAllRows) {
  Add(9000, 2000, 10);
  Add(9000, 500, 3);
  Add(9000, -5000, 40);
  f_.FreezeAll("t");
  Add(50, -4500, 5);  // Hot.
  for (const bool descending : {false, true}) {
    for (const char* text : {"", "text 3"}) {
      for (const size_t limit : {1, 10, 700}) {
        Check(text, descending, limit, 0);
        Check(text, descending, limit, 25);
      }
    }
  }
}

TEST_F(FirstRowsTest, OfTextAndOfRowsInPages) {
  Add(9000, 2000, 10);
  for (const bool frozen : {false, true}) {
    if (frozen) f_.FreezeAll("t");
    Check("", true, 12, 3);
    Check("text 5", false, 12, 3);
    std::vector<Row> rows = rows_;
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Row& a, const Row& b) { return a.id % 7 > b.id % 7; });
    std::string expected;
    for (size_t i = 0; i < 2000; ++i) expected += std::to_string(rows[i].id) + "\n";
    EXPECT_EQ(f_.Run("SELECT id FROM t WHERE s <> '' ORDER BY s DESC, id LIMIT 2000"), expected);
  }
}

TEST_F(FirstRowsTest, NullsComeWhereOthersAreTooFew) {
  Add(8000, 100, 1);
  Add(20, 100, 2);
  f_.FreezeAll("t");
  for (const bool descending : {false, true}) {
    for (const size_t limit : {5, 15, 40}) Check("", descending, limit, 0);
  }
}

}  // namespace
}  // namespace omendb::duck
