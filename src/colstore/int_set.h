// int_set.h - a set of integers that is asked for whole blocks: a bitmap where they lie close
// together, else a hash table.
//
// Thread safety  Immutable.
// Cost           A bitmap answers about a value a cycle; it has at most 512 KB. The table has at
//                least two slots a value.
#pragma once

#include <cstdint>
#include <vector>

namespace omendb::colstore {

class IntSet {
 public:
  // In any order, also several times. Requires: one at least.
  explicit IntSet(const std::vector<int64_t>& values);

  int64_t least() const { return least_; }
  bool Contains(int64_t value) const { return bits_.empty() ? InTable(value) : InBits(value); }
  // Clears the flags of values of which base + value, modulo 2^64, is not in the set.
  template <typename T>
  void Keep(const T* values, uint32_t count, uint64_t base, uint8_t* flags) const {
    const auto at = [&](uint32_t i) {
      return static_cast<int64_t>(base + static_cast<uint64_t>(static_cast<int64_t>(values[i])));
    };
    if (bits_.empty()) {
      for (uint32_t i = 0; i < count; ++i) flags[i] = flags[i] != 0 && InTable(at(i)) ? 1 : 0;
    } else {
      for (uint32_t i = 0; i < count; ++i) flags[i] &= InBits(at(i)) ? 1 : 0;
    }
  }

 private:
  static constexpr uint64_t kBitsMax = uint64_t{1} << 22;

  bool InBits(int64_t value) const {
    const uint64_t at = static_cast<uint64_t>(value) - static_cast<uint64_t>(least_);
    const uint64_t bit = at <= last_ ? at : 0;
    return (bits_[bit / 64] >> bit % 64 & (at <= last_ ? 1 : 0)) != 0;
  }
  bool InTable(int64_t value) const {
    if (value == least_) return true;
    uint64_t slot = SlotOf(value);
    while (slots_[slot] != least_) {
      if (slots_[slot] == value) return true;
      slot = (slot + 1) & (slots_.size() - 1);
    }
    return false;
  }
  // Multiplicative hashing: Knuth, "The Art of Computer Programming", 6.4.
  uint64_t SlotOf(int64_t value) const {
    return static_cast<uint64_t>(value) * 0x9E3779B97F4A7C15 >> shift_;
  }

  int64_t least_;
  uint64_t last_ = 0;           // greatest - least
  std::vector<uint64_t> bits_;  // by value - least; none: the table is used
  std::vector<int64_t> slots_;  // a power of two of them; least_ = free
  uint32_t shift_ = 0;
};

}  // namespace omendb::colstore
