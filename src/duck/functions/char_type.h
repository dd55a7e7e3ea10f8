// char_type.h - char(n) as a type of DuckDB: its casts, and what makes and pads its values.
//
// Inside DuckDB a char(n) has no trailing blanks (logical_types.h). The few functions that see the
// padding in PostgreSQL get their argument through kCharPad (plan/char_padding.h).
//
// Thread safety  Registration: one thread.
#pragma once

#include "duck/functions/registry.h"

namespace omendb::duck {

// kCharPad(char(n)) -> text with the blanks.
inline constexpr const char* kCharPad = "omen char pad";

void RegisterCharType(Registry& registry);

}  // namespace omendb::duck
