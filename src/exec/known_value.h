// known_value.h - values of expressions that are known before the statement runs; internal to exec.
#pragma once

#include <optional>

#include "exec/expression.h"

namespace omendb::exec {

// Nullopt when it depends on more than context.params (a row, a sequence), or would be an error:
// the statement may never come to it.
std::optional<types::Value> KnownValue(const Expression& expression, EvalContext& context);

}  // namespace omendb::exec
