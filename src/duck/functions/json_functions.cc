#include "duck/functions/json_functions.h"

namespace omendb::duck {

namespace {

struct Renamed {
  const char* name;
  const char* existing;
};

// The same arguments and meaning under DuckDB's name.
constexpr Renamed kRenamed[] = {
    {"json_build_object", "json_object"},
    {"jsonb_build_object", "json_object"},
    {"json_build_array", "json_array"},
    {"jsonb_build_array", "json_array"},
    {"to_jsonb", "to_json"},
    {"jsonb_array_length", "json_array_length"},
};

struct SqlMacro {
  const char* head;
  const char* expression;
};

constexpr SqlMacro kMacros[] = {
    {"json_agg(x)",
     "CAST('[' || string_agg(CASE WHEN x IS NULL THEN 'null' ELSE CAST(to_json(x) AS VARCHAR) END, "
     "', ') || ']' AS JSON)"},
    {"jsonb_agg(x)",
     "CAST('[' || string_agg(CASE WHEN x IS NULL THEN 'null' ELSE CAST(to_json(x) AS VARCHAR) END, "
     "', ') || ']' AS JSON)"},
    {"jsonb_exists(j, k)", "json_exists(j, '$.\"' || k || '\"')"},
    {"json_typeof(j)",
     "CASE json_type(j) WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array' WHEN 'VARCHAR' THEN "
     "'string' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null' ELSE 'number' END"},
    {"jsonb_typeof(j)",
     "CASE json_type(j) WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array' WHEN 'VARCHAR' THEN "
     "'string' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null' ELSE 'number' END"},
};

}  // namespace

void RegisterJson(Registry& registry) {
  for (const Renamed& renamed : kRenamed) {
    duckdb::ScalarFunctionSet existing = registry.Existing(renamed.existing);
    if (existing.functions.empty()) continue;
    duckdb::ScalarFunctionSet set(renamed.name);
    for (duckdb::ScalarFunction function : existing.functions) {
      function.name = renamed.name;
      set.AddFunction(std::move(function));
    }
    registry.Replace(std::move(set));
  }
  for (const SqlMacro& macro : kMacros) registry.Macro(macro.head, macro.expression);
}

}  // namespace omendb::duck
