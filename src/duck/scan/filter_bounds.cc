#include "duck/scan/filter_bounds.h"

#include <algorithm>

#include "duck/logical_types.h"
#include "duckdb/planner/filter/conjunction_filter.hpp"
#include "duckdb/planner/filter/constant_filter.hpp"
#include "duckdb/planner/filter/dynamic_filter.hpp"
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
      case duckdb::TableFilterType::IN_FILTER:
        return VisitIn(filter.Cast<duckdb::InFilter>());
      case duckdb::TableFilterType::OPTIONAL_FILTER: {
        const auto& optional = filter.Cast<duckdb::OptionalFilter>();
        if (optional.child_filter != nullptr) Visit(*optional.child_filter);
        return;
      }
      case duckdb::TableFilterType::DYNAMIC_FILTER: {
        const auto& dynamic = filter.Cast<duckdb::DynamicFilter>();
        if (dynamic.filter_data == nullptr) return;
        duckdb::lock_guard<duckdb::mutex> lock(dynamic.filter_data->lock);
        if (dynamic.filter_data->initialized && dynamic.filter_data->filter != nullptr) {
          Visit(*dynamic.filter_data->filter);
        }
        return;
      }
      default:
        return;
    }
  }

  std::optional<types::Value> lower;
  std::optional<types::Value> upper;
  std::vector<types::Value> any_of;  // the shortest list

 private:
  void Compare(duckdb::ExpressionType op, const duckdb::Value& constant) {
    if (constant.IsNull() || constant.type() != ToLogicalType(type_)) return;
    const types::Value value = FromDuckValue(constant, type_, arena_);
    switch (op) {
      case duckdb::ExpressionType::COMPARE_EQUAL:
        Raise(value);
        Lower(value);
        break;
      case duckdb::ExpressionType::COMPARE_GREATERTHAN:
      case duckdb::ExpressionType::COMPARE_GREATERTHANOREQUALTO:
        Raise(value);
        break;
      case duckdb::ExpressionType::COMPARE_LESSTHAN:
      case duckdb::ExpressionType::COMPARE_LESSTHANOREQUALTO:
        Lower(value);
        break;
      default:
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
    auto less = [&](const types::Value& a, const types::Value& b) {
      return types::Compare(type_, a, b) < 0;
    };
    std::sort(values.begin(), values.end(), less);
    values.erase(std::unique(values.begin(), values.end(),
                             [&](const auto& a, const auto& b) { return !less(a, b); }),
                 values.end());
    Raise(values.front());
    Lower(values.back());
    if (any_of.empty() || values.size() < any_of.size()) any_of = std::move(values);
  }

  void Raise(const types::Value& value) {
    if (!lower || types::Compare(type_, value, *lower) > 0) lower = value;
  }
  void Lower(const types::Value& value) {
    if (!upper || types::Compare(type_, value, *upper) < 0) upper = value;
  }

  const types::SqlType& type_;
  types::Arena& arena_;
};

}  // namespace

std::optional<ColumnCondition> ConditionOf(const duckdb::TableFilter& filter, ColumnId column,
                                           const types::SqlType& type, types::Arena& arena) {
  // DuckDB compares floats and strings as we do, but char(n) loses its blanks on the way.
  if (type.is_array || type.kind == types::TypeKind::kBpchar) return std::nullopt;
  if (type.numeric_unconstrained()) return std::nullopt;  // Compares through its key.
  BoundCollector collector(type, arena);
  collector.Visit(filter);
  if (!collector.lower && !collector.upper) return std::nullopt;
  return ColumnCondition{{column, collector.lower, collector.upper}, std::move(collector.any_of)};
}

}  // namespace omendb::duck
