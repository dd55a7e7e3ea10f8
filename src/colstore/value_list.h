// value_list.h - values of which a row must have one: of IN, or the keys of a join's other side.
//
// Thread safety  Immutable.
// Ownership      Borrows the bytes of strings.
#pragma once

#include <optional>
#include <vector>

#include "colstore/int_set.h"
#include "colstore/zone.h"
#include "types/value.h"

namespace omendb::colstore {

class ValueList {
 public:
  // Requires: values without NULLs, one at least, of a type with an order.
  ValueList(const types::SqlType& type, std::vector<types::Value> values);

  // Different ones, ascending.
  const std::vector<types::Value>& values() const { return values_; }
  // Of types with HasIntCells; null for others.
  const IntSet* ints() const { return ints_ ? &*ints_ : nullptr; }
  // False only when no row of the zone has one of them.
  bool MayMatch(const Zone& zone) const;

 private:
  types::SqlType type_;
  std::vector<types::Value> values_;
  std::optional<IntSet> ints_;
};

}  // namespace omendb::colstore
