#include "duck/plan/plan_columns.h"

#include "duck/catalog/table_entry.h"
#include "duck/logical_types.h"
#include "duck/plan/expression_converter.h"

namespace omendb::duck {

using exec::Expression;
using exec::Op;

size_t PlanColumns::AddTable(const OmenTableEntry& entry, const duckdb::LogicalGet* get) {
  tables_.push_back({&entry, get});
  return tables_.size() - 1;
}

void PlanColumns::SetWritten(size_t table, duckdb::idx_t index) {
  tables_[table].written_index = index;
}

std::optional<Expression> PlanColumns::Resolve(ExpressionConverter& converter,
                                               duckdb::ColumnBinding column) {
  if (auto projected = projections_.find(column.table_index); projected != projections_.end()) {
    if (column.column_index >= projected->second->size()) return std::nullopt;
    return converter.Convert(*(*projected->second)[column.column_index]);
  }
  for (size_t t = 0; t < tables_.size(); ++t) {
    const Table& table = tables_[t];
    if (column.table_index == table.written_index) return TableColumn(t, column.column_index);
    if (table.get == nullptr || column.table_index != table.get->table_index) continue;
    const auto& ids = table.get->GetColumnIds();
    if (column.column_index >= ids.size()) return std::nullopt;
    return TableColumn(t, ids[column.column_index].GetPrimaryIndex());
  }
  return AggregateColumn(column);
}

std::optional<Expression> PlanColumns::AggregateColumn(duckdb::ColumnBinding column) const {
  if (aggregate_ == nullptr) return std::nullopt;
  const bool is_group = column.table_index == aggregate_->group_index;
  if (!is_group && column.table_index != aggregate_->aggregate_index) return std::nullopt;
  const auto& expressions = is_group ? aggregate_->groups : aggregate_->expressions;
  if (column.column_index >= expressions.size()) return std::nullopt;
  Expression result;
  result.op = Op::kColumn;
  result.type = ToSqlType(expressions[column.column_index]->return_type);
  result.index =
      static_cast<uint32_t>(column.column_index + (is_group ? 0 : aggregate_->groups.size()));
  return result;
}

std::optional<Expression> PlanColumns::TableColumn(size_t table, duckdb::idx_t position) {
  const OmenTableEntry& entry = *tables_[table].entry;
  if (position >= entry.column_ids().size()) return std::nullopt;
  const ColumnId id = entry.column_ids()[position];
  Expression result;
  result.op = Op::kColumn;
  result.type = entry.definition()->column(id).type;
  size_t slot = 0;
  while (slot < slots_.size() && (slots_[slot].table != table || slots_[slot].column != id)) ++slot;
  if (slot == slots_.size()) slots_.push_back({table, id});
  result.index = static_cast<uint32_t>(slot);
  return result;
}

TableMask PlanColumns::TablesOf(const Expression& expression) const {
  TableMask mask = 0;
  if (expression.op == Op::kColumn) mask = TableMask{1} << slots_[expression.index].table;
  if (expression.op == Op::kExcluded || expression.op == Op::kNextValue) mask = kNeverJoined;
  for (const Expression& child : expression.children) mask |= TablesOf(child);
  return mask;
}

}  // namespace omendb::duck
