#include "duck/plan/kept_plan.h"

#include "catalog/snapshot.h"

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

}  // namespace

bool KeptPlan::Serves(const engine::StatementContext& context) const {
  return runs < kRunsMax && made_at == context.txn->snapshot().read_ts &&
         catalog_version == context.catalog->version() && !context.txn->has_writes() &&
         context.io_settings != nullptr && SameText(io, *context.io_settings);
}

std::weak_ptr<KeptPlan> KeptPlans::Keep(KeptPlan plan) {
  if (plans_.size() == kPlansMax) plans_.erase(plans_.begin());
  plans_.push_back(std::make_shared<KeptPlan>(std::move(plan)));
  return plans_.back();
}

}  // namespace omendb::duck
