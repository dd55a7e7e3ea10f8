// row_writer.h - writes rows that DuckDB computed into one table: coercion to the columns'
// modifiers, CHECK constraints, retries, RETURNING. The common part of the write operators.
//
// Thread safety  One thread at a time, as the engine asks of the writes of a transaction.
// Errors         Throws Status-carrying exceptions. Write conflicts under READ COMMITTED are marked
//                retryable in SessionState.
#pragma once

#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "duck/dml/generated_columns.h"
#include "duckdb.hpp"
#include "duckdb/common/types/column/column_data_collection.hpp"
#include "duckdb/execution/expression_executor.hpp"
#include "duckdb/planner/bound_constraint.hpp"
#include "engine/bulk_update.h"
#include "engine/relation.h"

namespace omendb::duck {

class OmenTableEntry;
class SessionState;

class RowWriter {
 public:
  // `constraints` are the table's bound constraints (CHECK ones are evaluated). `returned` are the
  // types of what RETURNING is computed from: the table's columns, and behind them those of a
  // joined row; null without RETURNING.
  RowWriter(duckdb::ClientContext& context, const OmenTableEntry& table,
            const duckdb::vector<duckdb::unique_ptr<duckdb::BoundConstraint>>& constraints,
            const duckdb::vector<duckdb::LogicalType>* returned);

  const catalog::TableDef& definition() const;
  engine::Relation& relation() { return *relation_; }
  const std::shared_ptr<engine::Relation>& shared_relation() const { return relation_; }
  engine::StatementContext& statement();
  types::Arena& arena() { return arena_; }
  void ResetArena() { arena_.Reset(); }

  // Row `i` of a chunk in DuckDB's column order as a full row of the table; DEFAULT coercions done.
  void LoadRow(duckdb::DataChunk& chunk, duckdb::idx_t i, types::Row& row);
  // One cell of DuckDB column `column` as our value, coerced to the column's type. A string may lie
  // in the vector.
  types::Value LoadCell(duckdb::Vector& vector, duckdb::idx_t count, duckdb::idx_t i,
                        size_t column);
  // The first cell of a vector that may be gone before the value is used.
  types::Value KeepCell(duckdb::Vector& vector, size_t column, types::Arena& arena);
  // Puts LoadCell's value into its column of `row`.
  void AssignCell(duckdb::Vector& vector, duckdb::idx_t count, duckdb::idx_t i, size_t column,
                  types::Row& row);
  // LoadRow's value of one column; nullopt for types of which loading one may fail or is costly.
  std::optional<types::Value> ValueAhead(duckdb::DataChunk& chunk, duckdb::idx_t i,
                                         ColumnId column);
  // For the updates of the statement that assign to these columns, DuckDB's numbers; generated ones
  // may change too.
  std::unique_ptr<engine::BulkUpdate> StartUpdates(const std::vector<size_t>& columns,
                                                   engine::BulkUpdate::Beside beside);
  // Throws a conflict unless it is kDone.
  void RequireDone(engine::RowOutcome outcome) {
    if (outcome != engine::RowOutcome::kDone) ThrowConflict();
  }
  // Reads all columns of a stored row.
  void ReadRow(const engine::RowRef& ref, types::Row& row);
  // Computes generated columns, whose strings lie in the arena; 23514 when a CHECK constraint is
  // false of the row.
  void Complete(types::Row& row, types::Arena& arena);
  void Complete(types::Row& row) { Complete(row, arena_); }
  // Appends a row to the rows of RETURNING (when asked for), in DuckDB's form.
  void AddReturning(const types::Row& row);
  // Row `i` of `chunk` is the joined one, `joined` the columns of it that RETURNING wants.
  void AddReturning(const types::Row& row, duckdb::DataChunk& chunk, duckdb::idx_t i,
                    const std::vector<duckdb::idx_t>& joined);
  // After the last row, before returning_rows() is read.
  void Finish();
  // A conflicting change under READ COMMITTED: 40001, to be run again by the session.
  [[noreturn]] void ThrowConflict();

  duckdb::ColumnDataCollection* returning_rows() { return returning_.get(); }
  uint64_t rows_affected = 0;

 private:
  void ComputeGenerated(types::Row& row, types::Arena& arena);
  void StoreRow(duckdb::DataChunk& chunk, duckdb::idx_t i, const types::Row& row);
  void EndReturned();
  void FlushReturning();

  duckdb::ClientContext& context_;
  SessionState& state_;
  const OmenTableEntry& table_;
  std::shared_ptr<engine::Relation> relation_;
  std::vector<ColumnId> all_columns_;
  types::Arena arena_;
  duckdb::unique_ptr<duckdb::ColumnDataCollection> returning_;
  duckdb::DataChunk returning_chunk_;

  struct CheckConstraint {
    std::string name;
    duckdb::unique_ptr<duckdb::ExpressionExecutor> executor;
  };
  std::vector<CheckConstraint> checks_;
  struct Generated {
    size_t column;  // DuckDB's number
    duckdb::unique_ptr<duckdb::Expression> value;
    duckdb::unique_ptr<duckdb::ExpressionExecutor> executor;
  };
  std::vector<Generated> generated_;
  duckdb::DataChunk row_chunk_;  // the row that generated columns and checks are computed from
};

}  // namespace omendb::duck
