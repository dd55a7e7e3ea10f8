// datetime.h - PostgreSQL's functions of dates and times that DuckDB lacks: to_char, to_date,
// to_timestamp.
//
// Thread safety  Once, at registration.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterDateTime(Registry& registry);

}  // namespace omendb::duck
