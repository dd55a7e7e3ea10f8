// type_names.h - names of types in the SQL that is handed to DuckDB, where PostgreSQL's own name
// means another type there.
#pragma once

namespace omendb::duck {

// numeric without precision; DuckDB's numeric is DECIMAL(18,3).
inline constexpr const char* kBigNumericTypeName = "omen_numeric";

// kCharFunction(x, n) is x::char(n).
inline constexpr const char* kCharFunction = "omendb_char";

}  // namespace omendb::duck
