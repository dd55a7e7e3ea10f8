// row_plan_builder.h - tells whether a bound statement has the shape for the row executor, and if
// so writes it down as an exec::RowPlan.
//
// The plan is read before DuckDB's optimizer touches it. Everything that is not known to mean the
// same in the row executor is a refusal.
//
// Thread safety  Pure functions of their arguments.
#pragma once

#include <memory>
#include <string>

#include "duck/duck_engine.h"
#include "duck/plan/binding.h"
#include "exec/row_plan.h"

namespace omendb::duck {

struct RowPlanOutcome {
  std::shared_ptr<const exec::RowPlan> plan;  // null when refused
  std::string refusal;
};

RowPlanOutcome BuildRowPlan(duckdb::ClientContext& context, SessionState& state, Binding& binding,
                            const std::vector<types::SqlType>& param_types,
                            const std::vector<types::ResultColumn>& columns,
                            const BindOptions& options);

}  // namespace omendb::duck
