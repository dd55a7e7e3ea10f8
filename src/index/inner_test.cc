// Inner nodes, made anew and spliced, against a search of the same separators.
#include "index/inner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

namespace omendb::index {
namespace {

enum class Spread { kUniform, kClustered, kAscending, kDescending };

class InnerTest : public ::testing::TestWithParam<Spread> {
 protected:
  ~InnerTest() override {
    if (inner_ != nullptr) Inner::Free(inner_);
  }
  // A separator between that of `place` and the next one; 0 if there is none.
  uint64_t NewSeparator(uint32_t place) {
    const uint64_t low = children_[place].low;
    const uint64_t high =
        place + 1 < children_.size() ? children_[place + 1].low : low + (uint64_t{1} << 40);
    if (high - low < 2) return 0;
    switch (GetParam()) {
      case Spread::kClustered:
        return low + 1 + random_() % std::min<uint64_t>(high - low - 1, 1000);
      case Spread::kDescending:
        return high - 1 - random_() % std::min<uint64_t>(high - low - 1, 1 << 20);
      default:
        return low + 1 + random_() % (high - low - 1);
    }
  }
  uint32_t Place() {
    const auto last = static_cast<uint32_t>(children_.size() - 1);
    if (GetParam() == Spread::kAscending) return last;
    if (GetParam() == Spread::kDescending) return 0;
    return static_cast<uint32_t>(random_() % (last + 1));
  }
  // Splits the child at `place` into `parts`, in the node and in the oracle.
  void Splice(uint32_t place, size_t parts) {
    std::vector<ChildEntry> added{{children_[place].low, NewChild()}};
    for (size_t i = 1; i < parts; ++i) {
      const uint64_t low = NewSeparator(place);
      if (low != 0) added.push_back({low, NewChild()});
    }
    std::sort(added.begin(), added.end(), [](auto& a, auto& b) { return a.low < b.low; });
    added.erase(
        std::unique(added.begin(), added.end(), [](auto& a, auto& b) { return a.low == b.low; }),
        added.end());
    if (children_.size() + added.size() > Inner::kFanout + 1) return;
    Inner* next = Inner::MakeSpliced(*inner_, place, added);
    Inner::Free(inner_);
    inner_ = next;
    children_.erase(children_.begin() + place);
    children_.insert(children_.begin() + place, added.begin(), added.end());
  }
  void ExpectSame() {
    ASSERT_EQ(inner_->count(), children_.size());
    for (uint32_t i = 0; i < inner_->count(); ++i) {
      ASSERT_EQ(inner_->separator(i), children_[i].low);
      ASSERT_EQ(inner_->child(i), children_[i].node);
    }
    for (const ChildEntry& child : children_) {
      for (const uint64_t key : {child.low - 1, child.low, child.low + 1, random_()}) ExpectAt(key);
    }
    for (const uint64_t key : {uint64_t{0}, UINT64_MAX}) ExpectAt(key);
  }
  void ExpectAt(uint64_t key) {
    const auto after = std::upper_bound(children_.begin(), children_.end(), key,
                                        [](uint64_t k, const ChildEntry& c) { return k < c.low; });
    const auto place = after == children_.begin() ? 0 : after - children_.begin() - 1;
    ASSERT_EQ(inner_->Find(key), place) << "key " << key;
  }
  NodeRef NewChild() {
    leaves_.push_back(std::make_unique<Leaf>());
    return NodeRef(leaves_.back().get());
  }

  std::mt19937_64 random_{5};
  std::vector<std::unique_ptr<Leaf>> leaves_;
  std::vector<ChildEntry> children_{{0, NewChild()}};
  Inner* inner_ = Inner::Make(children_);
};

TEST_P(InnerTest, GrowsBySplicingUntilFull) {
  for (int round = 0; round < 400 && children_.size() < Inner::kFanout; ++round) {
    Splice(Place(), 2 + random_() % 3);
    ExpectSame();
  }
  ASSERT_GT(children_.size(), Inner::kFanout - 4);
  Splice(0, 1);  // A child swapped for another of the same low bound.
  ExpectSame();
}

INSTANTIATE_TEST_SUITE_P(Spreads, InnerTest,
                         ::testing::Values(Spread::kUniform, Spread::kClustered, Spread::kAscending,
                                           Spread::kDescending));

}  // namespace
}  // namespace omendb::index
