// generated_columns.h - the expressions of GENERATED ALWAYS AS (...) STORED, bound over a row of
// their table: Op `BoundReference` i is DuckDB's column i, as in a CHECK.
//
// Thread safety  One thread at a time. Errors throw DuckDB's exceptions.
#pragma once

#include <vector>

#include "duckdb.hpp"
#include "duckdb/planner/expression.hpp"

namespace omendb::duck {

class OmenTableEntry;
class SessionState;

struct GeneratedColumn {
  size_t column;  // DuckDB's number
  duckdb::unique_ptr<duckdb::Expression> value;
};

std::vector<GeneratedColumn> BindGeneratedColumns(duckdb::ClientContext& context,
                                                  SessionState& state, const OmenTableEntry& table);

}  // namespace omendb::duck
