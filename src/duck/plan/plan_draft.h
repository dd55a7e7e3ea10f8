// plan_draft.h - a row plan while it is built: what its builders share. Internal to duck/plan.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "duck/duck_engine.h"
#include "duck/plan/binding.h"
#include "duck/plan/expression_converter.h"
#include "duck/plan/plan_columns.h"
#include "exec/row_plan.h"

namespace omendb::duck {

struct PlanDraft {
  PlanDraft(duckdb::ClientContext& client_context, SessionState& session_state,
            Binding& bound_statement, const BindOptions& bind_options)
      : context(client_context),
        state(session_state),
        binding(bound_statement),
        options(bind_options),
        plan(std::make_shared<exec::RowPlan>()),
        converter(client_context, session_state,
                  [this](const duckdb::BoundColumnRefExpression& column) {
                    return columns.Resolve(converter, column.binding);
                  }) {}
  PlanDraft(const PlanDraft&) = delete;
  PlanDraft& operator=(const PlanDraft&) = delete;

  // Keeps the first reason. Always false.
  bool Refuse(std::string why) {
    if (refusal.empty()) refusal = std::move(why);
    return false;
  }
  bool Convert(const PlanColumns::Expressions& expressions, std::vector<exec::Expression>& out) {
    for (const auto& expr : expressions) {
      auto converted = converter.Convert(*expr);
      if (!converted) return false;
      out.push_back(std::move(*converted));
    }
    return true;
  }
  // The table of a scan of ours, or nullptr.
  const OmenTableEntry* AddScan(duckdb::LogicalOperator& op);

  duckdb::ClientContext& context;
  SessionState& state;
  Binding& binding;
  const BindOptions& options;
  std::shared_ptr<exec::RowPlan> plan;
  PlanColumns columns;
  ExpressionConverter converter;
  std::string refusal;
};

// All of `conditions`, or nothing where there are none.
std::optional<exec::Expression> AllOf(std::vector<exec::Expression> conditions);

// Each fills draft.plan; false when the statement has another shape.
bool BuildRowSelect(PlanDraft& draft, duckdb::LogicalOperator& root);
bool IsRowWrite(const duckdb::LogicalOperator& op);
bool BuildRowWrite(PlanDraft& draft, duckdb::LogicalOperator& op);

}  // namespace omendb::duck
