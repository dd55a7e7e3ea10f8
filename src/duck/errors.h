// errors.h - DuckDB's exceptions as Status with PostgreSQL's SQLSTATE and words, and our Status
// carried through DuckDB as an exception.
//
// Thread safety  Pure functions.
#pragma once

#include <string_view>

#include "base/status.h"
#include "duckdb.hpp"

namespace omendb::duck {

// Throws `status` as a DuckDB exception that ToStatus() turns back into the same Status.
// The only throw of our code: DuckDB's callbacks know no other way to fail.
[[noreturn]] void ThrowStatus(const Status& status);
inline void ThrowIfError(const Status& status) {
  if (!status.ok()) ThrowStatus(status);
}
template <typename T>
T ValueOrThrow(Result<T> result) {
  if (!result.ok()) ThrowStatus(result.status());
  return std::move(result).value();
}

// `sql` is the text that DuckDB parsed: error positions refer to it.
Status ToStatus(const duckdb::ErrorData& error);
// "character varying" and its kin for DuckDB's type names ("VARCHAR", "INTEGER[]").
std::string PostgresTypeName(std::string_view duck_name);

}  // namespace omendb::duck
