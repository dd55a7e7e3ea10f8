// interval_functions.h - functions that make, justify and bin intervals, dates and times.
//
// Thread safety  Registration: one thread.
// See            PostgreSQL 15, section 9.9.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterIntervals(Registry& registry);

}  // namespace omendb::duck
