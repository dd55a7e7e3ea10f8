#include "duck/plan/row_plan_builder.h"

#include "duck/catalog/table_entry.h"
#include "duck/plan/plan_draft.h"
#include "duck/plan/undecided.h"
#include "duck/session_state.h"
#include "duckdb/planner/operator/logical_get.hpp"

namespace omendb::duck {
namespace {

// The declared type of an output column; text-like columns keep what they are.
types::SqlType OutputType(const types::SqlType& want, const types::SqlType& have) {
  if (want.kind == have.kind && want.is_array == have.is_array &&
      types::PhysicalTypeOf(want) == types::PhysicalTypeOf(have)) {
    return have;
  }
  return have.is_string() && want.is_string() ? have : want;
}

bool BuildPlan(PlanDraft& draft) {
  duckdb::LogicalOperator& root = *draft.binding.plan;
  if (IsRowWrite(root)) return BuildRowWrite(draft, root);
  if (root.type == duckdb::LogicalOperatorType::LOGICAL_PROJECTION &&
      IsRowWrite(*root.children[0])) {  // RETURNING
    return BuildRowWrite(draft, *root.children[0]) &&
           draft.Convert(root.expressions, draft.plan->output);
  }
  return BuildRowSelect(draft, root);
}

}  // namespace

const OmenTableEntry* PlanDraft::AddScan(duckdb::LogicalOperator& op) {
  if (op.type != duckdb::LogicalOperatorType::LOGICAL_GET) {
    Refuse(op.GetName());
    return nullptr;
  }
  auto& get = op.Cast<duckdb::LogicalGet>();
  if (get.function.name != "omendb_scan") {
    Refuse("not a table of ours");
    return nullptr;
  }
  const auto& entry = get.GetTable()->Cast<OmenTableEntry>();
  columns.AddTable(entry, &get);
  plan->table = entry.definition();
  return &entry;
}

std::optional<exec::Expression> AllOf(std::vector<exec::Expression> conditions) {
  if (conditions.empty()) return std::nullopt;
  if (conditions.size() == 1) return std::move(conditions[0]);
  exec::Expression all;
  all.op = exec::Op::kAnd;
  all.type = {types::TypeKind::kBool};
  all.children = std::move(conditions);
  return all;
}

RowPlanOutcome BuildRowPlan(duckdb::ClientContext& context, SessionState& state, Binding& binding,
                            const std::vector<types::SqlType>& param_types,
                            const std::vector<types::ResultColumn>& columns,
                            const BindOptions& options) {
  if (!options.want_row_plan) return {nullptr, "not asked for"};
  if (binding.needs_values) return {nullptr, "parameters of table functions"};
  PlanDraft draft(context, state, binding, options);
  exec::RowPlan& plan = *draft.plan;
  plan.param_types = param_types;
  plan.output_columns = columns;
  plan.catalog_version = state.RequireStatement().catalog->version();
  if (!BuildPlan(draft)) {
    std::string why = draft.refusal.empty() ? draft.converter.refusal() : draft.refusal;
    return {nullptr, why.empty() ? "not a point or short range access" : std::move(why)};
  }
  if (plan.kind == exec::PlanKind::kSelect && plan.joins.empty() && !plan.aggregation) {
    KeepReadColumns(draft.columns, plan);
  } else if (plan.joins.empty()) {
    for (const PlanSlot& slot : draft.columns.slots()) plan.columns.push_back(slot.column);
  }
  for (size_t i = 0; i < plan.output.size(); ++i) {
    const types::SqlType type = OutputType(columns[i].type, plan.output[i].type);
    plan.output[i] = ExpressionConverter::Assign(std::move(plan.output[i]), type);
  }
  return {draft.plan, ""};
}

}  // namespace omendb::duck
