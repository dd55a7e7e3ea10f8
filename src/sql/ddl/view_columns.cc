#include "sql/ddl/view_columns.h"

#include <algorithm>
#include <set>
#include <vector>

#include "sql/parse/clauses.h"
#include "sql/parse/parse_tree.h"

namespace omendb::sql {
namespace {

class Uses {
 public:
  Uses(Node* root, std::string_view table, std::string_view column) : column_(column) {
    WalkNode(root, [&](Node* node) {
      AddName(*node, table);
      return true;
    });
    if (ours_.empty()) others_.clear();  // Nobody knows which.
  }
  bool In(Node* root) const {
    bool found = false;
    WalkNode(root, [&](Node* node) {
      found = found || IsUse(*node);
      return !found;
    });
    return found;
  }

 private:
  // What the text calls the table, and what it calls others.
  void AddName(const Node& node, std::string_view table) {
    if (node.node_case == PG_QUERY__NODE__NODE_RANGE_VAR) {
      const PgQuery__RangeVar& range = *node.range_var;
      (View(range.relname) == table ? ours_ : others_).emplace(NameInFrom(range));
    } else if (node.node_case == PG_QUERY__NODE__NODE_RANGE_SUBSELECT) {
      const PgQuery__Alias* alias = node.range_subselect->alias;
      if (alias != nullptr) others_.emplace(View(alias->aliasname));
    } else if (node.node_case == PG_QUERY__NODE__NODE_RANGE_FUNCTION) {
      const PgQuery__Alias* alias = node.range_function->alias;
      if (alias != nullptr) others_.emplace(View(alias->aliasname));
    }
  }

  bool IsUse(const Node& node) const {
    switch (node.node_case) {
      case PG_QUERY__NODE__NODE_COLUMN_REF:
        return IsUse(*node.column_ref);
      case PG_QUERY__NODE__NODE_JOIN_EXPR: {
        const PgQuery__JoinExpr& join = *node.join_expr;
        return join.is_natural || HasName({join.using_clause, join.n_using_clause});
      }
      case PG_QUERY__NODE__NODE_RANGE_VAR: {
        // FROM t AS x (a, b) has other names for columns.
        const PgQuery__Alias* alias = node.range_var->alias;
        return alias != nullptr && alias->n_colnames > 0 && ours_.contains(View(alias->aliasname));
      }
      default:
        return false;
    }
  }
  bool IsUse(const PgQuery__ColumnRef& ref) const {
    for (size_t i = 0; i < ref.n_fields; ++i) {
      const Node* field = ref.fields[i];
      const bool is_star = field->node_case == PG_QUERY__NODE__NODE_A_STAR;
      if (!is_star && StringOf(field) != column_) continue;
      if (i == 0) {
        const bool is_table =
            ref.n_fields > 1 && (ours_.contains(column_) || others_.contains(column_));
        if (!is_table) return true;
        continue;
      }
      const std::string_view qualifier = StringOf(ref.fields[i - 1]);
      if (ours_.contains(qualifier) || !others_.contains(qualifier)) return true;
    }
    return false;
  }
  bool HasName(std::span<Node* const> names) const {
    return std::any_of(names.begin(), names.end(),
                       [&](const Node* name) { return StringOf(name) == column_; });
  }

  const std::string_view column_;
  std::set<std::string, std::less<>> ours_;
  std::set<std::string, std::less<>> others_;
};

}  // namespace

bool ViewUsesColumn(const std::string& view_sql, std::string_view table, std::string_view column) {
  const auto tree = ParseTree::Parse(view_sql);
  if (!tree.ok() || (*tree)->size() != 1) return true;
  // Nothing is changed.
  Node* const root = const_cast<Node*>((*tree)->statement(0).node);
  return Uses(root, table, column).In(root);
}

}  // namespace omendb::sql
