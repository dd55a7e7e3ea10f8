// EXPLAIN: which executor runs the statement and why, through which index, how many rows are
// expected and, with ANALYZE, how many there were, how long it took, and what the index did.
#include <fmt/format.h>

#include <chrono>

#include "base/sqlstate.h"
#include "engine/block_tally.h"
#include "exec/estimate.h"
#include "index/counters.h"
#include "sql/names.h"
#include "sql/statements/dispatch.h"
#include "sql/statements/explanation.h"
#include "sql/statements/option_value.h"

namespace omendb::sql {
namespace {

Status ReadOptions(const PgQuery__ExplainStmt& explain, ExplainOptions& options) {
  for (size_t i = 0; i < explain.n_options; ++i) {
    const PgQuery__DefElem& option = *explain.options[i]->def_elem;
    const std::string_view name = View(option.defname);
    if (name == "analyze") {
      OMEN_ASSIGN(options.analyze, BooleanOption(option));
    } else if (name == "format") {
      const std::string format = ConstText(option.arg);
      if (format != "text" && format != "json") {
        if (format == "xml" || format == "yaml")
          return NotSupported("EXPLAIN (FORMAT " + format + ")");
        return Status(
            sqlstate::kInvalidParameterValue,
            fmt::format("unrecognized value for EXPLAIN option \"format\": \"{}\"", format));
      }
      options.json = format == "json";
    } else if (name == "costs") {
      OMEN_ASSIGN(options.costs, BooleanOption(option));
    } else if (name == "timing") {
      OMEN_ASSIGN(options.timing, BooleanOption(option));
    } else if (name == "summary") {
      OMEN_ASSIGN(options.summary, BooleanOption(option));
    } else if (name == "verbose") {
      OMEN_ASSIGN(options.verbose, BooleanOption(option));
    } else if (name != "buffers" && name != "settings" && name != "wal") {
      return Status(sqlstate::kSyntaxError,
                    fmt::format("unrecognized EXPLAIN option \"{}\"", name));
    }
  }
  return Status::Ok();
}

std::string IndexCondition(const catalog::TableDef& table, const exec::IndexAccess& access,
                           const catalog::IndexDef& index) {
  std::string text;
  auto column = [&](size_t i) { return table.column(index.keys[i].column).name; };
  auto add = [&](std::string part) { text += (text.empty() ? "" : " AND ") + part; };
  size_t key = 0;
  for (; key < access.equal.size() && key < index.keys.size(); ++key) add(column(key) + " = ?");
  if (!access.in_list.empty() && key < index.keys.size()) {
    add(fmt::format("{} IN ({} values)", column(key), access.in_list.size()));
  }
  if (key < index.keys.size()) {
    if (access.lower) add(column(key) + (access.lower_inclusive ? " >= ?" : " > ?"));
    if (access.upper) add(column(key) + (access.upper_inclusive ? " <= ?" : " < ?"));
  }
  return text;
}

ExplainedAccess DescribeAccess(const catalog::TableDef& table, const exec::IndexAccess& access) {
  ExplainedAccess out;
  out.table = table.name;
  out.node = access.unique_point ? "Index Lookup"
             : access.backward   ? "Index Scan Backward"
                                 : "Index Scan";
  const catalog::IndexDef* index = table.FindIndex(access.index);
  if (index == nullptr) return out;
  out.index = index->name;
  out.condition = IndexCondition(table, access, *index);
  return out;
}

ExplainedAccess DescribeOnlyTable(const exec::RowPlan& plan) {
  ExplainedAccess out;
  if (plan.access) {
    out = DescribeAccess(*plan.table, *plan.access);
  } else {
    out.node = "Result";
    if (plan.table != nullptr) out.table = plan.table->name;
  }
  switch (plan.kind) {
    case exec::PlanKind::kSelect:
      break;
    case exec::PlanKind::kInsert:
      out.node = "Insert";
      break;
    case exec::PlanKind::kUpdate:
      out.node = "Update by " + out.node;
      break;
    case exec::PlanKind::kDelete:
      out.node = "Delete by " + out.node;
      break;
  }
  return out;
}

void DescribeRowPlan(const exec::RowPlan& plan, Explanation& out) {
  out.in_rows = true;
  if (!plan.order.empty()) out.steps.emplace_back("Sort");
  if (plan.aggregation) {
    out.steps.emplace_back(plan.aggregation->groups.empty() ? "Aggregate" : "GroupAggregate");
  }
  for (const exec::JoinStep& step : plan.joins) {
    out.accesses.push_back(DescribeAccess(*step.table, step.access));
    if (step.left) out.accesses.back().node += " (left join)";
  }
  if (!plan.joins.empty()) {
    out.steps.emplace_back("Nested Loop");
    return;
  }
  out.accesses.push_back(DescribeOnlyTable(plan));
}

void AddDepth(SessionImpl& session, const std::shared_ptr<const catalog::TableDef>& table,
              const exec::IndexAccess& access, ExplainedAccess& out) {
  if (out.index.empty()) return;
  out.depth = session.db().OpenRelation(table)->IndexDepth(access.index);
}

void AddDepths(SessionImpl& session, const exec::RowPlan& plan, Explanation& out) {
  for (size_t i = 0; i < plan.joins.size(); ++i) {
    AddDepth(session, plan.joins[i].table, plan.joins[i].access, out.accesses[i]);
  }
  if (plan.joins.empty() && plan.access) {
    AddDepth(session, plan.table, *plan.access, out.accesses.front());
  }
}

Status Analyze(SessionImpl& session, Plan& plan, std::span<const types::Value> params,
               const ExplainOptions& options, Explanation& out) {
  const index::LookupTally tally;
  const engine::BlockTally blocks(*session.block().txn());
  const auto start = std::chrono::steady_clock::now();
  uint64_t returned = 0, affected = 0;
  std::string profile;
  OMEN_TRY(session.RunQueryRows(
      plan, params,
      [&](const types::Chunk* chunk, std::span<const types::Value>) -> Status {
        returned += chunk != nullptr ? chunk->rows_count : 1;
        return Status::Ok();
      },
      &affected, options.timing ? &profile : nullptr));
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!profile.empty()) out.duck_plan = std::move(profile);
  out.rows_true = plan.statement.kind() == PG_QUERY__NODE__NODE_SELECT_STMT ? returned : affected;
  out.model_hits = tally.count(index::LookupPath::kModelHit);
  out.corrections = tally.count(index::LookupPath::kCorrection);
  out.fallbacks = tally.count(index::LookupPath::kFallback);
  out.blocks = blocks.counts();
  return Status::Ok();
}

}  // namespace

Status RunExplain(UtilityCall& call) {
  const PgQuery__ExplainStmt& explain = *call.node()->explain_stmt;
  SessionImpl& session = call.session;
  ExplainOptions options;
  OMEN_TRY(ReadOptions(explain, options));
  RowBuffer& out = call.result.buffer;
  OMEN_ASSIGN(out.columns, UtilityColumns(session, call.statement));
  Statement inner = call.statement;
  inner.node = explain.query;
  types::Arena arena;
  std::vector<types::Value> params;
  std::shared_ptr<Plan> plan;
  if (inner.kind() == PG_QUERY__NODE__NODE_EXECUTE_STMT) {
    OMEN_ASSIGN(plan, session.ResolveExecute(*inner.node->execute_stmt, arena, params));
  } else {
    if (inner.kind() == PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT) {
      inner.node = inner.node->declare_cursor_stmt->query;
    }
    plan = session.NewPlan(inner, {});
  }
  if (!plan->is_query) {
    return NotSupported("EXPLAIN " + std::string(CommandTag(plan->statement.node)));
  }
  if (plan->modifies_below) return NotSupported("EXPLAIN of a WITH query that changes data");
  OMEN_TRY(session.EnsureBound(*plan));
  OMEN_TRY(session.CheckPlanPrivileges(*plan, *session.catalog()));
  Explanation explanation;
  if (plan->row_plan != nullptr) {
    DescribeRowPlan(*plan->row_plan, explanation);
    engine::StatementContext context = session.MakeContext(call.waiter);
    explanation.rows_estimate = exec::EstimateRows(*plan->row_plan, session.db(), context, params);
  } else {
    explanation.reason = plan->bound->row_plan_refusal();
    OMEN_TRY(session.OnPool([&](Waiter& waiter) -> Status {
      session.block().txn()->BeginStatement();
      engine::StatementContext context = session.MakeContext(waiter);
      OMEN_ASSIGN(explanation.duck_plan, plan->bound->PlanText(context));
      return Status::Ok();
    }));
  }
  if (options.analyze) {
    OMEN_TRY(Analyze(session, *plan, params, options, explanation));
    if (plan->row_plan != nullptr) AddDepths(session, *plan->row_plan, explanation);
  }
  if (options.json) {
    out.AppendText({ExplanationJson(explanation, options)});
    return Status::Ok();
  }
  for (const std::string& line : ExplanationText(explanation, options)) out.AppendText({line});
  return Status::Ok();
}

}  // namespace omendb::sql
