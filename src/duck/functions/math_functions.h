// math_functions.h - mathematical functions whose errors or results DuckDB has otherwise.
//
// Thread safety  Registration: one thread.
// See            PostgreSQL 15, section 9.3 "Mathematical Functions and Operators".
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterMath(Registry& registry);

}  // namespace omendb::duck
