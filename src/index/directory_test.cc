// The directory against a search of the same leaves: it may not know, but it is never wrong.
#include "index/directory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

namespace omendb::index {
namespace {

// Leaves side by side over all keys, beginning at `lows` (ascending, the first of them 0).
class Leaves {
 public:
  explicit Leaves(const std::vector<uint64_t>& lows) {
    for (size_t i = 0; i < lows.size(); ++i) {
      leaves_.push_back(New(lows[i], i + 1 < lows.size() ? lows[i + 1] - 1 : UINT64_MAX));
    }
  }
  Leaf* Covering(uint64_t key) const {
    const auto after = std::upper_bound(leaves_.begin(), leaves_.end(), key,
                                        [](uint64_t k, const Leaf* l) { return k < l->low; });
    return *(after - 1);
  }
  Leaf* New(uint64_t low, uint64_t last) {
    owned_.push_back(std::make_unique<Leaf>());
    owned_.back()->low = low;
    owned_.back()->last = last;
    return owned_.back().get();
  }
  // Replaces [first, first + removed) by leaves beginning at `lows`, the olds' first low left out.
  void Replace(Directory& directory, size_t first, size_t removed, std::vector<uint64_t> lows) {
    const auto begin = leaves_.begin() + static_cast<int64_t>(first);
    const std::vector<Leaf*> olds(begin, begin + static_cast<int64_t>(removed));
    lows.insert(lows.begin(), olds.front()->low);
    std::vector<Leaf*> news;
    for (size_t i = 0; i < lows.size(); ++i) {
      news.push_back(New(lows[i], i + 1 < lows.size() ? lows[i + 1] - 1 : olds.back()->last));
    }
    leaves_.erase(begin, begin + static_cast<int64_t>(removed));
    leaves_.insert(leaves_.begin() + static_cast<int64_t>(first), news.begin(), news.end());
    directory.Replace(olds, news);
    for (Leaf* old : olds) {
      ASSERT_TRUE(old->lock.TryLock());
      old->lock.UnlockDead();
    }
  }
  void Fill(Directory& directory, size_t limit) const {
    while (limit > 0 && !directory.complete()) {
      limit -= directory.FillFrom(Covering(directory.next_key()), limit);
    }
  }
  // The share of `keys` it knows; fails where it names a leaf that does not cover the key.
  double Known(const Directory& directory, const std::vector<uint64_t>& keys) const {
    EXPECT_TRUE(directory.Valid());
    size_t known = 0;
    for (const uint64_t key : keys) {
      const Leaf* leaf = directory.Find(key);
      if (leaf == nullptr) continue;
      EXPECT_EQ(leaf, Covering(key)) << key;
      ++known;
    }
    return static_cast<double>(known) / static_cast<double>(keys.size());
  }
  const std::vector<Leaf*>& all() const { return leaves_; }

 private:
  std::vector<std::unique_ptr<Leaf>> owned_;
  std::vector<Leaf*> leaves_;
};

std::vector<uint64_t> EvenLows(size_t count, uint64_t step) {
  std::vector<uint64_t> lows;
  for (size_t i = 0; i < count; ++i) lows.push_back(i * step);
  return lows;
}

std::vector<uint64_t> RandomKeys(uint64_t end) {
  std::mt19937_64 random(1);
  std::vector<uint64_t> keys{0, 1, end - 1, UINT64_MAX - 1, UINT64_MAX};
  for (int i = 0; i < 10'000; ++i) keys.push_back(random() % end);
  return keys;
}

TEST(DirectoryTest, KnowsMostKeysOfEvenLeaves) {
  const Leaves leaves(EvenLows(100, 1000));
  Directory directory(0, 99'999, 100);
  const auto keys = RandomKeys(100'000);
  EXPECT_EQ(leaves.Known(directory, keys), 0);
  leaves.Fill(directory, 300);
  EXPECT_NEAR(leaves.Known(directory, keys), 0.36, 0.08);
  leaves.Fill(directory, SIZE_MAX);
  EXPECT_FALSE(directory.useless());
  EXPECT_GT(leaves.Known(directory, keys), 0.9);
}

TEST(DirectoryTest, CoversAllKeysThereAre) {
  const Leaves leaves(EvenLows(64, uint64_t{1} << 58));
  Directory directory(0, UINT64_MAX, 64);
  leaves.Fill(directory, SIZE_MAX);
  EXPECT_GT(leaves.Known(directory, RandomKeys(UINT64_MAX)), 0.9);
  EXPECT_EQ(directory.Find(UINT64_MAX), leaves.all().back());
}

TEST(DirectoryTest, AWideLeafIsLeftOutUntilItIsSplitAndAgainWhenJoined) {
  Leaves leaves({0, 100'000, 101'000});
  Directory directory(0, 101'999, 100);
  leaves.Fill(directory, SIZE_MAX);
  EXPECT_TRUE(directory.Find(50'000) == nullptr);  // 780 cells of 128.
  EXPECT_EQ(directory.Find(100'500), leaves.Covering(100'500));
  leaves.Replace(directory, 0, 1, {10'000, 20'000});
  EXPECT_EQ(directory.Find(5'000), leaves.Covering(5'000));
  EXPECT_EQ(directory.Find(15'000), leaves.Covering(15'000));
  EXPECT_TRUE(directory.Find(50'000) == nullptr);
  leaves.Replace(directory, 0, 3, {});
  EXPECT_TRUE(directory.Find(5'000) == nullptr);
  leaves.Known(directory, RandomKeys(102'000));
}

TEST(DirectoryTest, RandomReplacementsWhileItIsBeingFilled) {
  std::mt19937_64 random(7);
  Leaves leaves(EvenLows(100, 1000));
  Directory directory(500, 98'500, 100);
  const auto keys = RandomKeys(101'000);
  for (int step = 0; step < 500; ++step) {
    const size_t n = leaves.all().size();
    const size_t first = random() % n;
    const Leaf* leaf = leaves.all()[first];
    const uint64_t middle = leaf->low + (std::min<uint64_t>(leaf->last, 200'000) - leaf->low) / 2;
    if (random() % 2 == 0 && middle > leaf->low) {
      leaves.Replace(directory, first, 1, {middle});
    } else if (first + 1 < n) {
      leaves.Replace(directory, first, 2, {});
    }
    leaves.Fill(directory, 3);
    leaves.Known(directory, keys);
  }
  EXPECT_TRUE(directory.complete());
}

TEST(DirectoryTest, KeysClusteredAtOneEndMakeItUseless) {
  std::vector<uint64_t> lows{0};
  for (uint64_t at = 1; at < 60; ++at) lows.push_back(uint64_t{1} << at);
  const Leaves leaves(lows);
  Directory directory(0, uint64_t{1} << 60, lows.size());
  leaves.Fill(directory, SIZE_MAX);
  EXPECT_TRUE(directory.useless());
  directory.SwitchOff();
  EXPECT_EQ(leaves.Known(directory, RandomKeys(uint64_t{1} << 60)), 0);
}

}  // namespace
}  // namespace omendb::index
