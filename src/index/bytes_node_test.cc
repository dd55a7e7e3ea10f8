// The inner node of the byte-string index, grown child by child in place, against a sorted list.
#include "index/bytes_node.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "index/shift.h"
#include "testing/key_sets.h"

namespace omendb::index {
namespace {

using Separators = std::vector<std::string>;

struct FreeRecord {
  void operator()(BytesRecord* record) const { BytesRecord::Free(record); }
};

// A node over the keys, which never leads anywhere: child i is known by its number.
class GrowingNode {
 public:
  explicit GrowingNode(const Separators& first) {
    std::vector<BytesChild> children;
    for (const std::string& separator : first) children.push_back(NewChild(separator));
    node_ = std::make_unique<BytesInner>(children);
    keys_ = first;
  }
  // False: the node did not take it and stays as it was.
  bool TrySplit(const std::string& key) {
    const auto at =
        static_cast<size_t>(std::upper_bound(keys_.begin() + 1, keys_.end(), key) - keys_.begin());
    const auto place = static_cast<uint32_t>(at - 1);
    const BytesChild child = NewChild(key);
    if (!node_->TrySplit(place, node_->child(place), child)) return false;
    keys_.insert(keys_.begin() + static_cast<int64_t>(at), key);
    return true;
  }
  const BytesInner& node() const { return *node_; }
  const Separators& keys() const { return keys_; }
  // What Find should say.
  uint32_t Expected(const std::string& key, bool below) const {
    const auto begin = keys_.begin() + 1;
    const auto it = below ? std::lower_bound(begin, keys_.end(), key)
                          : std::upper_bound(begin, keys_.end(), key);
    return static_cast<uint32_t>(it - keys_.begin() - 1);
  }

 private:
  BytesChild NewChild(const std::string& key) {
    records_.emplace_back(BytesRecord::Make(key));
    return {records_.back().get(), BytesRef::OfBits(64 * records_.size())};
  }
  std::vector<std::unique_ptr<BytesRecord, FreeRecord>> records_;
  std::unique_ptr<BytesInner> node_;
  Separators keys_;
};

void ExpectFinds(const GrowingNode& node, const Separators& probes) {
  ASSERT_EQ(node.node().count(), node.keys().size());
  for (const std::string& probe : probes) {
    ASSERT_EQ(node.node().Find(probe), node.Expected(probe, false)) << probe;
    ASSERT_EQ(node.node().Find(probe, true), node.Expected(probe, true)) << probe;
  }
}

Separators Distinct(Separators keys) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

class BytesInnerTest : public ::testing::TestWithParam<testutil::TextSet> {};

TEST_P(BytesInnerTest, ChildrenAddedInPlaceAreFound) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    Separators keys = Distinct(testutil::MakeTextKeys(GetParam(), 400, seed));
    std::mt19937_64 random(seed);
    if (seed % 3 == 0) std::shuffle(keys.begin(), keys.end(), random);
    if (seed % 3 == 1) std::reverse(keys.begin(), keys.end());
    const size_t first = 2 + seed % 2 * 30;
    Separators begin(keys.begin(), keys.begin() + static_cast<int64_t>(first));
    std::sort(begin.begin(), begin.end());
    GrowingNode node(begin);
    size_t taken = 0;
    for (size_t i = first; i < keys.size(); ++i) {
      if (keys[i] < begin.front() || !node.TrySplit(keys[i])) continue;
      if (++taken % 16 == 0) ExpectFinds(node, keys);
    }
    ExpectFinds(node, keys);
    for (std::string& key : keys) key.resize(random() % (key.size() + 2));
    ExpectFinds(node, keys);
  }
}

INSTANTIATE_TEST_SUITE_P(KeySets, BytesInnerTest, ::testing::ValuesIn(testutil::kTextSets),
                         [](const auto& tested) { return std::string(Name(tested.param)); });

TEST(BytesInnerTest, WhatNeedsAnotherNodeIsRefused) {
  GrowingNode alone({"a"});
  EXPECT_FALSE(alone.TrySplit("b"));  // One child has no prefix to share.
  GrowingNode node({"a", "shared/1", "shared/5"});
  EXPECT_TRUE(node.TrySplit("shared/3"));
  EXPECT_FALSE(node.TrySplit("shard"));  // Another prefix.
  EXPECT_EQ(node.node().count(), 4u);
  EXPECT_EQ(node.node().Find("shared/4"), 2u);

  Separators many{""};
  for (int i = 1; i < static_cast<int>(BytesInner::kFanout); ++i)
    many.push_back(std::to_string(1000 + i));
  GrowingNode full(many);
  EXPECT_FALSE(full.TrySplit("1100x"));
}

// Keys that end where the prefix does not, zeros, and heads and tails alike.
TEST(BytesInnerTest, KeysShorterThanThePrefixComeBeforeAll) {
  const std::string prefix("ab\0", 3), zero(1, '\0'), alike(16, 'x');
  GrowingNode node(
      {"", prefix + zero, prefix + std::string(20, '\0'), prefix + "x", prefix + alike + "y"});
  ExpectFinds(node,
              {"", "a", "ab", prefix, prefix + zero, prefix + std::string(19, '\0'),
               prefix + std::string(21, '\0'), prefix + alike, prefix + alike + "z", "abc", "b"});
}

TEST(ShiftTest, WordsAndBytesMoveUpByOne) {
  for (uint32_t size = 1; size < 40; ++size) {
    for (uint32_t from = 0; from < size; ++from) {
      Word words[41];
      Relaxed<uint8_t> bytes[41];
      for (uint32_t i = 0; i <= size; ++i) {
        words[i].set(i);
        bytes[i].set(static_cast<uint8_t>(i));
      }
      ShiftUp(words, from, size);
      ShiftUp(bytes, from, size);
      for (uint32_t i = 0; i <= size; ++i) {
        ASSERT_EQ(words[i].get(), i > from ? i - 1 : i);
        ASSERT_EQ(bytes[i].get(), i > from ? i - 1 : i);
      }
    }
  }
}

}  // namespace
}  // namespace omendb::index
