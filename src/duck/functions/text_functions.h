// text_functions.h - functions of character strings whose results or errors DuckDB has otherwise:
// positions and lengths are integers, positions count from one and may lie outside.
//
// Thread safety  Registration: one thread.
// See            PostgreSQL 15, section 9.4 "String Functions and Operators".
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterTextFunctions(Registry& registry);

}  // namespace omendb::duck
