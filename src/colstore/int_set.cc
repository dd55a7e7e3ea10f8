#include "colstore/int_set.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace omendb::colstore {

IntSet::IntSet(const std::vector<int64_t>& values) {
  OMEN_CHECK(!values.empty());
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  least_ = *least;
  last_ = static_cast<uint64_t>(*greatest) - static_cast<uint64_t>(least_);
  if (last_ < kBitsMax) {
    bits_.resize(last_ / 64 + 1);
    for (const int64_t value : values) {
      const uint64_t bit = static_cast<uint64_t>(value) - static_cast<uint64_t>(least_);
      bits_[bit / 64] |= uint64_t{1} << bit % 64;
    }
    return;
  }
  slots_.assign(std::bit_ceil(2 * values.size() + 1), least_);
  shift_ = 64 - static_cast<uint32_t>(std::countr_zero(slots_.size()));
  for (const int64_t value : values) {
    if (InTable(value)) continue;
    uint64_t slot = SlotOf(value);
    while (slots_[slot] != least_) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = value;
  }
}

}  // namespace omendb::colstore
