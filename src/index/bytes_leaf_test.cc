// A leaf of byte strings by itself: how wide its cells are made, and copies of it.
#include "index/bytes_leaf.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "index/bytes_key_sizes.h"

namespace omendb::index {
namespace {

using Keys = std::vector<std::string>;

// A leaf over the keys between two bounds, with the records of the keys that do not fit.
class TestLeaf {
 public:
  TestLeaf(std::string_view low, std::string_view high, uint32_t words)
      : low_(BytesRecord::Make(low)), high_(BytesRecord::Make(high)) {
    memory_.reset(std::aligned_alloc(64, BytesLeaf::Bytes(words)));
    leaf_ = new (memory_.get()) BytesLeaf(low_.get(), high_.get(), words);
  }
  void Fill(const Keys& sorted) {
    for (const std::string& key : sorted) {
      BytesRecord* record = nullptr;
      if (!leaf_->Fits(key)) record = records_.emplace_back(BytesRecord::Make(key)).get();
      const uint32_t at = leaf_->count.get();
      leaf_->InsertAt(at, key, at * 3, record);
    }
  }
  BytesLeaf& leaf() { return *leaf_; }

 private:
  struct Release {
    void operator()(void* memory) const { std::free(memory); }
  };
  std::unique_ptr<BytesRecord, Release> low_, high_;
  std::unique_ptr<void, Release> memory_;
  std::vector<std::unique_ptr<BytesRecord, Release>> records_;
  BytesLeaf* leaf_ = nullptr;
};

Keys KeysBehind(const std::string& prefix, size_t count, size_t longest, std::mt19937_64& random) {
  Keys keys;
  while (keys.size() < count) {
    std::string key = prefix;
    for (size_t k = random() % (longest + 1); k > 0; --k) {
      key += static_cast<char>(random() % 256);
    }
    keys.push_back(std::move(key));
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  }
  return keys;
}

// The keys, with the values that Fill gave them from `first` on.
void ExpectHolds(const BytesLeaf& leaf, const Keys& keys, uint32_t first) {
  ASSERT_EQ(leaf.count.get(), keys.size());
  for (uint32_t at = 0; at < keys.size(); ++at) {
    ASSERT_EQ(leaf.KeyAt(at), keys[at]);
    ASSERT_EQ(leaf.KeySizeAt(at), keys[at].size());
    ASSERT_EQ(leaf.heads[at].get(), HeadOf(keys[at], leaf.skip));
    const Word* cell = leaf.Find(keys[at], FingerprintOf(keys[at]), leaf.lock.Read());
    ASSERT_NE(cell, nullptr);
    ASSERT_EQ(cell->get(), (first + at) * 3);
    ASSERT_EQ(leaf.Search(keys[at], leaf.lock.Read()).at, at);
  }
}

TEST(BytesLeafTest, ACopyWithALongerPrefixHoldsTheSame) {
  std::mt19937_64 random(5);
  int copied = 0;
  for (int round = 0; round < 400; ++round) {
    const std::string prefix(3 + random() % 25, 'p');
    const Keys keys = KeysBehind(prefix, 1 + random() % 64, 1 + random() % 60, random);
    TestLeaf from(prefix.substr(0, random() % 3), "q", 2 + random() % 11);
    TestLeaf to(prefix, prefix + std::string(61, '\xff'), 2 + random() % 11);
    from.Fill(keys);
    const auto begin = static_cast<uint32_t>(random() % keys.size());
    const auto end = static_cast<uint32_t>(begin + random() % (keys.size() - begin + 1));
    if (!to.leaf().CopyRange(from.leaf(), begin, end)) {
      EXPECT_EQ(to.leaf().count.get(), 0u);
      continue;
    }
    ++copied;
    ExpectHolds(to.leaf(), {keys.begin() + begin, keys.begin() + end}, begin);
    EXPECT_EQ(std::popcount(to.leaf().used.get()), static_cast<int>(end - begin));
  }
  EXPECT_GT(copied, 40);
}

TEST(BytesLeafTest, CommonPrefixesAreThoseOfTheBytes) {
  for (size_t size = 0; size < 40; ++size) {
    for (size_t at = 0; at <= size; ++at) {
      for (const size_t longer : {size_t{0}, size_t{1}, size_t{9}}) {
        std::string a(size, 'x'), b(size + longer, 'x');
        if (at < size) b[at] = static_cast<char>(at % 2 == 0 ? '\xff' : 'w');
        ASSERT_EQ(CommonPrefix(a, b), at);
        ASSERT_EQ(CommonPrefix(b, a), at);
      }
    }
  }
}

// Memory of the cells, and of keys outside with what each of those costs.
size_t Cost(const Keys& keys, uint32_t skip, uint32_t words) {
  size_t cost = keys.size() * words * 8;
  for (const std::string& key : keys) {
    if (key.size() - skip > (words - 1) * 8) cost += key.size() + 32;
  }
  return cost;
}

TEST(BytesKeySizesTest, CellsTakeTheLeastMemory) {
  std::mt19937_64 random(6);
  for (int round = 0; round < 400; ++round) {
    const std::string prefix(random() % 20, 'p');
    const size_t count = random() % 2 == 0 ? BytesLeaf::kCapacity : 1 + random() % 64;
    const Keys keys = KeysBehind(prefix, count, 2 + random() % 130, random);
    TestLeaf leaf("", "q", 2 + random() % 11);
    leaf.Fill(keys);
    BytesKeySizes sizes;
    sizes.Add(leaf.leaf());
    const auto skip = static_cast<uint32_t>(random() % (prefix.size() + 1));
    const uint32_t chosen = sizes.ChooseWords(skip);
    ASSERT_GE(chosen, BytesLeaf::kCellWordsMin);
    ASSERT_LE(chosen, BytesLeaf::kCellWordsMax);
    for (uint32_t words = BytesLeaf::kCellWordsMin; words <= BytesLeaf::kCellWordsMax; ++words) {
      ASSERT_LE(Cost(keys, skip, chosen), Cost(keys, skip, words)) << words << " words";
    }
  }
}

// A reader who met the lock meanwhile must not take what he read for good.
TEST(VersionLockTest, CountsHoldersThatChangeNothing) {
  VersionLock lock;
  const uint64_t version = lock.Read();
  EXPECT_TRUE(VersionLock::Readable(version) && lock.Unchanged(version));
  ASSERT_TRUE(lock.TryLock());
  EXPECT_FALSE(lock.Unchanged(version));
  lock.Unlock();
  EXPECT_TRUE(VersionLock::Readable(lock.Read()));
  EXPECT_FALSE(lock.Unchanged(version));
  EXPECT_FALSE(lock.TryLockAt(version));
}

}  // namespace
}  // namespace omendb::index
