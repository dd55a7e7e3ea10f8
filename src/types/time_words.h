// time_words.h - text that PostgreSQL may read the current time from.
//
// Thread safety  Pure functions.
#pragma once

#include <string_view>

#include "types/type.h"

namespace omendb::types {

// Whether 'now', 'today', 'tomorrow' or 'yesterday' stands anywhere in the text as a word, in any
// case; or a backslash, which may escape a letter of it in an array.
bool MayNameTheTime(std::string_view text);
// Types whose input functions read such words: date, time, timestamp, timestamptz.
bool IsDateOrTime(TypeKind kind);

}  // namespace omendb::types
