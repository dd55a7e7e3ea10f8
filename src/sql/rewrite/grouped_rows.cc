// A row with an expression of GROUP BY in it, compared with a sub-select: (n + 1, k) IN (SELECT
// ...) of GROUP BY n + 1, k. The fields move into the sub-select (row_subqueries.cc), where DuckDB
// knows grouped columns, and no grouped expressions. So the expression becomes a column:
//
//   FROM t, LATERAL (SELECT n + 1 AS c) AS g ... (g.c, k) IN (SELECT ...) ... GROUP BY g.c, k
#include <map>
#include <set>
#include <string>

#include "sql/rewrite/rules.h"

namespace omendb::sql {
namespace {

constexpr std::string_view kGrouped = "omendb_grouped";

bool IsExpression(const Node* node) {
  return node->node_case != PG_QUERY__NODE__NODE_COLUMN_REF && !IsConst(node) &&
         node->node_case != PG_QUERY__NODE__NODE_PARAM_REF &&
         node->node_case != PG_QUERY__NODE__NODE_GROUPING_SET &&
         node->node_case != PG_QUERY__NODE__NODE_ROW_EXPR;
}

std::string TextOf(const Node* node) {
  auto text = DeparseExpression(node);
  return text.ok() ? *text : std::string();
}

// The row that is compared with a sub-select; null of anything else.
const Node* ComparedRow(const Node* node) {
  const Node* row = nullptr;
  if (node->node_case == PG_QUERY__NODE__NODE_SUB_LINK) {
    row = node->sub_link->testexpr;
  } else if (node->node_case == PG_QUERY__NODE__NODE_A_EXPR && node->a_expr->rexpr != nullptr &&
             node->a_expr->rexpr->node_case == PG_QUERY__NODE__NODE_SUB_LINK) {
    row = node->a_expr->lexpr;
  }
  return row != nullptr && row->node_case == PG_QUERY__NODE__NODE_ROW_EXPR ? row : nullptr;
}

class GroupedRows {
 public:
  GroupedRows(PgQuery__SelectStmt& select, AstBuilder& build) : select_(select), build_(build) {}

  void Rewrite() {
    for (size_t i = 0; i < select_.n_target_list; ++i) {
      if (IsStar(select_.target_list[i]->res_target->val)) return;  // The column would show.
    }
    ForEachOwnNode([this](Node* node) { NoteFields(node); });
    if (fields_.empty()) return;
    for (size_t i = 0; i < select_.n_group_clause; ++i) NameGrouped(select_.group_clause[i]);
    if (columns_.empty()) return;
    ForEachOwnNode([this](Node* node) { Replace(node); });
    for (size_t i = 0; i < select_.n_group_clause; ++i) Replace(select_.group_clause[i]);
    AddToFrom();
  }

 private:
  // Nodes that groups are known in; not those of sub-selects.
  void ForEachOwnNode(const std::function<void(Node*)>& visit) {
    const auto walk = [&](Node* root) {
      if (root == nullptr) return;
      WalkNode(root, [&](Node* node) {
        if (node->node_case == PG_QUERY__NODE__NODE_SELECT_STMT) return false;
        visit(node);
        return true;
      });
    };
    for (size_t i = 0; i < select_.n_target_list; ++i) walk(select_.target_list[i]);
    for (size_t i = 0; i < select_.n_sort_clause; ++i) walk(select_.sort_clause[i]);
    for (size_t i = 0; i < select_.n_distinct_clause; ++i) walk(select_.distinct_clause[i]);
    for (size_t i = 0; i < select_.n_window_clause; ++i) walk(select_.window_clause[i]);
    walk(select_.having_clause);
  }

  void NoteFields(const Node* node) {
    const Node* row = ComparedRow(node);
    for (size_t i = 0; row != nullptr && i < row->row_expr->n_args; ++i) {
      const Node* field = row->row_expr->args[i];
      if (IsExpression(field)) fields_.insert(TextOf(field));
    }
  }

  // An item of GROUP BY: an expression, or the place of one in the select list.
  void NameGrouped(Node*& item) {
    if (IsConst(item) && item->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL) {
      const auto place = static_cast<size_t>(item->a_const->ival->ival) - 1;
      if (place >= select_.n_target_list) return;
      Node* value = select_.target_list[place]->res_target->val;
      if (!Name(value)) return;
      item = build_.Clone(value);
    } else {
      Name(item);
    }
  }
  bool Name(const Node* value) {
    if (!IsExpression(value)) return false;
    const std::string text = TextOf(value);
    if (!fields_.contains(text)) return false;
    if (columns_.contains(text)) return true;
    const std::string name = std::string(kGrouped) + std::to_string(columns_.size() + 1);
    columns_.emplace(text, name);
    targets_.push_back(build_.Target(build_.Clone(value), name));
    return true;
  }

  void Replace(Node* node) {
    if (!IsExpression(node)) return;
    const auto found = columns_.find(TextOf(node));
    if (found != columns_.end()) *node = *build_.Column({kGrouped, found->second});
  }

  void AddToFrom() {
    PgQuery__SelectStmt* grouped = build_.Select(build_.NullConst(), nullptr, nullptr);
    grouped->n_target_list = targets_.size();
    grouped->target_list = build_.List(targets_);
    std::vector<Node*> from(select_.from_clause, select_.from_clause + select_.n_from_clause);
    from.push_back(build_.Subselect(grouped, kGrouped));
    from.back()->range_subselect->lateral = true;
    select_.n_from_clause = from.size();
    select_.from_clause = build_.List(from);
  }

  PgQuery__SelectStmt& select_;
  AstBuilder& build_;
  std::set<std::string> fields_;                // expressions in rows, as text
  std::map<std::string, std::string> columns_;  // of them, those of GROUP BY, with their names
  std::vector<Node*> targets_;
};

}  // namespace

void NameGroupedFields(Node* statement, AstBuilder& build) {
  WalkAllMessages(&statement->base, [&](ProtobufCMessage* message) {
    if (message->descriptor == &pg_query__select_stmt__descriptor) {
      auto& select = *reinterpret_cast<PgQuery__SelectStmt*>(message);
      if (select.n_group_clause > 0 && select.n_from_clause > 0) {
        GroupedRows(select, build).Rewrite();
      }
    }
    return true;
  });
}

}  // namespace omendb::sql
