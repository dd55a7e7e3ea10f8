// array_types.h - the element type that arrays and elements of one call agree on.
//
// Thread safety  Pure functions.
#pragma once

#include <optional>
#include <vector>

#include "types/type.h"

namespace omendb::duck {

inline types::SqlType ArrayOf(types::SqlType element) {
  element.is_array = true;
  return element;
}

// What PostgreSQL's anycompatible resolves to; untyped operands adapt, text when all are. nullopt
// when the types have nothing in common.
std::optional<types::SqlType> CommonElement(const std::vector<types::SqlType>& given);

}  // namespace omendb::duck
