#include "sql/rewrite/whole_rows.h"

#include <algorithm>

namespace omendb::sql {
namespace {

// An item of FROM whose whole row can be named.
struct Item {
  std::string alias;
  std::vector<std::string> columns;  // none: not known here
  std::string never_null;            // one of them; empty: none is known to be
  bool left_out = false;             // An outer join may leave it out.
};

class FromItems {
 public:
  FromItems(const PgQuery__SelectStmt& select, const RewriteState& state)
      : select_(select), state_(state) {
    for (size_t i = 0; i < select.n_from_clause; ++i) Add(select.from_clause[i], false);
  }
  std::vector<Item> Take() { return std::move(items_); }

 private:
  void Add(const Node* item, bool left_out) {
    switch (item->node_case) {
      case PG_QUERY__NODE__NODE_JOIN_EXPR:
        return AddJoin(*item->join_expr, left_out);
      case PG_QUERY__NODE__NODE_RANGE_VAR:
        return AddTable(*item->range_var, left_out);
      case PG_QUERY__NODE__NODE_RANGE_SUBSELECT: {
        const PgQuery__RangeSubselect& sub = *item->range_subselect;
        return Append(sub.alias, "", ColumnsOf(sub.subquery), "", left_out);
      }
      default:
        return Append(nullptr, "", {}, "", left_out);
    }
  }

  void AddJoin(const PgQuery__JoinExpr& join, bool left_out) {
    if (join.alias != nullptr) return Append(join.alias, "", {}, "", left_out);
    const bool full = join.jointype == PG_QUERY__JOIN_TYPE__JOIN_FULL;
    Add(join.larg, left_out || full || join.jointype == PG_QUERY__JOIN_TYPE__JOIN_RIGHT);
    Add(join.rarg, left_out || full || join.jointype == PG_QUERY__JOIN_TYPE__JOIN_LEFT);
  }

  void AddTable(const PgQuery__RangeVar& range, bool left_out) {
    const std::string_view name = View(range.relname);
    if (const PgQuery__CommonTableExpr* cte = CteOf(range)) {
      std::vector<std::string> columns = ColumnsOf(cte->ctequery);
      Rename(cte->n_aliascolnames, cte->aliascolnames, columns);
      return Append(range.alias, name, std::move(columns), "", left_out);
    }
    std::vector<std::string> columns;
    std::string never_null;
    const auto table = state_.context.find_table ? state_.context.find_table(range) : nullptr;
    if (table != nullptr) {
      for (const ColumnId id : table->live_columns()) {
        const catalog::ColumnDef& column = table->column(id);
        columns.push_back(column.name);
        if (never_null.empty() && column.not_null) never_null = column.name;
      }
    }
    Append(range.alias, name, std::move(columns), std::move(never_null), left_out);
  }

  const PgQuery__CommonTableExpr* CteOf(const PgQuery__RangeVar& range) const {
    const PgQuery__WithClause* with = select_.with_clause;
    for (size_t i = 0; with != nullptr && i < with->n_ctes; ++i) {
      const PgQuery__CommonTableExpr& cte = *with->ctes[i]->common_table_expr;
      if (View(range.schemaname).empty() && View(cte.ctename) == View(range.relname)) return &cte;
    }
    return nullptr;
  }

  static void Rename(size_t count, Node* const* names, std::vector<std::string>& columns) {
    for (size_t i = 0; i < count && i < columns.size(); ++i) columns[i] = StringOf(names[i]);
  }

  void Append(const PgQuery__Alias* alias, std::string_view name, std::vector<std::string> columns,
              const std::string& never_null, bool left_out) {
    const auto at = std::find(columns.begin(), columns.end(), never_null) - columns.begin();
    if (alias != nullptr) {
      name = View(alias->aliasname);
      Rename(alias->n_colnames, alias->colnames, columns);
    }
    const bool has_key = !never_null.empty();
    const std::string key = has_key ? columns[static_cast<size_t>(at)] : "";
    items_.push_back({std::string(name), std::move(columns), key, left_out});
  }

  // What a query answers; none where one of the names is not known, or twice there.
  std::vector<std::string> ColumnsOf(const Node* query) const {
    if (query->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) return {};
    const PgQuery__SelectStmt* select = query->select_stmt;
    while (select->larg != nullptr) select = select->larg;
    std::vector<std::string> names;
    for (size_t i = 0; i < select->n_target_list; ++i) {
      const PgQuery__ResTarget& target = *select->target_list[i]->res_target;
      const bool is_column = target.val->node_case == PG_QUERY__NODE__NODE_COLUMN_REF;
      if (is_column && IsStar(target.val)) {
        if (!AddStar(*select, *target.val->column_ref, names)) return {};
        continue;
      }
      std::string_view name = View(target.name);
      if (name.empty() && is_column) {
        const PgQuery__ColumnRef& column = *target.val->column_ref;
        name = StringOf(column.fields[column.n_fields - 1]);
      }
      if (name.empty()) return {};
      names.emplace_back(name);
    }
    std::vector<std::string> sorted = names;
    std::sort(sorted.begin(), sorted.end());
    const bool twice = std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
    return twice ? std::vector<std::string>() : names;
  }

  bool AddStar(const PgQuery__SelectStmt& select, const PgQuery__ColumnRef& star,
               std::vector<std::string>& names) const {
    for (const Item& item : FromItems(select, state_).Take()) {
      if (star.n_fields > 1 && StringOf(star.fields[star.n_fields - 2]) != item.alias) continue;
      if (item.columns.empty()) return false;
      names.insert(names.end(), item.columns.begin(), item.columns.end());
    }
    return true;
  }

  const PgQuery__SelectStmt& select_;
  const RewriteState& state_;
  std::vector<Item> items_;
};

class WholeRows {
 public:
  WholeRows(PgQuery__SelectStmt& select, RewriteState& state)
      : select_(select), build_(state.build), items_(FromItems(select, state).Take()) {}

  void Rewrite() {
    for (size_t i = 0; i < select_.n_target_list; ++i) {
      PgQuery__ResTarget& target = *select_.target_list[i]->res_target;
      const Item* item = ItemOf(target.val, false);
      if (item != nullptr && View(target.name).empty()) target.name = build_.Copy(item->alias);
      Visit(target.val);
    }
    for (Node* node : {select_.where_clause, select_.having_clause}) {
      if (node != nullptr) Visit(node);
    }
    for (size_t i = 0; i < select_.n_from_clause; ++i) VisitConditions(select_.from_clause[i]);
    for (size_t i = 0; i < select_.n_group_clause; ++i) {
      if (!IsOutputName(select_.group_clause[i])) Visit(select_.group_clause[i]);
    }
    // A name alone is one of the select list there.
    for (size_t i = 0; i < select_.n_sort_clause; ++i) {
      Node* sorted = select_.sort_clause[i]->sort_by->node;
      if (sorted->node_case != PG_QUERY__NODE__NODE_COLUMN_REF) Visit(sorted);
    }
  }

 private:
  // The item whose whole row it names: t, or t.* where that is one value.
  const Item* ItemOf(const Node* node, bool star) const {
    if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_COLUMN_REF) return nullptr;
    const PgQuery__ColumnRef& ref = *node->column_ref;
    const bool has_star = IsStar(node);
    if (ref.n_fields != (has_star ? 2 : 1) || (has_star && !star)) return nullptr;
    const std::string_view name = StringOf(ref.fields[0]);
    const auto is_column = [&](const Item& item) {
      return std::find(item.columns.begin(), item.columns.end(), name) != item.columns.end();
    };
    if (!has_star && std::any_of(items_.begin(), items_.end(), is_column)) return nullptr;
    const auto found = std::find_if(items_.begin(), items_.end(),
                                    [&](const Item& item) { return item.alias == name; });
    return found == items_.end() || found->columns.empty() ? nullptr : &*found;
  }

  // Whether something else in the select list has the name.
  bool IsOutputName(const Node* node) const {
    const Item* item = ItemOf(node, false);
    return item != nullptr &&
           std::any_of(select_.target_list, select_.target_list + select_.n_target_list,
                       [&](const Node* target) {
                         return View(target->res_target->name) == item->alias &&
                                target->res_target->val->node_case !=
                                    PG_QUERY__NODE__NODE_CASE_EXPR;
                       });
  }

  void VisitConditions(Node* item) {
    if (item->node_case != PG_QUERY__NODE__NODE_JOIN_EXPR) return;
    VisitConditions(item->join_expr->larg);
    VisitConditions(item->join_expr->rarg);
    if (item->join_expr->quals != nullptr) Visit(item->join_expr->quals);
  }

  // Sub-selects have names of their own.
  void Visit(Node* root) {
    WalkNode(root, [&](Node* node) {
      switch (node->node_case) {
        case PG_QUERY__NODE__NODE_SUB_LINK:
          return false;
        case PG_QUERY__NODE__NODE_NULL_TEST:
          if (const Item* item = ItemOf(node->null_test->arg, true)) {
            TestColumns(node, *item);
            return false;
          }
          return true;
        case PG_QUERY__NODE__NODE_COLUMN_REF:
          if (const Item* item = ItemOf(node, false); item != nullptr && item->left_out) {
            OrNull(node, *item);
          }
          return false;
        default:
          return true;
      }
    });
  }

  void TestColumns(Node* node, const Item& item) {
    std::vector<Node*> tests;
    for (const std::string& column : item.columns) {
      tests.push_back(build_.Clone(node));
      tests.back()->null_test->arg = build_.Column({item.alias, column});
    }
    *node = *build_.And(tests);
  }

  // CASE WHEN the join left it out THEN NULL ELSE t END.
  void OrNull(Node* node, const Item& item) {
    std::vector<Node*> nulls;
    for (const std::string& column : item.columns) {
      if (!item.never_null.empty() && column != item.never_null) continue;
      nulls.push_back(build_.IsNull(build_.Column({item.alias, column})));
    }
    *node = *build_.Case({{build_.And(nulls), build_.NullConst()}}, build_.Clone(node));
  }

  PgQuery__SelectStmt& select_;
  AstBuilder& build_;
  const std::vector<Item> items_;
};

}  // namespace

void RewriteWholeRows(PgQuery__SelectStmt& select, RewriteState& state) {
  WholeRows(select, state).Rewrite();
}

}  // namespace omendb::sql
