// utf8.h - is it UTF-8 as PostgreSQL means it?
//
// Thread safety  Free functions.
// Cost           ASCII goes by 16 bytes at a time; other text by the character.
// Errors         22021 with PostgreSQL's text, naming the offending bytes.
// See            RFC 3629; PostgreSQL rejects the zero byte besides.
#pragma once

#include <string_view>

#include "base/status.h"

namespace omendb::pgwire {

// Offset of the first byte that does not begin a valid character (a zero byte is none);
// text.size() when all is well.
size_t FindInvalidUtf8(std::string_view text);

// Ok, or 22021 'invalid byte sequence for encoding "UTF8": 0xe9 0x20'.
Status CheckUtf8(std::string_view text);

}  // namespace omendb::pgwire
