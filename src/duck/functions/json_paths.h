// json_paths.h - jsonb_set, jsonb_insert, #>, #-, jsonb - and || : functions that follow a path or
// change a document.
//
// Thread safety  Registration: one thread.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterJsonPaths(Registry& registry);

}  // namespace omendb::duck
