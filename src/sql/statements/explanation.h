// explanation.h - what EXPLAIN says of one statement, and how it is written: as text or as JSON.
//
// See            PostgreSQL's src/backend/commands/explain.c for the names of properties.
#pragma once

#include <string>
#include <vector>

#include "engine/relation.h"

namespace omendb::sql {

struct ExplainOptions {
  bool analyze = false;
  bool json = false;
  bool costs = true;
  bool timing = true;
  bool summary = true;
  bool verbose = false;
};

// One table of a row plan and how its rows are found.
struct ExplainedAccess {
  std::string node;
  std::string index;
  std::string table;
  std::string condition;
  uint32_t depth = 0;  // of the index, with ANALYZE
};

struct Explanation {
  bool in_rows = false;  // by the row executor; else DuckDB
  // Of a row plan: what is done with the rows, the last first (Sort, Aggregate, Nested Loop), and
  // where they come from.
  std::vector<std::string> steps;
  std::vector<ExplainedAccess> accesses;
  std::string reason;  // why not the row executor
  std::string duck_plan;
  uint64_t rows_estimate = 0;
  uint64_t rows_true = 0;
  double seconds = 0;
  uint64_t model_hits = 0, corrections = 0, fallbacks = 0;  // of index lookups
  engine::Relation::BlockCounts blocks;                     // of all scans by DuckDB
};

// Lines.
std::vector<std::string> ExplanationText(const Explanation& explanation,
                                         const ExplainOptions& options);
std::string ExplanationJson(const Explanation& explanation, const ExplainOptions& options);

}  // namespace omendb::sql
