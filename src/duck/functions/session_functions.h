// session_functions.h - functions of the session and of sequences: those the SQL layer declares
// (duck::SessionFunctions), nextval and setval, and the clocks.
//
// Thread safety  Once, at registration.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

class SessionFunctions;

void RegisterSessionFunctions(Registry& registry, SessionFunctions& functions);
void RegisterSequences(Registry& registry);
void RegisterClocks(Registry& registry);

}  // namespace omendb::duck
