#include "sql/plan.h"

#include <gtest/gtest.h>

namespace omendb::sql {
namespace {

std::shared_ptr<Plan> PlanOf(std::string_view text) {
  const auto tree = ParseTree::Parse(text);
  EXPECT_TRUE(tree.ok());
  auto plan = std::make_shared<Plan>();
  plan->statement = (*tree)->statement(0);
  return plan;
}

std::string TextOf(size_t number, size_t bytes) {
  std::string text = "SELECT " + std::to_string(number) + " -- ";
  text.resize(bytes, 'x');
  return text;
}

TEST(PlanCacheTest, LongTextsAreNotKept) {
  PlanCache plans;
  const std::string text = TextOf(1, PlanCache::kTextBytesMax);
  plans.Put(text, PlanOf(text));
  EXPECT_NE(plans.Find(text), nullptr);
  plans.Put(text + "x", PlanOf(text));
  EXPECT_EQ(plans.Find(text + "x"), nullptr);
  plans.PutUnliftable(text + "x");
  EXPECT_FALSE(plans.IsUnliftable(text + "x"));
}

TEST(PlanCacheTest, TextsTakeNoMoreThanTheirShare) {
  PlanCache plans;
  constexpr size_t kBytes = PlanCache::kTextBytesMax / 2;
  constexpr size_t kFit = PlanCache::kTextsBytesMax / kBytes;
  for (size_t i = 0; i < 3 * kFit; ++i) {
    const std::string text = TextOf(i, kBytes);
    plans.Put(text, PlanOf(text));
    ASSERT_NE(plans.Find(text), nullptr);
    ASSERT_EQ(plans.size(), std::min(i + 1, kFit));
  }
  // The one used last stays.
  ASSERT_NE(plans.Find(TextOf(2 * kFit, kBytes)), nullptr);
  plans.Put("SELECT 1", PlanOf("SELECT 1"));
  EXPECT_NE(plans.Find(TextOf(2 * kFit, kBytes)), nullptr);
  EXPECT_EQ(plans.Find(TextOf(2 * kFit + 1, kBytes)), nullptr);
  plans.Clear();
  for (size_t i = 0; i < PlanCache::kPlansMax + 5; ++i) {
    const std::string text = TextOf(i, 20);
    plans.Put(text, PlanOf(text));
  }
  EXPECT_EQ(plans.size(), PlanCache::kPlansMax);
}

TEST(PlanCacheTest, UnliftableTextsTakeNoMoreThanTheirShare) {
  PlanCache plans;
  constexpr size_t kBytes = PlanCache::kTextBytesMax;
  constexpr size_t kFit = PlanCache::kTextsBytesMax / kBytes;
  for (size_t i = 0; i < kFit; ++i) plans.PutUnliftable(TextOf(i, kBytes));
  EXPECT_TRUE(plans.IsUnliftable(TextOf(0, kBytes)));
  EXPECT_TRUE(plans.IsUnliftable(TextOf(1, kBytes)));
  plans.PutUnliftable(TextOf(kFit, kBytes));
  EXPECT_FALSE(plans.IsUnliftable(TextOf(1, kBytes)));
  EXPECT_TRUE(plans.IsUnliftable(TextOf(kFit, kBytes)));
}

}  // namespace
}  // namespace omendb::sql
