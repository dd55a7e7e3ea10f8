// statement_rewrite.h - small changes to a statement that DuckDB's parser has read, before it is
// bound: declared parameter types, names of our catalog, PostgreSQL's own types.
//
// Thread safety  The session's thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "duckdb.hpp"
#include "duckdb/parser/parsed_expression.hpp"
#include "duckdb/parser/sql_statement.hpp"
#include "duckdb/parser/statement/select_statement.hpp"

namespace omendb::duck {

class SessionState;

struct RewriteInput {
  duckdb::ClientContext* context = nullptr;  // To look functions up in.
  std::string attached_name;                 // Our catalog in DuckDB.
  std::string database_name;                 // What users call it.
  // Types of $1, $2, ...: INVALID where the binder shall infer. Typed parameters are wrapped in
  // kParameterFunction, so that a cast around one does not change its type.
  std::vector<duckdb::LogicalType> param_types;
  // Every untyped occurrence of $n gets an identifier of its own, "n:k": each is inferred alone.
  bool split_occurrences = false;
  // When set, parameters are replaced by these constants.
  const std::vector<duckdb::Value>* values = nullptr;
};

// Hands its argument on.
inline constexpr const char* kParameterFunction = "omen parameter";
// Fails with 42883: its first argument is the name of a function that does not exist, the others
// are the arguments it was called with.
inline constexpr const char* kMissingFunction = "omen missing function";
// 1 for "$1" and "$1:7"; 0 when it is no number.
size_t ParameterNumber(const std::string& identifier);

RewriteInput MakeRewriteInput(SessionState& state);

// Wraps typed parameters in casts, qualifies relations that are named with a schema by our catalog,
// takes "pg_catalog" off functions and resolves PostgreSQL's type names.
void RewriteStatement(duckdb::SQLStatement& statement, const RewriteInput& input);
// The largest $n in the statement.
size_t CountParameters(const duckdb::SQLStatement& statement);

// SQL text of the catalog (PostgreSQL's), through the session's SqlRewriter.
duckdb::unique_ptr<duckdb::ParsedExpression> ParseCatalogExpression(SessionState& state,
                                                                    const std::string& sql);
duckdb::unique_ptr<duckdb::SelectStatement> ParseCatalogQuery(SessionState& state,
                                                              const std::string& sql);

}  // namespace omendb::duck
