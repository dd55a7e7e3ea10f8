// jsonb_order.h - the collation by which DuckDB compares, groups and sorts jsonb: as PostgreSQL
// does, not as the texts it keeps.
//
// Thread safety  Registration: one thread.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

// kJsonbTrim(jsonb) -> the same value with the fewest digits behind the points of its numbers.
inline constexpr const char* kJsonbTrim = "omen jsonb trim";

void RegisterJsonbOrder(Registry& registry);

}  // namespace omendb::duck
