// Trees that grow and are emptied again, as a transaction that rolls back leaves them.
#include <gtest/gtest.h>

#include "index/int_index.h"

namespace omendb::index {
namespace {

class IntIndexEmptyingTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(IntIndexEmptyingTest, NewestFirstThenUsedAgain) {
  const uint64_t keys = GetParam();
  EpochManager epochs;
  IntIndex index(epochs);
  for (int round = 0; round < 3; ++round) {
    for (uint64_t key = 1; key <= keys; ++key) ASSERT_FALSE(index.Insert(key, key * 2));
    for (uint64_t key = keys; key >= 1; --key) {
      ASSERT_EQ(index.Erase(key), key * 2);
      ASSERT_FALSE(index.Lookup(key));
    }
    ASSERT_EQ(index.Size(), 0u);
    ASSERT_TRUE(index.Validate().ok()) << index.Validate().ToString();
  }
}

TEST_P(IntIndexEmptyingTest, OldestFirst) {
  const uint64_t keys = GetParam();
  EpochManager epochs;
  IntIndex index(epochs);
  for (uint64_t key = 1; key <= keys; ++key) ASSERT_FALSE(index.Insert(key * 7, key));
  for (uint64_t key = 1; key <= keys; ++key) ASSERT_EQ(index.Erase(key * 7), key);
  ASSERT_EQ(index.Size(), 0u);
  ASSERT_FALSE(index.Insert(5, 6));
  ASSERT_EQ(index.Lookup(5), 6u);
  ASSERT_TRUE(index.Validate().ok()) << index.Validate().ToString();
}

// What a table sees whose inserts are rolled back again and again: keys of a sequence that goes
// on.
TEST_P(IntIndexEmptyingTest, KeysThatGoOnAndVanish) {
  const uint64_t keys = GetParam();
  EpochManager epochs;
  IntIndex index(epochs);
  uint64_t next = 1;
  for (int round = 0; round < 8; ++round) {
    const uint64_t from = next;
    const uint64_t count = round % 2 == 0 ? keys : 1 + keys / 10;
    for (uint64_t i = 0; i < count; ++i, ++next) ASSERT_FALSE(index.Insert(next, next));
    for (uint64_t key = next - 1; key >= from; --key) ASSERT_EQ(index.Erase(key), key);
    ASSERT_EQ(index.Size(), 0u);
  }
  ASSERT_TRUE(index.Validate().ok()) << index.Validate().ToString();
}

INSTANTIATE_TEST_SUITE_P(Sizes, IntIndexEmptyingTest,
                         ::testing::Values(1, 5, 40, 200, 500, 1000, 5000, 40000));

}  // namespace
}  // namespace omendb::index
