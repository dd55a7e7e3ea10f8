// strings.h - PostgreSQL's string functions that DuckDB lacks or has with another meaning.
//
// Thread safety  Once, at registration.
// See            PostgreSQL 15, section 9.4.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterStrings(Registry& registry);

}  // namespace omendb::duck
