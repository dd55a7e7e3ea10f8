// Keys in order at an end of the index: a leaf is made for those to come as if they went on as
// before. They may come closer, further apart, at the other end or not at all.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "index/int_index.h"

namespace omendb::index {
namespace {

// Some keys more at distances of about `step`, above the last one.
void Append(std::vector<uint64_t>& keys, size_t count, uint64_t step, std::mt19937_64& random) {
  uint64_t key = keys.empty() ? 0 : keys.back();
  for (size_t i = 0; i < count; ++i) keys.push_back(key += 1 + random() % (2 * step - 1));
}

// Ascending keys, or their mirror image: whichever end, the same is to happen.
class IntIndexOrderTest : public ::testing::TestWithParam<bool> {
 protected:
  uint64_t At(uint64_t key) const { return GetParam() ? UINT64_MAX - key : key; }
  void InsertAll(IntIndex& index, const std::vector<uint64_t>& keys) const {
    for (const uint64_t key : keys) ASSERT_FALSE(index.Insert(At(key), key).has_value());
  }
  void ExpectAll(const IntIndex& index, std::vector<uint64_t> keys) const {
    const Status status = index.Validate();
    ASSERT_TRUE(status.ok()) << status.ToString();
    ASSERT_EQ(index.Size(), keys.size());
    for (uint64_t& key : keys) {
      ASSERT_EQ(index.Lookup(At(key)), key);
      key = At(key);
    }
    std::sort(keys.begin(), keys.end());
    IntCursor cursor(index);
    cursor.SeekForward(0);
    std::vector<Entry> out(keys.size() + 1);
    size_t n = 0, got = 0;
    while ((got = cursor.Next({out.data() + n, out.size() - n})) > 0) n += got;
    ASSERT_EQ(n, keys.size());
    for (size_t i = 0; i < n; ++i) ASSERT_EQ(out[i].key, keys[i]);
  }
};

TEST_P(IntIndexOrderTest, ARunMovesFewKeys) {
  EpochManager epochs;
  IntIndex index(epochs);
  std::mt19937_64 random(1);
  std::vector<uint64_t> keys;
  Append(keys, 200'000, uint64_t{1} << 40, random);
  InsertAll(index, keys);
  ExpectAll(index, keys);
  // Were each leaf begun small and extended, there would be two rebuilds for each.
  EXPECT_LT(index.Stats().rebuilds, index.Stats().model_leaves);
  EXPECT_LE(index.Stats().plain_leaves, index.Stats().model_leaves / 4);
}

TEST_P(IntIndexOrderTest, DistancesChange) {
  for (const uint64_t step : {uint64_t{1}, uint64_t{1} << 10, uint64_t{1} << 45}) {
    EpochManager epochs;
    IntIndex index(epochs);
    std::mt19937_64 random(step);
    std::vector<uint64_t> keys;
    for (const uint64_t s : {uint64_t{1} << 20, step, uint64_t{1} << 20}) {
      Append(keys, 30'000, s, random);
    }
    InsertAll(index, keys);
    ExpectAll(index, keys);
    epochs.Collect();
    EXPECT_LT(index.MemoryBytes(), keys.size() * 32 + (4 << 20));
  }
}

TEST_P(IntIndexOrderTest, UpToTheLastKeyOfAll) {
  EpochManager epochs;
  IntIndex index(epochs);
  std::vector<uint64_t> keys;
  for (uint64_t left = 50'000; left-- > 0;) keys.push_back(UINT64_MAX - left);
  InsertAll(index, keys);
  ExpectAll(index, keys);
}

TEST_P(IntIndexOrderTest, TheRoomAheadIsFilledAtRandomOrFromItsFarEnd) {
  for (const bool shuffled : {true, false}) {
    EpochManager epochs;
    IntIndex index(epochs);
    std::mt19937_64 random(3);
    std::vector<uint64_t> keys, rest;
    Append(keys, 40'000, 1 << 16, random);
    InsertAll(index, keys);
    rest.push_back(keys.back());
    Append(rest, 40'000, 1 << 14, random);
    rest.erase(rest.begin());
    if (shuffled) {
      std::shuffle(rest.begin(), rest.end(), random);
    } else {
      std::reverse(rest.begin(), rest.end());
    }
    InsertAll(index, rest);
    keys.insert(keys.end(), rest.begin(), rest.end());
    ExpectAll(index, keys);
  }
}

INSTANTIATE_TEST_SUITE_P(Mirrored, IntIndexOrderTest, ::testing::Bool());

}  // namespace
}  // namespace omendb::index
