#include "duck/scan/filter_bounds.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "duck/logical_types.h"
#include "duckdb/planner/filter/conjunction_filter.hpp"
#include "duckdb/planner/filter/constant_filter.hpp"
#include "duckdb/planner/filter/in_filter.hpp"
#include "duckdb/planner/filter/optional_filter.hpp"

namespace omendb::duck {

namespace {

class BoundCollector {
 public:
  BoundCollector(const types::SqlType& type, types::Arena& arena) : type_(type), arena_(arena) {}

  void Visit(const duckdb::TableFilter& filter) {
    switch (filter.filter_type) {
      case duckdb::TableFilterType::CONSTANT_COMPARISON: {
        const auto& constant = filter.Cast<duckdb::ConstantFilter>();
        return Compare(constant.comparison_type, constant.constant);
      }
      case duckdb::TableFilterType::CONJUNCTION_AND:
        for (const auto& child : filter.Cast<duckdb::ConjunctionAndFilter>().child_filters) {
          Visit(*child);
        }
        return;
      case duckdb::TableFilterType::IS_NOT_NULL:
        return;  // As every comparison.
      case duckdb::TableFilterType::IN_FILTER:
        exact = false;
        return VisitIn(filter.Cast<duckdb::InFilter>());
      case duckdb::TableFilterType::OPTIONAL_FILTER: {
        const auto demanded = std::pair(exact, except);
        const auto& optional = filter.Cast<duckdb::OptionalFilter>();
        if (optional.child_filter != nullptr) Visit(*optional.child_filter);
        std::tie(exact, except) = demanded;
        return;
      }
      case duckdb::TableFilterType::DYNAMIC_FILTER: {
        exact = false;
        const auto& moving = filter.Cast<duckdb::DynamicFilter>().filter_data;
        const auto now = moving != nullptr ? PartNow(*moving) : nullptr;
        if (now != nullptr) Visit(*now);
        return;
      }
      default:
        exact = false;
        return;
    }
  }

  std::optional<types::Value> lower;
  std::optional<types::Value> upper;
  bool exact = true;  // so far, what these say is all
  std::optional<types::Value> except;
  bool lower_exclusive = false;
  bool upper_exclusive = false;
  std::vector<types::Value> any_of;  // the shortest list; may have a value twice

 private:
  void Compare(duckdb::ExpressionType op, const duckdb::Value& constant) {
    if (constant.IsNull() || constant.type() != ToLogicalType(type_)) {
      exact = false;
      return;
    }
    const types::Value value = FromDuckValue(constant, type_, arena_);
    switch (op) {
      case duckdb::ExpressionType::COMPARE_EQUAL:
        Raise(value);
        Lower(value);
        break;
      case duckdb::ExpressionType::COMPARE_GREATERTHAN:
        Raise(value, true);
        break;
      case duckdb::ExpressionType::COMPARE_GREATERTHANOREQUALTO:
        Raise(value);
        break;
      case duckdb::ExpressionType::COMPARE_LESSTHAN:
        Lower(value, true);
        break;
      case duckdb::ExpressionType::COMPARE_LESSTHANOREQUALTO:
        Lower(value);
        break;
      case duckdb::ExpressionType::COMPARE_NOTEQUAL:
        exact = exact && !except;
        except = value;
        break;
      default:
        exact = false;
        break;
    }
  }

  void VisitIn(const duckdb::InFilter& in) {
    std::vector<types::Value> values;
    for (const duckdb::Value& constant : in.values) {
      if (constant.IsNull()) continue;
      if (constant.type() != ToLogicalType(type_)) return;
      values.push_back(FromDuckValue(constant, type_, arena_));
    }
    if (values.empty()) return;
    const auto [least, greatest] = std::minmax_element(
        values.begin(), values.end(),
        [&](const auto& a, const auto& b) { return types::Compare(type_, a, b) < 0; });
    Raise(*least);
    Lower(*greatest);
    if (any_of.empty() || values.size() < any_of.size()) any_of = std::move(values);
  }

  void Raise(const types::Value& value, bool exclusive = false) {
    const int order = lower ? types::Compare(type_, value, *lower) : 1;
    if (order > 0) lower = value;
    if (order >= 0) lower_exclusive = exclusive || (order == 0 && lower_exclusive);
  }
  void Lower(const types::Value& value, bool exclusive = false) {
    const int order = upper ? types::Compare(type_, value, *upper) : -1;
    if (order < 0) upper = value;
    if (order <= 0) upper_exclusive = exclusive || (order == 0 && upper_exclusive);
  }

  const types::SqlType& type_;
  types::Arena& arena_;
};

// The integer that is `step` away; false when there is none.
bool Step(const types::SqlType& type, int64_t step, types::Value& value) {
  const auto move = [step](auto& cell) { return !__builtin_add_overflow(cell, step, &cell); };
  switch (types::PhysicalTypeOf(type)) {
    case types::PhysicalType::kInt16:
      return move(value.i16);
    case types::PhysicalType::kInt32:
      return move(value.i32);
    case types::PhysicalType::kInt64:
      return move(value.i64);
    default:
      return false;
  }
}

}  // namespace

std::optional<ColumnCondition> ConditionOf(const duckdb::TableFilter& filter, ColumnId column,
                                           const types::SqlType& type, types::Arena& arena) {
  // DuckDB compares floats and strings as we do, but char(n) loses its blanks on the way.
  if (type.is_array || type.kind == types::TypeKind::kBpchar) return std::nullopt;
  if (type.numeric_unconstrained()) return std::nullopt;  // Compares through its key.
  BoundCollector collector(type, arena);
  collector.Visit(filter);
  if (!collector.lower && !collector.upper && !collector.except) return std::nullopt;
  bool exact = collector.exact;
  if (collector.lower_exclusive) exact &= Step(type, 1, *collector.lower);
  if (collector.upper_exclusive) exact &= Step(type, -1, *collector.upper);
  ColumnCondition condition{column, collector.lower, collector.upper, exact, collector.except};
  if (!collector.any_of.empty()) {
    condition.any_of =
        std::make_shared<const colstore::ValueList>(type, std::move(collector.any_of));
  }
  return condition;
}

duckdb::DynamicFilterData* MovingPart(const duckdb::TableFilter& filter) {
  switch (filter.filter_type) {
    case duckdb::TableFilterType::DYNAMIC_FILTER:
      return filter.Cast<duckdb::DynamicFilter>().filter_data.get();
    case duckdb::TableFilterType::OPTIONAL_FILTER: {
      const auto& child = filter.Cast<duckdb::OptionalFilter>().child_filter;
      return child != nullptr ? MovingPart(*child) : nullptr;
    }
    case duckdb::TableFilterType::CONJUNCTION_AND:
      for (const auto& child : filter.Cast<duckdb::ConjunctionAndFilter>().child_filters) {
        if (auto* const part = MovingPart(*child); part != nullptr) return part;
      }
      return nullptr;
    default:
      return nullptr;
  }
}

duckdb::unique_ptr<duckdb::TableFilter> PartNow(duckdb::DynamicFilterData& moving) {
  duckdb::lock_guard<duckdb::mutex> lock(moving.lock);
  return moving.initialized && moving.filter != nullptr ? moving.filter->Copy() : nullptr;
}

}  // namespace omendb::duck
