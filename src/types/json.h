// json.h - json and jsonb: validation, jsonb's normal form and its order.
//
// jsonb lies in memory as text in normal form: what PostgreSQL's jsonb_out answers (keys ordered by
// length, then bytes; the last of equal keys wins; ": " and ", " between; numbers as numeric writes
// them; escapes only where needed). DuckDB's JSON functions read it as it is.
// json is the text as given, validated.
//
// Thread safety  Pure functions.
// Errors         22P02 "invalid input syntax for type json" with PostgreSQL's detail; 22P05 for
//                \u0000 in jsonb; 54001 for nesting deeper than kJsonDepthMax.
// See            PostgreSQL 15, section 8.14 "JSON Types"; RFC 8259.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace omendb::types {

inline constexpr int kJsonDepthMax = 6000;  // PostgreSQL's bound is its stack: about as deep.

Status ValidateJson(std::string_view text);
// Appends the normal form.
Status NormalizeJsonb(std::string_view text, std::string& out);
// PostgreSQL's order of jsonb values in normal form: Object > Array > Boolean > Number > String >
// Null; more members after fewer; numbers by value; strings by bytes.
int CompareJsonb(std::string_view a, std::string_view b);
// Appends bytes of which memcmp answers the same. In memory only: never stored.
void AppendJsonbKey(std::string_view jsonb, std::string& key);
// A text that is equal for, and only for, values that CompareJsonb finds equal (1.0 and 1 are).
std::string JsonbEqualityForm(std::string_view jsonb);
// Appends `text` in double quotes, escaped as PostgreSQL's escape_json does.
void AppendJsonString(std::string_view text, std::string& out);

}  // namespace omendb::types
