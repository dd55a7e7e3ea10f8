// type_text.h - types as a cast in SQL names them.
//
// Thread safety  Pure functions.
#pragma once

#include <string>

#include "types/type.h"

namespace omendb::sql {

// As types::FormatType, but what reads back as the same type: "character" would be one character.
inline std::string CastName(const types::SqlType& type) {
  const bool any_length = type.kind == types::TypeKind::kBpchar && type.typmod < 0;
  return any_length ? std::string("bpchar") + (type.is_array ? "[]" : "") : types::FormatType(type);
}

}  // namespace omendb::sql
