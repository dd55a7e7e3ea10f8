#include "duck/dml/row_id_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace omendb::duck {
namespace {

TEST(RowIdSetTest, AnswersAsASetDoes) {
  std::mt19937_64 random(7);
  for (const uint64_t range : {uint64_t{100}, uint64_t{5000}, uint64_t{1} << 62}) {
    RowIdSet ids;
    std::set<uint64_t> model;
    for (int i = 0; i < 3000; ++i) {
      const uint64_t id = random() % range;
      EXPECT_EQ(ids.Contains(id), model.contains(id));
      EXPECT_EQ(ids.Insert(id), model.insert(id).second);
      EXPECT_TRUE(ids.Contains(id));
    }
  }
}

}  // namespace
}  // namespace omendb::duck
