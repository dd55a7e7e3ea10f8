#include "duck/functions/json_functions.h"

#include <string_view>

#include "duck/logical_types.h"

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

// Functions that read JSON also read jsonb; those that answer a part of it answer jsonb.
constexpr const char* kReaders[] = {"json_extract", "json_extract_string", "->",
                                    "->>",          "json_array_length",   "json_type",
                                    "json_exists",  "json_keys",           "json_contains"};

void AddJsonbReaders(Registry& registry) {
  const duckdb::LogicalType jsonb = JsonbType();
  for (const char* name : kReaders) {
    duckdb::ScalarFunctionSet set = registry.Existing(name);
    if (set.functions.empty()) continue;
    const auto existing = set.functions;
    for (duckdb::ScalarFunction function : existing) {
      if (function.arguments.empty() || !function.arguments[0].IsJSONType()) continue;
      for (duckdb::LogicalType& argument : function.arguments) {
        if (argument.IsJSONType()) argument = jsonb;
      }
      if (function.return_type.IsJSONType()) function.return_type = jsonb;
      set.AddFunction(std::move(function));
    }
    registry.Replace(std::move(set));
  }
  // jsonb @> jsonb beside DuckDB's list operator.
  duckdb::ScalarFunctionSet contains = registry.Existing("@>");
  for (duckdb::ScalarFunction function : registry.Existing("json_contains").functions) {
    if (function.arguments.size() != 2 || !IsJsonb(function.arguments[0]) ||
        !IsJsonb(function.arguments[1])) {
      continue;
    }
    function.name = "@>";
    contains.AddFunction(std::move(function));
  }
  if (!contains.functions.empty()) registry.Replace(std::move(contains));
}

void RegisterRenamed(Registry& registry) {
  for (const Renamed& renamed : kRenamed) {
    duckdb::ScalarFunctionSet existing = registry.Existing(renamed.existing);
    if (existing.functions.empty()) continue;
    duckdb::ScalarFunctionSet set(renamed.name);
    for (duckdb::ScalarFunction function : existing.functions) {
      function.name = renamed.name;
      if (std::string_view(renamed.name).find("jsonb") != std::string_view::npos &&
          function.return_type.IsJSONType()) {
        function.return_type = JsonbType();
      }
      set.AddFunction(std::move(function));
    }
    registry.Replace(std::move(set));
  }
}

}  // namespace

void RegisterJson(Registry& registry) {
  AddJsonbReaders(registry);
  RegisterRenamed(registry);
  for (const SqlMacro& macro : kMacros) registry.Macro(macro.head, macro.expression);
}

}  // namespace omendb::duck
