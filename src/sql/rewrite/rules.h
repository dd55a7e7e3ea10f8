// rules.h - the rewrite rules. A rule sees every node of the tree, children before parents, and may
// change it in place. Internal to this folder.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/sqlstate.h"
#include "sql/rewrite/rewriter.h"

namespace omendb::sql {

// What an unknown condition means where it stands.
enum class Unknown {
  kMatters,  // it is a value
  kIsFalse,  // WHERE and its like
  kIsTrue,   // below one NOT of a WHERE
};

// What rules work with.
struct RewriteState {
  AstBuilder& build;
  const RewriteContext& context;
  RewrittenStatement& out;
  std::string_view text;  // the client's text, for positions
  // Sub-selects as conditions, by NoteConditions; of others an unknown answer matters.
  std::map<const Node*, Unknown> conditions = {};

  // An error at a byte offset of the text (-1: no position).
  Status At(Status status, int location) const;
};

using Rule = Status (*)(Node* node, RewriteState& state);

// Types: pg_catalog.int4, numeric without a modifier, interval fields, modifiers DuckDB has not.
Status RewriteTypes(Node* node, RewriteState& state);
// Casts: '...'::date read by PostgreSQL's input functions, varchar(n), '{1,2}'::int[], regclass.
Status RewriteCasts(Node* node, RewriteState& state);
// Operators: OPERATOR(pg_catalog.~), regular expressions, SIMILAR TO, LIKE's default escape, #, |/.
Status RewriteOperators(Node* node, RewriteState& state);
// schema.table.column.
Status RewriteQualifiedColumns(Node* node, RewriteState& state);
// a[i], a[i:j].
Status RewriteSubscripts(Node* node, RewriteState& state);
// COLLATE "default" and "C" are the only collations, and what DuckDB does by itself.
Status RewriteCollations(Node* node, RewriteState& state);
// Functions with a syntax of their own (EXTRACT, TRIM, ...) and under other names in DuckDB.
Status RewriteFunctions(Node* node, RewriteState& state);
// CURRENT_USER, CURRENT_TIMESTAMP, LOCALTIME, ...
Status RewriteValueFunctions(Node* node, RewriteState& state);
// FROM: functions, VALUES, ONLY.
Status RewriteFromItems(Node* node, RewriteState& state);
// t TABLESAMPLE BERNOULLI (10).
Status RewriteTableSamples(Node* node, RewriteState& state);
// (a, b) = (c, d), ROW(a, b) IS NULL.
Status RewriteRowValues(Node* node, RewriteState& state);
// (a, b) IN (SELECT ...), (a, b) < ALL (SELECT ...), (a, b) = (SELECT ...).
Status RewriteRowSubqueries(Node* node, RewriteState& state);
using Fields = std::span<Node* const>;
// The fields of ROW(...) and (a, b); nullopt of anything else, and of ROW().
std::optional<Fields> FieldsOf(const Node* node);
// `left op right` by its fields. Takes the fields of `left`, and copies of them. Requires: as many
// of them in both, one at least; a comparison operator.
Node* CompareRows(Fields left, Fields right, std::string_view op, AstBuilder& build);
bool IsComparison(std::string_view op);
// Whether it is a column that may be a numeric without precision, which DuckDB does not compare
// with a sub-select of another type. An expression stays where it is: it may be one of GROUP BY.
bool MayBeBigNumeric(const Node* value, const RewriteState& state);
// Column `index` of the one row of a sub-select of `width` columns, NULL where it has no row.
// 42601 for another number of columns.
Result<Node*> SubqueryColumn(const PgQuery__SubLink& link, size_t index, size_t width,
                             RewriteState& state);
// 0A000 where a query of the WITH clause changes data. At the top of a statement such queries are
// run before it (sql/modifying_with.h).
Status CheckWith(const PgQuery__WithClause* with, const RewriteState& state);
// SELECT: locking clauses, set-returning functions in the select list, VALUES, WITH TIES.
Status RewriteSelects(Node* node, RewriteState& state);
// ORDER BY x USING >.
Status RewriteSortUsing(Node* node, RewriteState& state);
// INSERT, UPDATE, DELETE.
Status RewriteDml(Node* node, RewriteState& state);

// Names of a SELECT that DuckDB would take for others: ambiguous columns, values of JSON arrays,
// regclass in ORDER BY.
Status ResolveScopes(PgQuery__SelectStmt& select, RewriteState& state);

// Before all others, parents first: output columns get PostgreSQL's names.
void NameOutputColumns(Node* statement, AstBuilder& build);

// Before all others: which sub-selects stand as conditions.
void NoteConditions(Node* statement, RewriteState& state);

// Before all others: PostgreSQL's regexp_matches() answers rows; DuckDB's of the name, which
// operators are rewritten to, a boolean.
void RenameRegexpMatches(Node* statement, AstBuilder& build);

// Whether it is a call of an aggregate, and not of a window function.
bool IsAggregateCall(const Node& node);
// Whether such a call, or one of a window function, is in the expression; sub-selects have their
// own.
bool HasAggregateCall(Node* expression);
bool HasWindowCall(Node* expression);
// Before all others: GROUP BY of a primary key, made to list the columns that it determines.
void CompleteGroupings(Node* statement, RewriteState& state);

// Before all others: rows of expressions of GROUP BY, compared with sub-selects, become rows of
// columns.
void NameGroupedFields(Node* statement, AstBuilder& build);

// Before all others: 0A000 of functions that OmenDB knows it does not have, whatever their
// arguments.
Status RefuseFunctions(Node* statement, RewriteState& state);

// The locking clause of the statement itself.
void TakeLocks(Node* statement, RewrittenStatement& out);
// After all others: a statement that is a bare VALUES gets PostgreSQL's column names.
void NameTopLevelValues(Node* statement, RewriteState& state);
// generate_series(1, 3) in a select list gives rows; in DuckDB it is a list to unnest.
void UnnestSetFunctions(Node* expression, AstBuilder& build);

// Elements of an array literal's text; nullopt for NULL. False when it is no one-dimensional array.
bool SplitArrayLiteral(std::string_view text, std::vector<std::optional<std::string>>& elements);
// A SQL pattern of SIMILAR TO as a regular expression.
std::string SimilarToRegex(std::string_view pattern, char escape);

}  // namespace omendb::sql
