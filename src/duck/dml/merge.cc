// merge.cc - our catalog's MERGE operator: a row of the join takes the first action of its kind
// whose condition is true.
//
// See PostgreSQL 15, MERGE.
#include <optional>

#include "base/sqlstate.h"
#include "duck/catalog/omen_catalog.h"
#include "duck/catalog/table_entry.h"
#include "duck/dml/row_id_set.h"
#include "duck/dml/write_operator.h"
#include "duck/errors.h"
#include "duck/scan/table_scan.h"
#include "duck/session_state.h"
#include "duckdb/execution/physical_plan_generator.hpp"
#include "duckdb/planner/operator/logical_merge_into.hpp"
#include "engine/bulk_load.h"

namespace omendb::duck {
namespace {

using duckdb::MergeActionType;
using Expressions = duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>;

struct Action {
  MergeActionType type;
  duckdb::unique_ptr<duckdb::Expression> condition;  // may be null
  std::vector<size_t> columns;                       // of UPDATE: DuckDB's numbers
  Expressions values;                                // of `columns`; of INSERT: of all
};

// An action while the operator runs, and the rows of the chunk that take it.
struct ActionRun {
  const Action* action;
  std::optional<duckdb::ExpressionExecutor> condition;
  std::optional<duckdb::ExpressionExecutor> values_executor;
  duckdb::DataChunk values;
  duckdb::idx_t count = 0;
  duckdb::idx_t next = 0;  // of `values`
};

Action MakeAction(duckdb::LogicalMergeInto& op, duckdb::BoundMergeIntoAction& bound) {
  Action action{bound.action_type, std::move(bound.condition), {}, {}};
  const auto default_of = [&](size_t column) { return op.bound_defaults[column]->Copy(); };
  if (action.type == MergeActionType::MERGE_INSERT) {
    for (const auto& column : op.table.GetColumns().Physical()) {
      const auto at = bound.column_index_map.empty() ? column.StorageOid()
                                                     : bound.column_index_map[column.Physical()];
      action.values.push_back(at == duckdb::DConstants::INVALID_INDEX
                                  ? default_of(column.StorageOid())
                                  : std::move(bound.expressions[at]));
    }
  }
  if (action.type == MergeActionType::MERGE_UPDATE) {
    for (size_t i = 0; i < bound.columns.size(); ++i) {
      auto& value = bound.expressions[i];
      const bool is_default = value->GetExpressionType() == duckdb::ExpressionType::VALUE_DEFAULT;
      action.columns.push_back(bound.columns[i].index);
      action.values.push_back(is_default ? default_of(bound.columns[i].index) : std::move(value));
    }
  }
  return action;
}

class MergeOperator : public WriteOperator {
 public:
  MergeOperator(duckdb::PhysicalPlan& plan, duckdb::LogicalMergeInto& op)
      : WriteOperator(plan, op.types, op.table, std::move(op.bound_constraints),
                      op.estimated_cardinality, /*returning=*/false),
        row_id_(op.row_id_start) {
    for (auto& [condition, actions] : op.actions) {
      const bool matched = condition == duckdb::MergeActionCondition::WHEN_MATCHED;
      for (auto& action : actions) {
        (matched ? matched_ : unmatched_).push_back(MakeAction(op, *action));
      }
    }
  }

  std::string GetName() const override { return "OMENDB_MERGE"; }

 protected:
  struct MergeRun : public Run {
    std::vector<ActionRun> matched;
    std::vector<ActionRun> unmatched;
    RowIdSet touched;
    std::unique_ptr<engine::BulkLoad> load;  // of the rows that are inserted
    std::unique_ptr<engine::BulkUpdate> updates;
  };

  std::unique_ptr<Run> StartRun(duckdb::ClientContext& context) const override {
    auto run = std::make_unique<MergeRun>();
    run->writer = std::make_unique<RowWriter>(context, table_, constraints_, returned_types());
    run->load = std::make_unique<engine::BulkLoad>(run->writer->statement(),
                                                   run->writer->shared_relation());
    std::vector<size_t> columns;
    for (const Action& action : matched_) {
      columns.insert(columns.end(), action.columns.begin(), action.columns.end());
    }
    run->updates = run->writer->StartUpdates(columns, engine::BulkUpdate::Beside::kNothing);
    run->matched = StartActions(context, matched_);
    run->unmatched = StartActions(context, unmatched_);
    return run;
  }

  void Write(duckdb::ClientContext&, Run& base, duckdb::DataChunk& chunk) const override {
    auto& run = static_cast<MergeRun&>(base);
    chunk.Flatten();
    duckdb::Vector& row_ids = chunk.data[row_id_];
    const auto* ids = duckdb::FlatVector::GetData<duckdb::hugeint_t>(row_ids);
    const auto is_matched = [&](duckdb::idx_t i) {
      return duckdb::FlatVector::Validity(row_ids).RowIsValid(i);
    };
    // By row: the action it takes; rows then change in the order in which they came.
    std::vector<ActionRun*> taken(chunk.size());
    for (const bool matched : {true, false}) {
      duckdb::SelectionVector rows(chunk.size());
      duckdb::idx_t count = 0;
      for (duckdb::idx_t i = 0; i < chunk.size(); ++i) {
        if (is_matched(i) == matched) rows.set_index(count++, i);
      }
      Choose(matched ? run.matched : run.unmatched, chunk, rows, count, taken);
    }
    for (duckdb::idx_t i = 0; i < chunk.size(); ++i) {
      if (taken[i] == nullptr) continue;
      const MergeActionType kind = taken[i]->action->type;
      if (kind == MergeActionType::MERGE_INSERT) {
        Insert(run, *taken[i]);
      } else if (kind != MergeActionType::MERGE_DO_NOTHING) {
        Change(run, *taken[i], RowRefOf(ids[i]));
      }
    }
  }

  void Finish(Run& base) const override {
    auto& run = static_cast<MergeRun&>(base);
    run.writer->RequireDone(ValueOrThrow(run.updates->Finish()));
    ThrowIfError(run.load->Finish());
  }

 private:
  static std::vector<ActionRun> StartActions(duckdb::ClientContext& context,
                                             const std::vector<Action>& actions) {
    std::vector<ActionRun> runs(actions.size());
    for (size_t a = 0; a < actions.size(); ++a) {
      runs[a].action = &actions[a];
      if (actions[a].condition != nullptr)
        runs[a].condition.emplace(context, *actions[a].condition);
      runs[a].values_executor.emplace(context, actions[a].values);
      duckdb::vector<duckdb::LogicalType> types;
      for (const auto& value : actions[a].values) types.push_back(value->return_type);
      if (!types.empty()) runs[a].values.Initialize(context, types);
    }
    return runs;
  }

  // Gives each of the `count` rows its action, and computes the actions' values.
  static void Choose(std::vector<ActionRun>& runs, duckdb::DataChunk& chunk,
                     duckdb::SelectionVector rows, duckdb::idx_t count,
                     std::vector<ActionRun*>& taken) {
    for (ActionRun& run : runs) {
      if (count == 0) return;
      run.count = count;
      run.next = 0;
      duckdb::SelectionVector passed(count);
      if (run.condition) {
        run.count = run.condition->SelectExpression(chunk, passed, &rows, count);
      } else {
        passed.Initialize(rows);
      }
      for (duckdb::idx_t i = 0; i < run.count; ++i) taken[passed.get_index(i)] = &run;
      Compute(chunk, passed, run);
      duckdb::idx_t left = 0;
      for (duckdb::idx_t i = 0; i < count; ++i) {
        if (taken[rows.get_index(i)] == nullptr) rows.set_index(left++, rows.get_index(i));
      }
      count = left;
    }
  }

  static void Compute(duckdb::DataChunk& chunk, const duckdb::SelectionVector& rows,
                      ActionRun& run) {
    if (run.count == 0 || run.values.ColumnCount() == 0) return;
    duckdb::DataChunk input;
    input.InitializeEmpty(chunk.GetTypes());
    input.Reference(chunk);
    input.Slice(rows, run.count);
    run.values.Reset();
    run.values_executor->Execute(input, run.values);
    run.values.Flatten();
  }

  void Insert(MergeRun& run, ActionRun& values) const {
    RowWriter& writer = *run.writer;
    types::Row row;
    writer.LoadRow(values.values, values.next++, row);
    writer.Complete(row);
    // A key that a row before it has given up must be free by then.
    if (run.load->IsFull()) writer.RequireDone(ValueOrThrow(run.updates->Apply()));
    ThrowIfError(run.load->AppendRow(row));
    ++writer.rows_affected;
  }

  void Change(MergeRun& run, ActionRun& taken, engine::RowRef seen) const {
    RowWriter& writer = *run.writer;
    if (!run.touched.Insert(seen.row_id.value())) {
      ThrowStatus(
          Status(sqlstate::kCardinalityViolation, "MERGE command cannot affect row a second time")
              .WithHint("Ensure that not more than one source row matches any one target "
                        "row."));
    }
    const bool deletes = taken.action->type == MergeActionType::MERGE_DELETE;
    const engine::RowResult result =
        ValueOrThrow(deletes ? run.updates->Delete(seen) : Update(run, taken, seen));
    writer.RequireDone(result.outcome);
    ++writer.rows_affected;
  }

  static Result<engine::RowResult> Update(MergeRun& run, ActionRun& taken, engine::RowRef seen) {
    RowWriter& writer = *run.writer;
    types::Row row;
    writer.ReadRow(seen, row);
    const std::vector<size_t>& columns = taken.action->columns;
    for (size_t v = 0; v < columns.size(); ++v) {
      writer.AssignCell(taken.values.data[v], taken.count, taken.next, columns[v], row);
    }
    ++taken.next;
    writer.Complete(row);
    return run.updates->Update(seen, row);
  }

  const duckdb::idx_t row_id_;
  std::vector<Action> matched_;
  std::vector<Action> unmatched_;
};

}  // namespace

duckdb::PhysicalOperator& OmenCatalog::PlanMergeInto(duckdb::ClientContext&,
                                                     duckdb::PhysicalPlanGenerator& planner,
                                                     duckdb::LogicalMergeInto& op,
                                                     duckdb::PhysicalOperator& plan) {
  auto& merge = planner.Make<MergeOperator>(op);
  merge.children.push_back(plan);
  return merge;
}

}  // namespace omendb::duck
