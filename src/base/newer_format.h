// newer_format.h - what is told of a file that a newer program wrote.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/sqlstate.h"

namespace omendb {

// 0A000 `WHAT (MARK NUMBER) was written by a newer version of OmenDB`: bytes whose checksum is
// right, and of whose format this program does not know the number.
inline Status WrittenByNewer(std::string what, std::string_view mark, uint64_t number) {
  what.append(" (").append(mark).append(" ").append(std::to_string(number));
  return Status(sqlstate::kFeatureNotSupported,
                what + ") was written by a newer version of OmenDB");
}

}  // namespace omendb
