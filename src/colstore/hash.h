// hash.h - the hashes of key filters and distinct sketches. Stored, so never changed.
//
// Format         docs/formats/segment.md, "Keys and hashes"
// Thread safety  Pure functions.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace omendb::colstore {

inline uint64_t MixHash(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9;
  x ^= x >> 27;
  x *= 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

inline uint64_t HashInt(uint64_t value) { return MixHash(value + 0x9e3779b97f4a7c15); }

inline uint64_t HashBytes(std::string_view bytes) {
  uint64_t hash = bytes.size() * 0x9e3779b97f4a7c15;
  const char* p = bytes.data();
  for (size_t left = bytes.size(); left > 0;) {
    const size_t step = left < 8 ? left : 8;
    uint64_t word = 0;
    std::memcpy(&word, p, step);
    const unsigned __int128 product =
        static_cast<unsigned __int128>(hash ^ word ^ 0xa0761d6478bd642f) * 0xe7037ed1a0b428db;
    hash = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
    p += step;
    left -= step;
  }
  return MixHash(hash);
}

}  // namespace omendb::colstore
