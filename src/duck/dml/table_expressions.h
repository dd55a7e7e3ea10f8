// table_expressions.h - engine::RowExpressions over a DuckDB connection: what the columns of one
// table say, bound once, for rows that the engine makes itself.
//
// Thread safety  One thread at a time, while no statement of the connection runs.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "duck/dml/row_writer.h"
#include "engine/database.h"

namespace omendb::duck {

class TableExpressions : public engine::RowExpressions {
 public:
  // Throws. Requires a transaction of the connection, and `state`'s statement.
  TableExpressions(const duckdb::shared_ptr<duckdb::ClientContext>& connection,
                   const duckdb::shared_ptr<SessionState>& state, const OmenTableEntry& table);

  // What the entry and its expressions point to.
  void KeepPinned(std::vector<std::shared_ptr<void>> pinned) { pinned_ = std::move(pinned); }

  Status Complete(engine::StatementContext& context, types::Row& row, types::Arena& arena) override;
  Result<types::Value> DefaultOf(engine::StatementContext& context, ColumnId column,
                                 types::Arena& arena) override;

 private:
  struct Default {
    size_t column;  // DuckDB's number
    duckdb::unique_ptr<duckdb::Expression> value;
  };
  // Runs it as a statement of the connection.
  Status Run(engine::StatementContext& context, const std::function<void()>& work);

  const duckdb::shared_ptr<duckdb::ClientContext> connection_;
  const duckdb::shared_ptr<SessionState> state_;
  std::vector<std::shared_ptr<void>> pinned_;
  duckdb::vector<duckdb::unique_ptr<duckdb::BoundConstraint>> constraints_;
  std::unique_ptr<RowWriter> writer_;
  std::map<ColumnId, Default> defaults_;
};

}  // namespace omendb::duck
