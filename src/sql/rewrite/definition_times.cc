// Constants of date and time types in what the catalog keeps as text.
#include "sql/parse/ast.h"
#include "sql/rewrite/rewriter.h"

namespace omendb::sql {
namespace {

using types::TypeKind;

bool IsTime(TypeKind kind) {
  return kind == TypeKind::kDate || kind == TypeKind::kTime || kind == TypeKind::kTimestamp ||
         kind == TypeKind::kTimestampTz;
}

void WriteOut(Node* node, const types::SqlType& type, const types::IoSettings& io,
              AstBuilder& build) {
  if (!IsConst(node) || node->a_const->isnull ||
      node->a_const->val_case != PG_QUERY__A__CONST__VAL_SVAL) {
    return;
  }
  *node = *build.StringConst(WrittenOutTime(View(node->a_const->sval->sval), type, io));
}

}  // namespace

std::string WrittenOutTime(std::string_view text, const types::SqlType& type,
                           const types::IoSettings& io) {
  std::string written(text);
  if (!IsTime(type.kind)) return written;
  types::Arena arena;
  const auto value = types::ParseText(type, text, arena, io);
  if (!value.ok()) return written;
  written.clear();
  types::FormatText(type, *value, types::IoSettings{}, written);
  return written;
}

void WriteOutTimes(Node* root, const types::IoSettings& io, AstBuilder& build) {
  WalkNode(root, [&](Node* node) {
    if (node->node_case != PG_QUERY__NODE__NODE_TYPE_CAST) return true;
    const PgQuery__TypeCast& cast = *node->type_cast;
    std::string_view name = LastName(cast.type_name->names, cast.type_name->n_names);
    const bool is_array = cast.type_name->n_array_bounds > 0 || name.starts_with("_");
    if (name.starts_with("_")) name.remove_prefix(1);
    auto type = types::TypeFromName(name);
    if (!type.ok()) return true;
    if (is_array && cast.arg->node_case == PG_QUERY__NODE__NODE_A_ARRAY_EXPR) {
      const PgQuery__AArrayExpr& array = *cast.arg->a_array_expr;
      for (size_t i = 0; i < array.n_elements; ++i) WriteOut(array.elements[i], *type, io, build);
    } else {
      type->is_array = is_array;
      WriteOut(cast.arg, *type, io, build);
    }
    return true;
  });
}

Result<std::string> DefinitionText(const Node* expression, const types::IoSettings& io) {
  types::Arena arena;
  AstBuilder build(arena);
  Node* copy = build.Clone(expression);
  WriteOutTimes(copy, io, build);
  return DeparseExpression(copy);
}

}  // namespace omendb::sql
