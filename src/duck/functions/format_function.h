// format_function.h - format('%s %I %L', ...).
//
// Thread safety  Registration: one thread.
// See            PostgreSQL 15, section 9.4.1 "format".
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterFormat(Registry& registry);

}  // namespace omendb::duck
