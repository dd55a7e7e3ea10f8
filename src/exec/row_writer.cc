#include "exec/row_writer.h"

#include <algorithm>

#include "base/sqlstate.h"
#include "engine/failing_row.h"
#include "engine/own_changes.h"
#include "engine/warm_conflicts.h"
#include "exec/known_value.h"

namespace omendb::exec {

using engine::RowOutcome;
using engine::RowRef;
using engine::RowResult;
using types::Value;

RowWriter::RowWriter(const RowPlan& plan, engine::Relation& relation, EvalContext& context,
                     RowSink& sink)
    : plan_(plan),
      relation_(relation),
      context_(context),
      sink_(sink),
      live_columns_(plan.table->live_columns()) {}

Result<RowCounts> RowWriter::Run() {
  OMEN_TRY(plan_.kind == PlanKind::kInsert ? Insert() : UpdateOrDelete());
  return counts_;
}

Status RowWriter::Insert() {
  for (size_t i = 0; i < plan_.insert_rows.size(); ++i) {
    if (i % engine::kWarmRowsMax == 0) OMEN_TRY(LookAhead(i));
    OMEN_TRY(InsertRow(plan_.insert_rows[i]));
  }
  return Status::Ok();
}

Status RowWriter::LookAhead(size_t first) {
  if (plan_.on_conflict == OnConflict::kError) return Status::Ok();
  const size_t count = std::min(engine::kWarmRowsMax, plan_.insert_rows.size() - first);
  const auto value = [&](size_t row, ColumnId column) {
    const auto i = static_cast<size_t>(column.value() - 1);
    return KnownValue(plan_.insert_rows[first + row][i], context_);
  };
  return engine::WarmConflicts(relation_, *context_.statement, plan_.conflict_arbiters, count,
                               value);
}

Status RowWriter::InsertRow(const std::vector<Expression>& expressions) {
  std::vector<Value> row(expressions.size());
  context_.row = {};
  for (size_t i = 0; i < expressions.size(); ++i) {
    OMEN_ASSIGN(row[i], Evaluate(expressions[i], context_));
  }
  OMEN_TRY(CompleteRow(row));
  if (plan_.on_conflict == OnConflict::kError) {
    OMEN_ASSIGN([[maybe_unused]] const RowRef inserted, relation_.Insert(*context_.statement, row));
    ++counts_.rows_affected;
    return ReturnWholeRow(row);
  }
  while (true) {
    RowRef conflict;
    OMEN_ASSIGN(
        const std::optional<RowRef> inserted,
        relation_.InsertOrFind(*context_.statement, row, plan_.conflict_arbiters, &conflict));
    if (inserted.has_value()) {
      ++counts_.rows_affected;
      return ReturnWholeRow(row);
    }
    if (plan_.on_conflict == OnConflict::kDoNothing) return Status::Ok();
    OMEN_ASSIGN(const bool settled, UpdateConflicting(conflict, row));
    if (settled) return Status::Ok();
  }
}

Result<bool> RowWriter::UpdateConflicting(RowRef conflict, std::span<const Value> proposed) {
  if (engine::IsChangedByStatement(*context_.statement, relation_, conflict)) {
    return Status(sqlstate::kCardinalityViolation,
                  "ON CONFLICT DO UPDATE command cannot affect row a second time")
        .WithHint(
            "Ensure that no rows proposed for insertion within the same command have duplicate "
            "constrained values.");
  }
  while (true) {
    std::vector<Value> values(plan_.columns.size());
    OMEN_TRY(relation_.Read(conflict, plan_.columns, *context_.arena, values.data()));
    context_.row = values;
    context_.excluded = proposed;
    if (plan_.conflict_filter.has_value()) {
      OMEN_ASSIGN(const bool wanted, EvaluatePredicate(*plan_.conflict_filter, context_));
      if (!wanted) return true;
    }
    OMEN_ASSIGN(std::vector<Value> row, NewRow(conflict));
    OMEN_TRY(CompleteRow(row));
    OMEN_ASSIGN(const RowResult result, relation_.Update(*context_.statement, conflict, row));
    if (result.outcome == RowOutcome::kGone) return false;
    if (result.outcome == RowOutcome::kDone) {
      ++counts_.rows_affected;
      OMEN_TRY(ReturnWholeRow(row));
      return true;
    }
    conflict = result.latest;
  }
}

Status RowWriter::UpdateOrDelete() {
  Matches matches;
  OMEN_TRY(FindRows(plan_, relation_, context_, UINT64_MAX, matches));
  for (size_t i = 0; i < matches.rows.size(); ++i) {
    const auto values = matches.row(i, plan_.columns.size());
    OMEN_TRY(plan_.kind == PlanKind::kUpdate ? UpdateRow(matches.rows[i], values)
                                             : DeleteRow(matches.rows[i], values));
  }
  return Status::Ok();
}

Status RowWriter::UpdateRow(RowRef row, std::span<const Value> values) {
  std::vector<Value> latest_values;
  while (true) {
    context_.row = values;
    OMEN_ASSIGN(std::vector<Value> new_row, NewRow(row));
    OMEN_TRY(CompleteRow(new_row));
    OMEN_ASSIGN(const RowResult result, relation_.Update(*context_.statement, row, new_row));
    if (result.outcome == RowOutcome::kDone) {
      ++counts_.rows_affected;
      return ReturnWholeRow(new_row);
    }
    if (result.outcome != RowOutcome::kChanged) return Status::Ok();
    row = result.latest;
    OMEN_ASSIGN(const bool passes, ReadAndTest(plan_, relation_, context_, row, latest_values));
    if (!passes) return Status::Ok();
    values = latest_values;
  }
}

Status RowWriter::DeleteRow(RowRef row, std::span<const Value> values) {
  std::vector<Value> latest_values;
  while (true) {
    OMEN_ASSIGN(const RowResult result, relation_.Delete(*context_.statement, row));
    if (result.outcome == RowOutcome::kDone) {
      ++counts_.rows_affected;
      return Return(values);
    }
    if (result.outcome != RowOutcome::kChanged) return Status::Ok();
    row = result.latest;
    OMEN_ASSIGN(const bool passes, ReadAndTest(plan_, relation_, context_, row, latest_values));
    if (!passes) return Status::Ok();
    values = latest_values;
  }
}

Result<std::vector<Value>> RowWriter::NewRow(const RowRef& seen) {
  std::vector<Value> live(live_columns_.size());
  OMEN_TRY(relation_.Read(seen, live_columns_, *context_.arena, live.data()));
  std::vector<Value> row(plan_.table->columns.size(), Value::Null());
  for (size_t i = 0; i < live.size(); ++i) row[live_columns_[i].value() - 1] = live[i];
  for (const Assignment& assignment : plan_.assignments) {
    OMEN_ASSIGN(row[assignment.column.value() - 1], Evaluate(assignment.value, context_));
  }
  return row;
}

Status RowWriter::CompleteRow(std::span<Value> row) {
  if (plan_.checks.empty() && plan_.generated.empty()) return Status::Ok();
  context_.row = row;
  for (const Assignment& generated : plan_.generated) {
    OMEN_ASSIGN(row[generated.column.value() - 1], Evaluate(generated.value, context_));
  }
  for (const RowPlan::Check& check : plan_.checks) {
    OMEN_ASSIGN(const Value holds, Evaluate(check.condition, context_));
    if (holds.is_null || holds.boolean) continue;
    return engine::CheckViolation(*context_.statement, *plan_.table, check.name, row);
  }
  return Status::Ok();
}

Status RowWriter::ReturnWholeRow(std::span<const Value> row) {
  if (plan_.output.empty()) return Status::Ok();
  std::vector<Value> columns(plan_.columns.size());
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = row[plan_.columns[i].value() - 1];
  return Return(columns);
}

Status RowWriter::Return(std::span<const Value> columns) {
  if (plan_.output.empty()) return Status::Ok();
  context_.row = columns;
  std::vector<Value> output(plan_.output.size());
  for (size_t i = 0; i < output.size(); ++i) {
    OMEN_ASSIGN(output[i], Evaluate(plan_.output[i], context_));
  }
  ++counts_.rows_returned;
  return sink_.OnRow(output);
}

}  // namespace omendb::exec
