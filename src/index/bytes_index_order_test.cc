// Keys in order into BytesIndex: leaves that split in place, with and without others beside them.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "index/bytes_index.h"

namespace omendb::index {
namespace {

using Keys = std::vector<std::string>;

// Groups of keys that share long beginnings, some of them of the greatest byte; some keys do not
// fit into a cell.
Keys GroupedKeys(uint64_t seed) {
  std::mt19937_64 random(seed);
  Keys keys;
  for (int group = 0; group < 40; ++group) {
    std::string begin(random() % 20, static_cast<char>(random() % 3 == 0 ? 0xff : 'a' + group % 5));
    for (uint64_t i = random() % 8; i > 0; --i) begin += static_cast<char>(random() % 4 * 85);
    for (int i = 0; i < 150; ++i) {
      std::string key = begin;
      const uint64_t rest = 1 + random() % (random() % 40 == 0 ? 150 : 30);
      for (uint64_t k = rest; k > 0; --k) key += static_cast<char>(random() % 256);
      keys.push_back(std::move(key));
    }
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

// Runs of keys in order, upward and downward, the runs in random order.
Keys Clustered(const Keys& sorted, std::mt19937_64& random) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < sorted.size(); i += 300) starts.push_back(i);
  std::shuffle(starts.begin(), starts.end(), random);
  Keys keys;
  for (const size_t start : starts) {
    Keys run(sorted.begin() + static_cast<int64_t>(start),
             sorted.begin() + static_cast<int64_t>(std::min(start + 300, sorted.size())));
    if (random() % 2 == 0) std::reverse(run.begin(), run.end());
    keys.insert(keys.end(), run.begin(), run.end());
  }
  return keys;
}

void ExpectAll(const BytesIndex& index, const Keys& sorted) {
  ASSERT_TRUE(index.Validate().ok()) << index.Validate().ToString();
  ASSERT_EQ(index.Size(), sorted.size());
  BytesCursor cursor(index);
  BytesBatch batch;
  cursor.SeekForward("");
  size_t at = 0;
  while (const size_t n = cursor.Next(batch, 100)) {
    for (size_t i = 0; i < n; ++i) ASSERT_EQ(batch.key(i), sorted[at++]);
  }
  ASSERT_EQ(at, sorted.size());
  for (size_t i = 0; i < sorted.size(); ++i) ASSERT_TRUE(index.Lookup(sorted[i]).has_value());
}

class BytesIndexOrderTest : public ::testing::TestWithParam<int> {};

TEST_P(BytesIndexOrderTest, KeysInAnyOrderThenErased) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    std::mt19937_64 random(seed);
    const Keys sorted = GroupedKeys(seed);
    Keys keys = sorted;
    if (GetParam() == 1) std::reverse(keys.begin(), keys.end());
    if (GetParam() == 2) keys = Clustered(sorted, random);
    if (GetParam() == 3) std::shuffle(keys.begin(), keys.end(), random);
    EpochManager epochs;
    BytesIndex index(epochs);
    for (size_t i = 0; i < keys.size(); ++i) ASSERT_EQ(index.Insert(keys[i], i), std::nullopt);
    ExpectAll(index, sorted);
    for (const std::string& key : keys) ASSERT_TRUE(index.Erase(key).has_value());
    ExpectAll(index, {});
  }
}

INSTANTIATE_TEST_SUITE_P(Orders, BytesIndexOrderTest, ::testing::Values(0, 1, 2, 3));

// Full leaves of keys in order hold nothing but the keys: no more than a seventh over bulk load.
TEST(BytesIndexOrderTest, KeysInOrderFillTheirLeaves) {
  const Keys keys = GroupedKeys(3);
  EpochManager epochs;
  BytesIndex loaded(epochs), inserted(epochs);
  std::vector<BytesEntry> entries;
  for (const std::string& key : keys) entries.push_back({key, 0});
  ASSERT_TRUE(loaded.BulkLoad(entries).ok());
  for (const std::string& key : keys) inserted.Insert(key, 0);
  EXPECT_LT(inserted.Stats().plain_leaves, loaded.Stats().plain_leaves * 8 / 7);
}

// Also where keys begin alike for only a few more than a fence is put by: one leaf in four may be
// left with those few, or, by half a leaf of keys, each be half full.
TEST(BytesIndexOrderTest, SmallGroupsInOrderFillTheirLeaves) {
  for (const size_t size : {10, 12, 16, 24, 31, 36, 40, 64, 70}) {
    Keys keys;
    for (size_t i = 0; i < 12000; ++i) {
      keys.push_back(std::to_string(1000000 + i / size) + "/group/" +
                     std::to_string(100 + i % size));
    }
    for (const bool downward : {false, true}) {
      if (downward) std::reverse(keys.begin(), keys.end());
      EpochManager epochs;
      BytesIndex index(epochs);
      for (const std::string& key : keys) index.Insert(key, 0);
      const size_t full = keys.size() / 64 + 1, most = size < 30 ? full * 3 / 2 : full * 2;
      EXPECT_LT(index.Stats().plain_leaves, most + 10) << size << (downward ? " down" : " up");
    }
  }
}

// The leaf where keys in order came is forgotten when it goes.
TEST(BytesIndexOrderTest, KeysInOrderGoOnAfterABulkLoad) {
  EpochManager epochs;
  BytesIndex index(epochs);
  Keys keys;
  for (int i = 0; i < 300; ++i) keys.push_back("key/" + std::to_string(1000 + i));
  for (int i = 0; i < 20; ++i) index.Insert(keys[i], 0);
  for (int i = 0; i < 20; ++i) index.Erase(keys[i]);
  std::vector<BytesEntry> entries;
  for (size_t i = 0; i < 100; ++i) entries.push_back({keys[i], 0});
  ASSERT_TRUE(index.BulkLoad(entries).ok());
  for (size_t i = 100; i < keys.size(); ++i) ASSERT_EQ(index.Insert(keys[i], i), std::nullopt);
  ExpectAll(index, keys);
}

// The same when leaves are joined: runs of keys are erased where the last ones came.
TEST(BytesIndexOrderTest, KeysInOrderGoOnAfterLeavesWereJoined) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    std::mt19937_64 random(seed);
    const Keys sorted = GroupedKeys(seed);
    EpochManager epochs;
    BytesIndex index(epochs);
    std::map<std::string, uint64_t> map;
    for (int step = 0; step < 300; ++step) {
      const size_t begin = random() % sorted.size();
      const size_t end = std::min(begin + random() % 200, sorted.size());
      const bool erase = random() % 5 < 2;
      for (size_t i = begin; i < end; ++i) {
        if (erase) {
          ASSERT_EQ(index.Erase(sorted[i]).has_value(), map.erase(sorted[i]) == 1);
        } else {
          ASSERT_EQ(index.Insert(sorted[i], i).has_value(), !map.emplace(sorted[i], i).second);
        }
      }
    }
    Keys left;
    for (const auto& entry : map) left.push_back(entry.first);
    ExpectAll(index, left);
  }
}

// Whoever inserted a key finds it, as does who was told of it, while leaves split in place: two
// writers go up and down through each other's keys, a third at random, two readers follow.
TEST(BytesIndexOrderTest, KeysInsertedAreFoundWhileLeavesSplit) {
  constexpr size_t kKeys = 9000;
  Keys keys;  // In groups: leaves get fences and are made anew for their longer prefixes.
  for (size_t i = 0; i < kKeys; ++i) {
    keys.push_back("common/" + std::to_string(100 + i / 300) + "/of/a/group/" +
                   std::to_string(1000000 + 7 * i));
  }
  for (uint64_t round = 0; round < 4; ++round) {
    EpochManager epochs;
    BytesIndex index(epochs);
    std::vector<std::atomic<bool>> there(kKeys);
    std::atomic<int> writing{3};
    std::atomic<size_t> missed{0};
    std::vector<std::thread> threads;
    for (size_t t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        std::vector<size_t> mine;
        for (size_t i = t; i < kKeys; i += 3) mine.push_back(i);
        std::mt19937_64 random(round);
        if (t == 1) std::reverse(mine.begin(), mine.end());
        if (t == 2) std::shuffle(mine.begin(), mine.end(), random);
        for (const size_t i : mine) {
          index.Insert(keys[i], i);
          there[i].store(true, std::memory_order_release);
          missed += index.Lookup(keys[i]) != i;
        }
        --writing;
      });
    }
    for (uint64_t t = 0; t < 2; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937_64 random(round * 2 + t);
        while (writing.load() > 0) {
          const size_t i = random() % kKeys;
          const bool told = there[i].load(std::memory_order_acquire);
          const std::string_view wanted[] = {keys[i]};
          uint64_t value[1];
          bool found[1];
          if (t == 0) {
            missed += told && index.Lookup(keys[i]) != i;
          } else {
            missed += index.LookupBatch(wanted, value, found) == 0 && told;
          }
        }
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(missed.load(), 0u);
    ExpectAll(index, keys);
  }
}

}  // namespace
}  // namespace omendb::index
