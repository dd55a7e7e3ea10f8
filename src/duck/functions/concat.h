// concat.h - the || operator: of texts DuckDB's own, of arrays and jsonb ours. concat(),
// concat_ws() and format() see values as PostgreSQL's output functions write them.
//
// Thread safety  Registration: one thread.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterConcat(Registry& registry);

}  // namespace omendb::duck
