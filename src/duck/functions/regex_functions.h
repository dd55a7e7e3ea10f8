// regex_functions.h - PostgreSQL's functions and operators of regular expressions.
//
// Thread safety  Registration: one thread.
// See            PostgreSQL 15, section 9.7.3.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterRegex(Registry& registry);

}  // namespace omendb::duck
