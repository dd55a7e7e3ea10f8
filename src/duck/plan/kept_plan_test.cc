#include "duck/plan/kept_plan.h"

#include <gtest/gtest.h>

namespace omendb::duck {
namespace {

KeptPlan PlanOf(uint64_t made_at, uint64_t catalog_version = 1) {
  KeptPlan plan;
  plan.data = duckdb::make_shared_ptr<duckdb::PreparedStatementData>(
      duckdb::StatementType::SELECT_STATEMENT);
  plan.made_at = Timestamp(made_at);
  plan.catalog_version = catalog_version;
  return plan;
}

std::weak_ptr<KeptPlan> Keep(KeptPlans& plans, KeptPlan plan) {
  return plans.Keep(std::move(plan), {});
}

TEST(KeptPlansTest, ThoseOfAnOlderSnapshotOrCatalogGo) {
  KeptPlanCount count;
  KeptPlans plans(count);
  const auto first = Keep(plans, PlanOf(5));
  const auto second = Keep(plans, PlanOf(5));
  EXPECT_FALSE(first.expired());
  const auto third = Keep(plans, PlanOf(6));
  EXPECT_TRUE(first.expired());
  EXPECT_TRUE(second.expired());
  const auto fourth = Keep(plans, PlanOf(6, 2));
  EXPECT_TRUE(third.expired());
  EXPECT_FALSE(fourth.expired());
  EXPECT_EQ(plans.size(), 1U);
  EXPECT_EQ(count.plans(), 1U);
}

TEST(KeptPlansTest, OnePlanTakesAnothersPlace) {
  KeptPlanCount count;
  KeptPlans plans(count);
  const auto first = Keep(plans, PlanOf(5));
  const auto second = Keep(plans, PlanOf(5));
  plans.Keep(PlanOf(5), first);
  EXPECT_TRUE(first.expired());
  EXPECT_FALSE(second.expired());
  second.lock()->data.reset();  // It was given up.
  Keep(plans, PlanOf(5));
  EXPECT_TRUE(second.expired());
  EXPECT_EQ(count.plans(), 2U);
}

TEST(KeptPlansTest, AllSessionsTogetherKeepSoMany) {
  KeptPlanCount count;
  std::vector<std::unique_ptr<KeptPlans>> sessions;
  for (size_t i = 0; i < KeptPlanCount::kMax; ++i) {
    if (i % 16 == 0) sessions.push_back(std::make_unique<KeptPlans>(count));
    EXPECT_FALSE(Keep(*sessions.back(), PlanOf(5)).expired());
  }
  KeptPlans late(count);
  EXPECT_EQ(late.Keep(PlanOf(5), {}), nullptr);
  // Who has some may have others in their place.
  EXPECT_FALSE(Keep(*sessions[0], PlanOf(5)).expired());
  EXPECT_EQ(count.plans(), KeptPlanCount::kMax);
  sessions.pop_back();
  EXPECT_EQ(count.plans(), KeptPlanCount::kMax - 16);
  EXPECT_FALSE(Keep(late, PlanOf(5)).expired());
  sessions.clear();
  late.Clear();
  EXPECT_EQ(count.plans(), 0U);
}

}  // namespace
}  // namespace omendb::duck
