// duckdb_keywords.h - words that are names to PostgreSQL and keywords to DuckDB: at, map, show.
#pragma once

#include <string>

namespace omendb::sql {

// Quotes them in a text that was deparsed: there keywords are in capital letters, so that a word in
// small letters is a name.
std::string QuoteDuckDbKeywords(std::string sql);

}  // namespace omendb::sql
