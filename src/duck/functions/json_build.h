// json_build.h - functions that make JSON of SQL values: to_json, json_build_object, what json_agg
// makes of the list of its rows, and their jsonb kin.
//
// Thread safety  Registration: one thread.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterJsonBuilders(Registry& registry);

}  // namespace omendb::duck
