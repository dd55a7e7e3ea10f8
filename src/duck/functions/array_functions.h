// array_functions.h - PostgreSQL's functions and operators of arrays, over elements of any type.
//
// Thread safety  Registration: one thread.
// See            PostgreSQL 15, section 9.19 "Array Functions and Operators".
#pragma once

#include "duck/functions/any_function.h"
#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterArrays(Registry& registry);
// array || array, array || element, element || array.
const AnyFunction& ArrayConcat();

}  // namespace omendb::duck
