// Every operation of BytesIndex against std::map, over every kind of key set, and under threads.
#include "index/bytes_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <thread>

#include "testing/key_sets.h"
#include "testing/linearizability.h"

namespace omendb::index {
namespace {

using testutil::kTextSets;
using testutil::MakeTextKeys;
using testutil::MapEvent;
using testutil::MapOp;
using testutil::TextSet;
using Map = std::map<std::string, uint64_t>;

void ExpectSameContent(const BytesIndex& index, const Map& map) {
  ASSERT_TRUE(index.Validate().ok()) << index.Validate().ToString();
  ASSERT_EQ(index.Size(), map.size());
  BytesCursor cursor(index);
  BytesBatch batch;
  cursor.SeekForward("");
  auto it = map.begin();
  while (const size_t n = cursor.Next(batch, 97)) {
    for (size_t i = 0; i < n; ++i, ++it) {
      ASSERT_NE(it, map.end());
      ASSERT_EQ(batch.key(i), it->first);
      ASSERT_EQ(batch.value(i), it->second);
    }
  }
  ASSERT_EQ(it, map.end());
  cursor.SeekLast();
  auto back = map.rbegin();
  while (const size_t n = cursor.Next(batch, 61)) {
    for (size_t i = 0; i < n; ++i, ++back) {
      ASSERT_NE(back, map.rend());
      ASSERT_EQ(batch.key(i), back->first);
    }
  }
  ASSERT_EQ(back, map.rend());
}

void RandomOperations(BytesIndex& index, Map& map, const std::vector<std::string>& keys,
                      size_t operations, int erase_percent, std::mt19937_64& random) {
  for (size_t i = 0; i < operations; ++i) {
    std::string key = keys[random() % keys.size()];
    if (random() % 8 == 0) key.resize(random() % (key.size() + 3));  // Cut, or zeros appended.
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
      const bool hit = before.has_value() && random() % 2 == 0;
      ASSERT_EQ(index.CompareExchange(key, hit ? *before : ~before.value_or(0), value), hit);
      if (hit) map[key] = value;
    } else {
      ASSERT_EQ(index.Lookup(key), before);
    }
  }
}

class BytesIndexKeySetTest : public ::testing::TestWithParam<TextSet> {};

TEST_P(BytesIndexKeySetTest, EveryOperationAgreesWithAMap) {
  EpochManager epochs;
  BytesIndex index(epochs);
  std::mt19937_64 random(1);
  const auto keys = MakeTextKeys(GetParam(), 20000, 21);
  Map map;
  RandomOperations(index, map, keys, 80000, 8, random);
  ExpectSameContent(index, map);
  RandomOperations(index, map, keys, 80000, 48, random);
  ExpectSameContent(index, map);
  std::vector<std::string> rest;
  for (const auto& [key, value] : map) rest.push_back(key);
  std::shuffle(rest.begin(), rest.end(), random);
  for (const auto& key : rest) ASSERT_TRUE(index.Erase(key).has_value());
  ExpectSameContent(index, {});
}

TEST_P(BytesIndexKeySetTest, BulkLoadScansBatchesAndCounts) {
  EpochManager epochs;
  BytesIndex index(epochs);
  const auto keys = MakeTextKeys(GetParam(), 20000, 22);
  std::vector<BytesEntry> entries;
  Map map;
  for (size_t i = 0; i < keys.size(); i += 2) {
    entries.push_back({keys[i], i});
    map.emplace(keys[i], i);
  }
  ASSERT_TRUE(index.BulkLoad(entries).ok());
  ExpectSameContent(index, map);
  std::vector<std::string_view> views(keys.begin(), keys.end());
  std::vector<uint64_t> values(keys.size());
  std::unique_ptr<bool[]> found(new bool[keys.size()]);
  EXPECT_EQ(index.LookupBatch(views, values, {found.get(), keys.size()}), map.size());
  for (size_t i = 0; i < keys.size(); ++i) ASSERT_EQ(found[i], i % 2 == 0);

  std::mt19937_64 random(3);
  BytesCursor cursor(index);
  BytesBatch batch;
  for (int round = 0; round < 300; ++round) {
    const std::string& bound = keys[random() % keys.size()];
    const size_t want = 1 + random() % 150;
    cursor.SeekForward(bound);
    size_t n = cursor.Next(batch, want);
    auto it = map.lower_bound(bound);
    for (size_t i = 0; i < n; ++i, ++it) ASSERT_EQ(batch.key(i), it->first);
    ASSERT_TRUE(n == want || it == map.end());
    const bool inclusive = round % 2 == 0;
    cursor.SeekBackward(bound, inclusive);
    n = cursor.Next(batch, want);
    auto down =
        std::make_reverse_iterator(inclusive ? map.upper_bound(bound) : map.lower_bound(bound));
    for (size_t i = 0; i < n; ++i, ++down) ASSERT_EQ(batch.key(i), down->first);
    ASSERT_TRUE(n == want || down == map.rend());
    const size_t a = random() % keys.size(), b = a + random() % 300;
    if (b >= keys.size()) continue;
    ASSERT_EQ(index.CountRange(keys[a], keys[b]), (b + 1) / 2 - (a + 1) / 2);
  }
}

TEST_P(BytesIndexKeySetTest, AscendingAndDescendingInserts) {
  const auto keys = MakeTextKeys(GetParam(), 20000, 23);
  for (const bool ascending : {true, false}) {
    EpochManager epochs;
    BytesIndex index(epochs);
    Map map;
    for (size_t i = 0; i < keys.size(); ++i) {
      const std::string& key = keys[ascending ? i : keys.size() - 1 - i];
      ASSERT_EQ(index.Insert(key, i), std::nullopt);
      map.emplace(key, i);
    }
    ExpectSameContent(index, map);
  }
}

INSTANTIATE_TEST_SUITE_P(KeySets, BytesIndexKeySetTest, ::testing::ValuesIn(kTextSets),
                         [](const auto& set) { return std::string(Name(set.param)); });

TEST(BytesIndexTest, KeysThatDifferOnlyInTrailingZerosOrLength) {
  EpochManager epochs;
  BytesIndex index(epochs);
  Map map;
  for (size_t length = 0; length < 300; ++length) {
    for (const char fill : {'\0', '\xff', 'a'}) {
      const std::string key(length, fill);
      ASSERT_EQ(index.Insert(key, length).has_value(), !map.emplace(key, length).second);
    }
  }
  ExpectSameContent(index, map);
  for (const auto& [key, value] : map) ASSERT_EQ(index.Lookup(key), value);
}

// Short keys, keys about as long as the widest cell, and long ones side by side; prefixes shared by
// some, so that a split or a merge moves keys into cells and out of them.
std::vector<std::string> MixedKeys(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::string> keys;
  for (size_t i = 0; i < count; ++i) {
    constexpr size_t kSizes[] = {0, 4, 8, 16, 80, 88, 96, 300};
    std::string key(random() % 4 * 20, static_cast<char>('a' + random() % 3));
    const size_t rest = kSizes[random() % std::size(kSizes)] + random() % 9;
    for (size_t k = 0; k < rest; ++k) key += static_cast<char>(random() % 3 * 127);
    keys.push_back(std::move(key));
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

TEST(BytesIndexTest, KeysOfMixedLengthsAgreeWithAMap) {
  const auto keys = MixedKeys(5000, 5);
  std::vector<std::string_view> views(keys.begin(), keys.end());
  std::vector<uint64_t> values(keys.size());
  std::unique_ptr<bool[]> found(new bool[keys.size()]);
  for (const bool bulk : {false, true}) {
    EpochManager epochs;
    BytesIndex index(epochs);
    Map map;
    std::mt19937_64 random(6);
    if (bulk) {
      std::vector<BytesEntry> entries;
      for (size_t i = 0; i < keys.size(); i += 2) {
        entries.push_back({keys[i], i});
        map.emplace(keys[i], i);
      }
      ASSERT_TRUE(index.BulkLoad(entries).ok());
      ExpectSameContent(index, map);
    }
    for (const int erase_percent : {5, 48, 5, 50}) {
      RandomOperations(index, map, keys, 12000, erase_percent, random);
      ExpectSameContent(index, map);
      index.LookupBatch(views, values, {found.get(), keys.size()});
      for (size_t i = 0; i < keys.size(); ++i) {
        const auto it = map.find(keys[i]);
        ASSERT_EQ(found[i], it != map.end());
        if (found[i]) {
          ASSERT_EQ(values[i], it->second);
        }
      }
    }
    while (!map.empty()) {
      ASSERT_TRUE(index.Erase(map.begin()->first).has_value());
      map.erase(map.begin());
    }
    ExpectSameContent(index, {});
  }
}

// Scans read whole, ordered, unrepeated entries while others insert, erase, split and merge.
TEST(BytesIndexTest, ScansBesideChangesSeeWholeEntries) {
  const auto keys = MixedKeys(3000, 8);
  EpochManager epochs;
  BytesIndex index(epochs);
  // The value of a key is a function of it; every fourth key stays.
  for (size_t i = 0; i < keys.size(); i += 4)
    index.Insert(keys[i], std::hash<std::string>{}(keys[i]));
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (uint64_t t = 0; t < 2; ++t) {
    writers.emplace_back([&, t] {
      std::mt19937_64 random(t);
      while (!stop.load(std::memory_order_relaxed)) {
        const size_t begin = random() % keys.size();
        const bool erase = random() % 2 == 0;
        for (size_t i = begin; i < std::min(begin + 200, keys.size()); ++i) {
          if (i % 4 == 0) continue;
          if (erase) {
            index.Erase(keys[i]);
          } else {
            index.Insert(keys[i], std::hash<std::string>{}(keys[i]));
          }
        }
      }
    });
  }
  BytesBatch batch;
  std::string why;
  for (int round = 0; round < 60 && why.empty(); ++round) {
    BytesCursor cursor(index);
    const bool forward = round % 2 == 0;
    if (forward) {
      cursor.SeekForward("");
    } else {
      cursor.SeekLast();
    }
    size_t staying = 0;
    std::string before;
    bool first = true;
    while (const size_t n = cursor.Next(batch, round % 4 < 2 ? 70 : 700)) {
      for (size_t i = 0; i < n; ++i) {
        const std::string key(batch.key(i));
        if (batch.value(i) != std::hash<std::string>{}(key)) why = "a torn entry";
        if (!first && (forward ? before >= key : before <= key)) why = "out of order";
        const auto it = std::lower_bound(keys.begin(), keys.end(), key);
        if (it == keys.end() || *it != key) why = "a key that nobody inserted";
        staying += (it - keys.begin()) % 4 == 0;
        before = key;
        first = false;
      }
    }
    if (staying != (keys.size() + 3) / 4) why = "a key that stays was not seen once";
  }
  stop = true;
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(why, "");
  EXPECT_TRUE(index.Validate().ok()) << index.Validate().ToString();
}

TEST(BytesIndexTest, BulkLoadRejectsBadInputAndStaysAsItWas) {
  EpochManager epochs;
  BytesIndex index(epochs);
  EXPECT_EQ(index.BulkLoad(std::vector<BytesEntry>{{"b", 1}, {"a", 2}}).sqlstate(), "22023");
  EXPECT_EQ(index.BulkLoad(std::vector<BytesEntry>{{"b", 1}, {"b", 2}}).sqlstate(), "22023");
  EXPECT_EQ(index.Size(), 0u);
  index.Insert("x", 1);
  EXPECT_EQ(index.BulkLoad(std::vector<BytesEntry>{{"b", 1}}).sqlstate(), "55000");
  EXPECT_EQ(index.Lookup("x"), 1u);
}

int64_t Now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

TEST(BytesIndexTest, ConcurrentHistoriesAreLinearizable) {
  constexpr int kThreads = 4;
  // Every third key is too long for its cell.
  const auto name = [](uint64_t n) {
    return "shared/prefix/" + std::to_string(100000 + n) + std::string(n % 3 * 60, 'x');
  };
  for (uint64_t round = 0; round < 6; ++round) {
    EpochManager epochs;
    BytesIndex index(epochs);
    std::vector<std::vector<MapEvent>> events(kThreads);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937_64 random(round * 100 + t);
        for (int i = 0; i < 300; ++i) {
          MapEvent event;
          event.thread = t;
          event.key = random() % 16 * 1000;
          event.op = static_cast<MapOp>(random() % 4);
          event.argument = random() % 4;
          const std::string key = name(event.key);
          event.called = Now();
          switch (event.op) {
            case MapOp::kInsert:
              event.result = index.Insert(key, event.argument);
              break;
            case MapOp::kUpsert:
              event.result = index.Upsert(key, event.argument);
              break;
            case MapOp::kErase:
              event.result = index.Erase(key);
              break;
            default:
              event.op = MapOp::kLookup;
              event.result = index.Lookup(key);
          }
          event.returned = Now();
          events[t].push_back(event);
          const uint64_t start = random() % 16 * 1000 + 1 + t * 240;
          for (uint64_t k = start; k < start + 40; ++k) {
            if (i % 3 != 2) {
              index.Insert(name(k), k);
            } else {
              index.Erase(name(k));
            }
          }
        }
      });
    }
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(testutil::FirstBadKey(events), std::nullopt) << "round " << round;
    ASSERT_TRUE(index.Validate().ok()) << index.Validate().ToString();
  }
}

}  // namespace
}  // namespace omendb::index
