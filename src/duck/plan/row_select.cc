// SELECT as a row plan: [LIMIT] [ORDER BY] projections [HAVING, GROUP BY] over joined tables.
#include "duck/logical_types.h"
#include "duck/plan/from_clause.h"
#include "duck/plan/plan_draft.h"
#include "duckdb/planner/expression/bound_aggregate_expression.hpp"
#include "duckdb/planner/operator/list.hpp"

namespace omendb::duck {
namespace {

using duckdb::LogicalOperatorType;
using exec::AggregateKind;
using exec::Expression;
using types::TypeKind;

std::optional<AggregateKind> KindOf(const std::string& function) {
  if (function == "count_star") return AggregateKind::kCountAll;
  if (function == "count") return AggregateKind::kCount;
  if (function == "sum") return AggregateKind::kSum;
  if (function == "avg") return AggregateKind::kAverage;
  if (function == "min") return AggregateKind::kMin;
  if (function == "max") return AggregateKind::kMax;
  return std::nullopt;
}

bool IsExactNumber(const types::SqlType& type) {
  if (type.is_array) return false;
  return type.kind == TypeKind::kInt2 || type.kind == TypeKind::kInt4 ||
         type.kind == TypeKind::kInt8 ||
         (type.kind == TypeKind::kNumeric && !type.numeric_unconstrained());
}

// Whether GROUP BY, ORDER BY, min and max may compare values of this type.
bool IsOrdered(const types::SqlType& type) {
  return !type.is_array && type.kind != TypeKind::kJson && type.kind != TypeKind::kJsonb;
}

class SelectBuilder {
 public:
  explicit SelectBuilder(PlanDraft& draft) : draft_(draft), plan_(*draft.plan), from_(draft) {}

  bool Build(duckdb::LogicalOperator& root) {
    plan_.kind = exec::PlanKind::kSelect;
    plan_.lock = draft_.options.lock;
    plan_.lock_wait = draft_.options.lock_wait;
    duckdb::LogicalOperator& below = TakeShape(root);
    if (outputs_ == nullptr) return draft_.Refuse(root.GetName());
    if (order_ != nullptr && order_->HasProjectionMap()) {
      return draft_.Refuse("a projected ORDER BY");
    }
    if (!BuildLimits()) return false;
    if (below.type == LogicalOperatorType::LOGICAL_DUMMY_SCAN) {
      if (order_ != nullptr || aggregate_ != nullptr) return draft_.Refuse("no table");
      return draft_.Convert(*outputs_, plan_.output);
    }
    if (!from_.Collect(below)) return false;
    if (aggregate_ != nullptr && !BuildAggregation()) return false;
    std::vector<exec::SortKey> order;
    if (!BuildOrder(order) || !draft_.Convert(*outputs_, plan_.output)) return false;
    bool ordered = false;
    if (!from_.Plan(aggregate_ != nullptr ? std::vector<exec::SortKey>() : order, ordered)) {
      return false;
    }
    if (aggregate_ != nullptr || !ordered) plan_.order = std::move(order);
    return true;
  }

 private:
  // Reads everything above FROM and WHERE; answers what is below.
  duckdb::LogicalOperator& TakeShape(duckdb::LogicalOperator& root) {
    duckdb::LogicalOperator* op = &root;
    for (; aggregate_ == nullptr; op = op->children[0].get()) {
      if (op->type == LogicalOperatorType::LOGICAL_LIMIT && limit_ == nullptr &&
          order_ == nullptr) {
        limit_ = &op->Cast<duckdb::LogicalLimit>();
      } else if (op->type == LogicalOperatorType::LOGICAL_ORDER_BY && order_ == nullptr) {
        order_ = &op->Cast<duckdb::LogicalOrder>();
      } else if (op->type == LogicalOperatorType::LOGICAL_PROJECTION) {
        auto& projection = op->Cast<duckdb::LogicalProjection>();
        draft_.columns.SetProjection(projection.table_index, projection.expressions);
        if (outputs_ == nullptr) outputs_ = &projection.expressions;
      } else if (IsHaving(*op)) {
        having_ = &op->expressions;
      } else if (op->type == LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY) {
        aggregate_ = &op->Cast<duckdb::LogicalAggregate>();
        draft_.columns.SetAggregate(*aggregate_);
      } else {
        break;
      }
    }
    return *op;
  }

  bool IsHaving(const duckdb::LogicalOperator& op) const {
    return having_ == nullptr && op.type == LogicalOperatorType::LOGICAL_FILTER &&
           !op.HasProjectionMap() &&
           op.children[0]->type == LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY;
  }

  bool BuildLimits() {
    return limit_ == nullptr || (BuildLimit(limit_->limit_val, plan_.limit) &&
                                 BuildLimit(limit_->offset_val, plan_.offset));
  }

  bool BuildLimit(duckdb::BoundLimitNode& node, std::optional<Expression>& target) {
    switch (node.Type()) {
      case duckdb::LimitNodeType::UNSET:
        return true;
      case duckdb::LimitNodeType::CONSTANT_VALUE:
        target = ExpressionConverter::Constant(
            {TypeKind::kInt8}, types::Value::Int64(static_cast<int64_t>(node.GetConstantValue())));
        return true;
      case duckdb::LimitNodeType::EXPRESSION_VALUE:
        target = draft_.converter.Convert(*node.GetExpression());
        if (!target) return false;
        if (target->type.kind != TypeKind::kInt8 && target->type.kind != TypeKind::kInt4) {
          return draft_.Refuse("LIMIT of another type");
        }
        return true;
      default:
        return draft_.Refuse("LIMIT in percent");
    }
  }

  bool BuildOrder(std::vector<exec::SortKey>& keys) {
    if (order_ == nullptr) return true;
    for (const auto& node : order_->orders) {
      auto value = draft_.converter.Convert(*node.expression);
      if (!value) return false;
      if (!IsOrdered(value->type)) return draft_.Refuse("ORDER BY this type");
      keys.push_back({std::move(*value), node.type == duckdb::OrderType::DESCENDING,
                      node.null_order == duckdb::OrderByNullType::NULLS_FIRST});
    }
    return true;
  }

  bool BuildAggregation() {
    if (plan_.lock.has_value()) return draft_.Refuse("row locks of groups");
    if (aggregate_->grouping_sets.size() > 1 || !aggregate_->grouping_functions.empty()) {
      return draft_.Refuse("grouping sets");
    }
    exec::Aggregation& aggregation = plan_.aggregation.emplace();
    if (!draft_.Convert(aggregate_->groups, aggregation.groups)) return false;
    for (const Expression& group : aggregation.groups) {
      if (!IsOrdered(group.type)) return draft_.Refuse("GROUP BY this type");
    }
    for (const auto& expr : aggregate_->expressions) {
      if (!AddAggregate(*expr, aggregation)) return false;
    }
    if (having_ == nullptr) return true;
    std::vector<Expression> conditions;
    if (!draft_.Convert(*having_, conditions)) return false;
    aggregation.having = AllOf(std::move(conditions));
    return true;
  }

  bool AddAggregate(const duckdb::Expression& expr, exec::Aggregation& aggregation) {
    if (expr.GetExpressionClass() != duckdb::ExpressionClass::BOUND_AGGREGATE) {
      return draft_.Refuse(expr.GetName());
    }
    const auto& bound = expr.Cast<duckdb::BoundAggregateExpression>();
    const auto kind = KindOf(bound.function.name);
    if (!kind || bound.IsDistinct() || bound.order_bys != nullptr || bound.children.size() > 1) {
      return draft_.Refuse("aggregate " + bound.function.name);
    }
    exec::Aggregate aggregate;
    aggregate.kind = *kind;
    aggregate.type = ToSqlType(bound.return_type);
    if (!bound.children.empty()) {
      aggregate.value = draft_.converter.Convert(*bound.children[0]);
      if (!aggregate.value) return false;
    }
    if (bound.filter != nullptr) {
      aggregate.filter = draft_.converter.Convert(*bound.filter);
      if (!aggregate.filter) return false;
    }
    if (!IsSupported(aggregate)) return draft_.Refuse("aggregate over this type");
    aggregation.aggregates.push_back(std::move(aggregate));
    return true;
  }

  static bool IsSupported(const exec::Aggregate& aggregate) {
    switch (aggregate.kind) {
      case AggregateKind::kCountAll:
        return true;
      case AggregateKind::kCount:
        return aggregate.value.has_value();
      case AggregateKind::kMin:
      case AggregateKind::kMax:
        return aggregate.value.has_value() && IsOrdered(aggregate.value->type) &&
               types::PhysicalTypeOf(aggregate.type) ==
                   types::PhysicalTypeOf(aggregate.value->type);
      case AggregateKind::kSum:
        return aggregate.value.has_value() && IsExactNumber(aggregate.value->type) &&
               IsExactNumber(aggregate.type);
      case AggregateKind::kAverage:
        return aggregate.value.has_value() && IsExactNumber(aggregate.value->type) &&
               aggregate.type.numeric_unconstrained();
    }
    return false;
  }

  PlanDraft& draft_;
  exec::RowPlan& plan_;
  FromClause from_;
  duckdb::LogicalLimit* limit_ = nullptr;
  duckdb::LogicalOrder* order_ = nullptr;
  duckdb::LogicalAggregate* aggregate_ = nullptr;
  const PlanColumns::Expressions* having_ = nullptr;
  const PlanColumns::Expressions* outputs_ = nullptr;
};

}  // namespace

bool BuildRowSelect(PlanDraft& draft, duckdb::LogicalOperator& root) {
  return SelectBuilder(draft).Build(root);
}

}  // namespace omendb::duck
