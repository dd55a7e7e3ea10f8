#include "exec/joins.h"

#include <algorithm>
#include <memory>

#include "exec/batch_size.h"

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
      Table& table = tables_.emplace_back(plan.slots_count, rows_max);
      table.relation = context.database->OpenRelation(step.table);
      table.values.resize(step.columns.size());
    }
  }

  // An error counts only if the rows from before it are not enough: those that still wait.
  Status Run() {
    Status status = Descend(0);
    for (size_t depth = 0; depth < tables_.size() && !done(); ++depth) {
      Status looked_up = LookUpWaiting(depth);
      if (!looked_up.ok()) status = std::move(looked_up);
    }
    return done() ? Status::Ok() : status;
  }

 private:
  struct Table {
    Table(uint32_t slots_count, uint64_t rows_max)
        : waiting(slots_count), in_hand(slots_count), batch_size(rows_max) {}
    std::shared_ptr<engine::Relation> relation;
    std::vector<Value> values;
    // Rows as joined before this table, and the keys that they look up in it.
    RowSet waiting;
    std::vector<Value> keys;
    RowSet in_hand;  // being looked up
    std::vector<std::optional<RowRef>> found;
    BatchSize batch_size;
  };

  bool done() const { return rows_.size() >= rows_max_; }

  // Rows of all steps from `depth` on, for the row as it is joined so far.
  Status Descend(size_t depth) {
    if (depth == plan_.joins.size()) {
      rows_.Append(row_);
      return Status::Ok();
    }
    const JoinStep& step = plan_.joins[depth];
    context_.row = row_;
    // The first table has one row to look up at most.
    if (depth > 0 && step.access.unique_point && step.access.in_list.empty()) return Wait(depth);
    bool matched = false;
    auto go_on = [&](const RowRef& row) -> Result<bool> {
      OMEN_TRY(GoOn(depth, row, matched));
      return !done();
    };
    const uint64_t rows_wanted = rows_max_ - rows_.size();
    OMEN_TRY(VisitRows(step.access, *tables_[depth].relation, context_, rows_wanted, go_on));
    return matched ? Status::Ok() : GoOnUnmatched(depth);
  }

  Status Wait(size_t depth) {
    Table& table = tables_[depth];
    const size_t keys_before = table.keys.size();
    for (const Expression& expression : plan_.joins[depth].access.equal) {
      auto value = Evaluate(expression, context_);
      if (!value.ok()) {
        table.keys.resize(keys_before);
        return value.status();
      }
      table.keys.push_back(*value);
    }
    table.waiting.Append(row_);
    return table.waiting.size() < table.batch_size.get() ? Status::Ok() : LookUpWaiting(depth);
  }

  Status LookUpWaiting(size_t depth) {
    Table& table = tables_[depth];
    if (table.waiting.size() == 0) return Status::Ok();
    std::swap(table.waiting, table.in_hand);
    table.waiting.Clear();
    table.found.resize(table.in_hand.size());
    const Status looked_up = table.relation->LookupBatch(
        *context_.statement, plan_.joins[depth].access.index, table.keys, table.found);
    table.keys.clear();
    OMEN_TRY(looked_up);
    table.batch_size.Grow();
    for (size_t i = 0; i < table.found.size() && !done(); ++i) {
      const auto row = table.in_hand.row(i);
      std::copy(row.begin(), row.end(), row_.begin());
      bool matched = false;
      if (table.found[i].has_value()) OMEN_TRY(GoOn(depth, *table.found[i], matched));
      if (!matched) OMEN_TRY(GoOnUnmatched(depth));
    }
    return Status::Ok();
  }

  // With a row of the table at `depth`. Sets `matched` if it is a match.
  Status GoOn(size_t depth, const RowRef& row, bool& matched) {
    const JoinStep& step = plan_.joins[depth];
    OMEN_TRY(context_.CountVisit());
    OMEN_TRY(Read(step, tables_[depth], row));
    OMEN_ASSIGN(const bool matches, Passes(step.match));
    if (!matches) return Status::Ok();
    matched = true;
    return Continue(step, depth);
  }

  Status GoOnUnmatched(size_t depth) {
    const JoinStep& step = plan_.joins[depth];
    if (!step.left || done()) return Status::Ok();
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
