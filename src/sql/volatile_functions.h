// volatile_functions.h - functions of which each call may answer something else, or does something:
// an expression with one in it is not evaluated twice where it stands once.
//
// Thread safety  Pure functions.
#pragma once

#include "sql/parse/ast.h"

namespace omendb::sql {

// Whether the expression or query calls one. What views do is not looked at.
bool CallsVolatile(const Node* node);

}  // namespace omendb::sql
