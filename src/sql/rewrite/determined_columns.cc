// GROUP BY of a table's primary key: the table's other columns are then the same within a group and
// may stand in the select list, which DuckDB does not know. So those that are used join the GROUP
// BY clause, which makes no other groups of it.
//
// See check_functional_grouping in PostgreSQL's parse_agg.c.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sql/parse/clauses.h"
#include "sql/rewrite/rules.h"

namespace omendb::sql {
namespace {

using Names = std::set<std::string, std::less<>>;

// A table in FROM, with the columns of it that all grouping sets have, and those that the clause
// names anywhere: to add one of a ROLLUP would make a group's NULL of it a value.
struct Source {
  std::string_view alias;
  std::shared_ptr<const catalog::TableDef> table;
  std::set<ColumnId> grouped, named;

  bool IsDetermined() const {
    const catalog::IndexDef* key = table->primary_key();
    return key != nullptr && std::all_of(key->keys.begin(), key->keys.end(),
                                         [&](const auto& k) { return grouped.contains(k.column); });
  }
};

// The names of a column: t.a, a, t.*, *. The schema of s.t.a does not matter.
struct ColumnName {
  std::string_view table, column;
  bool star = false;

  explicit ColumnName(const PgQuery__ColumnRef& ref) {
    const size_t n = ref.n_fields;
    star = ref.fields[n - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR;
    if (!star) column = StringOf(ref.fields[n - 1]);
    if (n > 1) table = StringOf(ref.fields[n - 2]);
  }
};

class Grouping {
 public:
  Grouping(PgQuery__SelectStmt& select, RewriteState& state, const Names& ctes)
      : select_(select), state_(state), ctes_(ctes) {}

  void Complete() {
    for (size_t i = 0; i < select_.n_from_clause; ++i) AddSources(select_.from_clause[i]);
    for (size_t i = 0; i < select_.n_group_clause; ++i) NoteGrouped(select_.group_clause[i]);
    if (std::none_of(sources_.begin(), sources_.end(),
                     [](const Source& source) { return source.IsDetermined(); })) {
      return;
    }
    AddUsed(select_.n_target_list, select_.target_list);
    AddUsed(select_.n_sort_clause, select_.sort_clause);
    AddUsed(select_.n_distinct_clause, select_.distinct_clause);
    AddUsed(select_.n_window_clause, select_.window_clause);
    AddUsed(select_.having_clause == nullptr ? 0 : 1, &select_.having_clause);
    AppendNew();
  }

 private:
  void AddSources(const Node* item) {
    if (item->node_case == PG_QUERY__NODE__NODE_JOIN_EXPR) {
      // What stands behind the alias of a join is another's to say.
      if (item->join_expr->alias != nullptr) return;
      AddSources(item->join_expr->larg);
      AddSources(item->join_expr->rarg);
    }
    if (item->node_case != PG_QUERY__NODE__NODE_RANGE_VAR) return;
    const PgQuery__RangeVar& range = *item->range_var;
    if (View(range.schemaname).empty() && ctes_.contains(View(range.relname))) return;
    if (range.alias != nullptr && range.alias->n_colnames > 0) return;
    auto table = state_.context.find_table(range);
    if (table == nullptr) return;
    places_.emplace(item, sources_.size());
    sources_.push_back({NameInFrom(range), table, {}, {}});
  }

  // The table of that name, or the only one with that column.
  Source* SourceOf(const ColumnName& name) {
    Source* found = nullptr;
    if (name.table.empty()) {
      for (size_t i = 0; i < select_.n_from_clause; ++i) {
        Source* source = SourceIn(select_.from_clause[i], name.column);
        if (source == nullptr) continue;
        if (found != nullptr) return nullptr;
        found = source;
      }
      return found;
    }
    for (Source& source : sources_) {
      if (source.alias != name.table || source.table->FindColumn(name.column) == nullptr) continue;
      if (found != nullptr) return nullptr;
      found = &source;
    }
    return found;
  }
  // The table below an item of FROM that an unqualified column is one of. A column of USING is that
  // of the left side, in a RIGHT JOIN that of the right one, and in a FULL JOIN of neither.
  Source* SourceIn(const Node* item, std::string_view column) {
    if (item->node_case != PG_QUERY__NODE__NODE_JOIN_EXPR) {
      const auto found = places_.find(item);
      if (found == places_.end()) return nullptr;
      Source& source = sources_[found->second];
      return source.table->FindColumn(column) != nullptr ? &source : nullptr;
    }
    const PgQuery__JoinExpr& join = *item->join_expr;
    if (join.alias != nullptr) return nullptr;
    Source* left = SourceIn(join.larg, column);
    Source* right = SourceIn(join.rarg, column);
    if (!Merges(join, column, left != nullptr && right != nullptr)) {
      if (left != nullptr && right != nullptr) return nullptr;
      return left != nullptr ? left : right;
    }
    if (join.jointype == PG_QUERY__JOIN_TYPE__JOIN_FULL) return nullptr;
    return join.jointype == PG_QUERY__JOIN_TYPE__JOIN_RIGHT ? right : left;
  }
  // Whether the join makes one column of both sides'.
  static bool Merges(const PgQuery__JoinExpr& join, std::string_view column, bool in_both) {
    if (join.is_natural) return in_both;
    return std::any_of(join.using_clause, join.using_clause + join.n_using_clause,
                       [&](const Node* name) { return StringOf(name) == column; });
  }

  // An item of GROUP BY: a column, or the place or the name of one in the select list.
  void NoteGrouped(Node* item) {
    if (item->node_case == PG_QUERY__NODE__NODE_GROUPING_SET) return NoteNamed(item);
    if (IsConst(item) && item->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL) {
      const auto place = static_cast<size_t>(item->a_const->ival->ival) - 1;
      if (place < select_.n_target_list) NoteColumn(select_.target_list[place]->res_target->val);
      return;
    }
    if (NoteColumn(item) || item->node_case != PG_QUERY__NODE__NODE_COLUMN_REF) return;
    const ColumnName name(*item->column_ref);
    for (size_t i = 0; i < select_.n_target_list && name.table.empty(); ++i) {
      const PgQuery__ResTarget& target = *select_.target_list[i]->res_target;
      if (View(target.name) == name.column) NoteColumn(target.val);
    }
  }
  bool NoteColumn(const Node* node) {
    if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_COLUMN_REF) return false;
    const ColumnName name(*node->column_ref);
    Source* source = name.star ? nullptr : SourceOf(name);
    if (source == nullptr) return false;
    const ColumnId column = source->table->FindColumn(name.column)->id;
    source->named.insert(column);
    if (!in_grouping_set_) source->grouped.insert(column);
    return true;
  }
  // What is below a ROLLUP, CUBE or GROUPING SETS, places and names of the select list too.
  void NoteNamed(Node* set) {
    in_grouping_set_ = true;
    WalkNode(set, [&](Node* node) {
      const bool holds = node->node_case == PG_QUERY__NODE__NODE_GROUPING_SET ||
                         node->node_case == PG_QUERY__NODE__NODE_ROW_EXPR;
      if (!holds) NoteGrouped(node);
      return holds;
    });
    in_grouping_set_ = false;
  }

  // Columns used outside of aggregates; those of sub-selects too, where they may be outer ones.
  void AddUsed(size_t count, Node** nodes) {
    for (size_t i = 0; i < count; ++i) {
      WalkNode(nodes[i], [&](Node* node) {
        if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF) {
          AddColumns(ColumnName(*node->column_ref));
        }
        return !IsAggregateCall(*node);
      });
    }
  }
  void AddColumns(const ColumnName& name) {
    if (!name.star) {
      Source* source = SourceOf(name);
      if (source != nullptr) Add(*source, source->table->FindColumn(name.column)->id);
      return;
    }
    for (Source& source : sources_) {
      if (!name.table.empty() && source.alias != name.table) continue;
      for (const ColumnId column : source.table->live_columns()) Add(source, column);
    }
  }
  void Add(Source& source, ColumnId column) {
    if (!source.IsDetermined() || !source.named.insert(column).second) return;
    added_.push_back(state_.build.Column({source.alias, source.table->column(column).name}));
  }

  void AppendNew() {
    std::vector<Node*> all(select_.group_clause, select_.group_clause + select_.n_group_clause);
    all.insert(all.end(), added_.begin(), added_.end());
    select_.group_clause = state_.build.List(all);
    select_.n_group_clause = all.size();
  }

  PgQuery__SelectStmt& select_;
  RewriteState& state_;
  const Names& ctes_;
  std::vector<Source> sources_;
  std::map<const Node*, size_t> places_;  // of the tables in FROM, in sources_
  std::vector<Node*> added_;
  bool in_grouping_set_ = false;
};

}  // namespace

void CompleteGroupings(Node* statement, RewriteState& state) {
  if (!state.context.find_table) return;
  const Names ctes = CteNames(statement);
  // The arms of a set operation are no nodes.
  WalkAllMessages(&statement->base, [&](ProtobufCMessage* message) {
    if (message->descriptor == &pg_query__select_stmt__descriptor) {
      auto& select = *reinterpret_cast<PgQuery__SelectStmt*>(message);
      if (select.n_group_clause > 0) Grouping(select, state, ctes).Complete();
    }
    return true;
  });
}

}  // namespace omendb::sql
