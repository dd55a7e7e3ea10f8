// register.h - PostgreSQL's functions, operators and casts, registered over DuckDB's in its system
// catalog: whatever is bound afterwards means what it means in PostgreSQL.
//
// Thread safety  Once, before the instance has sessions. Throws DuckDB exceptions.
#pragma once

#include "duck/duck_engine.h"
#include "duckdb.hpp"

namespace omendb::duck {

// Before DuckDB's extensions are loaded: of two casts between the same types the first stays, and
// ICU has one of text to timestamptz.
void RegisterCasts(duckdb::ClientContext& context);
// Behind them: our functions replace theirs.
void RegisterFunctions(duckdb::ClientContext& context, SessionFunctions& functions);

}  // namespace omendb::duck
