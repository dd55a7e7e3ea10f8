// time_words.h - text that PostgreSQL may read the current time from.
//
// Thread safety  Pure functions.
#pragma once

#include <string_view>

namespace omendb::types {

// Whether 'now', 'today', 'tomorrow' or 'yesterday' stands anywhere in the text as a word, in any
// case; or a backslash, which may escape a letter of it in an array.
bool MayNameTheTime(std::string_view text);

}  // namespace omendb::types
