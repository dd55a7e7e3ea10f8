// Constants of date and time types in what the catalog keeps as text.
#include <algorithm>

#include "base/sqlstate.h"
#include "sql/parse/ast.h"
#include "sql/rewrite/rewriter.h"
#include "types/time_words.h"

namespace omendb::sql {
namespace {

using types::TypeKind;

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
  if (!types::IsDateOrTime(type.kind)) return written;
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

namespace {

// What an operator compares.
std::vector<Node*> OperandsOf(PgQuery__AExpr& expr) {
  std::vector<Node*> operands{expr.lexpr};
  if (expr.rexpr != nullptr && expr.rexpr->node_case == PG_QUERY__NODE__NODE_LIST) {
    const PgQuery__List& list = *expr.rexpr->list;
    operands.insert(operands.end(), list.items, list.items + list.n_items);
  } else {
    operands.push_back(expr.rexpr);
  }
  std::erase(operands, nullptr);
  return operands;
}

std::optional<types::SqlType> TimeColumn(const Node* node, const ColumnTypes& columns) {
  if (node->node_case != PG_QUERY__NODE__NODE_COLUMN_REF) return std::nullopt;
  const auto type = columns(LastName(node->column_ref->fields, node->column_ref->n_fields));
  return type && !type->is_array && types::IsDateOrTime(type->kind) ? type : std::nullopt;
}

bool NamesTheTime(const Node* node) {
  return IsConst(node) && !node->a_const->isnull &&
         node->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL &&
         types::MayNameTheTime(View(node->a_const->sval->sval));
}

// Whether a value of a date or time type may come of it.
bool MayBeTime(Node* root, const ColumnTypes& columns) {
  bool found = false;
  WalkNode(root, [&](Node* node) {
    if (node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) {
      const PgQuery__TypeName& name = *node->type_cast->type_name;
      const auto type = types::TypeFromName(LastName(name.names, name.n_names));
      found = found || !type.ok() || types::IsDateOrTime(type->kind) ||
              type->kind == TypeKind::kInterval;
    }
    found = found || TimeColumn(node, columns) ||
            node->node_case == PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION;
    return !found;
  });
  return found;
}

// Constants beside a column have its type.
Status WriteOutCompared(Node* root, const ColumnTypes& columns, const types::IoSettings& io,
                        AstBuilder& build) {
  Status status;
  WalkNode(root, [&](Node* node) {
    if (!status.ok()) return false;
    if (node->node_case != PG_QUERY__NODE__NODE_A_EXPR) return true;
    const std::vector<Node*> operands = OperandsOf(*node->a_expr);
    std::optional<types::SqlType> type;
    for (const Node* operand : operands) {
      if (!type) type = TimeColumn(operand, columns);
    }
    for (Node* operand : operands) {
      if (type) {
        WriteOut(operand, *type, io, build);
      } else if (NamesTheTime(operand) &&
                 std::any_of(operands.begin(), operands.end(),
                             [&](Node* other) { return MayBeTime(other, columns); })) {
        status = NotSupported("'" + ConstText(operand) + "' without a type in this expression");
      }
    }
    return true;
  });
  return status;
}

}  // namespace

Result<std::string> DefinitionText(const Node* expression, const ColumnTypes& columns,
                                   const types::IoSettings& io) {
  types::Arena arena;
  AstBuilder build(arena);
  Node* copy = build.Clone(expression);
  WriteOutTimes(copy, io, build);
  OMEN_TRY(WriteOutCompared(copy, columns, io, build));
  return DeparseExpression(copy);
}

}  // namespace omendb::sql
