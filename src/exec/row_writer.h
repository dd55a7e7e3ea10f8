// row_writer.h - INSERT, UPDATE and DELETE of a RowPlan; internal to exec.
#pragma once

#include <vector>

#include "exec/access.h"

namespace omendb::exec {

class RowWriter {
 public:
  RowWriter(const RowPlan& plan, engine::Relation& relation, EvalContext& context, RowSink& sink);
  Result<RowCounts> Run();

 private:
  Status Insert();
  // ON CONFLICT, before the rows from `first` on are inserted.
  Status LookAhead(size_t first);
  Status InsertRow(const std::vector<Expression>& expressions);
  // ON CONFLICT DO UPDATE of the row that is in the way. False: it went away, insert again.
  Result<bool> UpdateConflicting(engine::RowRef conflict, std::span<const types::Value> proposed);
  Status UpdateOrDelete();
  Status UpdateRow(engine::RowRef row, std::span<const types::Value> values);
  Status DeleteRow(engine::RowRef row, std::span<const types::Value> values);

  // The whole row of `seen` with the plan's assignments applied; context_.row is its old columns.
  Result<std::vector<types::Value>> NewRow(const engine::RowRef& seen);
  Status CompleteRow(std::span<types::Value> row);
  // RETURNING over a whole row by ColumnId - 1.
  Status ReturnWholeRow(std::span<const types::Value> row);
  Status Return(std::span<const types::Value> columns);

  const RowPlan& plan_;
  engine::Relation& relation_;
  EvalContext& context_;
  RowSink& sink_;
  const std::vector<ColumnId> live_columns_;
  RowCounts counts_;
};

}  // namespace omendb::exec
