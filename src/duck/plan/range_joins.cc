#include "duck/plan/range_joins.h"

#include <algorithm>

#include "duckdb/execution/physical_operator.hpp"

namespace omendb::duck {

bool HasRangeJoin(const duckdb::PhysicalOperator& plan) {
  if (plan.type == duckdb::PhysicalOperatorType::IE_JOIN ||
      plan.type == duckdb::PhysicalOperatorType::PIECEWISE_MERGE_JOIN) {
    return true;
  }
  const auto children = plan.GetChildren();
  return std::any_of(children.begin(), children.end(),
                     [](const auto& child) { return HasRangeJoin(child.get()); });
}

bool TellsOfLostRows(const duckdb::ErrorData& error) {
  return error.Type() == duckdb::ExceptionType::INTERNAL &&
         duckdb::StringUtil::Contains(error.RawMessage(), "dereference an optional pointer");
}

}  // namespace omendb::duck
