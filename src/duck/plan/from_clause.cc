#include "duck/plan/from_clause.h"

#include <algorithm>

#include "duck/catalog/table_entry.h"
#include "duck/plan/undecided.h"
#include "duck/session_state.h"
#include "duckdb/planner/expression/bound_comparison_expression.hpp"
#include "duckdb/planner/operator/list.hpp"

namespace omendb::duck {

using duckdb::LogicalOperatorType;
using exec::Expression;

namespace {

// More joined rows than this are DuckDB's business.
constexpr double kJoinedRowsMax = 2000;

TableMask BitOf(size_t table) { return TableMask{1} << table; }

}  // namespace

// ---- Reading the bound plan --------------------------------------------------------------------

bool FromClause::AddCondition(const duckdb::Expression& expr, std::vector<Expression>& out) {
  auto converted = draft_.converter.Convert(expr);
  if (!converted) return false;
  if (converted->op != exec::Op::kAnd) {
    out.push_back(std::move(*converted));
    return true;
  }
  for (Expression& child : converted->children) out.push_back(std::move(child));
  return true;
}

bool FromClause::AddConditions(const PlanColumns::Expressions& expressions,
                               std::vector<Expression>& out) {
  return std::all_of(expressions.begin(), expressions.end(),
                     [&](const auto& expr) { return AddCondition(*expr, out); });
}

bool FromClause::AddTable(duckdb::LogicalOperator& scan, bool left) {
  if (tables_.size() == kPlanTablesMax) return draft_.Refuse("many tables");
  if (draft_.AddScan(scan) == nullptr) return false;
  tables_.push_back({draft_.columns.tables_count() - 1, left, {}});
  return true;
}

bool FromClause::Collect(duckdb::LogicalOperator& op) {
  switch (op.type) {
    case LogicalOperatorType::LOGICAL_GET:
      return AddTable(op, false);
    case LogicalOperatorType::LOGICAL_FILTER:
      if (op.HasProjectionMap() || !Collect(*op.children[0])) return draft_.Refuse("a filter");
      return AddConditions(op.expressions, conditions_);
    case LogicalOperatorType::LOGICAL_PROJECTION:
      draft_.columns.SetProjection(op.Cast<duckdb::LogicalProjection>().table_index,
                                   op.expressions);
      return Collect(*op.children[0]);
    case LogicalOperatorType::LOGICAL_CROSS_PRODUCT:
      return Collect(*op.children[0]) && Collect(*op.children[1]);
    case LogicalOperatorType::LOGICAL_COMPARISON_JOIN:
    case LogicalOperatorType::LOGICAL_ANY_JOIN:
      return CollectJoin(op);
    default:
      return draft_.Refuse(op.GetName());
  }
}

// The conditions of ON.
bool FromClause::CollectConditions(duckdb::LogicalOperator& op, std::vector<Expression>& out) {
  if (op.type == LogicalOperatorType::LOGICAL_ANY_JOIN) {
    return AddCondition(*op.Cast<duckdb::LogicalAnyJoin>().condition, out);
  }
  auto& join = op.Cast<duckdb::LogicalComparisonJoin>();
  for (const duckdb::JoinCondition& condition : join.conditions) {
    const duckdb::BoundComparisonExpression comparison(condition.comparison, condition.left->Copy(),
                                                       condition.right->Copy());
    if (!AddCondition(comparison, out)) return false;
  }
  return join.predicate == nullptr || AddCondition(*join.predicate, out);
}

bool FromClause::CollectJoin(duckdb::LogicalOperator& op) {
  auto& join = op.Cast<duckdb::LogicalJoin>();
  if (op.HasProjectionMap()) return draft_.Refuse("a projected join");
  const bool inner = join.join_type == duckdb::JoinType::INNER;
  if (!inner && join.join_type != duckdb::JoinType::LEFT) {
    return draft_.Refuse(duckdb::EnumUtil::ToString(join.join_type) + " join");
  }
  if (!Collect(*op.children[0])) return false;
  if (inner) return Collect(*op.children[1]) && CollectConditions(op, conditions_);
  return CollectNullable(*op.children[1]) && CollectConditions(op, tables_.back().on);
}

// The right side of a LEFT JOIN: a table, perhaps filtered.
bool FromClause::CollectNullable(duckdb::LogicalOperator& op) {
  const bool filtered = op.type == LogicalOperatorType::LOGICAL_FILTER && !op.HasProjectionMap();
  if (!filtered) return AddTable(op, true);
  return AddTable(*op.children[0], true) && AddConditions(op.expressions, tables_.back().on);
}

// ---- Choosing the order ------------------------------------------------------------------------

TableMask FromClause::TablesOf(const std::vector<Expression>& conditions) const {
  TableMask mask = 0;
  for (const Expression& condition : conditions) mask |= draft_.columns.TablesOf(condition);
  return mask;
}

std::vector<OrderColumn> FromClause::OrderOf(const std::vector<exec::SortKey>& order,
                                             size_t& table) const {
  std::vector<OrderColumn> columns;
  for (const exec::SortKey& key : order) {
    if (key.value.op == exec::Op::kConstant) continue;
    if (key.value.op != exec::Op::kColumn) return {};
    const PlanSlot& slot = draft_.columns.slots()[key.value.index];
    if (!columns.empty() && slot.table != table) return {};
    table = slot.table;
    columns.push_back({slot.column, key.descending, key.nulls_first});
  }
  return columns;
}

std::optional<AccessPath> FromClause::PathOf(const Table& table, TableMask joined,
                                             std::vector<OrderColumn> order, bool stops_early) {
  const auto definition = draft_.columns.entry(table.number).definition();
  auto relation = draft_.state.database->OpenRelation(definition);
  AccessRequest request(draft_.columns, *definition, *relation);
  request.number = table.number;
  request.joined = joined;
  request.order = std::move(order);
  request.has_limit = stops_early;
  request.force = draft_.plan->lock.has_value();
  const TableMask known = joined | BitOf(table.number);
  for (const Expression& condition : table.left ? table.on : conditions_) {
    if ((draft_.columns.TablesOf(condition) & ~known) == 0) {
      request.conditions.push_back(&condition);
    }
  }
  return ChooseAccess(request, draft_.refusal);
}

exec::JoinStep FromClause::MakeStep(const Table& table, exec::IndexAccess access,
                                    TableMask before) const {
  exec::JoinStep step;
  step.left = table.left;
  step.table = draft_.columns.entry(table.number).definition();
  step.access = std::move(access);
  const auto& slots = draft_.columns.slots();
  for (size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].table != table.number) continue;
    step.columns.push_back(slots[i].column);
    step.slots.push_back(static_cast<uint32_t>(i));
  }
  step.match = AllOf(table.on);
  const TableMask after = before | BitOf(table.number);
  std::vector<Expression> decided;
  for (const Expression& condition : conditions_) {
    const TableMask needed = draft_.columns.TablesOf(condition);
    const bool earlier = before != 0 && (needed & ~before) == 0;
    if (!earlier && (needed & ~after) == 0) decided.push_back(condition);
  }
  step.filter = AllOf(std::move(decided));
  return step;
}

// The table with the fewest rows for each row so far comes next; tables of LEFT JOINs when no other
// can. `first` is taken first, in `order`.
std::optional<FromClause::Steps> FromClause::JoinGreedily(std::optional<size_t> first,
                                                          std::vector<OrderColumn> order) {
  Steps steps;
  TableMask joined = 0;
  double rows = 1;
  std::vector<const Table*> left;
  for (const Table& table : tables_) left.push_back(&table);
  while (!left.empty()) {
    size_t best = left.size();
    std::optional<AccessPath> best_path;
    for (size_t i = 0; i < left.size(); ++i) {
      const Table& table = *left[i];
      const bool starts = joined == 0 && first.has_value();
      if (starts && table.number != *first) continue;
      if (table.left) {
        const TableMask needed = TablesOf(table.on) & ~BitOf(table.number);
        if (best_path || joined == 0 || (needed & ~joined) != 0) continue;
      }
      auto path = PathOf(table, joined, starts ? order : std::vector<OrderColumn>(), starts);
      if (!path || (starts && !path->ordered)) continue;
      const bool over_left = best_path && left[best]->left;
      if (best_path && !over_left && path->rows >= best_path->rows) continue;
      best = i;
      best_path = std::move(path);
    }
    if (!best_path) return std::nullopt;
    // Of an ordered start only as many rows are read as the limit asks for.
    if (!(joined == 0 && first.has_value())) {
      rows *= std::max<double>(1, static_cast<double>(best_path->rows));
    }
    steps.rows = std::max(steps.rows, rows);
    steps.joins.push_back(MakeStep(*left[best], std::move(best_path->access), joined));
    joined |= BitOf(left[best]->number);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(best));
  }
  steps.ordered = first.has_value();
  return steps;
}

bool FromClause::PlanOne(const std::vector<exec::SortKey>& order, bool& ordered) {
  size_t table = tables_[0].number;
  auto columns = OrderOf(order, table);
  const bool plain = !columns.empty() || order.empty();
  if (draft_.plan->lock.has_value() && !plain) return draft_.Refuse("ORDER BY an expression");
  auto path = PathOf(tables_[0], 0, std::move(columns), plain && HasLimit());
  if (!path) return false;
  ordered = order.empty() || (plain && path->ordered);
  draft_.plan->access = std::move(path->access);
  if (!draft_.plan->lock.has_value()) {
    conditions_ = Undecided(std::move(conditions_), *draft_.plan->access, *draft_.plan->table,
                            draft_.columns);
  }
  draft_.plan->filter = AllOf(std::move(conditions_));
  return true;
}

bool FromClause::Plan(const std::vector<exec::SortKey>& order, bool& ordered) {
  if (tables_.size() == 1) return PlanOne(order, ordered);
  if (draft_.plan->lock.has_value()) return draft_.Refuse("row locks of several tables");
  if ((TablesOf(conditions_) & kNeverJoined) != 0) return draft_.Refuse("nextval in WHERE");
  auto steps = JoinGreedily(std::nullopt, {});
  if (!steps || steps->rows > kJoinedRowsMax) {
    size_t table = 0;
    auto columns = OrderOf(order, table);
    if (!columns.empty() && HasLimit()) steps = JoinGreedily(table, std::move(columns));
  }
  if (!steps) return false;
  if (steps->rows > kJoinedRowsMax) return draft_.Refuse("many rows");
  ordered = order.empty() || steps->ordered;
  draft_.plan->joins = std::move(steps->joins);
  draft_.plan->slots_count = static_cast<uint32_t>(draft_.columns.slots().size());
  return true;
}

}  // namespace omendb::duck
