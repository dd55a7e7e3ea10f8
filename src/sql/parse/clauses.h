// clauses.h - clauses that statements of several kinds have: WITH, RETURNING, FOR UPDATE, and the
// table that is written to.
//
// Thread safety  Pure functions of the tree.
// Ownership      What they answer points into the tree.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "sql/parse/ast.h"

namespace omendb::sql {

// Where a SELECT, INSERT, UPDATE or DELETE has its WITH clause, null there when it has none; null
// for other statements.
PgQuery__WithClause** WithOf(Node* statement);

// The WITH queries of a clause, which may be null.
std::span<Node*> CtesOf(const PgQuery__WithClause* with);
std::span<Node*> CtesOf(Node* statement);
std::string_view CteName(const Node* cte);
inline Node* CteQuery(const Node* cte) { return cte->common_table_expr->ctequery; }
// The names of all WITH queries of a tree, whatever their scopes.
std::set<std::string, std::less<>> CteNames(Node* root);

// What the statement's expressions call a table of it: the alias, or else the table's name.
std::string_view NameInFrom(const PgQuery__RangeVar& range);

// Of INSERT, UPDATE, DELETE and MERGE; nothing of other statements.
struct DmlClauses {
  PgQuery__RangeVar* target = nullptr;  // null: no such statement
  std::span<Node* const> others;        // FROM of UPDATE, USING of DELETE
  std::span<Node* const> returning;
};
DmlClauses DmlClausesOf(const Node* statement);

// Whether it is a SELECT with FOR UPDATE or its like.
bool IsLockingSelect(const Node* node);

}  // namespace omendb::sql
