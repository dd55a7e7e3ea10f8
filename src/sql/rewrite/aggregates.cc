// Which calls are those of aggregates and of window functions, as the parse tree shows them.
#include <algorithm>
#include <iterator>

#include "sql/rewrite/rules.h"

namespace omendb::sql {
namespace {

// But for regr_*, and those with WITHIN GROUP.
constexpr std::string_view kAggregates[] = {
    "any_value",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "every",
    "json_agg",
    "json_object_agg",
    "jsonb_agg",
    "jsonb_object_agg",
    "max",
    "min",
    "mode",
    "percentile_cont",
    "percentile_disc",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
};

bool IsWindowCall(const Node& node) {
  return node.node_case == PG_QUERY__NODE__NODE_FUNC_CALL && node.func_call->over != nullptr;
}

bool HasCall(Node* expression, bool (*test)(const Node&)) {
  bool found = false;
  WalkNode(expression, [&](Node* node) {
    if (node->node_case == PG_QUERY__NODE__NODE_SUB_LINK) return false;
    found = found || test(*node);
    return !found;
  });
  return found;
}

}  // namespace

bool IsAggregateCall(const Node& node) {
  if (node.node_case != PG_QUERY__NODE__NODE_FUNC_CALL || IsWindowCall(node)) return false;
  const PgQuery__FuncCall& call = *node.func_call;
  if (call.agg_star || call.agg_within_group) return true;
  const std::string_view name = LastName(call.funcname, call.n_funcname);
  return name.starts_with("regr_") ||
         std::find(std::begin(kAggregates), std::end(kAggregates), name) != std::end(kAggregates);
}

bool HasAggregateCall(Node* expression) { return HasCall(expression, IsAggregateCall); }

bool HasWindowCall(Node* expression) { return HasCall(expression, IsWindowCall); }

}  // namespace omendb::sql
