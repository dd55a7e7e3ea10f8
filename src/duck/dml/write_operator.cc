#include "duck/dml/write_operator.h"

#include <algorithm>

#include "duck/catalog/table_entry.h"
#include "duck/scan/table_scan.h"
#include "duck/session_state.h"
#include "duckdb/execution/operator/scan/physical_table_scan.hpp"

namespace omendb::duck {

struct WriteOperator::SinkState : public duckdb::GlobalSinkState {
  std::unique_ptr<Run> run;
  duckdb::unique_ptr<duckdb::ColumnDataCollection> gathered;
};

struct WriteOperator::SourceState : public duckdb::GlobalSourceState {
  duckdb::ColumnDataScanState scan;
  bool started = false;
};

WriteOperator::WriteOperator(
    duckdb::PhysicalPlan& plan, duckdb::vector<duckdb::LogicalType> result_types,
    duckdb::TableCatalogEntry& table,
    duckdb::vector<duckdb::unique_ptr<duckdb::BoundConstraint>> constraints,
    duckdb::idx_t cardinality, bool returning)
    : PhysicalOperator(plan, duckdb::PhysicalOperatorType::EXTENSION, std::move(result_types),
                       cardinality),
      table_(table.Cast<OmenTableEntry>()),
      constraints_(std::move(constraints)),
      returning_(returning) {}

std::unique_ptr<WriteOperator::Run> WriteOperator::StartRun(duckdb::ClientContext& context) const {
  auto run = std::make_unique<Run>();
  run->writer = std::make_unique<RowWriter>(context, table_, constraints_, returned_types());
  return run;
}

duckdb::unique_ptr<duckdb::GlobalSinkState> WriteOperator::GetGlobalSinkState(
    duckdb::ClientContext& context) const {
  auto state = duckdb::make_uniq<SinkState>();
  state->run = StartRun(context);
  if (!streams()) {
    state->gathered =
        duckdb::make_uniq<duckdb::ColumnDataCollection>(context, children[0].get().GetTypes());
  }
  return state;
}

void WriteOperator::WriteChunk(duckdb::ClientContext& context, Run& run,
                               duckdb::DataChunk& chunk) const {
  Write(context, run, chunk);
  run.writer->ResetArena();
  SessionState::Get(context).rows_written += chunk.size();
}

duckdb::SinkResultType WriteOperator::Sink(duckdb::ExecutionContext& context,
                                           duckdb::DataChunk& chunk,
                                           duckdb::OperatorSinkInput& input) const {
  auto& state = input.global_state.Cast<SinkState>();
  if (state.gathered != nullptr) {
    state.gathered->Append(chunk);
  } else {
    SessionState::Get(context.client).ThrowIfCancelled();
    WriteChunk(context.client, *state.run, chunk);
  }
  return duckdb::SinkResultType::NEED_MORE_INPUT;
}

duckdb::SinkFinalizeType WriteOperator::Finalize(duckdb::Pipeline&, duckdb::Event&,
                                                 duckdb::ClientContext& context,
                                                 duckdb::OperatorSinkFinalizeInput& input) const {
  auto& state = input.global_state.Cast<SinkState>();
  SessionState& session = SessionState::Get(context);
  if (state.gathered != nullptr) {
    session.rows_to_write = state.gathered->Count();
    for (auto& chunk : state.gathered->Chunks()) {
      session.ThrowIfCancelled();
      WriteChunk(context, *state.run, chunk);
    }
    state.gathered.reset();
  }
  Finish(*state.run);
  state.run->writer->Finish();
  session.rows_affected = state.run->writer->rows_affected;
  return duckdb::SinkFinalizeType::READY;
}

duckdb::unique_ptr<duckdb::GlobalSourceState> WriteOperator::GetGlobalSourceState(
    duckdb::ClientContext&) const {
  return duckdb::make_uniq<SourceState>();
}

duckdb::SourceResultType WriteOperator::GetData(duckdb::ExecutionContext&, duckdb::DataChunk& chunk,
                                                duckdb::OperatorSourceInput& input) const {
  auto& source = input.global_state.Cast<SourceState>();
  auto& sink = sink_state->Cast<SinkState>();
  if (!returning_) {
    chunk.SetCardinality(1);
    chunk.SetValue(0, 0,
                   duckdb::Value::BIGINT(static_cast<int64_t>(sink.run->writer->rows_affected)));
    return duckdb::SourceResultType::FINISHED;
  }
  auto& rows = *sink.run->writer->returning_rows();
  if (!source.started) {
    rows.InitializeScan(source.scan);
    source.started = true;
  }
  rows.Scan(source.scan, chunk);
  return chunk.size() == 0 ? duckdb::SourceResultType::FINISHED
                           : duckdb::SourceResultType::HAVE_MORE_OUTPUT;
}

bool GathersRows(const duckdb::PhysicalOperator& plan) {
  const auto* write = dynamic_cast<const WriteOperator*>(&plan);
  if (write != nullptr) return !write->streams();
  const auto children = plan.GetChildren();
  return std::any_of(children.begin(), children.end(),
                     [](const auto& child) { return GathersRows(child.get()); });
}

bool PlanReads(const duckdb::PhysicalOperator& plan, const OmenTableEntry& table) {
  if (plan.type == duckdb::PhysicalOperatorType::TABLE_SCAN) {
    const auto& scan = plan.Cast<duckdb::PhysicalTableScan>();
    if (scan.function.name == "omendb_scan" && scan.bind_data != nullptr &&
        scan.bind_data->Cast<TableScanData>().table.definition()->oid == table.definition()->oid) {
      return true;
    }
  }
  for (const auto& child : plan.GetChildren()) {
    if (PlanReads(child.get(), table)) return true;
  }
  return false;
}

}  // namespace omendb::duck
