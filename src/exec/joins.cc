#include "exec/joins.h"

#include <memory>

namespace omendb::exec {
namespace {

using engine::RowRef;
using types::Value;

class Joiner {
 public:
  Joiner(const RowPlan& plan, EvalContext& context, uint64_t rows_max, RowSet& rows)
      : plan_(plan),
        context_(context),
        rows_max_(rows_max),
        rows_(rows),
        row_(plan.slots_count, Value::Null()) {
    for (const JoinStep& step : plan.joins) {
      Table& table = tables_.emplace_back();
      table.relation = context.database->OpenRelation(step.table);
      table.values.resize(step.columns.size());
    }
  }

  Status Run() { return Descend(0); }

 private:
  struct Table {
    std::shared_ptr<engine::Relation> relation;
    std::vector<Value> values;
  };

  bool done() const { return rows_.size() >= rows_max_; }

  // Rows of all steps from `depth` on, for the row as it is joined so far.
  Status Descend(size_t depth) {
    if (depth == plan_.joins.size()) {
      rows_.Append(row_);
      return Status::Ok();
    }
    const JoinStep& step = plan_.joins[depth];
    Table& table = tables_[depth];
    bool matched = false;
    auto go_on = [&](const RowRef& row) -> Result<bool> {
      OMEN_TRY(context_.CountVisit());
      OMEN_TRY(Read(step, table, row));
      OMEN_ASSIGN(const bool matches, Passes(step.match));
      if (matches) {
        matched = true;
        OMEN_TRY(Continue(step, depth));
      }
      return !done();
    };
    context_.row = row_;
    OMEN_TRY(VisitRows(step.access, *table.relation, context_, go_on));
    if (matched || !step.left || done()) return Status::Ok();
    for (const uint32_t slot : step.slots) row_[slot] = Value::Null();
    return Continue(step, depth);
  }

  Status Continue(const JoinStep& step, size_t depth) {
    OMEN_ASSIGN(const bool passes, Passes(step.filter));
    return passes ? Descend(depth + 1) : Status::Ok();
  }

  Status Read(const JoinStep& step, Table& table, const RowRef& row) {
    OMEN_TRY(table.relation->Read(row, step.columns, *context_.arena, table.values.data()));
    for (size_t c = 0; c < step.slots.size(); ++c) row_[step.slots[c]] = table.values[c];
    return Status::Ok();
  }

  Result<bool> Passes(const std::optional<Expression>& condition) {
    if (!condition.has_value()) return true;
    context_.row = row_;
    return EvaluatePredicate(*condition, context_);
  }

  const RowPlan& plan_;
  EvalContext& context_;
  const uint64_t rows_max_;
  RowSet& rows_;
  std::vector<Value> row_;  // the joined row, as far as it goes
  std::vector<Table> tables_;
};

}  // namespace

Status JoinRows(const RowPlan& plan, EvalContext& context, uint64_t rows_max, RowSet& rows) {
  if (rows_max == 0) return Status::Ok();
  return Joiner(plan, context, rows_max, rows).Run();
}

}  // namespace omendb::exec
