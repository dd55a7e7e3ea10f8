// arithmetic.h - PostgreSQL's + - * / %: which operator a pair of types means, what type it
// answers, and its errors.
//
// Each operator is one function of (ANY, ANY) that settles everything when it is bound, so that an
// untyped parameter or literal takes the other side's type as in PostgreSQL. Where DuckDB has the
// operator for the settled types, that one runs.
//
// Thread safety  Once, at registration.
// See            PostgreSQL 15, sections 9.3, 9.9 and 10.2.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

void RegisterArithmetic(Registry& registry);

}  // namespace omendb::duck
