// date_part.h - extract, date_part and date_trunc: the fields of dates, times and intervals.
//
// Thread safety  Registration: one thread.
// Errors         22023 for a field there is none of, 0A000 for one that the type has not.
// See            PostgreSQL 15, section 9.9.1 and 9.9.2.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterDateParts(Registry& registry);

}  // namespace omendb::duck
