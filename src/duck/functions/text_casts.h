// text_casts.h - casts from and to text by PostgreSQL's input and output functions
// (types/text_io.h), so that SQL's casts, the wire and COPY agree; json and jsonb; the reg* types
// and oid.
//
// Thread safety  Once, at registration.
#pragma once

#include "duck/functions/registry.h"
#include "types/type.h"

namespace omendb::duck {

void RegisterTextCasts(Registry& registry);
// A bound cast of a list to text: the list is really a value of this type (int2vector).
void FormatAs(const types::SqlType& type, duckdb::BoundCastInfo& cast);

}  // namespace omendb::duck
