// The spares that a plan says its keys need, against a count key by key.
#include "index/fit.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "index/bucket.h"
#include "index/chain.h"
#include "testing/key_sets.h"

namespace omendb::index {
namespace {

struct Counted {
  size_t spares = 0, spare_keys = 0, longest = 0;
};

Counted Count(std::span<const Entry> entries, const LinearModel& model) {
  Counted counted;
  for (size_t i = 0; i < entries.size();) {
    size_t end = i;
    while (end < entries.size() && model(entries[end].key) == model(entries[i].key)) ++end;
    const size_t keys = end - i;
    if (keys > Bucket::kCapacity) {
      const size_t over = keys - Bucket::kCapacity;
      const size_t spares = (over + Spare::kCapacity - 1) / Spare::kCapacity;
      counted.spare_keys += over;
      counted.spares += spares;
      counted.longest = std::max(counted.longest, spares);
    }
    i = end;
  }
  return counted;
}

class FitTest : public ::testing::TestWithParam<testutil::KeySet> {};

TEST_P(FitTest, PlansCountTheirSpares) {
  const std::vector<uint64_t> keys = testutil::MakeKeys(GetParam(), 100'000, 5);
  std::vector<Entry> entries;
  for (const uint64_t key : keys) entries.push_back({key, key});
  std::mt19937_64 random(2);
  size_t fits = 0;
  for (int i = 0; i < 3'000; ++i) {
    const size_t n = 2 + random() % (i % 2 == 0 ? 8'190 : 600);
    const auto part = std::span<const Entry>(entries).subspan(random() % (keys.size() - n), n);
    const Fill fill = random() % 2 == 0 ? Fill::kDense : Fill::kGrow;
    ModelPlan plan;
    if (!FitModelLeaf(part, fill, {}, &plan)) continue;
    ++fits;
    const Counted counted = Count(part, plan.model);
    ASSERT_EQ(plan.spares, counted.spares) << n;
    ASSERT_LE(counted.spare_keys, n / 10) << n;
    ASSERT_LE(counted.longest, static_cast<size_t>(kChainMax)) << n;
  }
  const bool learnable = GetParam() != testutil::KeySet::kOsm &&
                         GetParam() != testutil::KeySet::kAdversarial &&
                         GetParam() != testutil::KeySet::kTimeSeries;
  EXPECT_GT(fits, learnable ? 1'000u : 0u);
}

INSTANTIATE_TEST_SUITE_P(KeySets, FitTest, ::testing::ValuesIn(testutil::kIntKeySets));

}  // namespace
}  // namespace omendb::index
