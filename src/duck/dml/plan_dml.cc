// plan_dml.cc - our catalog's INSERT, UPDATE and DELETE operators.

#include "base/sqlstate.h"
#include "duck/catalog/omen_catalog.h"
#include "duck/catalog/table_entry.h"
#include "duck/dml/conflict_clause.h"
#include "duck/dml/joined_returning.h"
#include "duck/dml/row_id_set.h"
#include "duck/dml/write_operator.h"
#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duck/scan/table_scan.h"
#include "duck/session_state.h"
#include "duckdb/execution/operator/projection/physical_projection.hpp"
#include "duckdb/execution/physical_plan_generator.hpp"
#include "duckdb/planner/expression/bound_default_expression.hpp"
#include "duckdb/planner/expression/bound_reference_expression.hpp"
#include "duckdb/planner/operator/logical_delete.hpp"
#include "duckdb/planner/operator/logical_insert.hpp"
#include "duckdb/planner/operator/logical_update.hpp"
#include "engine/bulk_load.h"
#include "engine/own_changes.h"
#include "engine/warm_conflicts.h"

namespace omendb::duck {

namespace {

// An ON CONFLICT of up to so many rows locks and updates each as it comes, so that what others
// change meanwhile is updated as they leave it. Those of a longer statement are gathered, and where
// others were faster it is run again.
constexpr uint64_t kUpdatedAtOnce = engine::BulkUpdate::Limits().rows_min;

using Constraints = duckdb::vector<duckdb::unique_ptr<duckdb::BoundConstraint>>;

// ---- INSERT -----------------------------------------------------------------------------------

class InsertOperator : public WriteOperator {
 public:
  InsertOperator(duckdb::PhysicalPlan& plan, duckdb::vector<duckdb::LogicalType> result_types,
                 duckdb::TableCatalogEntry& table, Constraints constraints,
                 duckdb::idx_t cardinality, bool returning,
                 std::shared_ptr<ConflictClause> conflict, bool streaming)
      : WriteOperator(plan, std::move(result_types), table, std::move(constraints), cardinality,
                      returning),
        conflict_(std::move(conflict)),
        streaming_(streaming) {}

  std::string GetName() const override { return "OMENDB_INSERT"; }

 protected:
  struct InsertRun : public Run {
    duckdb::unique_ptr<duckdb::ExpressionExecutor> set_executor;
    duckdb::unique_ptr<duckdb::ExpressionExecutor> where_executor;
    duckdb::DataChunk pair;    // the existing row, then the proposed one
    duckdb::DataChunk values;  // of SET
    RowIdSet touched;          // this command inserted or updated them
    std::unique_ptr<engine::BulkUpdate> updates;
    uint64_t updated = 0;
    std::unique_ptr<engine::BulkLoad> load;  // where rows are not asked for again
  };

  bool streams() const override { return streaming_; }

  std::unique_ptr<Run> StartRun(duckdb::ClientContext& context) const override {
    auto run = std::make_unique<InsertRun>();
    run->writer = std::make_unique<RowWriter>(context, table_, constraints_, returned_types());
    if (conflict_ == nullptr && !returning_) {
      run->load = std::make_unique<engine::BulkLoad>(run->writer->statement(),
                                                     run->writer->shared_relation());
    }
    if (conflict_ != nullptr && conflict_->do_update) {
      duckdb::vector<duckdb::LogicalType> pair_types = table_.GetTypes();
      const auto columns = pair_types;
      pair_types.insert(pair_types.end(), columns.begin(), columns.end());
      run->pair.Initialize(context, pair_types);
      duckdb::vector<duckdb::LogicalType> set_types;
      run->set_executor = duckdb::make_uniq<duckdb::ExpressionExecutor>(context);
      for (const auto& expr : conflict_->set_expressions) {
        set_types.push_back(expr->return_type);
        run->set_executor->AddExpression(*expr);
      }
      run->values.Initialize(context, set_types);
      if (conflict_->where != nullptr) {
        run->where_executor =
            duckdb::make_uniq<duckdb::ExpressionExecutor>(context, *conflict_->where);
      }
      run->updates =
          run->writer->StartUpdates(conflict_->set_columns, engine::BulkUpdate::Beside::kOthers);
    }
    return run;
  }

  void Write(duckdb::ClientContext& context, Run& base, duckdb::DataChunk& chunk) const override {
    auto& run = static_cast<InsertRun&>(base);
    RowWriter& writer = *run.writer;
    types::Row row;
    for (duckdb::idx_t i = 0; i < chunk.size(); ++i) {
      if (conflict_ != nullptr && i % engine::kWarmRowsMax == 0) LookAhead(writer, chunk, i);
      writer.LoadRow(chunk, i, row);
      writer.Complete(row);
      if (conflict_ != nullptr) {
        InsertOrUpdate(context, run, row);
        continue;
      }
      if (run.load != nullptr) {
        ThrowIfError(run.load->AppendRow(row));
        ++writer.rows_affected;
        continue;
      }
      const engine::RowRef ref = ValueOrThrow(writer.relation().Insert(writer.statement(), row));
      ++writer.rows_affected;
      if (returning_) {
        writer.ReadRow(ref, row);
        writer.AddReturning(row);
      }
    }
  }

  void Finish(Run& base) const override {
    auto& run = static_cast<InsertRun&>(base);
    if (run.load != nullptr) ThrowIfError(run.load->Finish());
    if (run.updates != nullptr) run.writer->RequireDone(ValueOrThrow(run.updates->Finish()));
  }

 private:
  // Before the rows from `first` on are inserted.
  void LookAhead(RowWriter& writer, duckdb::DataChunk& chunk, duckdb::idx_t first) const {
    const auto count = std::min<duckdb::idx_t>(engine::kWarmRowsMax, chunk.size() - first);
    ThrowIfError(engine::WarmConflicts(writer.relation(), writer.statement(), conflict_->arbiters,
                                       count, [&](size_t row, ColumnId column) {
                                         return writer.ValueAhead(chunk, first + row, column);
                                       }));
  }

  void InsertOrUpdate(duckdb::ClientContext& context, InsertRun& run, types::Row& row) const {
    RowWriter& writer = *run.writer;
    for (;;) {
      SessionState::Get(context).ThrowIfCancelled();
      engine::RowRef existing;
      const auto inserted = ValueOrThrow(
          writer.relation().InsertOrFind(writer.statement(), row, conflict_->arbiters, &existing));
      if (inserted.has_value()) {
        run.touched.Insert(inserted->row_id.value());
        ++writer.rows_affected;
        writer.AddReturning(row);
        return;
      }
      if (!conflict_->do_update) return;
      if (run.touched.Contains(existing.row_id.value()) ||
          engine::IsChangedByStatement(writer.statement(), writer.relation(), existing)) {
        ThrowStatus(Status(sqlstate::kCardinalityViolation,
                           "ON CONFLICT DO UPDATE command cannot affect row a second time")
                        .WithHint("Ensure that no rows proposed for insertion within the same "
                                  "command have duplicate constrained values."));
      }
      if (UpdateExisting(run, row, existing)) return;
      // Somebody changed or removed it in between: try to insert again.
    }
  }

  bool UpdateExisting(InsertRun& run, const types::Row& proposed, engine::RowRef existing) const {
    RowWriter& writer = *run.writer;
    types::Row updated;
    // A row that WHERE leaves alone is locked all the same.
    if (run.updated >= kUpdatedAtOnce && run.updates->Gathers(existing) &&
        Compute(run, proposed, existing, updated)) {
      writer.RequireDone(ValueOrThrow(run.updates->Update(existing, updated)).outcome);
      NoteUpdated(run, existing, updated);
      return true;
    }
    const engine::RowResult locked = ValueOrThrow(writer.relation().Lock(
        writer.statement(), existing, txn::RowLockMode::kUpdate, txn::LockWait::kWait));
    if (locked.outcome == engine::RowOutcome::kChanged) existing = locked.latest;
    if (locked.outcome == engine::RowOutcome::kGone) return false;
    if (!Compute(run, proposed, existing, updated)) return true;
    const engine::RowResult result =
        ValueOrThrow(writer.relation().Update(writer.statement(), existing, updated));
    if (result.outcome != engine::RowOutcome::kDone) return false;
    NoteUpdated(run, result.latest, updated);
    return true;
  }

  static void NoteUpdated(InsertRun& run, const engine::RowRef& row, const types::Row& updated) {
    run.touched.Insert(row.row_id.value());
    ++run.updated;
    ++run.writer->rows_affected;
    run.writer->AddReturning(updated);
  }

  // What the existing row becomes; false when WHERE leaves it alone.
  bool Compute(InsertRun& run, const types::Row& proposed, const engine::RowRef& existing,
               types::Row& updated) const {
    RowWriter& writer = *run.writer;
    writer.ReadRow(existing, updated);
    FillPair(run, updated, proposed);
    if (run.where_executor != nullptr) {
      duckdb::Vector keep(conflict_->where->return_type);
      run.where_executor->ExecuteExpression(run.pair, keep);
      const duckdb::Value value = keep.GetValue(0);
      if (value.IsNull() || !value.GetValue<bool>()) return false;
    }
    run.values.Reset();
    run.set_executor->Execute(run.pair, run.values);
    for (size_t i = 0; i < conflict_->set_columns.size(); ++i) {
      writer.AssignCell(run.values.data[i], 1, 0, conflict_->set_columns[i], updated);
    }
    writer.Complete(updated);
    return true;
  }

  void FillPair(InsertRun& run, const types::Row& current, const types::Row& proposed) const {
    run.pair.Reset();
    const auto& ids = table_.column_ids();
    for (size_t c = 0; c < ids.size(); ++c) {
      const auto index = static_cast<size_t>(ids[c].value() - 1);
      const types::SqlType& column_type = table_.definition()->column(ids[c]).type;
      StoreVectorCell(run.pair.data[c], 0, column_type, current[index]);
      StoreVectorCell(run.pair.data[ids.size() + c], 0, column_type, proposed[index]);
    }
    run.pair.SetCardinality(1);
  }

  const std::shared_ptr<ConflictClause> conflict_;
  const bool streaming_;
};

// The columns of the input that RETURNING wants besides the table's.
std::vector<duckdb::idx_t> JoinedColumnsOf(const duckdb::LogicalOperator& op) {
  std::vector<duckdb::idx_t> columns;
  const auto* joined = dynamic_cast<const JoinedColumns*>(&op);
  if (joined == nullptr) return columns;
  for (size_t i = joined->first; i < op.expressions.size(); ++i) {
    columns.push_back(op.expressions[i]->Cast<duckdb::BoundReferenceExpression>().index);
  }
  return columns;
}

// ---- UPDATE -----------------------------------------------------------------------------------

class UpdateOperator : public WriteOperator {
 public:
  UpdateOperator(duckdb::PhysicalPlan& plan, duckdb::LogicalUpdate& op)
      : WriteOperator(plan, op.types, op.table, std::move(op.bound_constraints),
                      op.estimated_cardinality, op.return_chunk),
        joined_(JoinedColumnsOf(op)),
        columns_(std::move(op.columns)),
        defaults_(std::move(op.bound_defaults)),
        expressions_(std::move(op.expressions)) {
    expressions_.resize(columns_.size());
  }

  std::string GetName() const override { return "OMENDB_UPDATE"; }

 protected:
  struct UpdateRun : public Run {
    duckdb::unique_ptr<duckdb::ExpressionExecutor> defaults;
    duckdb::DataChunk default_values;
    RowIdSet touched;
    bool is_behind_others = false;  // The transaction has written before.
    std::unique_ptr<engine::BulkUpdate> updates;
  };

  std::unique_ptr<Run> StartRun(duckdb::ClientContext& context) const override {
    auto run = std::make_unique<UpdateRun>();
    run->writer = std::make_unique<RowWriter>(context, table_, constraints_, returned_types());
    run->is_behind_others = run->writer->statement().txn->has_writes();
    run->defaults = duckdb::make_uniq<duckdb::ExpressionExecutor>(context);
    duckdb::vector<duckdb::LogicalType> default_types;
    for (size_t i = 0; i < expressions_.size(); ++i) {
      if (!IsDefault(i)) continue;
      const auto& value = defaults_[columns_[i].index];
      run->defaults->AddExpression(*value);
      default_types.push_back(value->return_type);
    }
    if (!default_types.empty()) run->default_values.Initialize(context, default_types);
    std::vector<size_t> columns;
    for (const duckdb::PhysicalIndex& column : columns_) columns.push_back(column.index);
    run->updates = run->writer->StartUpdates(columns, engine::BulkUpdate::Beside::kNothing);
    return run;
  }

  void Write(duckdb::ClientContext&, Run& base, duckdb::DataChunk& chunk) const override {
    auto& run = static_cast<UpdateRun&>(base);
    RowWriter& writer = *run.writer;
    duckdb::Vector& row_ids = chunk.data[chunk.ColumnCount() - 1];
    row_ids.Flatten(chunk.size());
    const auto* ids = duckdb::FlatVector::GetData<duckdb::hugeint_t>(row_ids);
    for (duckdb::idx_t i = 0; i < chunk.size(); ++i) {
      const engine::RowRef seen = RowRefOf(ids[i]);
      // UPDATE ... FROM may join a row more than once: the first match counts.
      if (!run.touched.Insert(seen.row_id.value())) continue;
      // What a part of the statement before this one has changed stays as it is.
      if (run.is_behind_others &&
          engine::IsChangedByStatement(writer.statement(), writer.relation(), seen)) {
        continue;
      }
      types::Row row;
      writer.ReadRow(seen, row);
      Assign(run, chunk, i, row);
      writer.Complete(row);
      const engine::RowResult result = ValueOrThrow(run.updates->Update(seen, row));
      writer.RequireDone(result.outcome);
      run.touched.Insert(result.latest.row_id.value());
      ++writer.rows_affected;
      writer.AddReturning(row, chunk, i, joined_);
    }
  }

  void Finish(Run& base) const override {
    auto& run = static_cast<UpdateRun&>(base);
    run.writer->RequireDone(ValueOrThrow(run.updates->Finish()));
  }

 private:
  bool IsDefault(size_t i) const {
    return expressions_[i]->GetExpressionType() == duckdb::ExpressionType::VALUE_DEFAULT;
  }

  void Assign(UpdateRun& run, duckdb::DataChunk& chunk, duckdb::idx_t i, types::Row& row) const {
    RowWriter& writer = *run.writer;
    size_t next_default = 0;
    if (run.default_values.ColumnCount() > 0) {
      run.default_values.Reset();
      duckdb::DataChunk one;
      one.SetCardinality(1);
      run.defaults->Execute(one, run.default_values);
    }
    for (size_t e = 0; e < expressions_.size(); ++e) {
      const size_t column = columns_[e].index;
      if (IsDefault(e)) {
        writer.AssignCell(run.default_values.data[next_default++], 1, 0, column, row);
        continue;
      }
      const auto& reference = expressions_[e]->Cast<duckdb::BoundReferenceExpression>();
      writer.AssignCell(chunk.data[reference.index], chunk.size(), i, column, row);
    }
  }

  const std::vector<duckdb::idx_t> joined_;
  const duckdb::vector<duckdb::PhysicalIndex> columns_;
  const duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> defaults_;
  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> expressions_;
};

// ---- DELETE -----------------------------------------------------------------------------------

class DeleteOperator : public WriteOperator {
 public:
  DeleteOperator(duckdb::PhysicalPlan& plan, duckdb::LogicalDelete& op, duckdb::idx_t row_id)
      : WriteOperator(plan, op.types, op.table, {}, op.estimated_cardinality, op.return_chunk),
        joined_(JoinedColumnsOf(op)),
        row_id_(row_id) {}

  std::string GetName() const override { return "OMENDB_DELETE"; }

 protected:
  // DELETE ... USING may join a row more than once: it is gone the second time.
  void Write(duckdb::ClientContext&, Run& run, duckdb::DataChunk& chunk) const override {
    RowWriter& writer = *run.writer;
    duckdb::Vector& row_ids = chunk.data[row_id_];
    row_ids.Flatten(chunk.size());
    const auto* ids = duckdb::FlatVector::GetData<duckdb::hugeint_t>(row_ids);
    for (duckdb::idx_t i = 0; i < chunk.size(); ++i) {
      const engine::RowRef seen = RowRefOf(ids[i]);
      types::Row row;
      if (returning_) writer.ReadRow(seen, row);
      const engine::RowResult result =
          ValueOrThrow(writer.relation().Delete(writer.statement(), seen));
      if (result.outcome == engine::RowOutcome::kChanged) writer.ThrowConflict();
      if (result.outcome == engine::RowOutcome::kGone) continue;
      ++writer.rows_affected;
      if (returning_) writer.AddReturning(row, chunk, i, joined_);
    }
  }

 private:
  const std::vector<duckdb::idx_t> joined_;
  const duckdb::idx_t row_id_;
};

}  // namespace

duckdb::PhysicalOperator& OmenCatalog::PlanInsert(
    duckdb::ClientContext& context, duckdb::PhysicalPlanGenerator& planner,
    duckdb::LogicalInsert& op, duckdb::optional_ptr<duckdb::PhysicalOperator> plan) {
  if (!op.column_index_map.empty()) plan = planner.ResolveDefaultsProjection(op, *plan);
  const bool streaming = !PlanReads(*plan, op.table.Cast<OmenTableEntry>());
  auto& insert = planner.Make<InsertOperator>(op.types, op.table, std::move(op.bound_constraints),
                                              op.estimated_cardinality, op.return_chunk,
                                              SessionState::Get(context).conflict, streaming);
  insert.children.push_back(*plan);
  return insert;
}

duckdb::PhysicalOperator& OmenCatalog::PlanUpdate(duckdb::ClientContext&,
                                                  duckdb::PhysicalPlanGenerator& planner,
                                                  duckdb::LogicalUpdate& op,
                                                  duckdb::PhysicalOperator& plan) {
  auto& update = planner.Make<UpdateOperator>(op);
  update.children.push_back(plan);
  return update;
}

duckdb::PhysicalOperator& OmenCatalog::PlanDelete(duckdb::ClientContext&,
                                                  duckdb::PhysicalPlanGenerator& planner,
                                                  duckdb::LogicalDelete& op,
                                                  duckdb::PhysicalOperator& plan) {
  const auto& row_id = op.expressions[0]->Cast<duckdb::BoundReferenceExpression>();
  auto& del = planner.Make<DeleteOperator>(op, row_id.index);
  del.children.push_back(plan);
  return del;
}

}  // namespace omendb::duck
