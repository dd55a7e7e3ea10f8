// Every operation of IntIndex against std::map, over every kind of key set.
#include "index/int_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string_view>
#include <thread>

#include "index/counters.h"
#include "testing/key_sets.h"

namespace omendb::index {
namespace {

using testutil::KeySet;
using testutil::kIntKeySets;
using testutil::MakeKeys;

using Map = std::map<uint64_t, uint64_t>;

void ExpectSameContent(const IntIndex& index, const Map& map) {
  ASSERT_TRUE(index.Validate().ok()) << index.Validate().ToString();
  ASSERT_EQ(index.Size(), map.size());
  IntCursor cursor(index);
  std::vector<Entry> batch(97);
  cursor.SeekForward(0);
  auto it = map.begin();
  while (const size_t n = cursor.Next(batch)) {
    for (size_t i = 0; i < n; ++i, ++it) {
      ASSERT_NE(it, map.end());
      ASSERT_EQ(batch[i].key, it->first);
      ASSERT_EQ(batch[i].value, it->second);
    }
  }
  ASSERT_EQ(it, map.end());
  cursor.SeekBackward(UINT64_MAX);
  auto back = map.rbegin();
  while (const size_t n = cursor.Next(batch)) {
    for (size_t i = 0; i < n; ++i, ++back) {
      ASSERT_NE(back, map.rend());
      ASSERT_EQ(batch[i].key, back->first);
    }
  }
  ASSERT_EQ(back, map.rend());
}

class IntIndexKeySetTest : public ::testing::TestWithParam<KeySet> {
 protected:
  // Weighted operations over the keys of the set and their neighbours.
  void RandomOperations(IntIndex& index, Map& map, const std::vector<uint64_t>& keys,
                        size_t operations, int erase_percent, std::mt19937_64& random) {
    for (size_t i = 0; i < operations; ++i) {
      uint64_t key = keys[random() % keys.size()];
      if (random() % 8 == 0) key += random() % 5 - 2;
      const uint64_t value = random();
      const auto it = map.find(key);
      const auto before = it == map.end() ? std::nullopt : std::optional<uint64_t>(it->second);
      const int dice = static_cast<int>(random() % 100);
      if (dice < erase_percent) {
        ASSERT_EQ(index.Erase(key), before);
        map.erase(key);
      } else if (dice < erase_percent + 30) {
        ASSERT_EQ(index.Insert(key, value), before);
        map.emplace(key, value);
      } else if (dice < erase_percent + 40) {
        ASSERT_EQ(index.Upsert(key, value), before);
        map[key] = value;
      } else if (dice < erase_percent + 45) {
        ASSERT_EQ(index.Update(key, value), before);
        if (before) map[key] = value;
      } else if (dice < erase_percent + 50) {
        const uint64_t expected = random() % 2 == 0 ? before.value_or(0) : value;
        const bool hit = before && *before == expected;
        ASSERT_EQ(index.CompareExchange(key, expected, value + 1), hit);
        if (hit) map[key] = value + 1;
      } else if (dice < erase_percent + 52) {
        const bool hit = before && *before == value;
        ASSERT_EQ(index.EraseIf(key, value), hit);
      } else {
        ASSERT_EQ(index.Lookup(key), before);
      }
    }
  }
};

TEST_P(IntIndexKeySetTest, GrowsFromEmptyInRandomOrder) {
  EpochManager epochs;
  IntIndex index(epochs);
  Map map;
  std::mt19937_64 random(1);
  const auto keys = MakeKeys(GetParam(), 30000, 11);
  RandomOperations(index, map, keys, 120000, 5, random);
  ExpectSameContent(index, map);
}

TEST_P(IntIndexKeySetTest, BulkLoadThenChangesThenErasesAll) {
  EpochManager epochs;
  IntIndex index(epochs);
  std::mt19937_64 random(2);
  const auto keys = MakeKeys(GetParam(), 40000, 12);
  std::vector<Entry> entries;
  Map map;
  for (size_t i = 0; i < keys.size(); i += 2) {
    entries.push_back({keys[i], i});
    map.emplace(keys[i], i);
  }
  ASSERT_TRUE(index.BulkLoad(entries).ok());
  ExpectSameContent(index, map);
  RandomOperations(index, map, keys, 60000, 10, random);
  ExpectSameContent(index, map);
  RandomOperations(index, map, keys, 150000, 45, random);
  ExpectSameContent(index, map);
  std::vector<uint64_t> rest;
  for (const auto& [key, value] : map) rest.push_back(key);
  std::shuffle(rest.begin(), rest.end(), random);
  for (const uint64_t key : rest) ASSERT_TRUE(index.Erase(key).has_value());
  ExpectSameContent(index, {});
}

TEST_P(IntIndexKeySetTest, AscendingAndDescendingInserts) {
  const auto keys = MakeKeys(GetParam(), 30000, 13);
  for (const bool ascending : {true, false}) {
    EpochManager epochs;
    IntIndex index(epochs);
    Map map;
    for (size_t i = 0; i < keys.size(); ++i) {
      const uint64_t key = ascending ? keys[i] : keys[keys.size() - 1 - i];
      ASSERT_EQ(index.Insert(key, i), std::nullopt);
      map.emplace(key, i);
    }
    ExpectSameContent(index, map);
    for (const uint64_t key : keys) ASSERT_EQ(index.Lookup(key), map[key]);
  }
}

TEST_P(IntIndexKeySetTest, ScansFromAnyBoundAndCounts) {
  EpochManager epochs;
  IntIndex index(epochs);
  Map map;
  const auto keys = MakeKeys(GetParam(), 20000, 14);
  for (size_t i = 0; i < keys.size(); ++i) {
    index.Insert(keys[i * 7919 % keys.size()], i);
    map.emplace(keys[i * 7919 % keys.size()], i);
  }
  std::mt19937_64 random(3);
  IntCursor cursor(index);
  for (int round = 0; round < 400; ++round) {
    const uint64_t bound = keys[random() % keys.size()] + random() % 3 - 1;
    std::vector<Entry> out(1 + random() % 150);
    cursor.SeekForward(bound);
    size_t n = cursor.Next(out);
    auto it = map.lower_bound(bound);
    for (size_t i = 0; i < n; ++i, ++it) ASSERT_EQ(out[i].key, it->first);
    ASSERT_TRUE(n == out.size() || it == map.end());
    cursor.SeekBackward(bound);
    n = cursor.Next(out);
    auto down = std::make_reverse_iterator(map.upper_bound(bound));
    for (size_t i = 0; i < n; ++i, ++down) ASSERT_EQ(out[i].key, down->first);
    ASSERT_TRUE(n == out.size() || down == map.rend());

    const size_t a = random() % keys.size(), b = a + random() % 300;
    if (b >= keys.size()) continue;
    ASSERT_EQ(index.CountRange(keys[a], keys[b]), b - a + 1);
  }
  const size_t half = index.CountRange(keys[keys.size() / 4], keys[keys.size() * 3 / 4]);
  EXPECT_GT(half, keys.size() / 8);
  EXPECT_LE(half, keys.size());
}

TEST_P(IntIndexKeySetTest, BatchesAgreeWithSingleLookups) {
  EpochManager epochs;
  IntIndex index(epochs);
  const auto keys = MakeKeys(GetParam(), 20000, 15);
  for (size_t i = 0; i < keys.size(); i += 2) index.Insert(keys[i], i);
  std::vector<uint64_t> values(keys.size());
  std::unique_ptr<bool[]> found(new bool[keys.size()]);
  const size_t hits = index.LookupBatch(keys, values, {found.get(), keys.size()});
  EXPECT_EQ(hits, (keys.size() + 1) / 2);
  for (size_t i = 0; i < keys.size(); ++i) {
    ASSERT_EQ(found[i], i % 2 == 0);
    if (!found[i]) continue;
    ASSERT_EQ(values[i], i);
  }
}

INSTANTIATE_TEST_SUITE_P(KeySets, IntIndexKeySetTest, ::testing::ValuesIn(kIntKeySets),
                         [](const auto& set) { return std::string(Name(set.param)); });

TEST(IntIndexTest, ExtremeKeys) {
  EpochManager epochs;
  IntIndex index(epochs);
  Map map;
  const uint64_t centres[] = {0,
                              1,
                              UINT64_MAX,
                              uint64_t{1} << 63,
                              (uint64_t{1} << 63) - 1,
                              uint64_t{1} << 60,
                              uint64_t{1} << 53};
  for (int i = -3000; i < 3000; ++i) {
    for (const uint64_t centre : centres) {
      const uint64_t key = centre + static_cast<uint64_t>(i);
      ASSERT_EQ(index.Insert(key, key ^ 1).has_value(), !map.emplace(key, key ^ 1).second);
    }
  }
  ExpectSameContent(index, map);
  for (const auto& [key, value] : map) ASSERT_EQ(index.Lookup(key), value);
}

TEST(IntIndexTest, BulkLoadRejectsBadInputAndStaysAsItWas) {
  EpochManager epochs;
  IntIndex index(epochs);
  const std::vector<Entry> unsorted{{1, 1}, {3, 3}, {2, 2}};
  Status status = index.BulkLoad(unsorted);
  EXPECT_EQ(status.sqlstate(), "22023");
  EXPECT_NE(status.ToString().find("entry 2 (key 2)"), std::string::npos) << status.ToString();
  const std::vector<Entry> repeated{{1, 1}, {1, 2}};
  EXPECT_EQ(index.BulkLoad(repeated).sqlstate(), "22023");
  EXPECT_EQ(index.Size(), 0u);
  EXPECT_EQ(index.Insert(7, 70), std::nullopt);
  EXPECT_EQ(index.BulkLoad(std::vector<Entry>{{1, 1}}).sqlstate(), "55000");
  EXPECT_EQ(index.Lookup(7), 70u);
  EXPECT_TRUE(index.Validate().ok());
}

TEST(IntIndexTest, LearnableKeysUseModelsAndLittleMemory) {
  EpochManager epochs;
  IntIndex index(epochs);
  for (uint64_t i = 0; i < 300000; ++i) index.Insert(i * 3, i);
  for (uint64_t i = 0; i < 300000; ++i) ASSERT_EQ(index.Lookup(i * 3), i);
  const IndexStats stats = index.Stats();
  EXPECT_GT(stats.model_leaves, 5 * stats.plain_leaves);
  EXPECT_GT(stats.model_hits, 50 * (stats.corrections + stats.fallbacks));
  EXPECT_LT(static_cast<double>(index.MemoryBytes()) / 300000, 28.0);
}

// Keys in order, wherever they come, leave full leaves behind.
TEST(IntIndexTest, KeysInOrderFillTheirLeaves) {
  constexpr size_t kCount = 400'000, kCluster = 1000;
  const auto keys = MakeKeys(KeySet::kUniform, kCount, 5);
  std::vector<size_t> clusters(kCount / kCluster);
  for (size_t i = 0; i < clusters.size(); ++i) clusters[i] = i * kCluster;
  std::shuffle(clusters.begin(), clusters.end(), std::mt19937_64(9));
  const auto nth = [&](const char* order, size_t i) {
    const size_t clustered = clusters[i / kCluster] + i % kCluster;
    const std::string_view o(order);
    return o == "ascending" ? i : o == "descending" ? kCount - 1 - i : clustered;
  };
  for (const char* order : {"ascending", "descending", "clustered"}) {
    EpochManager epochs;
    IntIndex index(epochs);
    for (size_t i = 0; i < kCount; ++i) {
      ASSERT_EQ(index.Insert(keys[nth(order, i)], i), std::nullopt);
    }
    EXPECT_TRUE(index.Validate().ok()) << index.Validate().ToString();
    // 18 to 23 of it in use; memory comes in huge pages of 5 bytes a key, and whether leaves that
    // were replaced take one more depends on when their epochs end.
    EXPECT_LT(static_cast<double>(index.MemoryBytes()) / kCount, 36.0) << order;
    for (size_t i = 0; i < kCount; i += 7) ASSERT_EQ(index.Lookup(keys[nth(order, i)]), i);
  }
}

TEST(IntIndexTest, TallyCountsEachLookupOfItsThread) {
  EpochManager epochs;
  IntIndex index(epochs);
  for (uint64_t i = 0; i < 1000; ++i) index.Insert(i, i);
  const auto total = [](const LookupTally& tally) {
    return tally.count(LookupPath::kModelHit) + tally.count(LookupPath::kCorrection) +
           tally.count(LookupPath::kFallback);
  };
  const LookupTally outer;
  {
    const LookupTally inner;
    for (uint64_t i = 0; i < 5; ++i) index.Lookup(i);
    EXPECT_EQ(total(inner), 5u);
  }
  index.Lookup(7);
  std::thread([&] { index.Lookup(8); }).join();
  EXPECT_EQ(total(outer), 1u);
}

TEST(IntIndexTest, EmptyIndexAnswers) {
  EpochManager epochs;
  IntIndex index(epochs);
  EXPECT_EQ(index.Lookup(5), std::nullopt);
  EXPECT_EQ(index.Erase(5), std::nullopt);
  EXPECT_EQ(index.CountRange(0, UINT64_MAX), 0u);
  Entry out[4];
  IntCursor cursor(index);
  cursor.SeekForward(0);
  EXPECT_EQ(cursor.Next(out), 0u);
  cursor.SeekBackward(UINT64_MAX);
  EXPECT_EQ(cursor.Next(out), 0u);
  EXPECT_TRUE(index.BulkLoad({}).ok());
  EXPECT_LT(index.MemoryBytes(), 8192u);
}

}  // namespace
}  // namespace omendb::index
