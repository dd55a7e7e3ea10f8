// row_id_set.h - row ids that a statement has met: a bit each where they lie close together, as the
// rows of a large statement do.
//
// Thread safety  One thread at a time.
// Cost           A look at a hash table for each stretch of kStretch ids that begins anew, and 170
//                bytes for each.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>

namespace omendb::duck {

class RowIdSet {
 public:
  // False when it was there.
  bool Insert(uint64_t id) {
    uint64_t& word = StretchOf(id)[id % kStretch / 64];
    const uint64_t bit = uint64_t{1} << id % 64;
    const bool is_new = (word & bit) == 0;
    word |= bit;
    return is_new;
  }
  bool Contains(uint64_t id) const {
    const auto found = stretches_.find(id / kStretch);
    return found != stretches_.end() && (found->second[id % kStretch / 64] >> id % 64 & 1) != 0;
  }

 private:
  static constexpr uint64_t kStretch = 1024;
  using Bits = std::array<uint64_t, kStretch / 64>;

  Bits& StretchOf(uint64_t id) {
    if (last_ == nullptr || last_number_ != id / kStretch) {
      last_number_ = id / kStretch;
      last_ = &stretches_[last_number_];
    }
    return *last_;
  }

  std::unordered_map<uint64_t, Bits> stretches_;
  Bits* last_ = nullptr;  // into stretches_, which never moves them
  uint64_t last_number_ = 0;
};

}  // namespace omendb::duck
