// parameter.h - the function that a typed parameter is wrapped in while it is bound
// (plan/statement_rewrite.h).
//
// Thread safety  Once, at registration.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterParameter(Registry& registry);

}  // namespace omendb::duck
