#include "sql/parse/clauses.h"

namespace omendb::sql {

PgQuery__WithClause** WithOf(Node* statement) {
  switch (statement->node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
      return &statement->select_stmt->with_clause;
    case PG_QUERY__NODE__NODE_INSERT_STMT:
      return &statement->insert_stmt->with_clause;
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
      return &statement->update_stmt->with_clause;
    case PG_QUERY__NODE__NODE_DELETE_STMT:
      return &statement->delete_stmt->with_clause;
    default:
      return nullptr;
  }
}

std::span<Node*> CtesOf(const PgQuery__WithClause* with) {
  if (with == nullptr) return {};
  return {with->ctes, with->n_ctes};
}

std::span<Node*> CtesOf(Node* statement) {
  PgQuery__WithClause** with = WithOf(statement);
  if (with == nullptr) return {};
  return CtesOf(*with);
}

std::string_view CteName(const Node* cte) { return View(cte->common_table_expr->ctename); }

std::set<std::string, std::less<>> CteNames(Node* root) {
  std::set<std::string, std::less<>> names;
  WalkNode(root, [&](Node* node) {
    if (node->node_case == PG_QUERY__NODE__NODE_COMMON_TABLE_EXPR) names.emplace(CteName(node));
    return true;
  });
  return names;
}

std::string_view NameInFrom(const PgQuery__RangeVar& range) {
  return View(range.alias != nullptr ? range.alias->aliasname : range.relname);
}

DmlClauses DmlClausesOf(const Node* statement) {
  switch (statement->node_case) {
    case PG_QUERY__NODE__NODE_INSERT_STMT: {
      const PgQuery__InsertStmt& insert = *statement->insert_stmt;
      return {insert.relation, {}, {insert.returning_list, insert.n_returning_list}};
    }
    case PG_QUERY__NODE__NODE_UPDATE_STMT: {
      const PgQuery__UpdateStmt& update = *statement->update_stmt;
      return {update.relation,
              {update.from_clause, update.n_from_clause},
              {update.returning_list, update.n_returning_list}};
    }
    case PG_QUERY__NODE__NODE_DELETE_STMT: {
      const PgQuery__DeleteStmt& del = *statement->delete_stmt;
      return {del.relation,
              {del.using_clause, del.n_using_clause},
              {del.returning_list, del.n_returning_list}};
    }
    case PG_QUERY__NODE__NODE_MERGE_STMT:
      return {statement->merge_stmt->relation, {}, {}};
    default:
      return {};
  }
}

bool IsLockingSelect(const Node* node) {
  return node->node_case == PG_QUERY__NODE__NODE_SELECT_STMT &&
         node->select_stmt->n_locking_clause > 0;
}

}  // namespace omendb::sql
