// bitpack.h - numbers of w bits in lanes, so that one shift serves a whole vector of them.
//
// Format         docs/formats/segment.md, "Packed numbers"
// Thread safety  Pure functions.
// Cost           Unpacking takes about one instruction a number; UnpackOne two loads.
// Buffers        Outputs of Unpack have room for the count rounded up to 32 (16 above 32 bits).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace omendb::colstore {

inline constexpr uint32_t kNarrowLanes = 32;  // of 32 bits
inline constexpr uint32_t kWideLanes = 16;    // of 64 bits
inline constexpr int kNarrowWidthMax = 32;

constexpr int BitsFor(uint64_t value) { return static_cast<int>(std::bit_width(value)); }

constexpr size_t PackedBytes(uint32_t count, int width) {
  const uint32_t lanes = width <= kNarrowWidthMax ? kNarrowLanes : kWideLanes;
  const uint32_t bits = width <= kNarrowWidthMax ? 32 : 64;
  const uint64_t rows = (count + lanes - 1) / lanes;
  return (rows * static_cast<uint64_t>(width) + bits - 1) / bits * 128;
}

// Writes PackedBytes(count, width) bytes. Requires: every value < 2^width.
void Pack(const uint64_t* values, uint32_t count, int width, char* out);

// out[i] = number i + base, modulo the size of T (uint8_t to uint64_t).
// Requires: width is at most the bits of T, but for uint64_t at most 64.
template <typename T>
void Unpack(const char* packed, uint32_t count, int width, T base, T* out);

inline uint64_t UnpackOne(const char* packed, uint32_t index, int width) {
  if (width == 0) return 0;
  const auto w = static_cast<uint32_t>(width);
  if (width <= kNarrowWidthMax) {
    const uint32_t bit = index / kNarrowLanes * w;
    const uint32_t shift = bit % 32;
    const char* at = packed + (bit / 32 * kNarrowLanes + index % kNarrowLanes) * 4;
    uint32_t low, high = 0;
    std::memcpy(&low, at, 4);
    if (shift + w > 32) std::memcpy(&high, at + kNarrowLanes * 4, 4);
    const uint64_t both = low | uint64_t{high} << 32;
    return both >> shift & ((uint64_t{1} << w) - 1);
  }
  const uint32_t bit = index / kWideLanes * w;
  const uint32_t shift = bit % 64;
  const char* at = packed + (bit / 64 * kWideLanes + index % kWideLanes) * 8;
  uint64_t low, high = 0;
  std::memcpy(&low, at, 8);
  if (shift + w > 64) {
    std::memcpy(&high, at + kWideLanes * 8, 8);
    low = low >> shift | high << (64 - shift);
  } else {
    low >>= shift;
  }
  return width == 64 ? low : low & ((uint64_t{1} << w) - 1);
}

}  // namespace omendb::colstore
