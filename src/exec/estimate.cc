#include "exec/estimate.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "exec/known_value.h"

namespace omendb::exec {
namespace {

using types::Value;

// PostgreSQL's guesses of how much a range takes whose bounds are unknown.
constexpr double kShareOfRange = 0.005, kShareOfHalfRange = 1.0 / 3.0;

class AccessEstimator {
 public:
  AccessEstimator(const IndexAccess& access, engine::Relation& relation, EvalContext& context)
      : access_(access), relation_(relation), context_(context) {}

  double Rows() const {
    if (access_.unique_point) return std::max<double>(1, Size(access_.in_list));
    const std::optional<double> counted = access_.in_list.empty() ? InRange() : InList();
    return counted.value_or(Guessed());
  }

 private:
  static double Size(const std::vector<Expression>& list) {
    return static_cast<double>(list.size());
  }

  bool Append(const Expression& expression, std::vector<Value>& values) const {
    const std::optional<Value> value = KnownValue(expression, context_);
    if (value) values.push_back(*value);
    return value.has_value();
  }
  bool SetBound(const std::optional<Expression>& from, std::optional<Value>& bound) const {
    if (from) bound = KnownValue(*from, context_);
    return !from || bound;
  }

  std::optional<engine::KeyRange> Equal() const {
    engine::KeyRange range;
    for (const Expression& key : access_.equal) {
      if (!Append(key, range.equal)) return std::nullopt;
    }
    return range;
  }

  std::optional<double> InRange() const {
    std::optional<engine::KeyRange> range = Equal();
    if (!range || !SetBound(access_.lower, range->lower) ||
        !SetBound(access_.upper, range->upper)) {
      return std::nullopt;
    }
    range->lower_inclusive = access_.lower_inclusive;
    range->upper_inclusive = access_.upper_inclusive;
    return static_cast<double>(relation_.EstimateRange(access_.index, *range));
  }

  std::optional<double> InList() const {
    std::optional<engine::KeyRange> range = Equal();
    if (!range) return std::nullopt;
    double rows = 0;
    for (const Expression& key : access_.in_list) {
      if (!Append(key, range->equal)) return std::nullopt;
      rows += static_cast<double>(relation_.EstimateRange(access_.index, *range));
      range->equal.pop_back();
    }
    return rows;
  }

  // As if all values of a column were equally frequent.
  double Guessed() const {
    auto rows = static_cast<double>(relation_.rows_estimate());
    const catalog::IndexDef* index = relation_.table().FindIndex(access_.index);
    const size_t fixed = access_.equal.size() + (access_.in_list.empty() ? 0 : 1);
    for (size_t i = 0; i < fixed && index != nullptr; ++i) {
      const uint64_t distinct = relation_.statistics(index->keys[i].column).distinct_count;
      rows /= static_cast<double>(std::max<uint64_t>(distinct, 1));
    }
    if (!access_.in_list.empty()) rows *= Size(access_.in_list);
    if (access_.lower && access_.upper) return rows * kShareOfRange;
    return access_.lower || access_.upper ? rows * kShareOfHalfRange : rows;
  }

  const IndexAccess& access_;
  engine::Relation& relation_;
  EvalContext& context_;
};

double RowsOf(const IndexAccess& access, const std::shared_ptr<const catalog::TableDef>& table,
              EvalContext& context) {
  return AccessEstimator(access, *context.database->OpenRelation(table), context).Rows();
}

double SourceRows(const RowPlan& plan, EvalContext& context) {
  if (plan.access) return RowsOf(*plan.access, plan.table, context);
  double rows = 1;
  for (const JoinStep& step : plan.joins) {
    const double matches = RowsOf(step.access, step.table, context);
    rows *= step.left ? std::max(1.0, matches) : matches;
  }
  return rows;
}

double RowsUpToLimit(double rows, const RowPlan& plan, EvalContext& context) {
  if (!plan.limit) return rows;
  const std::optional<Value> limit = KnownValue(*plan.limit, context);
  if (!limit || limit->is_null) return rows;
  const int64_t count =
      plan.limit->type.kind == types::TypeKind::kInt4 ? int64_t{limit->i32} : limit->i64;
  return std::min(rows, static_cast<double>(count));
}

}  // namespace

bool VisitsMoreThan(uint64_t rows, const RowPlan& plan, EvalContext& context) {
  const bool visits_all = plan.aggregation.has_value() || !plan.order.empty() || !plan.limit;
  const IndexAccess* access = plan.access ? &*plan.access : nullptr;
  const auto* table = &plan.table;
  if (access == nullptr && !plan.joins.empty()) {
    access = &plan.joins.front().access;
    table = &plan.joins.front().table;
  }
  if (!visits_all || access == nullptr || access->unique_point) return false;
  if (context.database->OpenRelation(*table)->rows_estimate() <= rows) return false;
  return RowsOf(*access, *table, context) > static_cast<double>(rows);
}

uint64_t EstimateRows(const RowPlan& plan, engine::Database& database,
                      engine::StatementContext& statement, std::span<const Value> params) {
  if (plan.kind == PlanKind::kInsert) return plan.insert_rows.size();
  types::Arena arena;
  EvalContext context;
  context.statement = &statement;
  context.database = &database;
  context.params = params;
  context.arena = &arena;
  double rows = SourceRows(plan, context);
  if (plan.aggregation && plan.aggregation->groups.empty()) rows = 1;
  rows = RowsUpToLimit(rows, plan, context);
  constexpr double kMost = 1e18;
  return static_cast<uint64_t>(std::llround(std::clamp(rows, 1.0, kMost)));
}

}  // namespace omendb::exec
