// a[i] and a[i:j]. Elements are numbered from one; DuckDB counts negative numbers from the end, in
// PostgreSQL there is nothing there.
#include <algorithm>

#include "sql/rewrite/rules.h"

namespace omendb::sql {
namespace {

// A constant number of the tree, and of -3, which is an operator over one.
std::optional<int32_t> ConstantNumber(const Node* node) {
  if (IsConst(node) && node->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL) {
    return node->a_const->ival->ival;
  }
  if (node->node_case != PG_QUERY__NODE__NODE_A_EXPR || node->a_expr->lexpr != nullptr ||
      LastName(node->a_expr->name, node->a_expr->n_name) != "-") {
    return std::nullopt;
  }
  const auto inner = ConstantNumber(node->a_expr->rexpr);
  return inner ? std::optional(-*inner) : std::nullopt;
}

// The number, or `least` when it is smaller; keys of a json stay as they are.
Node* AtLeast(Node* index, int32_t least, AstBuilder& build) {
  if (index == nullptr) return nullptr;
  if (const auto number = ConstantNumber(index)) {
    return *number >= least ? index : build.IntConst(least);
  }
  if (IsConst(index)) return index;
  return build.Call("greatest", {index, build.IntConst(least)});
}

}  // namespace

Status RewriteSubscripts(Node* node, RewriteState& state) {
  if (node->node_case != PG_QUERY__NODE__NODE_A_INDICES) return Status::Ok();
  PgQuery__AIndices& indices = *node->a_indices;
  indices.lidx = AtLeast(indices.lidx, 1, state.build);
  indices.uidx = AtLeast(indices.uidx, 0, state.build);
  return Status::Ok();
}

}  // namespace omendb::sql
