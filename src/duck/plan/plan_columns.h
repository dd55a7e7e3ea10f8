// plan_columns.h - the columns that a row plan reads, of one table or several, and DuckDB's column
// bindings as expressions over them.
//
// Thread safety  One thread.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "catalog/definitions.h"
#include "duckdb.hpp"
#include "duckdb/planner/column_binding.hpp"
#include "duckdb/planner/operator/logical_aggregate.hpp"
#include "duckdb/planner/operator/logical_get.hpp"
#include "exec/expression.h"

namespace omendb::duck {

class ExpressionConverter;
class OmenTableEntry;

// What Op::kColumn indexes into: a column of one of the plan's tables.
struct PlanSlot {
  size_t table;
  ColumnId column;
};

// One bit for each table.
using TableMask = uint64_t;
inline constexpr size_t kPlanTablesMax = 16;
inline constexpr TableMask kNeverJoined = TableMask{1} << 63;

class PlanColumns {
 public:
  using Expressions = duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>;

  // `get` is null for a table that is only written to. Answers the table's number.
  size_t AddTable(const OmenTableEntry& entry, const duckdb::LogicalGet* get);
  // Columns of a table that is written to are bound to `index` by their position.
  void SetWritten(size_t table, duckdb::idx_t index);
  void SetProjection(duckdb::idx_t index, const Expressions& expressions) {
    projections_[index] = &expressions;
  }
  void SetAggregate(const duckdb::LogicalAggregate& aggregate) { aggregate_ = &aggregate; }

  const OmenTableEntry& entry(size_t table) const { return *tables_[table].entry; }
  size_t tables_count() const { return tables_.size(); }
  const std::vector<PlanSlot>& slots() const { return slots_; }

  std::optional<exec::Expression> Resolve(ExpressionConverter& converter,
                                          duckdb::ColumnBinding column);
  // The column at `position` of the table, as a slot.
  std::optional<exec::Expression> TableColumn(size_t table, duckdb::idx_t position);
  // The tables whose columns `expression` reads. Requires: it is evaluated below the aggregates.
  TableMask TablesOf(const exec::Expression& expression) const;

 private:
  struct Table {
    const OmenTableEntry* entry;
    const duckdb::LogicalGet* get;
    duckdb::idx_t written_index = duckdb::DConstants::INVALID_INDEX;
  };

  std::optional<exec::Expression> AggregateColumn(duckdb::ColumnBinding column) const;

  std::vector<Table> tables_;
  std::vector<PlanSlot> slots_;
  std::unordered_map<duckdb::idx_t, const Expressions*> projections_;
  const duckdb::LogicalAggregate* aggregate_ = nullptr;
};

}  // namespace omendb::duck
