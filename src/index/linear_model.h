// linear_model.h - a monotone linear map from keys to positions, in integers.
//
// position(key) = floor((clamp(key) - base) * positions / (span + 1)), rounded down a little by the
// finite precision of the factor. What the index relies on is only that the map is the same each
// time and never decreases with the key; both hold exactly for every key, at any distance and
// density, since it is a composition of monotone integer operations (subtract with saturation,
// minimum, shift left without overflow, the high half of a product with a constant, shift right).
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace omendb::index {

struct LinearModel {
  uint64_t base = 0;
  uint64_t span = 0;    // Keys above base + span count as base + span.
  uint64_t factor = 0;  // positions / (span + 1), scaled by 2^(64 + right - left).
  uint8_t left = 0;     // Leading zeros of span: the difference is shifted to fill 64 bits.
  uint8_t right = 0;

  // Requires: 0 < positions < 2^32.
  static LinearModel Make(uint64_t base, uint64_t span, uint64_t positions) {
    LinearModel model;
    model.base = base;
    model.span = span;
    model.left = static_cast<uint8_t>(std::countl_zero(span | 1));
    model.right = static_cast<uint8_t>(63 - std::bit_width(positions));
    const auto width = (static_cast<unsigned __int128>(span) + 1) << model.left;
    const auto scaled = static_cast<unsigned __int128>(positions) << (64 + model.right);
    model.factor = static_cast<uint64_t>(std::min<unsigned __int128>(scaled / width, UINT64_MAX));
    return model;
  }

  // The least key with this position or a greater one. Requires: 0 < position < positions.
  uint64_t FirstAt(uint64_t position) const {
    const auto high = static_cast<unsigned __int128>(position) << (64 + right);
    const auto shifted = static_cast<uint64_t>((high + factor - 1) / factor);
    const uint64_t mask = (uint64_t{1} << left) - 1;
    return base + (shifted >> left) + ((shifted & mask) != 0);
  }

  [[gnu::always_inline]] uint64_t operator()(uint64_t key) const {
    // Without branches: which side of the base a key is on cannot be foreseen.
    uint64_t from_base = 0;
    const bool below = __builtin_sub_overflow(key, base, &from_base);
    from_base &= uint64_t{below} - 1;
    const uint64_t difference = std::min(from_base, span) << left;
    return static_cast<uint64_t>((static_cast<unsigned __int128>(difference) * factor) >> 64) >>
           right;
  }
};

}  // namespace omendb::index
