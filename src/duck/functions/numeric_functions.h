// numeric_functions.h - functions of numerics without precision, beside those of the same name that
// DuckDB has for other numbers.
//
// Thread safety  Registration: one thread.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

// Requires: the functions for doubles, integers and decimals are registered.
void RegisterNumericFunctions(Registry& registry);

}  // namespace omendb::duck
