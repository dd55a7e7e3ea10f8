// binary_io.h - PostgreSQL's binary send and receive functions (protocol format code 1, COPY
// BINARY).
//
// Thread safety  Pure functions.
// Ownership      A received string borrows `bytes`, or lies in the arena where it had to be
//                changed.
// Errors         22P03 for malformed bytes, 22021 for bad UTF-8, and the errors of the type's text
//                input where the value breaks the type's modifier.
// See            PostgreSQL 15 src/backend/utils/adt: *send and *recv of each type.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "types/type.h"
#include "types/value.h"

namespace omendb::types {

Result<Value> ReceiveBinary(const SqlType& type, std::string_view bytes, Arena& arena);
// Appends the value without its length word. Requires: !value.is_null.
void SendBinary(const SqlType& type, const Value& value, std::string& out);

}  // namespace omendb::types
