#include "colstore/value_list.h"

#include <algorithm>

#include "base/check.h"
#include "colstore/block_filter.h"

namespace omendb::colstore {

ValueList::ValueList(const types::SqlType& type, std::vector<types::Value> values)
    : type_(type), values_(std::move(values)) {
  OMEN_CHECK(!values_.empty());
  const auto less = [&](const types::Value& a, const types::Value& b) {
    return types::Compare(type_, a, b) < 0;
  };
  std::sort(values_.begin(), values_.end(), less);
  const auto same = [&](const types::Value& a, const types::Value& b) { return !less(a, b); };
  values_.erase(std::unique(values_.begin(), values_.end(), same), values_.end());
  if (!HasIntCells(type_)) return;
  std::vector<int64_t> ints;
  ints.reserve(values_.size());
  for (const types::Value& value : values_) ints.push_back(IntOfCell(type_, value));
  ints_.emplace(ints);
}

bool ValueList::MayMatch(const Zone& zone) const {
  if (!zone.has_range()) return zone.nulls() < zone.rows();
  const auto at = std::lower_bound(values_.begin(), values_.end(), zone.min(),
                                   [&](const types::Value& a, const types::Value& b) {
                                     return types::Compare(type_, a, b) < 0;
                                   });
  return at != values_.end() && types::Compare(type_, *at, zone.max()) <= 0;
}

}  // namespace omendb::colstore
