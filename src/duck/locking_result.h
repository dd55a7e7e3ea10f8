// locking_result.h - SELECT ... FOR UPDATE/SHARE of a query that DuckDB runs.
//
// The query's last columns are hidden: its LIMIT and OFFSET if it has them (they count rows after
// locking, so DuckDB must not apply them), then the row id of each table to be locked, NULL where
// an outer join found none. Rows are locked in the order in which DuckDB gives them.
//
// Method         All wanted rows are locked before the first is handed on. A row that another
//                transaction changed meanwhile fails the statement with a retryable 40001 (READ
//                COMMITTED), so that the session runs it again on a newer snapshot: PostgreSQL
//                re-checks the one row instead. Rows that were deleted are left out.
// Thread safety  One thread.
// Errors         55P03 (NOWAIT), 40001, 40P01, 57014; 2201W and 2201X for bad limits.
#pragma once

#include <memory>
#include <vector>

#include "duck/duck_engine.h"
#include "duck/session_state.h"
#include "engine/relation.h"
#include "types/chunk_builder.h"

namespace omendb::duck {

class LockingResult : public DuckResult {
 public:
  // `columns` are the visible ones.
  LockingResult(std::unique_ptr<DuckResult> rows, duckdb::shared_ptr<SessionState> state,
                const BindOptions& options, const std::vector<types::ResultColumn>& columns);

  Result<const types::Chunk*> Next() override;
  uint64_t rows_affected() const override { return 0; }
  std::string profile() const override { return rows_->profile(); }

 private:
  Status LockRows();
  Status ReadLimits(const types::Chunk& chunk);
  // False when the row is to be left out.
  Result<bool> LockRow(const types::Chunk& chunk, uint32_t row);

  std::unique_ptr<DuckResult> rows_;
  duckdb::shared_ptr<SessionState> state_;
  const BindOptions options_;
  const size_t width_;  // visible columns
  std::vector<std::shared_ptr<engine::Relation>> relations_;
  types::ChunkBuilder builder_;
  types::Arena arena_;
  std::vector<types::Row> locked_;
  size_t next_ = 0;
  bool all_locked_ = false;
  uint64_t limit_ = UINT64_MAX;
  uint64_t offset_ = 0;
};

}  // namespace omendb::duck
