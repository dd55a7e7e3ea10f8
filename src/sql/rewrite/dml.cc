#include <algorithm>
#include <span>

#include "base/sqlstate.h"
#include "sql/parse/clauses.h"
#include "sql/rewrite/rules.h"

namespace omendb::sql {
namespace {

PgQuery__IndexElem* NewIndexElem(std::string_view column, AstBuilder& build) {
  auto* elem =
      reinterpret_cast<PgQuery__IndexElem*>(build.arena().Allocate(sizeof(PgQuery__IndexElem)));
  pg_query__index_elem__init(elem);
  elem->name = build.Copy(column);
  elem->ordering = PG_QUERY__SORT_BY_DIR__SORTBY_DEFAULT;
  elem->nulls_ordering = PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_DEFAULT;
  return elem;
}

// ON CONFLICT ON CONSTRAINT name: its columns.
Status ResolveConflictConstraint(PgQuery__InsertStmt& insert, RewriteState& state) {
  PgQuery__OnConflictClause* conflict = insert.on_conflict_clause;
  if (conflict == nullptr || conflict->infer == nullptr) return Status::Ok();
  PgQuery__InferClause& infer = *conflict->infer;
  const std::string_view name = View(infer.conname);
  if (name.empty()) return Status::Ok();
  if (!state.context.find_table) return NotSupported("ON CONFLICT ON CONSTRAINT");
  auto table = state.context.find_table(*insert.relation);
  if (table == nullptr) return Status::Ok();  // The binder says so.
  for (const catalog::ConstraintDef& constraint : table->constraints) {
    if (constraint.name != name) continue;
    if (constraint.kind != catalog::ConstraintKind::kPrimaryKey &&
        constraint.kind != catalog::ConstraintKind::kUnique) {
      return Status(sqlstate::kWrongObjectType,
                    "constraint in ON CONFLICT clause has no associated index");
    }
    std::vector<Node*> elems;
    for (ColumnId column : constraint.columns) {
      Node* node = state.build.NullConst();
      node->node_case = PG_QUERY__NODE__NODE_INDEX_ELEM;
      node->index_elem = NewIndexElem(table->column(column).name, state.build);
      elems.push_back(node);
    }
    infer.conname = nullptr;
    infer.n_index_elems = elems.size();
    infer.index_elems = state.build.List(elems);
    return Status::Ok();
  }
  return Status(
      sqlstate::kUndefinedObject,
      "constraint \"" + std::string(name) + "\" for table \"" + table->name + "\" does not exist");
}

// INSERT INTO t VALUES (1): the first columns, as many as there are values; DuckDB wants all or a
// list. Empty when nothing is to be listed.
std::vector<Node*> FirstColumns(const PgQuery__RangeVar& relation, size_t width,
                                RewriteState& state) {
  std::vector<Node*> columns;
  auto table = state.context.find_table ? state.context.find_table(relation) : nullptr;
  if (table == nullptr) return columns;
  const std::vector<ColumnId> live = table->live_columns();
  if (width == 0 || width >= live.size()) return columns;
  for (size_t i = 0; i < width; ++i) {
    columns.push_back(state.build.Target(nullptr, table->column(live[i]).name));
  }
  return columns;
}

void ListInsertColumns(PgQuery__InsertStmt& insert, RewriteState& state) {
  if (insert.n_cols > 0 || insert.select_stmt == nullptr) return;
  const PgQuery__SelectStmt& source = *insert.select_stmt->select_stmt;
  const size_t width =
      source.n_values_lists > 0 ? source.values_lists[0]->list->n_items : source.n_target_list;
  for (size_t i = 0; i < source.n_target_list; ++i) {
    if (IsStar(source.target_list[i]->res_target->val)) return;
  }
  const std::vector<Node*> columns = FirstColumns(*insert.relation, width, state);
  insert.n_cols = columns.size();
  insert.cols = state.build.List(columns);
}

bool IsDefault(const Node* node) { return node->node_case == PG_QUERY__NODE__NODE_SET_TO_DEFAULT; }

// What is inserted: rows of values, or what a query answers.
struct NewRows {
  std::span<Node* const> columns;  // empty: the table's first ones
  std::vector<std::span<Node* const>> rows;
  size_t query_width = 0;
};

NewRows NewRowsOf(const PgQuery__InsertStmt& insert) {
  const PgQuery__SelectStmt& source = *insert.select_stmt->select_stmt;
  NewRows rows{{insert.cols, insert.n_cols}, {}, source.n_target_list};
  for (size_t r = 0; r < source.n_values_lists; ++r) {
    const PgQuery__List& row = *source.values_lists[r]->list;
    rows.rows.emplace_back(row.items, row.n_items);
  }
  return rows;
}

// Whether column `i` of what is inserted is given a value of its own.
bool GivesValue(const NewRows& rows, size_t i) {
  if (rows.rows.empty()) return !rows.columns.empty() || i < rows.query_width;
  return std::any_of(rows.rows.begin(), rows.rows.end(),
                     [&](const auto& row) { return i < row.size() && !IsDefault(row[i]); });
}

// Columns that only their own default may fill: GENERATED ALWAYS AS IDENTITY, AS (...) STORED.
Status CheckGenerated(const PgQuery__RangeVar& relation, const NewRows& rows,
                      PgQuery__OverridingKind override, RewriteState& state) {
  if (!state.context.find_table) return Status::Ok();
  if (override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_USER_VALUE) {
    return NotSupported("OVERRIDING USER VALUE");
  }
  const bool overrides = override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_SYSTEM_VALUE;
  auto table = state.context.find_table(relation);
  if (table == nullptr) return Status::Ok();
  const std::vector<ColumnId> live = table->live_columns();
  const size_t width = rows.columns.empty() ? live.size() : rows.columns.size();
  for (size_t i = 0; i < width; ++i) {
    const catalog::ColumnDef* column =
        rows.columns.empty() ? &table->column(live[i])
                             : table->FindColumn(View(rows.columns[i]->res_target->name));
    if (column == nullptr) continue;
    const bool generated = !column->generated_sql.empty();
    const bool always = column->identity == catalog::Identity::kAlways && !overrides;
    if ((!always && !generated) || !GivesValue(rows, i)) continue;
    Status status(SqlState("428C9"),
                  "cannot insert a non-DEFAULT value into column \"" + column->name + "\"");
    if (generated) {
      return std::move(status).WithDetail("Column \"" + column->name + "\" is a generated column.");
    }
    return std::move(status)
        .WithDetail("Column \"" + column->name +
                    "\" is an identity column defined as GENERATED ALWAYS.")
        .WithHint("Use OVERRIDING SYSTEM VALUE to override.");
  }
  return Status::Ok();
}

// SET of such a column takes DEFAULT only.
Status CheckGeneratedTargets(const PgQuery__RangeVar& relation, size_t count, Node** targets,
                             RewriteState& state) {
  if (!state.context.find_table) return Status::Ok();
  auto table = state.context.find_table(relation);
  for (size_t i = 0; table != nullptr && i < count; ++i) {
    const PgQuery__ResTarget& target = *targets[i]->res_target;
    const catalog::ColumnDef* column = table->FindColumn(View(target.name));
    if (column == nullptr || target.val == nullptr || IsDefault(target.val)) continue;
    const bool generated = !column->generated_sql.empty();
    if (!generated && column->identity != catalog::Identity::kAlways) continue;
    return Status(SqlState("428C9"),
                  "column \"" + column->name + "\" can only be updated to DEFAULT")
        .WithDetail("Column \"" + column->name + "\" is " +
                    (generated ? "a generated column."
                               : "an identity column defined as GENERATED ALWAYS."));
  }
  return Status::Ok();
}

// SET (a, b) = (1, 2), SET (a, b) = (SELECT ...): one assignment each.
Status ExpandMultiAssign(size_t count, Node** targets, RewriteState& state) {
  for (size_t i = 0; i < count; ++i) {
    PgQuery__ResTarget& target = *targets[i]->res_target;
    if (target.val == nullptr || target.val->node_case != PG_QUERY__NODE__NODE_MULTI_ASSIGN_REF) {
      continue;
    }
    const PgQuery__MultiAssignRef& multi = *target.val->multi_assign_ref;
    if (multi.source->node_case == PG_QUERY__NODE__NODE_SUB_LINK) {
      OMEN_ASSIGN(target.val,
                  SubqueryColumn(*multi.source->sub_link, static_cast<size_t>(multi.colno - 1),
                                 static_cast<size_t>(multi.ncolumns), state));
      continue;
    }
    if (multi.source->node_case != PG_QUERY__NODE__NODE_ROW_EXPR) {
      return state.At(NotSupported("UPDATE ... SET (columns) = other than a row or a sub-select"),
                      target.location);
    }
    const PgQuery__RowExpr& row = *multi.source->row_expr;
    if (static_cast<int>(row.n_args) != multi.ncolumns) {
      return state.At(
          Status(sqlstate::kSyntaxError, "number of columns does not match number of values"),
          target.location);
    }
    target.val = row.args[multi.colno - 1];
  }
  return Status::Ok();
}

Status RewriteMergeInsert(const PgQuery__RangeVar& relation, PgQuery__MergeWhenClause& when,
                          RewriteState& state) {
  const NewRows rows{{when.target_list, when.n_target_list}, {{when.values, when.n_values}}, 0};
  if (when.n_values > 0) OMEN_TRY(CheckGenerated(relation, rows, when.override, state));
  when.override = PG_QUERY__OVERRIDING_KIND__OVERRIDING_NOT_SET;
  if (when.n_target_list > 0) return Status::Ok();
  const std::vector<Node*> columns = FirstColumns(relation, when.n_values, state);
  when.n_target_list = columns.size();
  when.target_list = state.build.List(columns);
  return Status::Ok();
}

Status RewriteMerge(PgQuery__MergeStmt& merge, RewriteState& state) {
  OMEN_TRY(CheckWith(merge.with_clause, state));
  merge.relation->inh = true;
  bool always[2] = {false, false};  // by `matched`: an action without a condition came
  for (size_t i = 0; i < merge.n_merge_when_clauses; ++i) {
    PgQuery__MergeWhenClause& when = *merge.merge_when_clauses[i]->merge_when_clause;
    if (always[when.matched ? 1 : 0]) {
      return Status(sqlstate::kSyntaxError,
                    "unreachable WHEN clause specified after unconditional WHEN clause");
    }
    always[when.matched ? 1 : 0] = when.condition == nullptr;
    if (when.command_type == PG_QUERY__CMD_TYPE__CMD_INSERT) {
      OMEN_TRY(RewriteMergeInsert(*merge.relation, when, state));
    } else if (when.command_type == PG_QUERY__CMD_TYPE__CMD_UPDATE) {
      OMEN_TRY(ExpandMultiAssign(when.n_target_list, when.target_list, state));
      OMEN_TRY(CheckGeneratedTargets(*merge.relation, when.n_target_list, when.target_list, state));
    }
  }
  return Status::Ok();
}

Status CheckReturning(const Node* statement, const RewriteState& state) {
  Status status;
  for (Node* item : DmlClausesOf(statement).returning) {
    WalkNode(item, [&](Node* node) {
      if (node->node_case == PG_QUERY__NODE__NODE_SUB_LINK) return false;
      if (status.ok() && IsAggregateCall(*node)) {
        status = state.At(
            Status(sqlstate::kGroupingError, "aggregate functions are not allowed in RETURNING"),
            node->func_call->location);
      }
      return status.ok();
    });
  }
  return status;
}

}  // namespace

Status RewriteDml(Node* node, RewriteState& state) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_INSERT_STMT: {
      PgQuery__InsertStmt& insert = *node->insert_stmt;
      OMEN_TRY(CheckWith(insert.with_clause, state));
      if (insert.select_stmt != nullptr) {
        OMEN_TRY(CheckGenerated(*insert.relation, NewRowsOf(insert), insert.override, state));
      }
      ListInsertColumns(insert, state);
      OMEN_TRY(ResolveConflictConstraint(insert, state));
      if (insert.on_conflict_clause != nullptr) {
        OMEN_TRY(ExpandMultiAssign(insert.on_conflict_clause->n_target_list,
                                   insert.on_conflict_clause->target_list, state));
        OMEN_TRY(CheckGeneratedTargets(*insert.relation, insert.on_conflict_clause->n_target_list,
                                       insert.on_conflict_clause->target_list, state));
      }
      insert.relation->inh = true;
      insert.override = PG_QUERY__OVERRIDING_KIND__OVERRIDING_NOT_SET;
      return Status::Ok();
    }
    case PG_QUERY__NODE__NODE_UPDATE_STMT: {
      PgQuery__UpdateStmt& update = *node->update_stmt;
      OMEN_TRY(CheckWith(update.with_clause, state));
      update.relation->inh = true;
      OMEN_TRY(CheckReturning(node, state));
      OMEN_TRY(ExpandMultiAssign(update.n_target_list, update.target_list, state));
      return CheckGeneratedTargets(*update.relation, update.n_target_list, update.target_list,
                                   state);
    }
    case PG_QUERY__NODE__NODE_DELETE_STMT: {
      PgQuery__DeleteStmt& del = *node->delete_stmt;
      OMEN_TRY(CheckWith(del.with_clause, state));
      del.relation->inh = true;
      return CheckReturning(node, state);
    }
    case PG_QUERY__NODE__NODE_MERGE_STMT:
      return RewriteMerge(*node->merge_stmt, state);
    case PG_QUERY__NODE__NODE_CURRENT_OF_EXPR:
      return NotSupported("WHERE CURRENT OF");
    default:
      return Status::Ok();
  }
}

}  // namespace omendb::sql
