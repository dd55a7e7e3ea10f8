// json_functions.h - PostgreSQL's json and jsonb functions and operators that read or change a
// document. Sets of rows (json_each, jsonb_array_elements) are lists here: sql/rewrite/from_clause
// unnests them.
//
// Thread safety  Registration: one thread.
#pragma once

#include "duck/functions/any_function.h"
#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterJson(Registry& registry);

// jsonb - text, text[] or integer.
const AnyFunction& JsonbMinus();
// jsonb || jsonb.
const AnyFunction& JsonbConcat();

}  // namespace omendb::duck
