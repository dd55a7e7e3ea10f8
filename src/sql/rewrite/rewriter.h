// rewriter.h - PostgreSQL's parse tree to the SQL text that DuckDB's parser takes, wherever the two
// dialects differ in syntax. What differs in meaning only (functions, casts, operators that both
// can parse) is made equal in src/duck/.
//
// Each difference is one small function over the tree (rules.h), run in the order of kRules.
//
// Thread safety  Pure functions of their input.
// Errors         22xxx for typed constants that are no value of their type ('x'::date), 0A000 for
//                what DuckDB cannot do, both with the position in the client's text.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "catalog/snapshot.h"
#include "sql/parse/ast.h"
#include "txn/transaction.h"
#include "types/text_io.h"

namespace omendb::sql {

struct RewriteContext {
  const types::IoSettings* io = nullptr;
  // For what depends on definitions (ON CONFLICT ON CONSTRAINT); may be null.
  const catalog::CatalogSnapshot* catalog = nullptr;
  // The table an INSERT's relation names; null when it cannot be found.
  std::function<std::shared_ptr<const catalog::TableDef>(const PgQuery__RangeVar&)> find_table;
  // The type of a column of this name in any table of the statement; for parameters without a type.
  std::function<std::optional<types::SqlType>(std::string_view)> column_type;
};

// SELECT ... FOR UPDATE with hidden columns behind the client's (duck::HiddenColumns).
struct RowLocks {
  std::string sql;
  bool has_limit = false;
  bool has_offset = false;
  std::vector<Oid> tables;
};

struct RewrittenStatement {
  std::string sql;
  std::optional<txn::RowLockMode> lock;  // SELECT ... FOR UPDATE
  txn::LockWait lock_wait = txn::LockWait::kWait;
};

// SELECT, INSERT, UPDATE, DELETE. `text` is the statement's own text (for positions).
Result<RewrittenStatement> RewriteStatement(const Node* statement, std::string_view text,
                                            const RewriteContext& context);
// The same SELECT ... FOR UPDATE for DuckDB: what runs when it is no row plan.
Result<RowLocks> RewriteRowLocks(const Node* statement, std::string_view text,
                                 const RewriteContext& context);
// One expression; `sql` is PostgreSQL text from the catalog.
Result<std::string> RewriteExpressionText(std::string_view sql, const RewriteContext& context);
Result<std::string> RewriteQueryText(std::string_view sql, const RewriteContext& context);

// What the catalog keeps as text means the same at any time and with any settings. So constants of
// date and time types are written out as they read when it is defined, as PostgreSQL does: 'now' in
// a view, a default or a constraint is the time when that was made.
void WriteOutTimes(Node* root, const types::IoSettings& io, AstBuilder& build);
// One constant's text; as it is where its type is another one or it is no time.
std::string WrittenOutTime(std::string_view text, const types::SqlType& type,
                           const types::IoSettings& io);
// The type of the table's column of this name; nullopt where there is none.
using ColumnTypes = std::function<std::optional<types::SqlType>(std::string_view)>;
// The text of an expression over a table's columns for the catalog. 0A000 where a constant may be
// the time, and what it is compared with does not tell.
Result<std::string> DefinitionText(const Node* expression, const ColumnTypes& columns,
                                   const types::IoSettings& io);

// What PostgreSQL calls an unnamed output column (FigureColname in parse_target.c).
std::string OutputColumnName(const Node* expression);

}  // namespace omendb::sql
