// Scans of BytesIndex over leaves of every prefix and width of cells.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "index/bytes_index.h"

namespace omendb::index {
namespace {

using Keys = std::vector<std::string>;

// Behind each of some prefixes, keys whose rests are up to `longest` bytes long.
Keys KeysBehindPrefixes(size_t longest, std::mt19937_64& random) {
  Keys keys;
  for (const size_t prefix : {0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 64}) {
    const std::string begin(prefix, static_cast<char>('a' + prefix % 26));
    for (int i = 0; i < 200; ++i) {
      std::string key = begin;
      for (size_t k = random() % (longest + 1); k > 0; --k) {
        key += static_cast<char>(random() % 256);
      }
      keys.push_back(std::move(key));
    }
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

void Build(const Keys& keys, bool loaded, std::mt19937_64& random, BytesIndex* index) {
  std::vector<BytesEntry> entries;
  for (size_t i = 0; i < keys.size(); ++i) entries.push_back({keys[i], i});
  if (loaded) {
    ASSERT_TRUE(index->BulkLoad(entries).ok());
    return;
  }
  std::shuffle(entries.begin(), entries.end(), random);
  for (const BytesEntry& entry : entries) index->Insert(entry.key, entry.value);
}

// `n` entries from `at` on, by a batch that has been used before.
void ExpectScan(const BytesIndex& index, const Keys& keys, size_t at, size_t n, bool forward,
                BytesBatch& batch) {
  BytesCursor cursor(index);
  forward ? cursor.SeekForward(keys[at]) : cursor.SeekBackward(keys[at]);
  const size_t there = forward ? keys.size() - at : at + 1;
  ASSERT_EQ(cursor.Next(batch, n), std::min(n, there));
  for (size_t i = 0; i < batch.size(); ++i) {
    const size_t rank = forward ? at + i : at - i;
    ASSERT_EQ(batch.key(i), keys[rank]);
    ASSERT_EQ(batch.value(i), rank);
  }
}

TEST(BytesScanTest, EveryKeyComesWholeWhateverLiesBehindIt) {
  std::mt19937_64 random(3);
  BytesBatch batch;
  for (const size_t longest : {1, 3, 8, 9, 17, 30, 50, 70, 90, 130}) {
    for (const bool loaded : {true, false}) {
      const Keys keys = KeysBehindPrefixes(longest, random);
      EpochManager epochs;
      BytesIndex index(epochs);
      ASSERT_NO_FATAL_FAILURE(Build(keys, loaded, random, &index));
      for (int scan = 0; scan < 300; ++scan) {
        const size_t at = random() % keys.size(), n = 1 + random() % 150;
        ASSERT_NO_FATAL_FAILURE(ExpectScan(index, keys, at, n, scan % 2 == 0, batch));
      }
    }
  }
}

// The prefix of the first leaf is taken from where the scan begins, which need be no key of it.
TEST(BytesScanTest, ScansBeginBetweenKeys) {
  std::mt19937_64 random(4);
  const Keys keys = KeysBehindPrefixes(20, random);
  EpochManager epochs;
  BytesIndex index(epochs);
  ASSERT_NO_FATAL_FAILURE(Build(keys, true, random, &index));
  BytesBatch batch;
  for (int scan = 0; scan < 3000; ++scan) {
    std::string low = keys[random() % keys.size()];
    low.resize(random() % (low.size() + 4));
    if (!low.empty() && scan % 2 == 0) low.back() = static_cast<char>(random() % 256);
    const auto at = std::lower_bound(keys.begin(), keys.end(), low);
    BytesCursor cursor(index);
    cursor.SeekForward(low);
    const auto n = std::min<size_t>(70, static_cast<size_t>(keys.end() - at));
    ASSERT_EQ(cursor.Next(batch, 70), n);
    for (size_t i = 0; i < n; ++i) ASSERT_EQ(batch.key(i), at[static_cast<int64_t>(i)]);
  }
}

}  // namespace
}  // namespace omendb::index
