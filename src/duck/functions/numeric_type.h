// numeric_type.h - numeric without precision as a type of DuckDB: its casts, and the collation by
// which DuckDB compares, groups and sorts it.
//
// Thread safety  Registration: one thread.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

// kNumericKey(numeric) -> bytes that are equal for equal numbers and order as they do.
inline constexpr const char* kNumericKey = "omen numeric key";
// kNumericTrim(numeric) -> the same number with the fewest digits behind the point.
inline constexpr const char* kNumericTrim = "omen numeric trim";

void RegisterNumericType(Registry& registry);

}  // namespace omendb::duck
