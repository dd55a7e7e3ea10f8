// scan_state.h - what table_scan.cc, scan_columns.cc and scan_output.cc share: the state of a scan,
// and of one of its threads.
//
// Thread safety  ScanState is constant once it is initialized but for what the engine's scan
//                guards; a ScanLocal belongs to its thread.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "colstore/moving_range.h"
#include "duck/scan/morsel_sorter.h"
#include "duck/scan_list.h"
#include "duckdb.hpp"
#include "duckdb/function/table_function.hpp"
#include "duckdb/planner/filter/dynamic_filter.hpp"
#include "duckdb/planner/table_filter_state.hpp"
#include "engine/relation.h"

namespace omendb::duck {

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
  engine::Relation::KeyOrder order = engine::Relation::KeyOrder::kNone;
  std::vector<duckdb::idx_t> order_by;  // of the output's columns
  bool with_refs = false;
  types::Arena arena;
  int64_t threads = 1;

  bool by_key() const { return order != engine::Relation::KeyOrder::kNone; }
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
  std::optional<MorselSorter> sorter;  // of a scan by key: rows of a morsel in no order
  duckdb::SelectionVector selection;
  duckdb::idx_t passed = 0;
  bool ended = false;
};

// Fills column `i` of local.scanned from local.chunk, unless it was.
void FillColumn(ScanState& state, ScanLocal& local, duckdb::idx_t i);

// With what was read last, of which rows may have passed. False when nothing can go out yet.
bool Give(ScanState& state, ScanLocal& local, duckdb::DataChunk& output);
// What is left once nothing more can be read; no rows: all went out.
void GiveLast(ScanState& state, ScanLocal& local, duckdb::DataChunk& output);

}  // namespace omendb::duck
