// Plain leaves that hold empty buckets beside a full one: erasing leaves them, since a bucket only
// joins a neighbour with room. However the full one shares or is split, every bucket must keep its
// range.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "index/int_index.h"

namespace omendb::index {
namespace {

// As bulk load makes them of keys that no line fits: buckets of 14 keys. Where groups of them and
// leaves begin depends on how many there are.
constexpr uint32_t kBuckets = 32;
constexpr uint32_t kPerBucket = 14;
constexpr uint64_t kStep = 64;

// The keys of a bucket are kStep apart; buckets lie at powers of two, which no line fits.
uint64_t BucketBase(uint32_t leaf, uint32_t bucket) {
  return (uint64_t{leaf} << 60) + (uint64_t{1} << (16 + bucket));
}
uint64_t KeyOf(uint32_t leaf, uint32_t bucket, uint64_t i) {
  return BucketBase(leaf, bucket) + (i + 1) * kStep;
}

// Where the key lands that finds its bucket full.
enum class Rank { kFirst, kMiddle, kLast };
// Why the index takes the keys for keys in order, or that it does not; or that all others are full.
enum class Order { kOthersFull, kNeighbourIsLatest, kNone };

struct Case {
  uint32_t leaves, leaf;  // Of so many leaves this one.
  uint32_t bucket;        // The full one.
  bool empty_before, empty_after;
  Rank rank;
  Order order;

  std::string ToString() const {
    return "leaf " + std::to_string(leaf) + " of " + std::to_string(leaves) + ", bucket " +
           std::to_string(bucket) + ", empty before " + std::to_string(empty_before) + ", after " +
           std::to_string(empty_after) + ", rank " + std::to_string(static_cast<int>(rank)) +
           ", order " + std::to_string(static_cast<int>(order));
  }
};

class SplitCase {
 public:
  explicit SplitCase(const Case& c) : case_(c) {
    std::vector<Entry> entries;
    for (uint32_t leaf = 0; leaf < c.leaves; ++leaf) {
      for (uint32_t b = 0; b < kBuckets; ++b) {
        for (uint64_t i = 0; i < kPerBucket; ++i) entries.push_back({KeyOf(leaf, b, i), b});
      }
    }
    EXPECT_TRUE(index_.BulkLoad(entries).ok());
    EXPECT_EQ(index_.Stats().model_leaves, 0u);
    for (const Entry& entry : entries) map_.emplace(entry.key, entry.value);
  }

  void Run() {
    EmptyBuckets();
    const uint64_t trigger = FillBucket();
    Insert(trigger);
    ExpectSound();
    if (::testing::Test::HasFatalFailure()) return;  // A broken leaf may make a writer wait.
    // Every key of the leaf's range leads to a leaf that takes it.
    for (const uint64_t key : erased_) Insert(key);
    for (uint32_t b = 0; b < kBuckets; ++b) {
      Insert(KeyOf(case_.leaf, b, 0) - 1);
      Insert(KeyOf(case_.leaf, b, kPerBucket) + 1);
    }
    Insert(uint64_t{case_.leaf} << 60);
    Insert((uint64_t{case_.leaf} << 60) + (uint64_t{1} << 59));
    ExpectSound();
  }

 private:
  void Insert(uint64_t key) {
    const bool absent = map_.emplace(key, key).second;
    ASSERT_EQ(index_.Insert(key, key).has_value(), !absent);
  }
  void Erase(uint64_t key) {
    ASSERT_EQ(index_.Erase(key), map_.at(key));
    map_.erase(key);
    erased_.push_back(key);
  }
  void EmptyBucket(uint32_t bucket) {
    for (uint64_t i = 0; i < kPerBucket; ++i) Erase(KeyOf(case_.leaf, bucket, i));
  }
  void EmptyBuckets() {
    if (case_.empty_before) EmptyBucket(case_.bucket - 1);
    if (case_.empty_after) EmptyBucket(case_.bucket + 1);
    if (case_.order == Order::kOthersFull) return;
    // Never two empty buckets side by side, which would join.
    for (uint32_t b = 4; b < 28; b += 4) {
      if (b + 3 < case_.bucket || b > case_.bucket + 3) EmptyBucket(b);
    }
    EmptyBucketPartly(6);
    EmptyBucketPartly(22);
  }
  void EmptyBucketPartly(uint32_t bucket) {
    for (uint64_t i = 0; i < 9; ++i) Erase(KeyOf(case_.leaf, bucket, i));
  }
  // Fills the bucket to its 15 keys; returns the one to insert next, which is of case_.rank.
  uint64_t FillBucket() {
    const uint64_t first = KeyOf(case_.leaf, case_.bucket, 0);
    const uint64_t middle = KeyOf(case_.leaf, case_.bucket, 6);
    const uint64_t last = KeyOf(case_.leaf, case_.bucket, kPerBucket - 1);
    Erase(first);  // The bucket's range begins here.
    const bool near = case_.order == Order::kNeighbourIsLatest;
    Insert(last + 7);
    const uint64_t far = case_.rank == Rank::kMiddle ? last + 3 : middle + 9;
    switch (case_.rank) {
      case Rank::kFirst:
        Insert(near ? first + 1 : far);
        return first;
      case Rank::kMiddle:
        Insert(near ? middle + 1 : far);
        return middle + 2;
      case Rank::kLast:
        Insert(near ? last + 8 : far);
        return last + 9;
    }
    return 0;
  }
  void ExpectSound() {
    ASSERT_TRUE(index_.Validate().ok()) << index_.Validate().ToString();
    ASSERT_EQ(index_.Size(), map_.size());
    for (const auto& [key, value] : map_) ASSERT_EQ(index_.Lookup(key), value);
    for (const uint64_t key : erased_)
      ASSERT_EQ(index_.Lookup(key).has_value(), map_.contains(key));
  }

  const Case case_;
  EpochManager epochs_;
  IntIndex index_{epochs_};
  std::map<uint64_t, uint64_t> map_;
  std::vector<uint64_t> erased_;
};

// Among the keys of one leaf, and at the beginning, in the middle and at the end of more.
class IntIndexSplitTest : public ::testing::TestWithParam<std::tuple<uint32_t, uint32_t>> {};

TEST_P(IntIndexSplitTest, EmptyBucketsBesideAFullOne) {
  const auto [leaves, leaf] = GetParam();
  for (const uint32_t bucket : {0, 1, 9, 10, 11, 15, 30, 31}) {
    for (const int empty : {0, 1, 2, 3}) {
      for (const Rank rank : {Rank::kFirst, Rank::kMiddle, Rank::kLast}) {
        for (const Order order : {Order::kOthersFull, Order::kNeighbourIsLatest, Order::kNone}) {
          const Case c{leaves,
                       leaf,
                       bucket,
                       (empty & 1) != 0 && bucket > 0,
                       (empty & 2) != 0 && bucket < kBuckets - 1,
                       rank,
                       order};
          SCOPED_TRACE(c.ToString());
          SplitCase(c).Run();
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Leaves, IntIndexSplitTest,
                         ::testing::Values(std::tuple(1, 0), std::tuple(6, 0), std::tuple(6, 3),
                                           std::tuple(6, 5)));

}  // namespace
}  // namespace omendb::index
