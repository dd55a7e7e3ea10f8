// json_functions.h - PostgreSQL's names of JSON functions over DuckDB's.
//
// Thread safety  Once, at registration.
// See            PostgreSQL 15, section 9.16.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterJson(Registry& registry);

}  // namespace omendb::duck
