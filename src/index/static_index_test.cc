#include "index/static_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "testing/key_sets.h"

namespace omendb::index {
namespace {

using testutil::KeySet;
using testutil::kIntKeySets;
using testutil::MakeKeys;

// The window contains the lower bound of every key, of its neighbours, and of random keys.
void ExpectRight(const StaticIndex& index, const std::vector<uint64_t>& keys) {
  std::mt19937_64 random(5);
  std::vector<uint64_t> probes{0, 1, UINT64_MAX, UINT64_MAX - 1};
  for (const uint64_t key : keys) {
    probes.insert(probes.end(), {key - 1, key, key + 1});
  }
  for (int i = 0; i < 10000; ++i) probes.push_back(random());
  for (const uint64_t key : probes) {
    const auto truth =
        static_cast<uint64_t>(std::lower_bound(keys.begin(), keys.end(), key) - keys.begin());
    const PositionRange range = index.LowerBound(key);
    ASSERT_LE(range.begin, truth) << key;
    ASSERT_GE(range.end, truth) << key;
    ASSERT_LE(range.end - range.begin, StaticIndex::kBlockKeys);
    ASSERT_LE(range.end, keys.size());
  }
}

class StaticIndexTest : public ::testing::TestWithParam<KeySet> {};

TEST_P(StaticIndexTest, WindowContainsTheLowerBoundAndIsSmall) {
  const auto keys = MakeKeys(GetParam(), 100000, 31);
  auto built = StaticIndex::Build(keys);
  ASSERT_TRUE(built.ok());
  ExpectRight(*built, keys);
  const double bytes = static_cast<double>(built->MemoryBytes()) / 100000;
  EXPECT_LE(bytes, 1.5);
  if (GetParam() == KeySet::kSequential || GetParam() == KeySet::kTimeSeries) {
    EXPECT_LT(bytes, 0.1);
  }
  auto parsed = StaticIndex::Parse(built->Serialize());
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  ExpectRight(*parsed, keys);
  EXPECT_EQ(parsed->Serialize(), built->Serialize());
}

INSTANTIATE_TEST_SUITE_P(KeySets, StaticIndexTest, ::testing::ValuesIn(kIntKeySets),
                         [](const auto& set) { return std::string(Name(set.param)); });

TEST(StaticIndexEdgeTest, RepeatedKeysExtremesAndTinyRuns) {
  std::vector<std::vector<uint64_t>> runs = {
      {}, {0}, {UINT64_MAX}, {0, UINT64_MAX}, {5, 5, 5}, {0, 0, UINT64_MAX, UINT64_MAX}};
  std::vector<uint64_t> repeated;
  for (uint64_t i = 0; i < 20; ++i) repeated.insert(repeated.end(), 3000, i * i);
  runs.push_back(repeated);
  std::vector<uint64_t> close;
  for (uint64_t i = 0; i < 5000; ++i) close.push_back((uint64_t{1} << 60) + i);
  for (uint64_t i = 0; i < 5000; ++i) close.push_back(UINT64_MAX - 4999 + i);
  runs.push_back(close);
  for (const auto& keys : runs) {
    auto built = StaticIndex::Build(keys);
    ASSERT_TRUE(built.ok());
    ExpectRight(*built, keys);
  }
}

TEST(StaticIndexEdgeTest, UnsortedInputIsRefusedWithItsPlace) {
  const std::vector<uint64_t> keys{1, 2, 9, 4};
  auto built = StaticIndex::Build(keys);
  ASSERT_FALSE(built.ok());
  EXPECT_EQ(built.status().sqlstate(), "22023");
  EXPECT_NE(built.status().ToString().find("key 3"), std::string::npos);
}

TEST(StaticIndexEdgeTest, EveryTruncationAndBitFlipIsFound) {
  for (const KeySet set : {KeySet::kTimeSeries, KeySet::kOsm}) {
    const std::string image = StaticIndex::Build(MakeKeys(set, 20000, 32))->Serialize();
    for (size_t size = 0; size < image.size(); ++size) {
      auto parsed = StaticIndex::Parse(std::string_view(image).substr(0, size));
      ASSERT_FALSE(parsed.ok()) << size;
      ASSERT_EQ(parsed.status().sqlstate(), "XX001");
    }
    for (size_t bit = 0; bit < image.size() * 8; ++bit) {
      std::string flipped = image;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      ASSERT_FALSE(StaticIndex::Parse(flipped).ok()) << "bit " << bit;
    }
  }
}

}  // namespace
}  // namespace omendb::index
