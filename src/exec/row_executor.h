// row_executor.h - runs a RowPlan: microseconds a row, no DuckDB, no allocation that it can avoid.
//
// Thread safety  Stateless; one call per statement on the session's thread. May wait (row locks)
//                through the context's Waiter.
// Errors         As relation.h and expression.h. The caller undoes the statement on error.
#pragma once

#include <cstdint>
#include <span>

#include "engine/relation.h"
#include "exec/row_plan.h"

namespace omendb::exec {

class RowSink {
 public:
  virtual ~RowSink() = default;
  // Values are borrowed for the call. Not ok stops the statement.
  virtual Status OnRow(std::span<const types::Value> row) = 0;
};

struct RowCounts {
  uint64_t rows_returned = 0;
  uint64_t rows_affected = 0;
};

// A SELECT that locks nothing gives up when it has visited this many rows, or is expected to: such
// a statement is faster in DuckDB. No row has reached the sink by then.
inline constexpr int64_t kVisitsMax = 20'000;

struct RowRun {
  RowCounts counts;
  bool gave_up = false;    // run the statement in DuckDB
  bool was_tried = false;  // and visited rows in vain
};

// READ COMMITTED conflicts are re-checked row by row, as PostgreSQL's EvalPlanQual.
Result<RowRun> ExecuteRowPlan(const RowPlan& plan, engine::Database& database,
                              engine::StatementContext& context,
                              std::span<const types::Value> params, RowSink& sink);

}  // namespace omendb::exec
