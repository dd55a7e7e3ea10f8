#include "exec/known_value.h"

#include <algorithm>

namespace omendb::exec {
namespace {

bool IsKnown(const Expression& expression, size_t params_count) {
  switch (expression.op) {
    case Op::kColumn:
    case Op::kExcluded:
    case Op::kNextValue:
      return false;
    case Op::kParameter:
      return expression.index < params_count;
    default:
      return std::all_of(expression.children.begin(), expression.children.end(),
                         [&](const Expression& child) { return IsKnown(child, params_count); });
  }
}

}  // namespace

std::optional<types::Value> KnownValue(const Expression& expression, EvalContext& context) {
  if (expression.op == Op::kConstant) return expression.constant;
  if (!IsKnown(expression, context.params.size())) return std::nullopt;
  const auto value = Evaluate(expression, context);
  return value.ok() ? std::optional<types::Value>(*value) : std::nullopt;
}

}  // namespace omendb::exec
