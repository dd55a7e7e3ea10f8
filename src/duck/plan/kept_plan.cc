#include "duck/plan/kept_plan.h"

#include <algorithm>

#include "catalog/snapshot.h"
#include "duckdb/execution/physical_plan_generator.hpp"

namespace omendb::duck {
namespace {

// Of a session.
constexpr size_t kPlansMax = 16;
// Each run adds the operator that takes its result to the plan's memory.
constexpr uint32_t kRunsMax = 1000;

// `now_micros` is of no account: what depends on it is not kept.
bool SameText(const types::IoSettings& a, const types::IoSettings& b) {
  return a.date_style == b.date_style && a.date_order == b.date_order &&
         a.interval_style == b.interval_style && a.bytea_output == b.bytea_output &&
         a.extra_float_digits == b.extra_float_digits && a.time_zone == b.time_zone;
}

// Operators are const to each other; the plan that owns them is not.
void FreeStates(duckdb::PhysicalOperator& op) {
  op.sink_state.reset();
  op.op_state.reset();
  for (const auto& child : op.GetChildren()) {
    FreeStates(const_cast<duckdb::PhysicalOperator&>(child.get()));
  }
}

}  // namespace

KeptRun::KeptRun(const std::shared_ptr<KeptPlan>& plan) : plan_(plan), number_(++plan->runs) {}

KeptRun::~KeptRun() {
  const std::shared_ptr<KeptPlan> plan = plan_.lock();
  if (plan == nullptr || plan->data == nullptr) return;
  if (!read_to_end_) {
    plan->data.reset();
    plan->pinned.clear();
  } else if (plan->runs == number_) {
    FreeStates(plan->data->physical_plan->Root());
  }
}

bool KeptPlan::Serves(const engine::StatementContext& context) const {
  return data != nullptr && runs < kRunsMax && made_at == context.txn->snapshot().read_ts &&
         catalog_version == context.catalog->version() && !context.txn->has_writes() &&
         context.io_settings != nullptr && SameText(io, *context.io_settings);
}

bool KeptPlanCount::Add() {
  if (plans_.fetch_add(1, std::memory_order_relaxed) < kMax) return true;
  Subtract();
  return false;
}

void KeptPlans::DropFirst() {
  plans_.erase(plans_.begin());
  count_.Subtract();
}

void KeptPlans::Clear() {
  while (!plans_.empty()) DropFirst();
}

// A session's snapshots never go back.
std::shared_ptr<KeptPlan> KeptPlans::Keep(KeptPlan plan, const std::weak_ptr<KeptPlan>& old) {
  const std::shared_ptr<KeptPlan> replaced = old.lock();
  const auto is_of_no_use = [&](const std::shared_ptr<KeptPlan>& kept) {
    return kept == replaced || kept->data == nullptr || kept->made_at != plan.made_at ||
           kept->catalog_version != plan.catalog_version;
  };
  const auto last = std::stable_partition(plans_.begin(), plans_.end(), is_of_no_use);
  for (auto left = last - plans_.begin(); left > 0; --left) DropFirst();
  if (plans_.size() == kPlansMax) DropFirst();
  if (!count_.Add()) {
    if (plans_.empty()) return nullptr;
    DropFirst();
    if (!count_.Add()) return nullptr;
  }
  plans_.push_back(std::make_shared<KeptPlan>(std::move(plan)));
  return plans_.back();
}

}  // namespace omendb::duck
