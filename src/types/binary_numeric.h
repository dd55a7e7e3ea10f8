// binary_numeric.h - numeric on the wire: base-10000 digits, weight, sign and display scale.
//
// Internal to this folder. Thread safety: pure.
// See            PostgreSQL 15, numeric_send and numeric_recv.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "types/type.h"
#include "types/value.h"

namespace omendb::types {

// 22P03 for malformed digits; 22003 past the type's precision; 0A000 for NaN and the infinities.
Result<Value> ReceiveNumeric(const SqlType& type, std::string_view bytes);
void SendNumeric(const SqlType& type, const Value& value, std::string& out);

}  // namespace omendb::types
