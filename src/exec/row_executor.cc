#include "exec/row_executor.h"

#include <algorithm>

#include "base/sqlstate.h"
#include "exec/access.h"
#include "exec/aggregation.h"
#include "exec/estimate.h"
#include "exec/joins.h"
#include "exec/row_set.h"
#include "exec/row_writer.h"
#include "exec/sort.h"

namespace omendb::exec {
namespace {

using engine::RowOutcome;
using types::Value;

// LIMIT and OFFSET: NULL means none; negative values are PostgreSQL's errors.
Result<uint64_t> EvaluateCount(const std::optional<Expression>& expression, EvalContext& context,
                               uint64_t otherwise, SqlState negative, const char* name) {
  if (!expression.has_value()) return otherwise;
  OMEN_ASSIGN(const Value v, Evaluate(*expression, context));
  if (v.is_null) return otherwise;
  const int64_t count = expression->type.kind == types::TypeKind::kInt4 ? int64_t{v.i32} : v.i64;
  if (count < 0) return Status(negative, std::string(name) + " must not be negative");
  return static_cast<uint64_t>(count);
}

Status EmitOutput(const RowPlan& plan, EvalContext& context, std::span<const Value> row,
                  RowSink& sink, RowCounts& counts) {
  context.row = row;
  Values output(plan.output.size(), boost::container::default_init);
  for (size_t i = 0; i < plan.output.size(); ++i) {
    OMEN_ASSIGN(output[i], Evaluate(plan.output[i], context));
  }
  ++counts.rows_returned;
  return sink.OnRow({output.data(), output.size()});
}

// SELECT ... FOR UPDATE of one row: locks the newest version that still passes the filter, which
// `values` then holds. False when the row is to be left out.
Result<bool> LockRow(const RowPlan& plan, engine::Relation& relation, EvalContext& context,
                     engine::RowRef row, std::vector<Value>& values) {
  while (true) {
    OMEN_ASSIGN(const engine::RowResult result,
                relation.Lock(*context.statement, row, *plan.lock, plan.lock_wait));
    if (result.outcome == RowOutcome::kDone) return true;
    if (result.outcome != RowOutcome::kChanged) return false;
    row = result.latest;
    OMEN_ASSIGN(const bool passes, ReadAndTest(plan, relation, context, row, values));
    if (!passes) return false;
  }
}

struct Window {
  uint64_t limit;
  uint64_t offset;
  // Rows to find before there are enough.
  uint64_t end() const { return limit < UINT64_MAX - offset ? limit + offset : UINT64_MAX; }
};

Result<Window> EvaluateWindow(const RowPlan& plan, EvalContext& context) {
  Window window;
  OMEN_ASSIGN(window.limit, EvaluateCount(plan.limit, context, UINT64_MAX,
                                          sqlstate::kInvalidLimitValue, "LIMIT"));
  OMEN_ASSIGN(window.offset,
              EvaluateCount(plan.offset, context, 0, sqlstate::kInvalidOffsetValue, "OFFSET"));
  return window;
}

// SELECT ... FOR UPDATE: each row is locked before it is sent. A row that locking leaves out is not
// counted, so the limit does not bound the search.
Status SelectAndLock(const RowPlan& plan, EvalContext& context, const Window& window, RowSink& sink,
                     RowCounts& counts) {
  auto relation = context.database->OpenRelation(plan.table);
  Matches matches;
  OMEN_TRY(FindRows(plan, *relation, context, UINT64_MAX, matches));
  uint64_t skipped = 0;
  std::vector<Value> values;
  for (size_t i = 0; i < matches.rows.size() && counts.rows_returned < window.limit; ++i) {
    const auto row = matches.row(i, plan.columns.size());
    values.assign(row.begin(), row.end());
    OMEN_ASSIGN(const bool locked, LockRow(plan, *relation, context, matches.rows[i], values));
    if (!locked) continue;
    if (skipped < window.offset) {
      ++skipped;
      continue;
    }
    OMEN_TRY(EmitOutput(plan, context, values, sink, counts));
  }
  return Status::Ok();
}

// Rows of one table, in its index's order.
Status SelectInOrder(const RowPlan& plan, EvalContext& context, const Window& window, RowSink& sink,
                     RowCounts& counts) {
  auto relation = context.database->OpenRelation(plan.table);
  Matches matches;
  OMEN_TRY(FindRows(plan, *relation, context, window.end(), matches));
  for (size_t i = window.offset; i < matches.rows.size(); ++i) {
    OMEN_TRY(EmitOutput(plan, context, matches.row(i, plan.columns.size()), sink, counts));
  }
  return Status::Ok();
}

// The rows of FROM and WHERE.
Status FindSourceRows(const RowPlan& plan, EvalContext& context, uint64_t rows_max, RowSet& rows) {
  if (!plan.joins.empty()) return JoinRows(plan, context, rows_max, rows);
  auto relation = context.database->OpenRelation(plan.table);
  Matches matches;
  OMEN_TRY(FindRows(plan, *relation, context, rows_max, matches));
  for (size_t i = 0; i < matches.rows.size(); ++i) {
    rows.Append(matches.row(i, plan.columns.size()));
  }
  return Status::Ok();
}

// Joins, then groups, then the order: each over all rows of the one before.
Status SelectInSteps(const RowPlan& plan, EvalContext& context, const Window& window, RowSink& sink,
                     RowCounts& counts) {
  const bool all = plan.aggregation.has_value() || !plan.order.empty();
  RowSet rows(plan.joins.empty() ? plan.columns.size() : plan.slots_count);
  OMEN_TRY(FindSourceRows(plan, context, all ? UINT64_MAX : window.end(), rows));
  if (plan.aggregation.has_value()) {
    RowSet groups(plan.aggregation->groups.size() + plan.aggregation->aggregates.size());
    OMEN_TRY(AggregateRows(*plan.aggregation, context, rows, groups));
    rows = std::move(groups);
  }
  std::vector<uint32_t> order;
  if (!plan.order.empty()) {
    OMEN_ASSIGN(order, SortRows(plan.order, context, rows));
  }
  const uint64_t end = std::min<uint64_t>(rows.size(), window.end());
  for (uint64_t i = window.offset; i < end; ++i) {
    OMEN_TRY(EmitOutput(plan, context, rows.row(order.empty() ? i : order[i]), sink, counts));
  }
  return Status::Ok();
}

Status ExecuteSelect(const RowPlan& plan, EvalContext& context, RowSink& sink, RowCounts& counts) {
  OMEN_ASSIGN(const Window window, EvaluateWindow(plan, context));
  if (plan.lock.has_value() && plan.access.has_value()) {
    return SelectAndLock(plan, context, window, sink, counts);
  }
  context.visits_left = kVisitsMax;
  if (!plan.joins.empty() || plan.aggregation.has_value() || !plan.order.empty()) {
    return SelectInSteps(plan, context, window, sink, counts);
  }
  if (plan.access.has_value()) return SelectInOrder(plan, context, window, sink, counts);
  if (window.limit == 0 || window.offset > 0) return Status::Ok();
  return EmitOutput(plan, context, {}, sink, counts);
}

}  // namespace

Result<RowRun> ExecuteRowPlan(const RowPlan& plan, engine::Database& database,
                              engine::StatementContext& statement, std::span<const Value> params,
                              RowSink& sink) {
  types::Arena arena;
  EvalContext context;
  context.statement = &statement;
  context.database = &database;
  context.params = params;
  context.arena = &arena;
  RowRun run;
  if (plan.kind == PlanKind::kSelect) {
    run.gave_up = !plan.lock.has_value() && VisitsMoreThan(kVisitsMax, plan, context);
    if (run.gave_up) return run;
    Status status = ExecuteSelect(plan, context, sink, run.counts);
    run.gave_up = run.was_tried = context.gave_up();
    if (!run.gave_up) OMEN_TRY(std::move(status));
    return run;
  }
  auto relation = database.OpenRelation(plan.table);
  OMEN_ASSIGN(run.counts, RowWriter(plan, *relation, context, sink).Run());
  return run;
}

}  // namespace omendb::exec
