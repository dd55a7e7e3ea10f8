#include "sql/rewrite/duckdb_keywords.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "sql/parse/tokenizer.h"

namespace omendb::sql {
namespace {

// Sorted. Words that duckdb_keywords() of DuckDB 1.4 does not call unreserved and PostgreSQL's
// pg_get_keywords() does, or does not know.
constexpr std::string_view kWords[] = {
    "anti",         "asof",        "at",          "by",      "columns", "describe",
    "generated",    "glob",        "grouping_id", "lambda",  "map",     "pivot",
    "pivot_longer", "pivot_wider", "positional",  "qualify", "semi",    "show",
    "struct",       "summarize",   "try_cast",    "unpack",  "unpivot"};

}  // namespace

std::string QuoteDuckDbKeywords(std::string sql) {
  std::string quoted;
  size_t copied = 0;
  Tokenizer tokenizer(sql);
  for (Token token = tokenizer.Next(); token.kind != TokenKind::kEnd; token = tokenizer.Next()) {
    if (token.kind == TokenKind::kBad) return sql;
    if (token.kind != TokenKind::kWord) continue;
    if (!std::binary_search(std::begin(kWords), std::end(kWords), token.text)) continue;
    quoted.append(sql, copied, token.offset - copied);
    quoted += '"';
    quoted += token.text;
    quoted += '"';
    copied = token.offset + token.text.size();
  }
  if (copied == 0) return sql;
  return quoted.append(sql, copied);
}

}  // namespace omendb::sql
