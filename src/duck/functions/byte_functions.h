// byte_functions.h - functions of bytea, and digests.
//
// Thread safety  Registration: one thread.
// See            PostgreSQL 15, section 9.5 "Binary String Functions and Operators".
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterByteFunctions(Registry& registry);

}  // namespace omendb::duck
