#include "duck/plan/known_aggregates.h"

#include <algorithm>
#include <map>

#include "duck/catalog/table_entry.h"
#include "duck/errors.h"
#include "duck/logical_types.h"
#include "duck/scan/table_scan.h"
#include "duck/session_state.h"
#include "duckdb/planner/expression/bound_aggregate_expression.hpp"
#include "duckdb/planner/expression/bound_columnref_expression.hpp"
#include "duckdb/planner/expression/bound_constant_expression.hpp"
#include "duckdb/planner/operator/logical_aggregate.hpp"
#include "duckdb/planner/operator/logical_dummy_scan.hpp"
#include "duckdb/planner/operator/logical_expression_get.hpp"
#include "duckdb/planner/operator/logical_get.hpp"

namespace omendb::duck {
namespace {

using duckdb::LogicalOperatorType;

class KnownAggregates {
 public:
  KnownAggregates(duckdb::ClientContext& context, const duckdb::LogicalGet& get)
      : session_(SessionState::Get(context)),
        get_(get),
        table_(get.bind_data->Cast<TableScanData>().table),
        relation_(session_.database->OpenRelation(table_.definition())) {}

  // Requires: it is an aggregate.
  static bool IsCount(const duckdb::Expression& expression) {
    return expression.Cast<duckdb::BoundAggregateExpression>().function.name == "count_star";
  }
  // Whether it is min or max of a column, or count(*): looks at no row.
  bool MayKnow(const duckdb::Expression& expression) const {
    if (expression.GetExpressionClass() != duckdb::ExpressionClass::BOUND_AGGREGATE) return false;
    const auto& aggregate = expression.Cast<duckdb::BoundAggregateExpression>();
    if (aggregate.filter != nullptr || aggregate.order_bys != nullptr) return false;
    const std::string& name = aggregate.function.name;
    return IsCount(expression) || ((name == "min" || name == "max") && ColumnOf(aggregate));
  }
  // Null when a scan has to tell. Requires: MayKnow.
  duckdb::unique_ptr<duckdb::Expression> Find(const duckdb::Expression& expression) {
    const auto& aggregate = expression.Cast<duckdb::BoundAggregateExpression>();
    const std::optional<duckdb::Value> value =
        IsCount(expression) ? Count() : Extreme(aggregate, aggregate.function.name == "min");
    if (!value) return nullptr;
    return duckdb::make_uniq<duckdb::BoundConstantExpression>(
        value->DefaultCastAs(aggregate.return_type));
  }

 private:
  std::optional<ColumnId> ColumnOf(const duckdb::BoundAggregateExpression& aggregate) const {
    if (aggregate.children.size() != 1) return std::nullopt;
    const duckdb::Expression& argument = *aggregate.children.front();
    if (argument.GetExpressionClass() != duckdb::ExpressionClass::BOUND_COLUMN_REF) {
      return std::nullopt;
    }
    const auto& binding = argument.Cast<duckdb::BoundColumnRefExpression>().binding;
    const auto& ids = get_.GetColumnIds();
    if (binding.table_index != get_.table_index || binding.column_index >= ids.size()) {
      return std::nullopt;
    }
    const duckdb::idx_t id = ids[binding.column_index].GetPrimaryIndex();
    if (id >= table_.column_ids().size()) return std::nullopt;
    const ColumnId column = table_.column_ids()[id];
    if (aggregate.return_type != ToLogicalType(table_.definition()->column(column).type)) {
      return std::nullopt;
    }
    return column;
  }
  std::optional<duckdb::Value> Count() {
    const uint64_t rows = ValueOrThrow(relation_->CountRows(session_.RequireStatement()));
    return duckdb::Value::BIGINT(static_cast<int64_t>(rows));
  }
  std::optional<duckdb::Value> Extreme(const duckdb::BoundAggregateExpression& aggregate,
                                       bool least) {
    const ColumnId column = *ColumnOf(aggregate);
    auto known = extremes_.find(column);
    if (known == extremes_.end()) {
      auto found = ValueOrThrow(relation_->ExtremesOf(session_.RequireStatement(), column));
      known = extremes_.emplace(column, std::move(found)).first;
    }
    if (!known->second) return std::nullopt;
    const types::Value& value = least ? known->second->least : known->second->greatest;
    return value.is_null ? duckdb::Value(aggregate.return_type)
                         : ToDuckValue(table_.definition()->column(column).type, value);
  }

  SessionState& session_;
  const duckdb::LogicalGet& get_;
  const OmenTableEntry& table_;
  const std::shared_ptr<engine::Relation> relation_;
  std::map<ColumnId, std::optional<engine::Relation::Extremes>> extremes_;
};

bool IsPlainScan(const duckdb::LogicalOperator& plan) {
  if (plan.type != LogicalOperatorType::LOGICAL_GET) return false;
  const auto& get = plan.Cast<duckdb::LogicalGet>();
  return get.function.name == TableScanFunction().name && get.table_filters.filters.empty();
}

void Replace(duckdb::ClientContext& context, duckdb::unique_ptr<duckdb::LogicalOperator>& plan) {
  auto& aggregate = plan->Cast<duckdb::LogicalAggregate>();
  if (!aggregate.groups.empty() || !aggregate.grouping_functions.empty()) return;
  if (!IsPlainScan(*aggregate.children.front())) return;
  KnownAggregates known(context, aggregate.children.front()->Cast<duckdb::LogicalGet>());
  // One that needs a scan makes what is found of the others useless.
  const bool all = std::all_of(aggregate.expressions.begin(), aggregate.expressions.end(),
                               [&](const auto& expression) { return known.MayKnow(*expression); });
  if (!all) return;
  duckdb::vector<duckdb::LogicalType> types;
  for (const auto& expression : aggregate.expressions) types.push_back(expression->return_type);
  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> values(types.size());
  // Counting comes last: it may look at many pages.
  for (const bool counts : {false, true}) {
    for (size_t i = 0; i < values.size(); ++i) {
      const duckdb::Expression& expression = *aggregate.expressions[i];
      if (KnownAggregates::IsCount(expression) != counts) continue;
      values[i] = known.Find(expression);
      if (values[i] == nullptr) return;
      values[i]->SetAlias(expression.GetName());
    }
  }
  duckdb::vector<duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>> row;
  row.push_back(std::move(values));
  auto found = duckdb::make_uniq<duckdb::LogicalExpressionGet>(aggregate.aggregate_index,
                                                               std::move(types), std::move(row));
  found->children.push_back(duckdb::make_uniq<duckdb::LogicalDummyScan>(aggregate.group_index));
  plan = std::move(found);
}

}  // namespace

void ReplaceKnownAggregates(duckdb::ClientContext& context,
                            duckdb::unique_ptr<duckdb::LogicalOperator>& plan) {
  for (auto& child : plan->children) ReplaceKnownAggregates(context, child);
  if (plan->type == LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY) Replace(context, plan);
}

}  // namespace omendb::duck
