// ordered_scan_test.cc - rows of a scan by several threads come in the order in which they lie,
// where nothing above the scan (a hash join, an aggregate) leaves that order.
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "duck/testing/fixture.h"

namespace omendb::duck {
namespace {

class OrderedScanTest : public ::testing::Test {
 protected:
  OrderedScanTest() {
    f_.CreateTable("t", {{"id", {types::TypeKind::kInt8}}, {"v", {types::TypeKind::kInt4}}},
                   {"id"});
  }

  // To pages: statements of more rows would load segments.
  void Add(int64_t rows) {
    for (const int64_t end = rows_ + rows; rows_ < end;) {
      const int64_t some = std::min<int64_t>(end - rows_, 20'000);
      EXPECT_EQ(f_.Run("INSERT INTO t SELECT i, i % 1000 FROM generate_series(" +
                       std::to_string(rows_) + ", " + std::to_string(rows_ + some - 1) + ") i(i)"),
                "affected " + std::to_string(some));
      rows_ += some;
    }
  }

  // Those of rows with v below the bound, in the order in which they were inserted.
  void Check(int64_t bound) {
    std::istringstream found(f_.Run("SELECT id FROM t WHERE v < " + std::to_string(bound)));
    int64_t expected = 0;
    for (int64_t id; found >> id; ++expected) {
      while (expected % 1000 >= bound) ++expected;
      ASSERT_EQ(id, expected) << "v < " << bound;
    }
    while (expected < rows_ && expected % 1000 >= bound) ++expected;
    EXPECT_EQ(expected, rows_);
  }

  DuckFixture f_;
  int64_t rows_ = 0;
};

TEST_F(OrderedScanTest, OfPages) {
  Add(200'000);
  for (const int64_t bound : {1, 50, 500, 1000}) Check(bound);
}

TEST_F(OrderedScanTest, OfSegments) {
  Add(600'000);
  f_.FreezeAll("t");
  for (const int64_t bound : {1, 50, 500, 1000}) Check(bound);
}

// Few of many rows come first with a limit too, whichever thread finds them first.
TEST_F(OrderedScanTest, OfTheFirstRows) {
  Add(400'000);
  f_.FreezeAll("t");
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(f_.Run("SELECT id FROM t WHERE v = 7 LIMIT 3 OFFSET 100"),
              "100007\n101007\n102007\n");
  }
}

}  // namespace
}  // namespace omendb::duck
