// binary_numeric.h - numeric on the wire: digits of base 10000.
//
// Format         int16 digit count, int16 weight (power of 10000 of the first digit), uint16 sign
//                (0x0000 +, 0x4000 -, 0xC000 NaN, 0xD000 and 0xF000 the infinities), uint16 decimal
//                digits shown behind the point, then the digits, each an int16 below 10000.
// Internal to this folder. Thread safety: pure. Errors: 22P03; 22003; 0A000 for NaN and infinity.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "types/type.h"
#include "types/value.h"

namespace omendb::types {

Result<Value> ReceiveNumeric(const SqlType& type, std::string_view bytes, Arena& arena);
void SendNumeric(const SqlType& type, const Value& value, std::string& out);

}  // namespace omendb::types
