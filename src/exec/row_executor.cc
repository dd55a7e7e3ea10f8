#include "exec/row_executor.h"

#include "base/sqlstate.h"
#include "exec/access.h"
#include "exec/row_writer.h"

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
  std::vector<Value> output(plan.output.size());
  for (size_t i = 0; i < plan.output.size(); ++i) {
    OMEN_ASSIGN(output[i], Evaluate(plan.output[i], context));
  }
  ++counts.rows_returned;
  return sink.OnRow(output);
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

Result<RowCounts> ExecuteSelect(const RowPlan& plan, engine::Database& database,
                                EvalContext& context, RowSink& sink) {
  RowCounts counts;
  OMEN_ASSIGN(const uint64_t limit, EvaluateCount(plan.limit, context, UINT64_MAX,
                                                  sqlstate::kInvalidLimitValue, "LIMIT"));
  OMEN_ASSIGN(const uint64_t offset,
              EvaluateCount(plan.offset, context, 0, sqlstate::kInvalidOffsetValue, "OFFSET"));
  if (!plan.access.has_value()) {
    if (limit == 0 || offset > 0) return counts;
    OMEN_TRY(EmitOutput(plan, context, {}, sink, counts));
    return counts;
  }
  // A row that locking leaves out is not counted, so the limit cannot bound the search then.
  const bool bounded = !plan.lock.has_value() && limit < UINT64_MAX - offset;
  auto relation = database.OpenRelation(plan.table);
  Matches matches;
  OMEN_TRY(FindRows(plan, *relation, context, bounded ? limit + offset : UINT64_MAX, matches));
  const size_t width = plan.columns.size();
  uint64_t skipped = 0;
  std::vector<Value> values;
  for (size_t i = 0; i < matches.rows.size() && counts.rows_returned < limit; ++i) {
    const auto row = matches.row(i, width);
    values.assign(row.begin(), row.end());
    if (plan.lock.has_value()) {
      OMEN_ASSIGN(const bool locked, LockRow(plan, *relation, context, matches.rows[i], values));
      if (!locked) continue;
    }
    if (skipped < offset) {
      ++skipped;
      continue;
    }
    OMEN_TRY(EmitOutput(plan, context, values, sink, counts));
  }
  return counts;
}

}  // namespace

Result<RowCounts> ExecuteRowPlan(const RowPlan& plan, engine::Database& database,
                                 engine::StatementContext& statement, std::span<const Value> params,
                                 RowSink& sink) {
  types::Arena arena;
  EvalContext context;
  context.statement = &statement;
  context.database = &database;
  context.params = params;
  context.arena = &arena;
  if (plan.kind == PlanKind::kSelect) return ExecuteSelect(plan, database, context, sink);
  auto relation = database.OpenRelation(plan.table);
  return RowWriter(plan, *relation, context, sink).Run();
}

}  // namespace omendb::exec
