#include "duck/scan/table_scan.h"

#include <algorithm>
#include <utility>

#include "colstore/block_filter.h"
#include "duck/catalog/table_entry.h"
#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duck/scan/filter_bounds.h"
#include "duck/scan/index_scan.h"
#include "duck/scan/scan_state.h"
#include "duck/session_state.h"
#include "duckdb/execution/partition_info.hpp"
#include "duckdb/function/partition_stats.hpp"
#include "duckdb/planner/filter/conjunction_filter.hpp"
#include "duckdb/planner/table_filter_state.hpp"
#include "duckdb/storage/statistics/node_statistics.hpp"
#include "duckdb/storage/table/column_segment.hpp"

namespace omendb::duck {

namespace {

const duckdb::column_t kRowIdIdentifier = duckdb::VIRTUAL_COLUMN_START + 1;

// Scans of so many batches are over before they keep anybody from anything.
constexpr uint64_t kBatchesOfSmall = 16;
void AddColumn(ScanState& state, const OmenTableEntry& table, duckdb::column_t id,
               engine::Relation::ScanOptions& options) {
  ScannedColumn column;
  if (id == duckdb::COLUMN_IDENTIFIER_ROW_ID) {
    column.kind = ScannedColumn::Kind::kRowRef;
    column.logical = duckdb::LogicalType::HUGEINT;
    state.with_refs = true;
  } else if (id == kRowIdIdentifier || id < table.column_ids().size()) {
    const ColumnId our_id = id == kRowIdIdentifier ? engine::kRowIdColumn : table.column_ids()[id];
    column.kind = ScannedColumn::Kind::kStored;
    column.type = id == kRowIdIdentifier ? types::SqlType{types::TypeKind::kInt8}
                                         : table.definition()->column(our_id).type;
    column.logical = ToLogicalType(column.type);
    column.chunk_column = options.columns.size();
    options.columns.push_back(our_id);
  } else {
    column.logical = duckdb::LogicalType::BOOLEAN;
  }
  state.columns.push_back(std::move(column));
}

// Where the columns of the order come out.
void SetOrder(ScanState& state, const TableScanData& data, engine::Relation::ScanOptions& options) {
  state.order = options.order = data.order;
  for (const ColumnId id : data.order_columns) {
    const auto comes_from = [&](duckdb::idx_t i) {
      const ScannedColumn& column = state.columns[i];
      return column.kind == ScannedColumn::Kind::kStored &&
             options.columns[column.chunk_column] == id;
    };
    const auto at = std::find_if(state.projection.begin(), state.projection.end(), comes_from);
    OMEN_CHECK(at != state.projection.end());
    state.order_by.push_back(static_cast<duckdb::idx_t>(at - state.projection.begin()));
  }
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> InitGlobal(
    duckdb::ClientContext& context, duckdb::TableFunctionInitInput& input) {
  SessionState& session = SessionState::Get(context);
  const OmenTableEntry& table = input.bind_data->Cast<TableScanData>().table;
  auto state = duckdb::make_uniq<ScanState>();
  engine::Relation::ScanOptions options;
  for (duckdb::column_t id : input.column_ids) AddColumn(*state, table, id, options);
  if (input.CanRemoveFilterColumns()) {
    state->projection.assign(input.projection_ids.begin(), input.projection_ids.end());
  } else {
    for (duckdb::idx_t i = 0; i < state->columns.size(); ++i) state->projection.push_back(i);
  }
  SetOrder(*state, input.bind_data->Cast<TableScanData>(), options);
  state->filters = input.filters;
  options.with_refs = state->with_refs;
  options.late_columns = true;
  state->exact.resize(state->columns.size());
  if (input.filters != nullptr) {
    for (const auto& [index, filter] : input.filters->filters) {
      const ScannedColumn& column = state->columns[index];
      if (column.kind != ScannedColumn::Kind::kStored) continue;
      const ColumnId id = options.columns[column.chunk_column];
      if (auto* const part = MovingPart(*filter); part != nullptr) {
        std::shared_ptr<colstore::MovingRange> range;
        if (colstore::HasIntCells(column.type)) range = std::make_shared<colstore::MovingRange>();
        if (range != nullptr) options.moving.push_back({id, range});
        state->moving.push_back({index, part, id, column.type, std::move(range)});
      }
      if (auto condition = ConditionOf(*filter, id, column.type, state->arena)) {
        if (condition->exact) state->exact[index] = condition->column;
        options.bounds.push_back(std::move(*condition));
      }
    }
  }
  state->relation = session.database->OpenRelation(table.definition());
  state->scan = ValueOrThrow(OpenIndexScan(state->relation, session.RequireStatement(), options));
  const bool by_index = state->scan != nullptr;
  if (!by_index) {
    state->scan = state->relation->OpenScan(session.RequireStatement(), std::move(options));
  }
  state->list = session.scans;
  state->list->Add(*state->scan);
  constexpr uint64_t kRowsPerThread = 64 * 1024;
  if (session.one_thread || (by_index && state->by_key())) return state;
  state->threads = 1 + static_cast<int64_t>(state->scan->rows_total_estimate() / kRowsPerThread);
  return state;
}

// Which costs more than a comparison, so that it comes last.
bool ComputesExpression(const duckdb::TableFilter& filter) {
  if (filter.filter_type == duckdb::TableFilterType::EXPRESSION_FILTER) return true;
  if (filter.filter_type != duckdb::TableFilterType::CONJUNCTION_AND) return false;
  const auto& children = filter.Cast<duckdb::ConjunctionAndFilter>().child_filters;
  return std::any_of(children.begin(), children.end(),
                     [](const auto& child) { return ComputesExpression(*child); });
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> InitLocal(
    duckdb::ExecutionContext& context, duckdb::TableFunctionInitInput&,
    duckdb::GlobalTableFunctionState* global) {
  auto& state = global->Cast<ScanState>();
  auto local = duckdb::make_uniq<ScanLocal>();
  local->worker = state.scan->NewWorker();
  duckdb::vector<duckdb::LogicalType> types;
  for (const ScannedColumn& column : state.columns) types.push_back(column.logical);
  local->scanned.InitializeEmpty(types);
  duckdb::vector<duckdb::LogicalType> output_types;
  for (const duckdb::idx_t i : state.projection) output_types.push_back(types[i]);
  if (state.filters != nullptr) local->gathered.Initialize(context.client, output_types);
  if (state.by_key()) {
    const bool descending = state.order == engine::Relation::KeyOrder::kDescending;
    local->sorter.emplace(context.client, output_types, state.order_by, descending);
  }
  if (state.filters != nullptr) {
    for (const auto& [index, filter] : state.filters->filters) {
      local->filters.push_back({index, filter.get(),
                                duckdb::TableFilterState::Initialize(context.client, *filter),
                                state.exact[index]});
    }
    std::stable_partition(local->filters.begin(), local->filters.end(),
                          [](const auto& filter) { return !ComputesExpression(*filter.filter); });
  }
  return local;
}

// Takes out of the selection what a filter rules out, the column filled if it was not.
void ApplyFilter(ScanState& state, ScanLocal& local, duckdb::idx_t column,
                 const duckdb::TableFilter& filter, duckdb::TableFilterState& filter_state,
                 duckdb::SelectionVector& selection, duckdb::idx_t& passed) {
  const duckdb::idx_t count = local.chunk.rows_count;
  FillColumn(state, local, column);
  duckdb::Vector& vector = local.scanned.data[column];
  duckdb::UnifiedVectorFormat format;
  vector.ToUnifiedFormat(count, format);
  duckdb::ColumnSegment::FilterSelection(selection, vector, format, filter, filter_state, count,
                                         passed);
}

// Rows of local.chunk that pass the filters; `selection` names them. Columns are filled as filters
// come to them: most blocks have no row that passes the first.
duckdb::idx_t ApplyFilters(duckdb::ClientContext& context, ScanState& state, ScanLocal& local,
                           duckdb::SelectionVector& selection) {
  duckdb::idx_t passed = local.chunk.rows_count;
  for (auto& filter : local.filters) {
    if (filter.exact && state.scan->HasApplied(*local.worker, *filter.exact)) continue;
    ApplyFilter(state, local, filter.column, *filter.filter, *filter.state, selection, passed);
    if (passed == 0) return 0;
  }
  for (const MovingFilter& moving : state.moving) {
    if (state.scan->HasMoved(*local.worker, moving.column)) continue;
    const auto now = PartNow(*moving.part);
    if (now == nullptr) continue;
    const auto filter_state = duckdb::TableFilterState::Initialize(context, *now);
    ApplyFilter(state, local, moving.index, *now, *filter_state, selection, passed);
    if (passed == 0) return 0;
  }
  return passed;
}

void MoveFilters(const ScanState& state) {
  for (const MovingFilter& moving : state.moving) {
    const auto now = moving.range != nullptr ? PartNow(*moving.part) : nullptr;
    if (now == nullptr) continue;
    types::Arena unused;  // Integers own nothing.
    const auto condition = ConditionOf(*now, moving.column, moving.type, unused);
    if (!condition) continue;
    const auto& [lower, upper] = std::tie(condition->lower, condition->upper);
    moving.range->Set(lower ? colstore::IntOfCell(moving.type, *lower) : INT64_MIN,
                      upper ? colstore::IntOfCell(moving.type, *upper) : INT64_MAX);
  }
}

// The next batch of rows, filtered; false at the end. None may have passed.
bool NextBatch(duckdb::ClientContext& context, ScanState& state, ScanLocal& local) {
  local.refs.clear();
  MoveFilters(state);
  const bool more = ValueOrThrow(
      state.scan->Next(*local.worker, local.chunk, state.with_refs ? &local.refs : nullptr));
  local.passed = 0;
  if (!more || local.chunk.rows_count == 0) return more;
  local.filled.assign(state.columns.size(), false);
  local.scanned.SetCardinality(local.chunk.rows_count);
  local.selection = duckdb::SelectionVector();
  local.passed = ApplyFilters(context, state, local, local.selection);
  return true;
}

void Scan(duckdb::ClientContext& context, duckdb::TableFunctionInput& input,
          duckdb::DataChunk& output) {
  auto& state = input.global_state->Cast<ScanState>();
  auto& local = input.local_state->Cast<ScanLocal>();
  SessionState& session = SessionState::Get(context);
  if (local.given) local.gathered.Reset();
  local.given = false;
  while (!local.ended) {
    if (!std::exchange(local.waits, false)) {
      session.ThrowIfCancelled();
      if (session.share != nullptr && ++local.batches > kBatchesOfSmall) session.share->Rest();
      local.ended = !NextBatch(context, state, local);
      if (local.ended) break;
    }
    if (Give(state, local, output)) return;
  }
  GiveLast(state, local, output);
}

// So that rows stay in their order where several threads scan and something asks for it.
duckdb::OperatorPartitionData PartitionOf(duckdb::ClientContext&,
                                          duckdb::TableFunctionGetPartitionInput& input) {
  return duckdb::OperatorPartitionData(input.local_state->Cast<ScanLocal>().given_of);
}

duckdb::unique_ptr<duckdb::BaseStatistics> Statistics(duckdb::ClientContext& context,
                                                      const duckdb::FunctionData* data,
                                                      duckdb::column_t column) {
  return data->Cast<TableScanData>().table.GetStatistics(context, column);
}

duckdb::unique_ptr<duckdb::NodeStatistics> Cardinality(duckdb::ClientContext& context,
                                                       const duckdb::FunctionData* data) {
  SessionState& session = SessionState::Get(context);
  const auto& table = data->Cast<TableScanData>().table;
  const uint64_t rows = session.database->OpenRelation(table.definition())->rows_estimate();
  return duckdb::make_uniq<duckdb::NodeStatistics>(rows);
}

// For count(*) alone, which then is not run at all: the rows that the statement sees.
duckdb::vector<duckdb::PartitionStatistics> PartitionStats(duckdb::ClientContext& context,
                                                           duckdb::GetPartitionStatsInput& input) {
  SessionState& session = SessionState::Get(context);
  const auto& table = input.bind_data->Cast<TableScanData>().table;
  const auto relation = session.database->OpenRelation(table.definition());
  duckdb::PartitionStatistics rows;
  rows.row_start = 0;
  rows.count = ValueOrThrow(relation->CountRows(session.RequireStatement()));
  rows.count_type = duckdb::CountType::COUNT_EXACT;
  return {rows};
}

double Progress(duckdb::ClientContext&, const duckdb::FunctionData*,
                const duckdb::GlobalTableFunctionState* global) {
  return 100.0 * global->Cast<ScanState>().scan->progress();
}

// A condition on one column, LIKE say, is looked at before the other columns are read. One that may
// fail stays above, where other conditions have ruled rows out.
bool PushesExpression(duckdb::ClientContext&, const duckdb::LogicalGet&, duckdb::Expression& expr) {
  return !expr.IsVolatile() && !expr.CanThrow() && !expr.HasSubquery();
}

duckdb::BindInfo GetBindInfo(const duckdb::optional_ptr<duckdb::FunctionData> data) {
  return duckdb::BindInfo(data->Cast<TableScanData>().table);
}

duckdb::virtual_column_map_t VirtualColumns(duckdb::ClientContext&,
                                            duckdb::optional_ptr<duckdb::FunctionData>) {
  return TableVirtualColumns();
}

// For late materialization: DuckDB takes the first rows of an order by few columns, then scans
// again for the others' columns of these rows.
duckdb::vector<duckdb::column_t> RowIdColumns(duckdb::ClientContext&,
                                              duckdb::optional_ptr<duckdb::FunctionData>) {
  return {kRowIdIdentifier};
}

duckdb::InsertionOrderPreservingMap<std::string> Describe(
    duckdb::TableFunctionToStringInput& input) {
  duckdb::InsertionOrderPreservingMap<std::string> result;
  const auto& data = input.bind_data->Cast<TableScanData>();
  result["Table"] = data.table.name;
  if (data.order == engine::Relation::KeyOrder::kAscending) result["Order"] = "Primary Key";
  if (data.order == engine::Relation::KeyOrder::kDescending) result["Order"] = "Primary Key DESC";
  return result;
}

// What EXPLAIN ANALYZE adds: blocks of segments, each of one column.
duckdb::InsertionOrderPreservingMap<std::string> DescribeRun(
    duckdb::TableFunctionDynamicToStringInput& input) {
  duckdb::InsertionOrderPreservingMap<std::string> result;
  const engine::Relation::BlockCounts counts =
      input.global_state->Cast<ScanState>().scan->block_counts();
  if (counts.read + counts.skipped == 0) return result;  // No segments.
  result["Blocks Read"] = std::to_string(counts.read);
  result["Blocks From Cache"] = std::to_string(counts.read - std::min(counts.read, counts.loaded));
  result["Blocks Skipped"] = std::to_string(counts.skipped);
  return result;
}

}  // namespace

duckdb::TableFunction TableScanFunction() {
  duckdb::TableFunction function("omendb_scan", {}, Scan);
  function.init_global = InitGlobal;
  function.init_local = InitLocal;
  function.statistics = Statistics;
  function.cardinality = Cardinality;
  function.get_partition_data = PartitionOf;
  function.get_partition_stats = PartitionStats;
  function.table_scan_progress = Progress;
  function.get_bind_info = GetBindInfo;
  function.get_virtual_columns = VirtualColumns;
  function.get_row_id_columns = RowIdColumns;
  function.late_materialization = true;
  function.to_string = Describe;
  function.dynamic_to_string = DescribeRun;
  function.projection_pushdown = true;
  function.filter_pushdown = true;
  function.pushdown_expression = PushesExpression;
  function.filter_prune = true;
  function.verify_serialization = false;
  return function;
}

duckdb::unique_ptr<duckdb::FunctionData> MakeTableScanData(OmenTableEntry& table) {
  return duckdb::make_uniq<TableScanData>(table);
}

duckdb::virtual_column_map_t TableVirtualColumns() {
  return {
      {duckdb::COLUMN_IDENTIFIER_ROW_ID,
       duckdb::TableColumn(kRowRefColumn, duckdb::LogicalType::HUGEINT)},
      {kRowIdIdentifier, duckdb::TableColumn(kRowIdColumn, duckdb::LogicalType::BIGINT)},
      {duckdb::COLUMN_IDENTIFIER_EMPTY, duckdb::TableColumn("", duckdb::LogicalType::BOOLEAN)},
  };
}

engine::RowRef RowRefOf(duckdb::hugeint_t row_id) {
  return {RowId(row_id.lower), static_cast<uint64_t>(row_id.upper)};
}

}  // namespace omendb::duck
