// aggregate_memory_test.cc - aggregates that run out of memory while their groups are spilled end
// with an error; the process does not.
#include <gtest/gtest.h>

#include "duck/testing/fixture.h"

namespace omendb::duck {
namespace {

constexpr int kRows = 400'000;
constexpr const char* kTable =
    "(SELECT g, md5(g::VARCHAR) || md5((g + 1)::VARCHAR) || md5((g + 2)::VARCHAR) AS s "
    "FROM range(0, 400000) r(g))";

std::string Joined(const std::string& aggregate) {
  return "SELECT count(*), count(m) FROM (SELECT a.s, " + aggregate + " AS m FROM " + kTable +
         " a JOIN " + kTable + " b ON a.s = b.s GROUP BY a.s) x";
}

class AggregateMemoryTest : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Of, AggregateMemoryTest,
                         ::testing::Values("max(b.s)", "string_agg(b.s, ',' ORDER BY b.g)",
                                           "percentile_disc(0.5) WITHIN GROUP (ORDER BY b.g)",
                                           "mode() WITHIN GROUP (ORDER BY b.s)", "max([b.s])",
                                           "stddev(b.g::numeric)"));

TEST_P(AggregateMemoryTest, EndsWithAnErrorOrTheAnswer) {
  DuckFixture f;
  const std::string answer = std::to_string(kRows) + "|" + std::to_string(kRows) + "\n";
  int refused = 0;
  for (const uint64_t megabytes : {64, 112, 128}) {
    if (!f.engine().SetLimit(megabytes << 20)) continue;
    const std::string result = f.Run(Joined(GetParam()));
    if (result.starts_with("53200")) {
      ++refused;
    } else {
      EXPECT_EQ(result, answer);
    }
  }
  EXPECT_GT(refused, 0) << "the limits are too high to show anything";
}

}  // namespace
}  // namespace omendb::duck
