// casts.h - PostgreSQL's casts between types, and the coercion of a value to its column's modifier.
//
// Thread safety  Pure functions.
// Ownership      A resulting string borrows the source value's bytes or lies in the arena.
// Errors         42846 where PostgreSQL has no such cast in this context; 22003, 22001, 22P02, ...
//                as its cast functions raise them.
// See            PostgreSQL 15, pg_cast; section 4.2.9 "Type Casts".
#pragma once

#include "base/status.h"
#include "types/text_io.h"
#include "types/type.h"
#include "types/value.h"

namespace omendb::types {

enum class CastContext : uint8_t {
  kImplicit,    // In an expression, unasked.
  kAssignment,  // Into a column.
  kExplicit,    // CAST(x AS t), x::t.
};

// Whether pg_cast (or the text conversions that need no entry) allows it.
bool CanCast(const SqlType& from, const SqlType& to, CastContext context);

// NULL casts to NULL. A value of type kUnknown is read by the target's input function. The target's
// modifier is applied: explicitly by truncation, on assignment by 22001 unless only blanks are cut.
Result<Value> CastValue(const SqlType& from, const SqlType& to, const Value& value, Arena& arena,
                        CastContext context, const IoSettings& settings);

}  // namespace omendb::types
