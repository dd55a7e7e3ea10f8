// aggregates.h - sum and avg with PostgreSQL's result types: sum of smallint and integer is bigint,
// of bigint numeric; avg of exact numbers is numeric.
//
// Thread safety  Once, at registration.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterAggregates(Registry& registry);

}  // namespace omendb::duck
