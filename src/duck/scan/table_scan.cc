#include "duck/scan/table_scan.h"

#include <algorithm>
#include <utility>

#include "colstore/block_filter.h"
#include "duck/catalog/table_entry.h"
#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duck/scan/filter_bounds.h"
#include "duck/scan/index_scan.h"
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

// Where a scanned column comes from. Row ids are stored, for the engine.
struct ScannedColumn {
  enum class Kind : uint8_t { kStored, kRowRef, kEmpty } kind = Kind::kEmpty;
  size_t chunk_column = 0;  // kStored: index in the engine's chunk
  types::SqlType type;
  duckdb::LogicalType logical;
};

// A filter of one column that lets less and less through.
struct MovingFilter {
  duckdb::idx_t index;  // of the column
  duckdb::DynamicFilterData* part;
  ColumnId column;
  types::SqlType type;
  std::shared_ptr<colstore::MovingRange> range;  // for the engine; null: not of integers
};

struct ScanState : public duckdb::GlobalTableFunctionState {
  std::shared_ptr<engine::Relation> relation;
  std::unique_ptr<engine::Relation::Scan> scan;
  std::shared_ptr<ScanList> list;  // has the scan
  std::vector<ScannedColumn> columns;
  std::vector<duckdb::idx_t> projection;  // Output column i is columns[projection[i]].
  duckdb::optional_ptr<duckdb::TableFilterSet> filters;
  std::vector<std::optional<ColumnId>> exact;  // by column: it has an exact bound
  std::vector<MovingFilter> moving;
  bool with_refs = false;
  types::Arena arena;
  int64_t threads = 1;

  ~ScanState() override {
    if (list != nullptr) list->Remove(*scan);
  }
  duckdb::idx_t MaxThreads() const override { return static_cast<duckdb::idx_t>(threads); }
};

struct ScanLocal : public duckdb::LocalTableFunctionState {
  std::unique_ptr<engine::Relation::Scan::WorkerState> worker;
  types::Chunk chunk;
  std::vector<engine::RowRef> refs;
  duckdb::DataChunk scanned;
  struct Filter {
    duckdb::idx_t column;
    const duckdb::TableFilter* filter;
    duckdb::unique_ptr<duckdb::TableFilterState> state;
    std::optional<ColumnId> exact;  // the engine's scan may have applied it
  };
  std::vector<Filter> filters;
  std::vector<bool> filled;  // columns of `scanned` that are those of `chunk`
  uint64_t batches = 0;      // that were read
  // Rows of a morsel's blocks of which few pass are handed over together: a chunk costs its
  // receivers about as much for one row as for a thousand.
  duckdb::DataChunk gathered;
  uint64_t gathered_of = 0;  // their morsel
  bool given = false;        // what was gathered
  bool waits = false;        // `chunk` has rows that passed and comes after what was gathered
  uint64_t given_of = 0;     // the morsel of the rows that went out
  duckdb::SelectionVector selection;
  duckdb::idx_t passed = 0;
  bool ended = false;
};

// Scans of so many batches are over before they keep anybody from anything.
constexpr uint64_t kBatchesOfSmall = 16;
// Few: below this.
constexpr duckdb::idx_t kFewRows = 256;

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
  state->filters = input.filters;
  options.with_refs = state->with_refs;
  options.late_columns = true;
  std::vector<ColumnCondition> conditions;
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
        options.bounds.push_back(condition->bound);
        if (condition->bound.exact) state->exact[index] = condition->bound.column;
        conditions.push_back(std::move(*condition));
      }
    }
  }
  state->relation = session.database->OpenRelation(table.definition());
  state->scan =
      ValueOrThrow(OpenIndexScan(state->relation, session.RequireStatement(), options, conditions));
  if (state->scan == nullptr) {
    state->scan = state->relation->OpenScan(session.RequireStatement(), std::move(options));
  }
  state->list = session.scans;
  state->list->Add(*state->scan);
  constexpr uint64_t kRowsPerThread = 64 * 1024;
  if (session.one_thread) return state;
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
  if (state.filters != nullptr) {
    duckdb::vector<duckdb::LogicalType> output_types;
    for (const duckdb::idx_t i : state.projection) output_types.push_back(types[i]);
    local->gathered.Initialize(context.client, output_types);
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

// Arrays become lists; char(n) loses its trailing blanks, which have no meaning in it.
void FillConverted(const types::ColumnView& view, uint32_t count, const types::SqlType& type,
                   duckdb::Vector& vector) {
  for (uint32_t i = 0; i < count; ++i) {
    const types::Value value = view.Get(i);
    if (!value.is_null && type.kind == types::TypeKind::kBpchar && !type.is_array) {
      const std::string_view trimmed = types::TrimBlanks(value.str());
      duckdb::FlatVector::GetData<duckdb::string_t>(vector)[i] =
          duckdb::string_t(trimmed.data(), static_cast<uint32_t>(trimmed.size()));
      continue;
    }
    StoreVectorCell(vector, i, type, value);
  }
}

void FillStored(const ScannedColumn& column, const types::Chunk& chunk, duckdb::Vector& target) {
  const types::ColumnView& view = chunk.columns[column.chunk_column];
  if (ElementOf(column.type) || column.type.kind == types::TypeKind::kBpchar) {
    duckdb::Vector converted(column.logical);
    FillConverted(view, chunk.rows_count, column.type, converted);
    target.Reference(converted);
    return;
  }
  duckdb::Vector flat(column.logical,
                      reinterpret_cast<duckdb::data_ptr_t>(const_cast<void*>(view.data)));
  if (view.shared_cells == 1) {
    flat.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
    if (view.is_null(0)) duckdb::ConstantVector::SetNull(flat, true);
    return target.Reference(flat);
  }
  if (view.validity != nullptr) {
    duckdb::FlatVector::SetValidity(
        flat, duckdb::ValidityMask(const_cast<uint64_t*>(view.validity), STANDARD_VECTOR_SIZE));
  }
  if (view.selection != nullptr) {
    const duckdb::SelectionVector selection(const_cast<uint32_t*>(view.selection));
    if (view.shared_cells == 0) {
      target.Slice(flat, selection, chunk.rows_count);
    } else {
      target.Dictionary(flat, view.shared_cells, selection, chunk.rows_count);
    }
  } else {
    target.Reference(flat);
  }
}

void FillRowRefs(const std::vector<engine::RowRef>& refs, duckdb::Vector& target) {
  duckdb::Vector ids(duckdb::LogicalType::HUGEINT);
  auto* data = duckdb::FlatVector::GetData<duckdb::hugeint_t>(ids);
  for (size_t i = 0; i < refs.size(); ++i) {
    data[i] = duckdb::hugeint_t(static_cast<int64_t>(refs[i].version), refs[i].row_id.value());
  }
  target.Reference(ids);
}

void FillEmpty(duckdb::Vector& target) {
  target.Reference(duckdb::Value(duckdb::LogicalType::BOOLEAN));
}

void FillColumn(ScanState& state, ScanLocal& local, duckdb::idx_t i) {
  if (local.filled[i]) return;
  local.filled[i] = true;
  const ScannedColumn& column = state.columns[i];
  switch (column.kind) {
    case ScannedColumn::Kind::kStored:
      ThrowIfError(state.scan->Fill(*local.worker, local.chunk, column.chunk_column));
      return FillStored(column, local.chunk, local.scanned.data[i]);
    case ScannedColumn::Kind::kRowRef:
      return FillRowRefs(local.refs, local.scanned.data[i]);
    case ScannedColumn::Kind::kEmpty:
      return FillEmpty(local.scanned.data[i]);
  }
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
    const auto& [lower, upper] = std::tie(condition->bound.lower, condition->bound.upper);
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

// What passed of the batch, as references to it.
void Refer(ScanState& state, ScanLocal& local, duckdb::DataChunk& output) {
  for (size_t i = 0; i < state.projection.size(); ++i) {
    FillColumn(state, local, state.projection[i]);
    output.data[i].Reference(local.scanned.data[state.projection[i]]);
  }
  if (local.passed < local.chunk.rows_count) output.Slice(local.selection, local.passed);
  output.SetCardinality(local.passed);
}

void Gather(ScanState& state, ScanLocal& local) {
  duckdb::DataChunk rows;
  rows.InitializeEmpty(local.gathered.GetTypes());
  Refer(state, local, rows);
  local.gathered.Append(rows);
  local.gathered_of = state.scan->MorselOf(*local.worker);
}

// They stay until the next call, as a batch does.
void GiveGathered(ScanLocal& local, duckdb::DataChunk& output) {
  output.Reference(local.gathered);
  local.given = true;
  local.given_of = local.gathered_of;
}

void GiveBatch(ScanState& state, ScanLocal& local, duckdb::DataChunk& output) {
  Refer(state, local, output);
  local.given_of = state.scan->MorselOf(*local.worker);
}

// With what was read last, of which rows may have passed. False when nothing can go out yet.
bool Give(ScanState& state, ScanLocal& local, duckdb::DataChunk& output) {
  const bool few = local.passed < kFewRows && !local.filters.empty();
  const bool ends_gathering = !few || state.scan->MorselOf(*local.worker) != local.gathered_of;
  if (local.gathered.size() > 0 && ends_gathering) {
    local.waits = local.passed > 0;
    GiveGathered(local, output);
    return true;
  }
  if (local.passed == 0) return false;
  if (!few) {
    GiveBatch(state, local, output);
    return true;
  }
  Gather(state, local);
  if (local.gathered.size() < 4 * kFewRows) return false;
  GiveGathered(local, output);
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
  if (local.gathered.size() == 0) return output.SetCardinality(0);
  GiveGathered(local, output);
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
  result["Table"] = input.bind_data->Cast<TableScanData>().table.name;
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
